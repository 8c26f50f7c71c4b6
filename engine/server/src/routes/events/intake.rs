//! Reads the events of a request, each by itself: one that is wrong rejects none of its neighbours.

use std::sync::Arc;

use serde::de::IgnoredAny;
use tollgate_core::access::Scope;
use tollgate_core::door;
use tollgate_core::engine::Rulebook;
use tollgate_core::event::Event;

use super::cloud_event;
use crate::auth::Caller;
use crate::body::{Received, Room};
use crate::problem::{Fault, Problem};

/// The most events of a request.
pub(super) const EVENTS_MAX: usize = 10_000;

/// Bodies from this size on, some forty events, are read where blocking is allowed: whoever asks for a quote stands
/// behind nobody's batch. Beside ingest that takes all of two cores the slowest hundredth of quotes took 8.4 ms, and
/// 10.4 when batches of 40 KB were read at once.
const LARGE_BYTES: usize = 16 * 1024;

/// How events are written in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Single,
    Batch,
    /// One or a list: the first character tells.
    Either,
    Lines,
}

impl Format {
    fn of(media_type: &str) -> Result<Self, Problem> {
        match media_type {
            "application/cloudevents+json" => Ok(Self::Single),
            "application/cloudevents-batch+json" => Ok(Self::Batch),
            "application/json" => Ok(Self::Either),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Self::Lines),
            other => Err(Problem::unsupported_media_type(format!(
                "events come as application/cloudevents+json, application/cloudevents-batch+json, \
                 application/json or application/x-ndjson, not {other:?}: set the header content-type"
            ))),
        }
    }

    /// The events of a body, each as it was written.
    fn split(self, body: &[u8], max: usize) -> Result<Vec<&[u8]>, Problem> {
        let is_list = body.trim_ascii_start().first() == Some(&b'[');
        let events: Vec<&[u8]> = match self {
            Self::Lines => door::lines(body).take(max.saturating_add(1)).map(|(_, line)| line).collect(),
            Self::Single | Self::Either if !(is_list && self == Self::Either) => {
                serde_json::from_slice::<IgnoredAny>(body)
                    .map_err(|error| Problem::malformed(format!("the body is not JSON: {error}")))?;
                vec![body]
            }
            _ => {
                let list = door::batch(body).map_err(|rejected| Problem::malformed(rejected.to_string()))?;
                list.into_iter().map(str::as_bytes).collect()
            }
        };
        if events.len() > max {
            return Err(too_many("", max));
        }
        Ok(events)
    }
}

/// The events of a request, each as it was written.
///
/// # Errors
/// As [`Sender::receive`].
pub(in crate::routes) fn events_in(received: &Received, max: usize) -> Result<Vec<&[u8]>, Problem> {
    Format::of(&received.media_type)?.split(&received.bytes, max)
}

/// 422 for a list of more events than a request may have.
pub(in crate::routes) fn too_many(pointer: &str, max: usize) -> Problem {
    let message = format!("has more than {max} events: send the rest in another request");
    Problem::invalid(vec![Fault::at(pointer, message)])
}

/// What stood at one position of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::routes) enum Given {
    /// An event of an app that the key may send events of.
    Event(Arc<Event>),
    /// Something else.
    Invalid(Invalid),
}

/// Why something is no event for this key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::routes) struct Invalid {
    /// The id it gives, where it could be read.
    pub id: Option<String>,
    /// What is wrong with it.
    pub errors: Vec<Fault>,
}

impl Given {
    pub fn event(&self) -> Option<&Arc<Event>> {
        match self {
            Self::Event(event) => Some(event),
            Self::Invalid(_) => None,
        }
    }
}

/// Whose events a key may send.
#[derive(Clone, Debug)]
pub(in crate::routes) struct Sender {
    scope: Scope,
    rules: Arc<Rulebook>,
}

impl Sender {
    /// # Errors
    /// 403 for a customer's key.
    pub fn of(caller: &Caller, rules: Arc<Rulebook>) -> Result<Self, Problem> {
        if matches!(caller.scope(), Scope::CustomerRead { .. }) {
            return Err(Problem::forbidden("a customer's key reads; it sends and quotes no events"));
        }
        Ok(Self { scope: caller.scope().clone(), rules })
    }

    /// Reads one event.
    pub fn read(&self, text: &[u8]) -> Given {
        match door::parse(text) {
            Ok(event) if self.scope.ingests(self.rules.catalog(), &event.key.app) => {
                Given::Event(Arc::new(event))
            }
            Ok(event) => Given::Invalid(no_app(&event)),
            Err(rejected) => {
                let id = Some(rejected.id.clone()).filter(|id| !id.is_empty());
                Given::Invalid(Invalid { id, errors: vec![cloud_event::fault("", &rejected)] })
            }
        }
    }

    /// Reads a request's events. Their room is to be kept as long as they are.
    ///
    /// # Errors
    /// 415 for another content type, 400 when the body as a whole cannot be read, 422 when it has too many.
    pub async fn receive(self, received: Received) -> Result<(Vec<Given>, Room), Problem> {
        let Received { bytes, media_type, room } = received;
        let format = Format::of(&media_type)?;
        if bytes.len() < LARGE_BYTES {
            return Ok((self.read_all(format, &bytes)?, room));
        }
        let work = move || self.read_all(format, &bytes);
        let given = tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Problem::internal()));
        Ok((given?, room))
    }

    fn read_all(&self, format: Format, body: &[u8]) -> Result<Vec<Given>, Problem> {
        Ok(format.split(body, EVENTS_MAX)?.into_iter().map(|event| self.read(event)).collect())
    }
}

/// An event of an app that is not there, or not for this key to see: both in the same words.
pub(in crate::routes) fn no_app(event: &Event) -> Invalid {
    let fault = Fault::at("/source", format!("there is no app {:?}", event.key.app));
    Invalid { id: Some(event.key.id.clone()), errors: vec![fault] }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::problem::Kind;

    fn sender() -> Sender {
        Sender { scope: Scope::Platform, rules: Arc::default() }
    }

    #[test]
    fn a_body_that_is_no_json_is_refused_as_a_whole_and_a_line_by_itself() {
        for (format, body) in [
            (Format::Single, "{"),
            (Format::Either, ""),
            (Format::Either, "[{}"),
            (Format::Batch, "{}"),
            (Format::Batch, "nope"),
        ] {
            let problem = sender().read_all(format, body.as_bytes()).unwrap_err();
            assert_eq!(problem.kind(), Kind::Malformed, "{body}");
        }
        let given = sender().read_all(Format::Lines, b"{\n\n{\"id\":\"a\"}\n5").unwrap();
        let invalid: Vec<_> = given
            .iter()
            .map(|given| match given {
                Given::Invalid(Invalid { id, errors }) => {
                    (id.as_deref(), errors[0].pointer.as_deref().unwrap())
                }
                Given::Event(event) => panic!("{event:?}"),
            })
            .collect();
        assert_eq!(invalid, [(None, ""), (Some("a"), "/specversion"), (None, "")]);
    }

    #[test]
    fn one_and_a_list_are_told_apart() {
        assert_eq!(sender().read_all(Format::Either, b" {}").unwrap().len(), 1);
        assert_eq!(sender().read_all(Format::Either, b" [{},{}]").unwrap().len(), 2);
        assert_eq!(sender().read_all(Format::Single, b"[{},{}]").unwrap().len(), 1);
        assert_eq!(sender().read_all(Format::Batch, b"[]").unwrap().len(), 0);
    }

    #[test]
    fn a_request_has_a_most_of_events() {
        let body = "{}\n".repeat(EVENTS_MAX);
        assert_eq!(sender().read_all(Format::Lines, body.as_bytes()).unwrap().len(), EVENTS_MAX);
        let problem = sender().read_all(Format::Lines, format!("{body}{{}}").as_bytes()).unwrap_err();
        assert_eq!(problem.kind(), Kind::Invalid);
    }

    #[test]
    fn what_is_not_the_keys_and_what_is_not_there_read_alike() {
        let event = br#"{"specversion":"1.0","id":"1","source":"a","type":"t","subject":"s",
            "time":"2026-11-03T09:00:00Z","data":{}}"#;
        let Given::Invalid(invalid) = sender().read(event) else { panic!("there is no app") };
        assert_eq!(invalid.errors, [Fault::at("/source", "there is no app \"a\"")]);
    }
}
