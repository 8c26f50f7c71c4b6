//! `/v1/authorizations`: may this event run, and is there money for it? Asked before it runs; a yes reserves the
//! money.
//!
//! The event's source and id name the authorisation. Capturing it is recording the event of that id, here or by
//! `POST /v1/events`, in either order: it is charged once.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

mod answer;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use tollgate_core::access::Scope;
use tollgate_core::engine::{Authorization, AuthorizationRequest, Engine};
use tollgate_core::event::{Event, EventKey};
use tollgate_core::store::record;
use tollgate_core::wallet::Hold;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::answer::{Answer, HoldBody};
use super::events::{CloudEvent, Given, Recorded, Sender, no_app, recorded_one};
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::{Received, Room};
use crate::config::AUTHORIZATION_EXPIRY_MAX;
use crate::extract::{Path, Query};
use crate::problem::{Fault, Problem};

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new()
        .routes(routes!(authorize_event))
        .routes(routes!(read_authorization))
        .routes(routes!(capture_authorization))
        .routes(routes!(void_authorization))
}

/// For how long money is to be reserved.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// After so many seconds what is reserved is given up, unless the event has been recorded. Left out, as the
    /// server is set up: usually 15 minutes.
    #[param(minimum = 1, maximum = 604_800, example = 900)]
    expires_in_seconds: Option<u64>,
}

impl Asked {
    fn expiry(&self, backend: &Backend) -> Result<Duration, Problem> {
        let Some(seconds) = self.expires_in_seconds else { return Ok(backend.config.authorization_expiry) };
        let most = AUTHORIZATION_EXPIRY_MAX.as_secs();
        if (1..=most).contains(&seconds) {
            return Ok(Duration::from_secs(seconds));
        }
        let message = format!("must be a whole number from 1 to {most}");
        Err(Problem::invalid(vec![Fault::parameter("expires_in_seconds", message)]))
    }
}

/// Authorise an event
///
/// Takes the event as it is expected to be, prices it as if all pending authorisations of its customer were
/// charged, checks the plugin, the customer's limits and the wallet, and reserves its price: in one step, so no
/// race overspends. Asking the same again is answered the same and reserves nothing more. The event itself may
/// come out different: record it under the same `source` and `id`, and what it costs is charged, more or less
/// than was reserved. An app's key authorises its own app's events.
#[utoipa::path(post, path = "/v1/authorizations", tag = "Authorizations", operation_id = "authorize_event",
    params(Asked),
    request_body(description = "The event as it is expected to be", content(
        (CloudEvent = "application/cloudevents+json", example = json!({"specversion": "1.0", "id": "req-0001",
            "source": "acme-docs", "type": "ai.usage", "subject": "legal", "time": "2026-11-03T09:00:00Z",
            "data": {"feature": "review", "measures": {"pages": 12}}})),
        (CloudEvent = "application/json", example = json!({"specversion": "1.0", "id": "req-0001",
            "source": "acme-docs", "type": "ai.usage", "subject": "legal", "time": "2026-11-03T09:00:00Z",
            "data": {"feature": "review", "measures": {"pages": 12}}})),
    )),
    responses(
        (status = 200, description = "Whether it may run, and why not.", body = Answer, example = json!({
            "allowed": false, "price": "0.42", "currency": "USD", "hold": null, "expires_at": null,
            "remaining": {"granted": "0", "paid": "0.10", "available": "0.10"},
            "reasons": [{"code": "insufficient_funds",
                "detail": "it would cost 0.42 USD, and 0.10 USD is available"}]})),
        (status = 409, description = "The event has been recorded, its authorisation is over, or another event \
            was authorised under its id."),
    ))]
async fn authorize_event(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Query(asked): Query<Asked>,
    received: Received,
) -> Result<Json<Answer>, Problem> {
    let expiry = asked.expiry(&backend)?;
    let (event, room) = one_event(&caller, &backend, received).await?;
    let now = Timestamp::now().as_millisecond();
    let expires_at = now.saturating_add(i64::try_from(expiry.as_millis()).unwrap_or(i64::MAX));
    let request = AuthorizationRequest { event: Arc::clone(&event), now, expires_at };
    let authorization = backend.authorizer.authorize(request, Some(room)).await?;
    let figures = backend.telemetry.money();
    let currency = currency(&backend, &event.key.app);
    match authorization {
        Authorization::Allowed { hold, remaining } => {
            figures.authorized("allowed");
            Ok(Json(Answer::allowed(&event.key, hold, remaining, currency)))
        }
        Authorization::Denied { price, denials, remaining } => {
            figures.authorized("denied");
            for denial in &denials {
                figures.denied(&denial.code);
            }
            Ok(Json(Answer::denied(price, denials, remaining, currency)))
        }
        refused => {
            figures.authorized("refused");
            Err(refusal(&event, &refused))
        }
    }
}

/// Why there is no answer for an event.
fn refusal(event: &Event, authorization: &Authorization) -> Problem {
    let EventKey { app, id } = &event.key;
    match authorization {
        Authorization::Undefined => Problem::invalid(no_app(event).errors),
        Authorization::Recorded => {
            Problem::conflict(format!("event {id:?} of {app:?} has been recorded: it needs no authorisation"))
        }
        Authorization::Resolved(_) => Problem::conflict(format!(
            "the authorisation of event {id:?} of {app:?} is over: ask for another event under an id of its own"
        )),
        _ => Problem::conflict(format!(
            "another event was authorised under the id {id:?} of {app:?}: give each event an id of its own"
        )),
    }
}

/// The one event of a request.
async fn one_event(
    caller: &Caller,
    backend: &Backend,
    received: Received,
) -> Result<(Arc<Event>, Room), Problem> {
    let is_json =
        received.media_type == "application/json" || received.media_type == "application/cloudevents+json";
    if !is_json {
        return Err(Problem::unsupported_media_type(format!(
            "the event comes as application/cloudevents+json or application/json, not {:?}: set the header \
             content-type",
            received.media_type
        )));
    }
    let (given, room) = Sender::of(caller, backend.rules())?.receive(received).await?;
    match <[Given; 1]>::try_from(given) {
        Ok([Given::Event(event)]) => Ok((event, room)),
        Ok([Given::Invalid(invalid)]) => Err(Problem::invalid(invalid.errors)),
        Err(_) => Err(Problem::invalid(vec![Fault::at("", "must be one event, not a list")])),
    }
}

/// Read an authorisation
///
/// What is reserved for an event, or what became of it. A customer's key reads those of its own events.
#[utoipa::path(get, path = "/v1/authorizations/{source}/{id}", tag = "Authorizations",
    operation_id = "read_authorization",
    params(
        ("source" = String, Path, description = "The app.", example = "acme-docs"),
        ("id" = String, Path, description = "The event's id, percent-encoded.", example = "req-0001"),
    ),
    responses((status = 200, description = "The authorisation.", body = HoldBody)))]
async fn read_authorization(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path((app, id)): Path<(String, String)>,
) -> Result<Json<HoldBody>, Problem> {
    let (key, scope) = (EventKey { app, id }, caller.scope().clone());
    let currency = currency(&backend, &key.app);
    let read = move |engine: &Engine| {
        let hold = found(engine, &scope, &key)?;
        Ok::<_, Problem>(Json(HoldBody::of(&key, hold, currency)))
    };
    backend.call(read).await
}

/// Capture an authorisation
///
/// Records the event as it came out: exactly what `POST /v1/events` does, and answered alike. What is reserved
/// pays for it first; what it costs beyond that is charged as well, and what it does not need is given back. An
/// event is charged also when its authorisation was voided or has expired.
#[utoipa::path(post, path = "/v1/authorizations/{source}/{id}/capture", tag = "Authorizations",
    operation_id = "capture_authorization",
    params(
        ("source" = String, Path, description = "The app.", example = "acme-docs"),
        ("id" = String, Path, description = "The event's id, percent-encoded.", example = "req-0001"),
    ),
    request_body(description = "The event as it came out", content(
        (CloudEvent = "application/cloudevents+json", example = json!({"specversion": "1.0", "id": "req-0001",
            "source": "acme-docs", "type": "ai.usage", "subject": "legal", "time": "2026-11-03T09:00:00Z",
            "data": {"feature": "review", "measures": {"pages": 14}}})),
        (CloudEvent = "application/json", example = json!({"specversion": "1.0", "id": "req-0001",
            "source": "acme-docs", "type": "ai.usage", "subject": "legal", "time": "2026-11-03T09:00:00Z",
            "data": {"feature": "review", "measures": {"pages": 14}}})),
    )),
    responses((status = 200, description = "The event is answered.", body = Recorded)))]
async fn capture_authorization(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path((app, id)): Path<(String, String)>,
    received: Received,
) -> Result<Response, Problem> {
    sends(&caller, &backend, &app, &id)?;
    let (event, room) = one_event(&caller, &backend, received).await?;
    let must_be = |pointer: &str, known: &str| {
        let message = format!("must be that of the authorisation: {known:?}");
        Err(Problem::invalid(vec![Fault::at(pointer, message)]))
    };
    if event.key.app != app {
        return must_be("/source", &app);
    }
    if event.key.id != id {
        return must_be("/id", &id);
    }
    let (key, scope) = (event.key.clone(), caller.scope().clone());
    let hold = backend.call(move |engine: &Engine| found(engine, &scope, &key)).await?;
    if event.customer != hold.customer {
        return must_be("/subject", &hold.customer);
    }
    recorded_one(&backend, event, room).await
}

/// Void an authorisation
///
/// Gives up what is reserved for an event that will not run. One that is over already stays as it is.
#[utoipa::path(post, path = "/v1/authorizations/{source}/{id}/void", tag = "Authorizations",
    operation_id = "void_authorization",
    params(
        ("source" = String, Path, description = "The app.", example = "acme-docs"),
        ("id" = String, Path, description = "The event's id, percent-encoded.", example = "req-0001"),
    ),
    responses((status = 200, description = "As it is now.", body = HoldBody)))]
async fn void_authorization(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path((app, id)): Path<(String, String)>,
) -> Result<Json<HoldBody>, Problem> {
    sends(&caller, &backend, &app, &id)?;
    let key = EventKey { app, id };
    let currency = currency(&backend, &key.app);
    let void = move |engine: &Engine| {
        let now = Timestamp::now().as_millisecond();
        let hold = engine.void_hold(&key, now)?.ok_or_else(|| no_authorization(&key))?;
        Ok::<_, Problem>(Json(HoldBody::of(&key, hold, currency)))
    };
    backend.call(void).await
}

/// Only for who sends an app's events.
fn sends(caller: &Caller, backend: &Backend, app: &str, id: &str) -> Result<(), Problem> {
    if matches!(caller.scope(), Scope::CustomerRead { .. }) {
        return Err(Problem::forbidden("a customer's key reads; it captures and voids nothing"));
    }
    if caller.scope().ingests(backend.rules().catalog(), app) {
        return Ok(());
    }
    Err(no_authorization(&EventKey { app: app.to_owned(), id: id.to_owned() }))
}

/// An authorisation that a key may read.
fn found(engine: &Engine, scope: &Scope, key: &EventKey) -> Result<Hold, Problem> {
    let hold = record::read::<Hold>(engine.store(), &key.app, &key.id)?.map(|hold| hold.value);
    let rules = engine.rules();
    let hold = hold.filter(|hold| scope.reads_event(rules.catalog(), &key.app, &hold.customer));
    hold.ok_or_else(|| no_authorization(key))
}

fn no_authorization(key: &EventKey) -> Problem {
    Problem::not_found(format!("there is no authorisation of event {:?} of {:?}", key.id, key.app))
}

fn currency(backend: &Backend, app: &str) -> String {
    backend.rules().catalog().app(app).map_or_else(String::new, |app| app.currency.clone())
}
