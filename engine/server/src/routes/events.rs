//! `/v1/events`: events go in, are explained, and are taken back.
//!
//! Every event of a request is answered by its position, and what is acknowledged is committed.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

mod answer;
mod cloud_event;
mod explanation;
mod intake;
mod kept;
mod receipt;
mod voiding;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use tollgate_core::event::{Event, EventKey};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use answer::ReceiptForm;
pub(super) use cloud_event::{CloudEvent, SentEvent, fault};
use explanation::Explanation;
pub(super) use intake::{Given, Invalid, Sender, events_in, no_app, too_many};
pub(super) use kept::{KeptEvent, as_received};
pub(super) use receipt::Recorded;
use voiding::{Void, VoidedEvent};

use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::{Body, Received, Room};
use crate::extract::{Path, Query};
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new()
        .routes(routes!(record_events))
        .routes(routes!(explain_event))
        .routes(routes!(void_event))
}

/// How a request's events are to be answered.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// `summary` for volume: counts, and receipts only for events that were held, in conflict or invalid (at
    /// most 100).
    #[serde(default)]
    #[param(inline, required = false)]
    receipt: ReceiptForm,
}

/// Record events
///
/// Takes one event or many, rates them in the order given and answers each by its position once all of them
/// are durable. An event that is wrong rejects none of its neighbours. `source` and `id` make an event the
/// same event, forever: sending it again charges nothing and is answered with the first receipt, so sending a
/// request again is always safe. At most 10,000 events a request. Lines may be called `application/ndjson` or
/// `application/jsonl` as well.
#[utoipa::path(post, path = "/v1/events", tag = "Events", operation_id = "record_events", params(Asked),
    request_body(description = "One event, a list, or a line for each", content(
        (SentEvent = "application/cloudevents+json", example = json!({"specversion": "1.0", "id": "req-0001", "source": "acme-docs",
            "type": "ai.usage", "subject": "legal", "time": "2026-11-03T09:00:00Z",
            "data": {"feature": "review", "measures": {"pages": 12}}})),
        (Vec<SentEvent> = "application/cloudevents-batch+json", example = json!([{"specversion": "1.0", "id": "req-0001", "source": "acme-docs",
            "type": "ai.usage", "subject": "legal", "time": "2026-11-03T09:00:00Z",
            "data": {"feature": "review", "measures": {"pages": 12}}}])),
        (SentEvent = "application/json", example = json!({"specversion": "1.0", "id": "req-0001", "source": "acme-docs",
            "type": "ai.usage", "subject": "legal", "time": "2026-11-03T09:00:00Z",
            "data": {"feature": "review", "measures": {"pages": 12}}})),
        (String = "application/x-ndjson", example = "{\"specversion\":\"1.0\",\"id\":\"req-0001\",\"source\":\"acme-docs\",\"type\":\"ai.usage\",\"subject\":\"legal\",\"time\":\"2026-11-03T09:00:00Z\",\"data\":{\"measures\":{\"pages\":12}}}\n"),
    )),
    responses(
        (status = 200, description = "Every event is answered by its position.", body = Recorded,
            example = json!({"events": {"read": 2, "rated": 0, "held": 1, "duplicate": 0, "conflict": 0, "invalid": 1},
                "receipts": [
                    {"index": 0, "id": "req-0001", "status": "held", "held": {"cause": "no_tariff",
                        "message": "no tariff of app acme-docs is in force at 2026-11-03T09:00:00Z"}},
                    {"index": 1, "id": "req-0002", "status": "invalid", "errors": [{"pointer": "/subject",
                        "message": "is missing; name the customer who created the usage, as in \"workspace-00\""}]}
                ]})),
    ))]
async fn record_events(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Query(asked): Query<Asked>,
    received: Received,
) -> Result<Response, Problem> {
    let (given, room) = Sender::of(&caller, backend.rules())?.receive(received).await?;
    let events = given.iter().filter_map(Given::event).map(Arc::clone).collect();
    let invalid = given.iter().filter(|given| given.event().is_none()).count();
    let answers = backend.recorder.record(events, Some(room)).await?;
    backend.telemetry.pipeline().count_invalid(invalid);
    answer::respond(&backend, answer::by_position(given, answers), asked.receipt).await
}

/// Records one event, and answers it as a request of one event is answered.
pub(super) async fn recorded_one(
    backend: &Backend,
    event: Arc<Event>,
    room: Room,
) -> Result<Response, Problem> {
    let answers = backend.recorder.record(vec![Arc::clone(&event)], Some(room)).await?;
    let answered = answer::by_position(vec![Given::Event(event)], answers);
    answer::respond(backend, answered, ReceiptForm::Full).await
}

/// Explain an event
///
/// What became of it and why: its charge with every line, the counters around it, the plugin and settings it
/// was priced by, and the whole story in sentences. The charge is executed again for this answer, which says
/// whether it came out the same.
#[utoipa::path(get, path = "/v1/events/{source}/{id}", tag = "Events", operation_id = "explain_event",
    params(
        ("source" = String, Path, description = "The app.", example = "acme-docs"),
        ("id" = String, Path, description = "The event's id, percent-encoded.", example = "req-0001"),
    ),
    responses(
        (status = 200, description = "The event and its explanation.", body = Explanation),
    ))]
async fn explain_event(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path((app, id)): Path<(String, String)>,
) -> Result<Json<Explanation>, Problem> {
    let (key, scope) = (EventKey { app, id }, caller.scope().clone());
    let explain = move |engine: &_| explanation::explain(engine, &scope, &key);
    backend.call(explain).await.map(Json)
}

/// Void an event
///
/// Takes an event back by an opposite entry: it is worth what its period would cost less without it, now.
/// Nothing is erased, and its id stays taken. A correction is a new event with an id of its own: give it as
/// `replacement`, and it is recorded next. Repeating the request changes nothing and is answered alike; another
/// replacement of the same event is refused.
#[utoipa::path(post, path = "/v1/events/{source}/{id}/void", tag = "Events", operation_id = "void_event",
    params(
        ("source" = String, Path, description = "The app.", example = "acme-docs"),
        ("id" = String, Path, description = "The event's id, percent-encoded.", example = "req-0001"),
    ),
    request_body(content = Void, example = json!({"reason": "sent twice under two ids"})),
    responses(
        (status = 200, description = "It is taken back.", body = VoidedEvent),
        (status = 409, description = "It cannot be taken back, it was replaced otherwise, or the replacement's id is another event's."),
    ))]
async fn void_event(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path((app, id)): Path<(String, String)>,
    Body(void): Body<Void>,
) -> Result<Json<VoidedEvent>, Problem> {
    caller.manager()?;
    let key = EventKey { app, id };
    if !caller.scope().manages_app(backend.rules().catalog(), &key.app) {
        return Err(no_event(&key));
    }
    voiding::void(&backend, key, void).await.map(Json)
}

/// 404 for an event that is not there, or not for this key to see.
pub(super) fn no_event(key: &EventKey) -> Problem {
    Problem::not_found(format!("there is no event {:?} of {:?}", key.id, key.app))
}
