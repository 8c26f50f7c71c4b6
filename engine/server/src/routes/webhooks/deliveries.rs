//! `/v1/endpoints/{id}/deliveries`: what is on its way to an endpoint, what arrived, what was given up.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tollgate_core::store::record::Versioned;
use tollgate_core::store::{Record, RecordFilter, RecordKind};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{find_endpoint, owner};
use crate::auth::Caller;
use crate::backend::Backend;
use crate::extract::{Path, Query};
use crate::page::{Page, Paging};
use crate::problem::Problem;
use crate::routes::charge::moment;
use crate::webhooks::delivery::{self, Delivery, State as DeliveryState};

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(list_deliveries))
}

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// The Builder whose endpoint it is. Left out: the key's Builder, or the platform itself.
    #[param(example = "acme")]
    builder: Option<String>,
    /// Only those that stand like this.
    state: Option<DeliveryStatus>,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DeliveryStatus {
    /// It is tried, now or later.
    Pending,
    /// The endpoint took it.
    Delivered,
    /// It was given up.
    Dead,
}

/// A notice on its way to an endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(super) struct DeliveryBody {
    /// A stable id: the message's `webhook-id`.
    #[schema(example = "msg_4f1c09d2a7b3_17")]
    id: String,
    /// The number of the notice.
    #[schema(example = 17)]
    notice: u64,
    /// What it tells of.
    #[schema(value_type = String, example = "wallet.low")]
    r#type: &'static str,
    /// How it stands.
    state: DeliveryStatus,
    /// Attempts, since the beginning or the last replay.
    #[schema(example = 2)]
    attempts: u32,
    /// When it is tried next; null when it is not any more.
    #[schema(format = DateTime, example = "2026-11-24T19:27:40Z")]
    next_attempt_at: Option<String>,
    /// What came of the last attempt; null before the first.
    last_attempt: Option<LastAttempt>,
    /// When it was made.
    #[schema(format = DateTime, example = "2026-11-24T19:22:39Z")]
    created_at: String,
}

/// What came of an attempt.
#[derive(Debug, Serialize, ToSchema)]
struct LastAttempt {
    /// When it ended.
    #[schema(format = DateTime, example = "2026-11-24T19:22:40Z")]
    at: String,
    /// The HTTP status of the answer; null if there was none.
    #[schema(example = 503)]
    status: Option<u16>,
    /// Why there was no answer, or the beginning of a refusing one; null when there is nothing to say.
    #[schema(example = "down for maintenance")]
    error: Option<String>,
    /// How long it took, in milliseconds.
    #[schema(example = 41)]
    took_ms: u64,
}

impl From<DeliveryState> for DeliveryStatus {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Pending => Self::Pending,
            DeliveryState::Delivered => Self::Delivered,
            DeliveryState::Dead => Self::Dead,
        }
    }
}

impl DeliveryBody {
    pub(super) fn of(endpoint: &str, delivery: &Delivery) -> Self {
        let last = delivery.last.as_ref().map(|last| LastAttempt {
            at: moment(last.at),
            status: last.status,
            error: Some(last.words.clone()).filter(|words| !words.is_empty()),
            took_ms: last.took,
        });
        Self {
            id: delivery::public_id(endpoint, delivery.notice),
            notice: delivery.notice,
            r#type: delivery.kind.code(),
            state: delivery.state.into(),
            attempts: delivery.attempts,
            next_attempt_at: delivery.next_at.map(moment),
            last_attempt: last,
            created_at: moment(delivery.made_at),
        }
    }
}

/// List an endpoint's deliveries
///
/// The latest first. A page may have fewer than were asked for, or none, and not be the last: a list is looked
/// through piece by piece for those that stand as asked.
#[utoipa::path(
    get, path = "/v1/endpoints/{id}/deliveries", tag = "Webhooks",
    params(("id" = String, Path, description = "The endpoint's id.", example = "4f1c09d2a7b3"), Which, Paging),
    responses((status = 200, description = "A page, the latest first.", body = Page<DeliveryBody>)),
)]
async fn list_deliveries(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    paging: Paging,
) -> Result<Json<Page<DeliveryBody>>, Problem> {
    let owner = owner(&caller, &backend, which.builder.as_deref())?;
    let after: Option<String> = paging.after()?;
    let page = backend.call(move |engine| {
        find_endpoint(engine, &owner, &id)?;
        let parent = delivery::owner(&owner, &id);
        let list = |after: Option<&String>, limit| {
            let after = after.map(|after| (parent.clone(), after.clone()));
            let filter = RecordFilter { after, ..RecordFilter::owned(RecordKind::Delivery, &parent) };
            let read =
                |record: Record| Ok((record.key.id.clone(), Versioned::<Delivery>::of(&record)?.value));
            engine.store().list_records(&filter, limit)?.into_iter().map(read).collect()
        };
        let wanted = |delivery: &Delivery| which.state.is_none_or(|state| state == delivery.state.into());
        let page = Page::search(&paging, after, list, wanted)?;
        Ok::<_, Problem>(page.map(|(_, delivery)| DeliveryBody::of(&id, &delivery)))
    });
    Ok(Json(page.await?))
}
