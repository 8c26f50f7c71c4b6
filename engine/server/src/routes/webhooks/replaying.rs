//! Sending again what was given up, or what was delivered and lost by its receiver.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tollgate_core::engine::Engine;
use tollgate_core::store::record::Versioned;
use tollgate_core::store::{Commit, RecordFilter, RecordKind, StoreError};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::deliveries::DeliveryBody;
use super::{Whose, find_endpoint, owner};
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::Body;
use crate::extract::{Path, Query};
use crate::problem::{Fault, Problem};
use crate::webhooks::delivery::{self, Delivery, State as DeliveryState};
use crate::webhooks::{insist, write};

/// Deliveries begun anew in one commit.
const PIECE: usize = 200;

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(replay_delivery)).routes(routes!(replay_dead))
}

/// Which deliveries are to be sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Since {
    /// Those made at this moment or later.
    #[serde(deserialize_with = "crate::routes::moment::required")]
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T00:00:00Z")]
    since: Timestamp,
}

/// What will be sent again.
#[derive(Debug, Serialize, ToSchema)]
struct Replayed {
    /// How many deliveries.
    #[schema(example = 12)]
    replayed: u64,
}

fn only_open(engine: &Engine, owner: &str, id: &str) -> Result<(), Problem> {
    if find_endpoint(engine, owner, id)?.value.is_open() {
        return Ok(());
    }
    Err(Problem::conflict("the endpoint is disabled: replace it with one that is not, then replay"))
}

/// Send a delivery again
///
/// Whatever became of it, it is due at once and is tried as often as a new one, with the same `webhook-id`.
#[utoipa::path(
    post, path = "/v1/endpoints/{id}/deliveries/{delivery}/replay", tag = "Webhooks",
    params(
        ("id" = String, Path, description = "The endpoint's id.", example = "4f1c09d2a7b3"),
        ("delivery" = String, Path, description = "The delivery's id.", example = "msg_4f1c09d2a7b3_17"),
        Whose,
    ),
    responses(
        (status = 200, description = "The delivery, due again.", body = DeliveryBody),
        (status = 409, description = "The endpoint is disabled, or an attempt is being made just now."),
    ),
)]
async fn replay_delivery(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path((id, delivery)): Path<(String, String)>,
    Query(whose): Query<Whose>,
) -> Result<Json<DeliveryBody>, Problem> {
    let owner = owner(&caller, &backend, whose.builder.as_deref())?;
    let replay = move |engine: &Engine| {
        only_open(engine, &owner, &id)?;
        let no_delivery = || Problem::not_found(format!("there is no delivery {delivery:?}"));
        let notice = delivery::notice_of(&id, &delivery).ok_or_else(no_delivery)?;
        let key = delivery::key(&owner, &id, notice);
        let replayed: Delivery = insist(|| {
            let record = engine.store().records(std::slice::from_ref(&key))?.into_iter().next().flatten();
            let mut kept = Versioned::<Delivery>::of(&record.ok_or_else(no_delivery)?)?;
            if !kept.value.replay(Timestamp::now().as_millisecond()) {
                return Err(Problem::conflict("an attempt is being made just now: see what comes of it"));
            }
            let records = vec![kept.change(&key.owner, &key.id)?];
            let written = write(engine.store(), Commit { records, ..Commit::default() });
            Ok(written.map(|()| kept.value))
        })?;
        Ok::<_, Problem>(Json(DeliveryBody::of(&id, &replayed)))
    };
    backend.call(replay).await
}

/// Send again what was given up
///
/// All deliveries of the endpoint that are dead and were made since a moment. To do it twice does no harm.
#[utoipa::path(
    post, path = "/v1/endpoints/{id}/replay", tag = "Webhooks",
    params(("id" = String, Path, description = "The endpoint's id.", example = "4f1c09d2a7b3"), Whose),
    request_body(content = Since, example = json!({"since": "2026-11-24T00:00:00Z"})),
    responses(
        (status = 200, description = "How many are due again.", body = Replayed),
        (status = 409, description = "The endpoint is disabled."),
    ),
)]
async fn replay_dead(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(whose): Query<Whose>,
    Body(Since { since }): Body<Since>,
) -> Result<Json<Replayed>, Problem> {
    let owner = owner(&caller, &backend, whose.builder.as_deref())?;
    if since > Timestamp::now() {
        return Err(Problem::invalid(vec![Fault::at(
            "/since",
            "is yet to come: give a moment that is past",
        )]));
    }
    let since = since.as_millisecond();
    let replay = move |engine: &Engine| {
        only_open(engine, &owner, &id)?;
        let mut filter = RecordFilter::owned(RecordKind::Delivery, &delivery::owner(&owner, &id));
        let mut replayed = 0_u64;
        loop {
            let (some, next) = insist(|| replay_some(engine, &filter, since))?;
            replayed = replayed.saturating_add(some);
            match next {
                Some(next) => filter.after = Some(next),
                None => return Ok::<_, Problem>(Json(Replayed { replayed })),
            }
        }
    };
    backend.call(replay).await
}

/// How many were begun anew, and after which the rest comes.
type Begun = (u64, Option<(String, String)>);

fn replay_some(
    engine: &Engine,
    filter: &RecordFilter,
    since: i64,
) -> Result<Result<Begun, StoreError>, Problem> {
    let page = engine.store().list_records(filter, PIECE)?;
    let now = Timestamp::now().as_millisecond();
    let mut records = Vec::new();
    let mut is_older = false;
    for record in &page {
        let mut kept = Versioned::<Delivery>::of(record)?;
        // The latest come first.
        is_older = kept.value.made_at < since;
        if is_older {
            break;
        }
        if kept.value.state == DeliveryState::Dead && kept.value.replay(now) {
            records.push(kept.change(&record.key.owner, &record.key.id)?);
        }
    }
    let count = records.len() as u64;
    let is_last = is_older || page.len() < PIECE;
    let next = page.last().filter(|_| !is_last).map(|last| (last.key.owner.clone(), last.key.id.clone()));
    if records.is_empty() {
        return Ok(Ok((0, next)));
    }
    Ok(write(engine.store(), Commit { records, ..Commit::default() }).map(|()| (count, next)))
}
