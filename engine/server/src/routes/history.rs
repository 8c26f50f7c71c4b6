//! `/v1/customers/{id}/events`: a customer's events with what became of them, the latest first.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tollgate_core::period::Period;
use tollgate_core::store::{Placement, Sequence};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::events::KeptEvent;
use crate::auth::Caller;
use crate::backend::Backend;
use crate::extract::{Path, Query};
use crate::page::{Page, Paging};
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(list_customer_events))
}

/// Which of a customer's events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The customer's app. Required where a key sees several.
    #[param(example = "acme-docs")]
    app: Option<String>,
    /// Only those that are counted in this period.
    #[param(value_type = Option<String>, pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])$", example = "2026-11")]
    period: Option<Period>,
}

/// List a customer's events
///
/// By the period they are counted in, the latest first, and within it those accepted last first. Held events
/// have no period yet and stand after all others. Those taken back are among them.
#[utoipa::path(
    get, path = "/v1/customers/{id}/events", tag = "Usage", operation_id = "list_customer_events",
    params(("id" = String, Path, description = "The customer.", example = "legal"), Asked, Paging),
    responses((status = 200, description = "A page of events.", body = Page<KeptEvent>)),
)]
async fn list_customer_events(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(customer): Path<String>,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Json<Page<KeptEvent>>, Problem> {
    let app = caller.app_of_customer(&backend.rules(), asked.app.as_deref(), &customer)?;
    let before: Option<(Option<Period>, Sequence)> = paging.after()?;
    let before = before.map(|(period, sequence)| Placement { period, sequence });
    let scope = caller.scope().clone();
    let page = backend.call(move |engine| {
        let surplus = paging.limit().saturating_add(1);
        let found = engine.store().events_of(&app, &customer, asked.period, before, surplus)?;
        let page = Page::cut(found, &paging, |(placement, _)| (placement.period, placement.sequence))?;
        let rules = engine.rules();
        let data = page
            .data
            .iter()
            .map(|(_, stored)| KeptEvent::of(stored, &rules, &scope))
            .collect::<Result<_, _>>()?;
        Ok::<_, Problem>(Page { data, next_cursor: page.next_cursor })
    });
    Ok(Json(page.await?))
}
