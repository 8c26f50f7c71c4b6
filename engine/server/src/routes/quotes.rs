//! `/v1/quotes`: what events would cost now, and whether they may run. Nothing is kept.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tollgate_core::engine::{self, Rulebook};
use tollgate_core::store::Outcome;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::charge::{Charge, Hold};
use super::events::{Given, Invalid, Sender, SentEvent, events_in, too_many};
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::{Received, from_json};
use crate::problem::{Fault, Problem};

/// The most events of a quote.
const EVENTS_MAX: usize = 1_000;

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(quote_events))
}

/// What is to be quoted: `events`, or the fields of one event.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it documents what is read")]
struct QuoteRequest {
    /// Events, as one would record them. At most 1,000.
    #[schema(value_type = Vec<SentEvent>, required = false, max_items = 1000, example = json!([{"source": "acme-docs",
        "subject": "legal", "data": {"feature": "review", "measures": {"pages": 12}}}]))]
    events: Option<()>,
}

/// What events would cost.
#[derive(Debug, Serialize, ToSchema)]
struct Quotes {
    /// A quote for each event, by position.
    quotes: Vec<Quote>,
}

/// What one event would come to.
#[derive(Debug, Serialize, ToSchema)]
struct Quote {
    /// Its position in the request, from 0.
    #[schema(example = 0)]
    index: usize,
    /// What would become of it.
    status: QuoteStatus,
    /// Whether it may run: it could be charged, and nothing speaks against it.
    #[schema(example = true)]
    allowed: bool,
    /// What it would be charged, when it would be rated.
    #[serde(skip_serializing_if = "Option::is_none")]
    charge: Option<Charge>,
    /// Why it would wait, when it would be held.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<Hold>,
    /// Why it should not run; empty when nothing speaks against it.
    denials: Vec<Denial>,
    /// What is wrong with it, when it is invalid: pointers into the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<Fault>>,
}

/// What would become of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum QuoteStatus {
    /// It would be charged.
    Rated,
    /// It would be kept and wait.
    Held,
    /// It would not be accepted.
    Invalid,
}

/// A reason why an event should not run.
#[derive(Debug, Serialize, ToSchema)]
struct Denial {
    /// A stable word: a plugin's refusal, `charge_max`, `usage_max`, or the cause of a hold.
    #[schema(example = "charge_max")]
    code: String,
    /// The whole story.
    #[schema(example = "it would bring the charges of 2026-11 to 100.42; the customer may be charged 100")]
    message: String,
}

/// Quote events
///
/// What these events would cost if they happened now, one after the other, and whether their customers'
/// limits and their plugins let them. Nothing is kept or counted: it is an answer of this moment, not a
/// promise. An app's key quotes its own app's events.
///
/// Events come as they are recorded, at most 1,000 a request: one, a list, a line for each, or a list under `events`.
/// What is not known yet may be left out: `id`, `time` (now), `type` and `specversion`.
#[utoipa::path(post, path = "/v1/quotes", tag = "Quotes", operation_id = "quote_events",
    request_body(description = "One event, a list, or a line for each", content(
        (QuoteRequest = "application/json", examples(
            ("one" = (summary = "One event", value = json!({"source": "acme-docs", "subject": "legal",
                "data": {"feature": "review", "measures": {"pages": 12}}}))),
            ("several" = (summary = "Several events", value = json!({"events": [{"source": "acme-docs",
                "subject": "legal", "data": {"feature": "review", "measures": {"pages": 12}}}]}))),
            ("list" = (summary = "A list of events", value = json!([{"source": "acme-docs",
                "subject": "legal", "data": {"feature": "review", "measures": {"pages": 12}}}]))))),
        (SentEvent = "application/cloudevents+json", example = json!({"source": "acme-docs", "subject": "legal",
            "data": {"feature": "review", "measures": {"pages": 12}}})),
        (Vec<SentEvent> = "application/cloudevents-batch+json", example = json!([{"source": "acme-docs",
            "subject": "legal", "data": {"feature": "review", "measures": {"pages": 12}}}])),
        (String = "application/x-ndjson", example = "{\"source\":\"acme-docs\",\"subject\":\"legal\",\"data\":{\"measures\":{\"pages\":12}}}\n"),
    )),
    responses(
        (status = 200, description = "Every event is answered by its position.", body = Quotes,
            example = json!({"quotes": [{"index": 0, "status": "held", "allowed": false,
                "held": {"cause": "no_tariff", "message": "no tariff of app acme-docs is in force"},
                "denials": [{"code": "no_tariff", "message": "no tariff of app acme-docs is in force"}]}]})),
    ))]
async fn quote_events(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    received: Received,
) -> Result<Json<Quotes>, Problem> {
    let sender = Sender::of(&caller, backend.rules())?;
    let now = Timestamp::now();
    let quotes = backend.call(move |engine| {
        let given = read(&sender, &received, now)?;
        let events: Vec<_> = given.iter().filter_map(Given::event).map(Arc::clone).collect();
        let quotes = engine.quote(&events)?;
        Ok::<_, Problem>(by_position(given, quotes, &engine.rules()))
    });
    Ok(Json(Quotes { quotes: quotes.await? }))
}

/// The request's events, with what was left out filled in.
fn read(sender: &Sender, received: &Received, now: Timestamp) -> Result<Vec<Given>, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Several {
        events: Vec<Box<RawValue>>,
    }
    let is_one = ["application/json", "application/cloudevents+json"].contains(&&*received.media_type);
    let keys = is_one.then(|| serde_json::from_slice::<HashMap<String, &RawValue>>(&received.bytes).ok());
    if keys.flatten().is_some_and(|keys| keys.contains_key("events")) {
        let Several { events } = from_json(&received.bytes)?;
        if events.len() > EVENTS_MAX {
            return Err(too_many("/events", EVENTS_MAX));
        }
        let events = events.iter().enumerate();
        return Ok(events
            .map(|(index, event)| sender.read(filled(event.get(), index, now).as_bytes()))
            .collect());
    }
    let events = events_in(received, EVENTS_MAX)?.into_iter().enumerate();
    let read = |(index, event)| match std::str::from_utf8(event) {
        Ok(event) => sender.read(filled(event, index, now).as_bytes()),
        // The door says what is wrong with it.
        Err(_) => sender.read(event),
    };
    Ok(events.map(read).collect())
}

/// The event with what a quote may leave out. The rest stays as it was written.
fn filled(event: &str, index: usize, now: Timestamp) -> String {
    let Ok(keys) = serde_json::from_str::<HashMap<String, &RawValue>>(event) else {
        return event.to_owned();
    };
    let Some(rest) = event.trim_start().strip_prefix('{') else { return event.to_owned() };
    let filled = [
        ("specversion", "1.0".to_owned()),
        ("id", format!("quote-{index}")),
        ("type", "ai.usage".to_owned()),
        ("time", now.to_string()),
    ];
    let missing = filled.iter().filter(|(name, _)| !keys.contains_key(*name));
    let mut fields: Vec<String> = missing.map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
    if !keys.is_empty() {
        fields.push(rest.to_owned());
        return format!("{{{}", fields.join(","));
    }
    format!("{{{}{rest}", fields.join(","))
}

fn by_position(given: Vec<Given>, quotes: Vec<engine::Quote>, rules: &Rulebook) -> Vec<Quote> {
    let mut quotes = quotes.into_iter();
    let answers = given.into_iter().enumerate().map(|(index, given)| match given {
        Given::Invalid(Invalid { errors, .. }) => Quote::invalid(index, errors),
        Given::Event(_) => match quotes.next() {
            Some(quote) => Quote::of(index, quote, rules),
            None => Quote::invalid(index, Vec::new()),
        },
    });
    answers.collect()
}

impl Quote {
    fn of(index: usize, quote: engine::Quote, rules: &Rulebook) -> Self {
        let denials = quote.denials.into_iter();
        let denials: Vec<_> =
            denials.map(|engine::Denial { code, message }| Denial { code, message }).collect();
        let (status, charge, held) = match &quote.outcome {
            Outcome::Rated(charge) => (QuoteStatus::Rated, Some(Charge::of(charge, rules)), None),
            Outcome::Held(reason) => (QuoteStatus::Held, None, Some(Hold::of(reason))),
        };
        let allowed = status == QuoteStatus::Rated && denials.is_empty();
        Self { index, status, allowed, charge, held, denials, errors: None }
    }

    fn invalid(index: usize, errors: Vec<Fault>) -> Self {
        let (status, allowed, denials) = (QuoteStatus::Invalid, false, Vec::new());
        Self { index, status, allowed, charge: None, held: None, denials, errors: Some(errors) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tollgate_core::door;

    use super::*;

    #[test]
    fn what_a_quote_leaves_out_is_filled_in_and_the_rest_stays_as_written() {
        let now: Timestamp = "2026-11-03T09:00:00Z".parse().unwrap();
        let text = filled(r#" {"source":"a","subject":"s","data":{"measures":{"pages":0.10}}}"#, 7, now);
        let event = door::parse(text.as_bytes()).unwrap();
        assert_eq!((event.key.id.as_str(), event.time), ("quote-7", now.as_millisecond()));
        assert!(text.contains("0.10"), "{text}");
        let own = r#"{"specversion":"1.0","id":"x","source":"a","type":"t","subject":"s",
            "time":"2025-01-01T00:00:00Z","data":{}}"#;
        assert_eq!(door::parse(filled(own, 0, now).as_bytes()).unwrap().key.id, "x");
    }

    #[test]
    fn what_is_no_event_is_left_for_the_door_to_refuse() {
        let now = Timestamp::UNIX_EPOCH;
        for (text, field) in
            [("5", "event"), ("[]", "event"), ("{}", "source"), ("{ }", "source"), (r#"{"id":null}"#, "id")]
        {
            let rejected = door::parse(filled(text, 0, now).as_bytes()).unwrap_err();
            assert_eq!(rejected.field, field, "{text}");
        }
    }
}
