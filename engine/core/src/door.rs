//! The door: CloudEvents 1.0 JSON comes in, and is an [`Event`] or a refusal that says how to mend it.
//!
//! Raw input becomes a domain type here, once; inside, nothing is checked twice. The door knows no clock,
//! no tariff and no other event: whether an event is a duplicate or can be priced is decided further in.

mod data;
mod envelope;
mod fingerprint;
mod refusal;

use crate::event::Event;
use crate::json::{self, Fields};
pub use refusal::Rejected;

/// The most bytes of one event.
pub const EVENT_BYTES_MAX: usize = 256 * 1024;
/// The most bytes of an id, a source, a subject and of every name.
pub const NAME_BYTES_MAX: usize = 256;
/// The most bytes of an attribute's value.
pub const ATTRIBUTE_BYTES_MAX: usize = 1024;
/// The most measures of an event.
pub const MEASURES_MAX: usize = 64;
/// The most attributes of an event.
pub const ATTRIBUTES_MAX: usize = 64;
/// The most keys of the event and of its data.
const FIELDS_MAX: usize = 128;

const EVENT_SHAPE: &str = "an event is one JSON object, as in {\"specversion\":\"1.0\",…}";

/// Reads one event: a CloudEvents 1.0 object in JSON.
///
/// # Errors
/// The first thing that is wrong with it, its place, and the remedy.
pub fn parse(event: &[u8]) -> Result<Event, Rejected> {
    let text = text(event)?;
    let fields = Fields::read(text, FIELDS_MAX)
        .map_err(|fault| Rejected::new("event", fault.to_string(), fault.remedy(EVENT_SHAPE)))?;
    let id = envelope::id(&fields)?;
    read(text, &fields, &id).map_err(|mut rejected| {
        rejected.id = id.into_owned();
        rejected
    })
}

fn read(text: &str, fields: &Fields<'_>, id: &str) -> Result<Event, Rejected> {
    let envelope = envelope::read(fields, id)?;
    let data = data::read(envelope.data)?;
    let mut event = Event {
        key: envelope.key,
        customer: envelope.customer,
        time: envelope.time,
        feature: data.feature,
        route: data.route,
        model: data.model,
        provider: data.provider,
        measures: data.measures,
        attributes: data.attributes,
        reported_cost: data.reported_cost,
        fingerprint: [0; 16],
        received: json::compact(text).into(),
    };
    event.fingerprint = fingerprint::of(&event);
    Ok(event)
}

/// The lines of newline-delimited JSON that are not blank, each with its number from 1.
pub fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = without_mark(text).split(|byte| *byte == b'\n');
    (1..).zip(lines).filter(|(_, line)| !line.trim_ascii().is_empty())
}

/// The events of a JSON batch, `[{…},{…}]`, each as it was written; read each with [`parse`].
///
/// # Errors
/// When the whole is not a JSON list: then none of its events can be told from the others.
pub fn batch(text: &[u8]) -> Result<Vec<&str>, Rejected> {
    let remedy = "a batch is a JSON list of events, [{…},{…}]";
    let text = utf8(text)?;
    match json::list(text) {
        Some(events) => Ok(events),
        None => Err(match Fields::read(text, 0) {
            Err(json::ObjectFault::TooMany(_)) | Ok(_) => {
                Rejected::new("batch", "is an object, not a list", remedy)
            }
            Err(fault) => Rejected::new(
                "batch",
                fault.to_string().replace(", not a JSON object", ", not a list"),
                remedy,
            ),
        }),
    }
}

fn text(event: &[u8]) -> Result<&str, Rejected> {
    if event.len() > EVENT_BYTES_MAX {
        let problem = format!("is {} bytes long", event.len());
        return Err(Rejected::new(
            "event",
            problem,
            "an event has at most 262144 bytes; leave prompts and answers out",
        ));
    }
    let text = utf8(event)?;
    if text.is_empty() {
        return Err(Rejected::new("event", "is empty", EVENT_SHAPE));
    }
    Ok(text)
}

fn utf8(bytes: &[u8]) -> Result<&str, Rejected> {
    let text = std::str::from_utf8(without_mark(bytes)).map_err(|error| {
        let problem = format!("is not UTF-8 from byte {}", error.valid_up_to());
        Rejected::new("event", problem, "JSON is written in UTF-8")
    })?;
    Ok(text.trim_ascii())
}

/// Some programs write a byte order mark before the first line.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cfg(test)]
mod tests;
