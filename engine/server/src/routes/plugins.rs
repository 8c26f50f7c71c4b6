//! Plugins: uploaded once, named by their digest. A Builder sees its own and the platform's.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use tollgate_core::catalog::{Catalog, PluginOwnership};
use tollgate_core::engine::EngineError;
use tollgate_core::plugin::Digest;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::location::Location;
use super::plugin_body::{PluginBody, PluginSummary};
use super::publishers::signature_in;
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body;
use crate::extract::{Path, Query};
use crate::page::{Page, Paging};
use crate::problem::Problem;

const WASM: &str = "application/wasm";

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new()
        .routes(routes!(list_plugins, upload_plugin))
        .routes(routes!(read_plugin))
        .routes(routes!(download_plugin))
}

/// Whose plugins.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// The Builder. A Builder's key has only itself.
    #[param(example = "acme")]
    builder: Option<String>,
}

impl Whose {
    /// The Builder that is meant: the named one, or the key's own; `None` for the platform.
    fn builder(&self, caller: &Caller, backend: &Backend) -> Result<Option<String>, Problem> {
        let own = caller.own_builder()?;
        match &self.builder {
            Some(id) => caller.builder(&backend.rules(), id).map(|builder| Some(builder.id.clone())),
            None => Ok(own.map(str::to_owned)),
        }
    }
}

/// Upload a plugin
///
/// The component is validated, compiled and asked what it is; it is known by its digest from then on. It belongs
/// to the key's Builder; with a platform key to `builder`, or else to the platform, for every Builder to use. Where the
/// Builder has publishers, one of them must have signed it. The same again changes nothing and is answered 200.
#[utoipa::path(
    post, path = "/v1/plugins", tag = "Plugins",
    params(Whose, ("tollgate-signature" = Option<String>, Header,
        description = "A publisher's signature over the digest, as `tollgate plugin publish --sign` sends it.")),
    request_body(content = Vec<u8>, content_type = "application/wasm",
        description = "A WebAssembly component of Tollgate's plugin contract."),
    responses(
        (status = 201, description = "Taken in.", body = PluginBody),
        (status = 200, description = "It is there already.", body = PluginBody),
        (status = 403, description = "Nobody who may publish for the Builder has signed it."),
        (status = 422, description = "It is no pricing plugin; the message names the cause and the fix."),
    ),
)]
async fn upload_plugin(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Query(whose): Query<Whose>,
    request: Request,
) -> Result<(StatusCode, Option<Location>, Json<PluginBody>), Problem> {
    let builder = whose.builder(&caller, &backend)?;
    let signature = signature_in(request.headers())?;
    let received = body::receive(&backend, request, backend.plugin_limits()).await?;
    if received.media_type != WASM {
        return Err(Problem::unsupported_media_type(format!(
            "the body must be {WASM}, not {:?}: set the header content-type",
            received.media_type
        )));
    }
    let upload = move |engine: &tollgate_core::engine::Engine| {
        let digest = Digest::of(&received.bytes);
        let is_there = engine.rules().catalog().owner(&digest, builder.as_deref()).is_some();
        let (digest, descriptor) =
            engine.publish_plugin(&received.bytes, builder.as_deref(), signature.as_ref())?;
        let status = if is_there { StatusCode::OK } else { StatusCode::CREATED };
        let rules = engine.rules();
        let owner = rules.catalog().owner(&digest, builder.as_deref()).ok_or_else(Problem::internal)?;
        let location = (!is_there).then(|| Location::below("/v1/plugins", &digest.to_string()));
        PluginBody::of(owner, &descriptor).map(|body| (status, location, Json(body)))
    };
    backend.call(upload).await
}

/// A plugin as far as a key sees it: a Builder its own before the platform's; the platform anybody's.
fn visible(caller: &Caller, catalog: &Catalog, digest: &str) -> Result<PluginOwnership, Problem> {
    let own = caller.own_builder()?;
    let found = digest.parse().ok().and_then(|digest: Digest| match own {
        Some(builder) => catalog.plugin(&digest, builder).cloned(),
        None => catalog.plugins(None).find(|plugin| plugin.digest == digest).cloned(),
    });
    found.ok_or_else(|| no_plugin(digest))
}

fn no_plugin(digest: &str) -> Problem {
    Problem::not_found(format!("there is no plugin {digest:?}"))
}

/// List plugins
///
/// A Builder's key sees its own and the platform's, which are for everyone; a platform key all, or with `builder`
/// those that this Builder sees.
#[utoipa::path(
    get, path = "/v1/plugins", tag = "Plugins", params(Whose, Paging),
    responses((status = 200, description = "A page, by digest.", body = Page<PluginSummary>)),
)]
async fn list_plugins(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Query(whose): Query<Whose>,
    paging: Paging,
) -> Result<Json<Page<PluginSummary>>, Problem> {
    let builder = whose.builder(&caller, &backend)?;
    let rules = backend.rules();
    let position = |plugin: &&PluginOwnership| (plugin.digest, plugin.builder.clone());
    let after: Option<(Digest, Option<String>)> = paging.after()?;
    let mut found: Vec<&PluginOwnership> = rules.catalog().plugins(builder.as_deref()).collect();
    found.sort_by_key(position);
    let found =
        found.into_iter().filter(|plugin| after.as_ref().is_none_or(|after| position(plugin) > *after));
    let page = Page::cut(found, &paging, position)?;
    Ok(Json(page.map(PluginSummary::from)))
}

/// Read a plugin
#[utoipa::path(
    get, path = "/v1/plugins/{digest}", tag = "Plugins",
    params(("digest" = String, Path, description = "The plugin's digest.",
        example = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")),
    responses((status = 200, description = "What the plugin says of itself.", body = PluginBody)),
)]
async fn read_plugin(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(digest): Path<String>,
) -> Result<Json<PluginBody>, Problem> {
    let plugin = visible(&caller, backend.rules().catalog(), &digest)?;
    let of = plugin.digest;
    let descriptor = backend.call(move |engine| engine.descriptor(&of)).await?;
    let descriptor = descriptor.ok_or_else(|| no_plugin(&digest))?;
    PluginBody::of(&plugin, &descriptor).map(Json)
}

/// Download a plugin's component
///
/// For its owner: a Builder downloads its own, the platform any.
#[utoipa::path(
    get, path = "/v1/plugins/{digest}/component", tag = "Plugins",
    params(("digest" = String, Path, description = "The plugin's digest.",
        example = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")),
    responses(
        (status = 200, description = "The component, as it was uploaded.", body = Vec<u8>,
            content_type = "application/wasm"),
        (status = 403, description = "It is the platform's; only its owner downloads it."),
    ),
)]
async fn download_plugin(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(digest): Path<String>,
) -> Result<([(HeaderName, HeaderValue); 1], Vec<u8>), Problem> {
    let plugin = visible(&caller, backend.rules().catalog(), &digest)?;
    if plugin.builder.is_none() && !caller.scope().is_platform() {
        return Err(Problem::forbidden("this plugin is the platform's: only its owner may download it"));
    }
    let component =
        backend.call(move |engine| engine.store().plugin(&plugin.digest).map_err(EngineError::from));
    let component = component.await?.ok_or_else(|| no_plugin(&digest))?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(WASM))], component))
}
