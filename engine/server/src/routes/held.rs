//! `/v1/held`: events that were accepted and wait, why they do, and another try.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tollgate_core::engine::Retried;
use tollgate_core::store::{Outcome, Sequence, StoredEvent};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::charge::Hold;
use super::events::as_received;
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::Body;
use crate::extract::Query;
use crate::page::{self, Page, Paging};
use crate::problem::{Fault, Problem};

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(list_held)).routes(routes!(retry_held))
}

/// Which held events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only this app's.
    #[param(example = "acme-docs")]
    app: Option<String>,
}

/// Which held events are to be rated again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Retry {
    /// Only this app's; left out, those of all apps that the key manages.
    #[serde(default)]
    #[schema(example = "acme-docs")]
    app: Option<String>,
    /// The `next_cursor` of the retry before; left out, it begins with the first.
    #[serde(default)]
    cursor: Option<String>,
}

/// So many are rated again in one request.
const RETRIED_MAX: usize = 10_000;

/// An event that was accepted and waits.
#[derive(Debug, Serialize, ToSchema)]
struct HeldEvent {
    /// The app.
    #[schema(example = "acme-docs")]
    source: String,
    /// Its id.
    #[schema(example = "req-0001")]
    id: String,
    /// Why it waits.
    held: Hold,
    /// The event as it was received.
    #[schema(value_type = Object)]
    event: Box<RawValue>,
}

/// What came of rating held events again.
#[derive(Debug, Serialize, ToSchema)]
struct RetriedEvents {
    /// Now charged.
    #[schema(example = 40)]
    rated: u64,
    /// Still waiting.
    #[schema(example = 2)]
    held: u64,
    /// Ask with it for the rest: one request rates up to 10,000. Null when there are no more.
    next_cursor: Option<String>,
}

/// The apps that a request is about; `None` for all there are.
fn apps(caller: &Caller, backend: &Backend, app: Option<&str>) -> Result<Option<Vec<String>>, Problem> {
    let rules = backend.rules();
    if let Some(app) = app {
        return Ok(Some(vec![caller.app(&rules, app)?.id.clone()]));
    }
    let Some(builder) = caller.own_builder()? else { return Ok(None) };
    let own = rules.catalog().apps_of(builder);
    Ok(Some(own.map(|app| app.id.clone()).collect()))
}

/// List held events
///
/// Those of the apps that the key manages, in the order in which they were accepted.
#[utoipa::path(
    get, path = "/v1/held", tag = "Held events", operation_id = "list_held", params(Asked, Paging),
    responses((status = 200, description = "A page of held events.", body = Page<HeldEvent>)),
)]
async fn list_held(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Json<Page<HeldEvent>>, Problem> {
    let apps = apps(&caller, &backend, asked.app.as_deref())?;
    let after: Sequence = paging.after()?.unwrap_or_default();
    let page = backend.call(move |engine| {
        let found = engine.held(apps.as_deref(), after, paging.limit().saturating_add(1))?;
        let page = Page::cut(found, &paging, |stored| stored.sequence)?;
        let data = page.data.iter().filter_map(|stored| HeldEvent::of(stored).transpose());
        Ok::<_, Problem>(Page { data: data.collect::<Result<_, _>>()?, next_cursor: page.next_cursor })
    });
    Ok(Json(page.await?))
}

impl HeldEvent {
    /// `None` for one that is held no more.
    fn of(stored: &StoredEvent) -> Result<Option<Self>, Problem> {
        let Outcome::Held(reason) = &stored.outcome else { return Ok(None) };
        Ok(Some(Self {
            source: stored.key.app.clone(),
            id: stored.key.id.clone(),
            held: Hold::of(reason),
            event: as_received(&stored.received)?,
        }))
    }
}

/// Retry held events
///
/// Rates held events again, in the order in which they were accepted: those of one app, or of all apps that
/// the key manages. Their suspended plugins are tried again, too. Where many wait, `next_cursor` says how to go on.
#[utoipa::path(
    post, path = "/v1/held/retry", tag = "Held events", operation_id = "retry_held",
    request_body(content = Retry, example = json!({"app": "acme-docs"})),
    responses((status = 200, description = "What came of it.", body = RetriedEvents)),
)]
async fn retry_held(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Body(retry): Body<Retry>,
) -> Result<Json<RetriedEvents>, Problem> {
    let apps = apps(&caller, &backend, retry.app.as_deref())?;
    let after: Sequence = match &retry.cursor {
        None => 0,
        Some(cursor) => page::position(cursor)
            .ok_or_else(|| Problem::invalid(vec![Fault::at("/cursor", page::NO_CURSOR)]))?,
    };
    let retried = backend.walk(move |engine, _| engine.retry_held(apps.as_deref(), after, RETRIED_MAX));
    let Retried { rated, held, next } = retried.await?;
    let next_cursor = next.as_ref().map(page::cursor).transpose()?;
    Ok(Json(RetriedEvents { rated, held, next_cursor }))
}
