//! Plugins in OCI registries, in the layout of the WebAssembly community that `wkg` reads and writes: a config of
//! `application/vnd.wasm.config.v0+json` and one layer of `application/wasm`.
//!
//! What comes back is believed by its digest alone.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::manifest::{OciDescriptor, OciImageManifest};
use oci_client::{Client, Reference};
use serde::Serialize;
use tollgate_core::causes::chain;
use tollgate_core::plugin::Digest;
use tollgate_core::publisher::Signature;

use crate::{credentials, tls};

const SCHEME: &str = "oci://";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const LAYER: &str = "application/wasm";
const TITLE: &str = "org.opencontainers.image.title";
const VERSION: &str = "org.opencontainers.image.version";
/// The manifest's annotation that holds the publisher's signature.
const SIGNATURE: &str = "tollgate.plugin.signature";
/// More than any host takes in.
const COMPONENT_BYTES_MAX: usize = 64 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_mins(1);

/// A place in a registry: `oci://registry/repository:tag`, or with `@sha256:…`.
#[derive(Clone, Debug)]
pub struct Place(Box<Reference>);

/// A plugin on its way into a registry.
#[derive(Clone, Debug)]
pub struct Artifact<'a> {
    /// The component.
    pub component: &'a [u8],
    /// As the plugin calls itself.
    pub name: &'a str,
    /// The plugin's own version.
    pub version: &'a str,
    /// Names of what the component imports.
    pub imports: &'a [String],
    /// Names of what it exports.
    pub exports: &'a [String],
    /// A publisher's signature.
    pub signature: Option<Signature>,
}

/// A plugin as a registry gave it: its bytes are those that the manifest names.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// The component.
    pub component: Vec<u8>,
    /// Its digest.
    pub digest: Digest,
    /// The signature beside it, of this digest, if there is any. Whose it is is not looked at here.
    pub signature: Option<Signature>,
}

/// Why a plugin did not come from a registry or go to it.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // The messages say what each field is.
pub enum OciError {
    #[error("{0:?} is no place in a registry: write oci://REGISTRY/REPOSITORY:TAG")]
    Place(String),
    #[error("{0}")]
    Credentials(String),
    #[error("{place}: the registry cannot be reached: {reason}")]
    Unreachable { place: Place, reason: String },
    #[error(
        "{place}: the registry does not let you in: run `docker login`, or set TOLLGATE_REGISTRY_USERNAME and \
         TOLLGATE_REGISTRY_PASSWORD"
    )]
    Unauthorized { place: Place },
    #[error("{place} is not there: look for the repository's name and tag")]
    Missing { place: Place },
    #[error("{place} holds no WebAssembly component: {reason}")]
    NotWasm { place: Place, reason: String },
    #[error(
        "{place}: the registry gave other bytes than its manifest names, {expected}; they were thrown away"
    )]
    Tampered { place: Place, expected: String },
    #[error("{place}: {reason}")]
    Registry { place: Place, reason: String },
}

impl FromStr for Place {
    type Err = OciError;

    fn from_str(text: &str) -> Result<Self, OciError> {
        let refuse = || OciError::Place(text.to_owned());
        let name = text.strip_prefix(SCHEME).ok_or_else(refuse)?;
        let (host, path) = name.split_once('/').ok_or_else(refuse)?;
        // Without these two, Docker's registry and the tag `latest` would be guessed.
        if !(path.contains(':') && (host.contains(['.', ':']) || host == "localhost")) {
            return Err(refuse());
        }
        name.parse().map(|reference| Self(Box::new(reference))).map_err(|_| refuse())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{SCHEME}{}", self.0)
    }
}

/// The config of a component, by its specification.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WasmConfig<'a> {
    created: &'static str,
    architecture: &'static str,
    os: &'static str,
    layer_digests: [String; 1],
    component: Interfaces<'a>,
}

#[derive(Serialize)]
struct Interfaces<'a> {
    exports: &'a [String],
    imports: &'a [String],
}

/// Puts a plugin into a registry. The same again changes nothing.
///
/// # Errors
/// When the registry cannot be reached, refuses, or the credentials cannot be read.
pub fn push(place: &Place, artifact: &Artifact<'_>, plain_http: bool) -> Result<(), OciError> {
    let digest = Digest::of(artifact.component);
    let Artifact { name, version, imports, exports, .. } = *artifact;
    let title = BTreeMap::from([(TITLE.to_owned(), format!("{name}.wasm"))]);
    let layer = ImageLayer::new(artifact.component.to_vec(), LAYER.to_owned(), Some(title));
    let config = WasmConfig {
        // One moment for all, so that the same plugin makes the same manifest.
        created: "1970-01-01T00:00:00Z",
        architecture: "wasm",
        os: "wasip2",
        layer_digests: [digest.to_string()],
        component: Interfaces { exports, imports },
    };
    let registry = |reason: String| OciError::Registry { place: place.clone(), reason };
    let config = serde_json::to_vec(&config).map_err(|error| registry(error.to_string()))?;
    let config = Config::new(config, CONFIG.to_owned(), None);
    let mut annotations =
        BTreeMap::from([(TITLE.to_owned(), name.to_owned()), (VERSION.to_owned(), version.to_owned())]);
    annotations.extend(artifact.signature.map(|signature| (SIGNATURE.to_owned(), signature.to_string())));
    let layers = [layer];
    let mut manifest = OciImageManifest::build(&layers, &config, Some(annotations));
    manifest.media_type = Some(MANIFEST.to_owned());
    let auth = credentials::of(place.0.registry())?;
    let client = client(place, plain_http);
    wait(place, async {
        let pushed = client.push(&place.0, &layers, config, &auth, Some(manifest)).await;
        pushed.map(|_| ()).map_err(|error| told(place, error))
    })
}

/// Gets a plugin from a registry, and holds its bytes against the digest in the manifest.
///
/// # Errors
/// When it is not there, is something else, is not what the manifest says, or the registry fails.
pub fn pull(place: &Place, plain_http: bool) -> Result<Pulled, OciError> {
    let auth = credentials::of(place.0.registry())?;
    let client = client(place, plain_http);
    wait(place, async {
        let pulled = client.pull_image_manifest(&place.0, &auth).await;
        let (manifest, _) = pulled.map_err(|error| told(place, error))?;
        let layer = layer_of(place, &manifest)?;
        let component = bytes(&client, place, layer).await?;
        let digest = Digest::of(&component);
        if digest.to_string() != layer.digest {
            return Err(OciError::Tampered { place: place.clone(), expected: layer.digest.clone() });
        }
        let annotations = manifest.annotations.unwrap_or_default();
        let signature = annotations.get(SIGNATURE).map(|text| text.parse::<Signature>()).transpose();
        let signature = signature.map_err(|error| OciError::Registry {
            place: place.clone(),
            reason: format!("{SIGNATURE}: {error}"),
        })?;
        if signature.is_some_and(|signature| !signature.is_of(&digest)) {
            return Err(OciError::Registry {
                place: place.clone(),
                reason: format!(
                    "the signature beside the component is not of it, {digest}: have it pushed again"
                ),
            });
        }
        Ok(Pulled { component, digest, signature })
    })
}

/// The one layer that a plugin is.
fn layer_of<'m>(place: &Place, manifest: &'m OciImageManifest) -> Result<&'m OciDescriptor, OciError> {
    let not_wasm = |reason: String| OciError::NotWasm { place: place.clone(), reason };
    if manifest.config.media_type != CONFIG {
        return Err(not_wasm(format!("its config is {:?}, not {CONFIG}", manifest.config.media_type)));
    }
    match manifest.layers.as_slice() {
        [layer] if layer.media_type == LAYER => Ok(layer),
        layers => Err(not_wasm(format!("it has {} layers, not one of {LAYER}", layers.len()))),
    }
}

/// A layer's bytes, unless there are too many.
async fn bytes(client: &Client, place: &Place, layer: &OciDescriptor) -> Result<Vec<u8>, OciError> {
    let not_wasm = || OciError::NotWasm {
        place: place.clone(),
        reason: format!("it has more than {COMPONENT_BYTES_MAX} bytes"),
    };
    let broken = |error: std::io::Error| match error.to_string() {
        // What the client says of a digest of its own; the words of an error of the line never hold it.
        words if words.to_lowercase().contains("digest") => {
            OciError::Tampered { place: place.clone(), expected: layer.digest.clone() }
        }
        reason => OciError::Registry { place: place.clone(), reason },
    };
    let mut stream = client.pull_blob_stream(&place.0, layer).await.map_err(|error| told(place, error))?;
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.try_next().await.map_err(broken)? {
        if bytes.len().saturating_add(chunk.len()) > COMPONENT_BYTES_MAX {
            return Err(not_wasm());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn client(place: &Place, plain_http: bool) -> Client {
    tls::choose();
    let registry = place.0.resolve_registry();
    let is_plain = plain_http || tls::is_here(registry);
    Client::new(ClientConfig {
        protocol: if is_plain { ClientProtocol::Http } else { ClientProtocol::Https },
        platform_resolver: None,
        connect_timeout: Some(CONNECT_TIMEOUT),
        read_timeout: Some(READ_TIMEOUT),
        user_agent: concat!("tollgate/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    })
}

/// Runs what is asked to its end, on this thread.
fn wait<T>(place: &Place, asked: impl Future<Output = Result<T, OciError>>) -> Result<T, OciError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let failed =
        |error: std::io::Error| OciError::Registry { place: place.clone(), reason: error.to_string() };
    runtime.map_err(failed)?.block_on(asked)
}

/// A failure in words that name the fix.
fn told(place: &Place, error: OciDistributionError) -> OciError {
    let place = place.clone();
    match error {
        OciDistributionError::UnauthorizedError { .. } | OciDistributionError::AuthenticationFailure(_) => {
            OciError::Unauthorized { place }
        }
        OciDistributionError::ServerError { code: 401 | 403, .. } => OciError::Unauthorized { place },
        OciDistributionError::ImageManifestNotFoundError(_)
        | OciDistributionError::ServerError { code: 404, .. } => OciError::Missing { place },
        OciDistributionError::RegistryError { envelope, url } => {
            let is = |codes: &[OciErrorCode]| envelope.errors.iter().any(|error| codes.contains(&error.code));
            if is(&[OciErrorCode::Unauthorized, OciErrorCode::Denied]) {
                OciError::Unauthorized { place }
            } else if is(&[OciErrorCode::ManifestUnknown, OciErrorCode::NameUnknown, OciErrorCode::NotFound])
            {
                OciError::Missing { place }
            } else {
                OciError::Registry { place, reason: format!("{url}: {envelope}") }
            }
        }
        OciDistributionError::DigestError(error) => OciError::Tampered { place, expected: error.to_string() },
        OciDistributionError::RequestError(error) if error.is_connect() || error.is_timeout() => {
            OciError::Unreachable { place, reason: chain(&error.without_url()) }
        }
        OciDistributionError::ImageIndexParsingNoPlatformResolverError => {
            OciError::NotWasm { place, reason: "it is an index of several images".to_owned() }
        }
        other => OciError::Registry { place, reason: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_names_its_registry_and_its_tag() {
        for (text, is_place) in [
            ("oci://ghcr.io/acme/per-page:1.0.0", true),
            ("oci://localhost:5000/per-page:1", true),
            ("oci://ghcr.io/acme/per-page", false),
            ("oci://acme/per-page:1", false),
            ("oci://ghcr.io", false),
            ("https://ghcr.io/acme/per-page:1", false),
        ] {
            assert_eq!(text.parse::<Place>().is_ok(), is_place, "{text}");
        }
    }
}
