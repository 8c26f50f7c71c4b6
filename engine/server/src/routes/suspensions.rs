//! `/v1/suspensions`: tariffs whose plugins kept failing and are not run for now, and another try.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tollgate_core::engine::Rulebook;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::charge::Hold;
use crate::auth::Caller;
use crate::backend::Backend;
use crate::extract::Path;
use crate::page::{Page, Paging};
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(list_suspensions)).routes(routes!(retry_suspension))
}

/// A tariff whose plugin is not run for now: its events are held, and everybody else's flow.
#[derive(Debug, Serialize, ToSchema)]
struct Suspension {
    /// The tariff.
    #[schema(example = "acme-docs-2026")]
    tariff: String,
    /// Its app.
    #[schema(example = "acme-docs")]
    app: String,
    /// Why its events are held.
    held: Hold,
}

/// Whether a tariff's plugin is run.
#[derive(Debug, Serialize, ToSchema)]
struct SuspensionState {
    /// The tariff.
    #[schema(example = "acme-docs-2026")]
    tariff: String,
    /// Whether its events are held without a run.
    #[schema(example = false)]
    suspended: bool,
}

/// The app of a tariff that the caller manages.
fn app_of(caller: &Caller, rules: &Rulebook, tariff: &str) -> Option<String> {
    let tariff = rules.catalog().tariff(tariff)?;
    caller.scope().manages_app(rules.catalog(), &tariff.app).then(|| tariff.app.clone())
}

/// List suspensions
///
/// Tariffs of the apps that the key manages whose plugins failed on many events in a row. Their events are
/// held.
#[utoipa::path(
    get, path = "/v1/suspensions", tag = "Held events", operation_id = "list_suspensions", params(Paging),
    responses((status = 200, description = "A page of suspensions, by tariff.", body = Page<Suspension>)),
)]
async fn list_suspensions(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    paging: Paging,
) -> Result<Json<Page<Suspension>>, Problem> {
    caller.manager()?;
    let after: Option<String> = paging.after()?;
    let suspended = backend.call(|engine| Ok::<_, Problem>(engine.suspended())).await?;
    let rules = backend.rules();
    let found = suspended.into_iter().filter_map(|(tariff, reason)| {
        let app = app_of(&caller, &rules, &tariff)?;
        Some(Suspension { tariff: tariff.to_string(), app, held: Hold::of(&reason) })
    });
    let found = found.filter(|suspension| after.as_ref().is_none_or(|after| suspension.tariff > *after));
    Page::cut(found, &paging, |suspension| suspension.tariff.clone()).map(Json)
}

/// Retry a suspended tariff
///
/// Lets the plugin be run again on the next event that is recorded or retried. One more failure suspends the
/// tariff anew.
#[utoipa::path(
    post, path = "/v1/suspensions/{tariff}/retry", tag = "Held events", operation_id = "retry_suspension",
    params(("tariff" = String, Path, description = "The tariff.", example = "acme-docs-2026")),
    responses((status = 200, description = "Its plugin may be run again.", body = SuspensionState)),
)]
async fn retry_suspension(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(tariff): Path<String>,
) -> Result<Json<SuspensionState>, Problem> {
    caller.manager()?;
    if app_of(&caller, &backend.rules(), &tariff).is_none() {
        return Err(Problem::not_found(format!("there is no tariff {tariff:?}")));
    }
    let state = backend.call(move |engine| {
        engine.try_suspended(|suspended| suspended == tariff);
        let suspended = engine.suspended().contains_key(&*tariff);
        Ok::<_, Problem>(SuspensionState { tariff, suspended })
    });
    state.await.map(Json)
}
