//! `plugin keygen`, `publish` and `pull`: a plugin leaves its author's machine, and comes from a registry.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use tollgate_core::plugin::Digest;
use tollgate_core::publisher::Signature;
use tollgate_registry::{Artifact, OciError, Place, Pulled, SecretKey, Upload, UploadError};
use tollgate_workshop::trial::Plugin;
use tollgate_workshop::{Weight, check, inspect};

use super::target::{Found, workbench};
use crate::arguments::{PluginKeygen, PluginPublish, PluginPull};
use crate::exit::{Refused, UNFIT};

const SCHEME: &str = "oci://";
const API_KEY: &str = "TOLLGATE_API_KEY";

/// Makes a key to sign with.
pub fn keygen(arguments: &PluginKeygen) -> anyhow::Result<u8> {
    let key = SecretKey::generate()?;
    key.write(&arguments.file).context(Refused)?;
    let public = key.public().context("the new key cannot be used; make another")?;
    super::super::print(&format!(
        "{public}\n\nThe secret half is in {}: keep it, and show it to nobody. The platform gives the line above to the\n\
         Builder as one of its `publishers`; then `plugin publish --sign {}` is taken in.\n",
        arguments.file.display(),
        arguments.file.display()
    ))?;
    Ok(0)
}

/// Gets a component from a registry and writes it to a file.
pub fn pull(arguments: &PluginPull) -> anyhow::Result<u8> {
    let Pulled { component, digest, signature } = pulled(&arguments.place, arguments.plain_http)?;
    let inspection = inspect(&component).with_context(|| arguments.place.clone()).context(Refused)?;
    inspection.verify().with_context(|| arguments.place.clone()).context(Refused)?;
    let output = &arguments.output;
    fs::write(output, &component).with_context(|| output.display().to_string())?;
    let mut text = format!("{} ({} bytes)\n  {digest}\n", output.display(), component.len());
    if let Some(signature) = signature {
        let _ = writeln!(text, "  signed with {}", signature.key());
    }
    super::super::print(&text)?;
    Ok(0)
}

/// Builds, checks, signs, and sends a plugin to a server or a registry.
pub fn publish(arguments: &PluginPublish) -> anyhow::Result<u8> {
    let (found, mut signature) = found(arguments)?;
    let Some(plugin) = fit(&found)? else { return Ok(UNFIT) };
    let digest = Digest::of(&found.component);
    if let Some(file) = &arguments.sign {
        let key = SecretKey::read(file).context(Refused)?;
        signature = Some(key.sign(&digest).context("this key cannot be used; make another")?);
    }
    let text = if arguments.to.starts_with(SCHEME) {
        to_registry(arguments, &found, &plugin, signature)?
    } else {
        to_server(arguments, &found, &plugin, signature)?
    };
    super::super::print(&format!("{}\n  {digest}\n{text}", plugin.label()))?;
    Ok(0)
}

/// The component, and the signature that lies beside it in a registry.
fn found(arguments: &PluginPublish) -> anyhow::Result<(Found, Option<Signature>)> {
    let name = &arguments.plugin;
    if !name.starts_with(SCHEME) {
        return Ok((Found::from(name)?, None));
    }
    let Pulled { component, signature, .. } = pulled(name, arguments.plain_http)?;
    Ok((Found { name: name.clone(), component, folder: None }, signature))
}

fn pulled(place: &str, plain_http: bool) -> anyhow::Result<Pulled> {
    let place: Place = place.parse().context(Refused)?;
    tollgate_registry::pull(&place, plain_http).map_err(of_registry)
}

/// What `plugin check` has against it is printed; then there is no plugin to publish.
fn fit(found: &Found) -> anyhow::Result<Option<Plugin>> {
    let checked = check(&found.name, &found.component, &found.fixture_settings()?, &workbench());
    if !checked.is_wrong() {
        return Ok(checked.plugin);
    }
    let mut text = String::new();
    for finding in checked.findings.iter().filter(|finding| finding.weight == Weight::Wrong) {
        let _ = write!(text, "{finding}");
    }
    super::super::print(&format!("{text}{}: not published\n", found.name))?;
    Ok(None)
}

fn to_registry(
    arguments: &PluginPublish,
    found: &Found,
    plugin: &Plugin,
    signature: Option<Signature>,
) -> anyhow::Result<String> {
    let place: Place = arguments.to.parse().context(Refused)?;
    let inspection = inspect(&found.component).context(Refused)?;
    let descriptor = plugin.descriptor();
    let artifact = Artifact {
        component: &found.component,
        name: &descriptor.name,
        version: &descriptor.version,
        imports: &inspection.imports,
        exports: &inspection.exports,
        signature,
    };
    tollgate_registry::push(&place, &artifact, arguments.plain_http).map_err(of_registry)?;
    let signed = if signature.is_some() { "with its signature" } else { "unsigned" };
    Ok(format!(
        "pushed to {place}, {signed}\n\nNext, to a server:\n  tollgate plugin publish {place} --to https://HOST\n"
    ))
}

fn to_server(
    arguments: &PluginPublish,
    found: &Found,
    plugin: &Plugin,
    signature: Option<Signature>,
) -> anyhow::Result<String> {
    let key = api_key(arguments.key_file.as_deref())?;
    let upload = Upload {
        server: &arguments.to,
        key: &key,
        builder: arguments.builder.as_deref(),
        component: &found.component,
        signature,
        plain_http: arguments.plain_http,
    };
    let taken = tollgate_registry::upload(&upload).map_err(|error| of_server(error, &plugin.label()))?;
    let server = arguments.to.trim_end_matches('/');
    let happened = if taken.was_there { "was there already: nothing changed on" } else { "published to" };
    let signed = taken.published_by.map(|by| format!(", signed by {by}")).unwrap_or_default();
    Ok(format!(
        "{happened} {server}{signed}\n\nNext, bind it to an app by a tariff, with the settings of your choice:\n  \
         curl {server}/v1/tariffs -H \"authorization: Bearer ${API_KEY}\" -H 'content-type: application/json' -d \
         '{{\"id\": \"TARIFF\", \"app\": \"APP\", \"plugin\": \"{}\", \"settings\": {{}}, \"effective_from\": \
         \"2026-01-01T00:00:00Z\"}}'\n",
        taken.digest
    ))
}

/// The server's key: from a file, or the environment, where other users of the machine do not see it.
fn api_key(file: Option<&Path>) -> anyhow::Result<String> {
    let key = match file {
        Some(path) => {
            fs::read_to_string(path).with_context(|| path.display().to_string()).context(Refused)?
        }
        None => std::env::var(API_KEY).unwrap_or_default(),
    };
    let key = key.trim();
    if key.is_empty() {
        let message = format!("there is no API key: set {API_KEY}, or give --key-file FILE");
        return Err(anyhow::Error::msg(message).context(Refused));
    }
    Ok(key.to_owned())
}

/// An error of a registry, with the exit code that it has: refused, or failed on the way.
fn of_registry(error: OciError) -> anyhow::Error {
    let is_failure = matches!(error, OciError::Unreachable { .. } | OciError::Registry { .. });
    let error = anyhow::Error::new(error);
    if is_failure { error } else { error.context(Refused) }
}

/// Likewise of a server.
fn of_server(error: UploadError, plugin: &str) -> anyhow::Error {
    let is_failure = matches!(
        error,
        UploadError::Unreachable { .. } | UploadError::Failed { .. } | UploadError::Strange { .. }
    );
    let error = anyhow::Error::new(error).context(format!("publishing {plugin}"));
    if is_failure { error } else { error.context(Refused) }
}
