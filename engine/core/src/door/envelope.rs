//! The context attributes of CloudEvents: who, when, which event. Extension attributes are let through.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{NAME_BYTES_MAX, Rejected};
use crate::event::EventKey;
use crate::json::{self, Fields, Kind};

/// Names under which other systems send an event's id.
const ID_ALIASES: [&str; 4] = ["id", "transaction_id", "idempotency_key", "identifier"];

pub(super) struct Envelope<'a> {
    pub key: EventKey,
    pub customer: String,
    pub time: i64,
    pub data: &'a str,
}

/// The event's id.
pub(super) fn id<'a>(fields: &Fields<'a>) -> Result<Cow<'a, str>, Rejected> {
    let remedy = "give each event an id of its own, as in \"req-0001\"; together with source it is what makes two events the same";
    let given = ID_ALIASES.iter().find(|name| fields.get(name).is_some());
    required(fields, given.copied().unwrap_or("id"), remedy)
}

pub(super) fn read<'a>(fields: &Fields<'a>, id: &str) -> Result<Envelope<'a>, Rejected> {
    specversion(fields)?;
    required(fields, "type", "name the kind of event, as in \"ai.usage\"")?;
    let app = required(fields, "source", "name the app that sends the event, as in \"acme-code\"")?;
    let customer =
        required(fields, "subject", "name the customer who created the usage, as in \"workspace-00\"")?;
    Ok(Envelope {
        time: time(fields)?,
        data: data(fields)?,
        key: EventKey { app: app.into_owned(), id: id.to_owned() },
        customer: customer.into_owned(),
    })
}

fn specversion(fields: &Fields<'_>) -> Result<(), Rejected> {
    let problem = match fields.get("specversion") {
        Some("\"1.0\"") => return Ok(()),
        Some(raw) => format!("is {}", json::excerpt(raw)),
        None => "is missing".to_owned(),
    };
    Err(Rejected::new(
        "specversion",
        problem,
        "it must be \"1.0\", the version of CloudEvents that is read here",
    ))
}

fn time(fields: &Fields<'_>) -> Result<i64, Rejected> {
    let remedy =
        "write when the usage happened as RFC 3339 with an offset, as in \"2023-11-16T18:15:46.680Z\"";
    let text = required(fields, "time", remedy)?;
    let refuse = || Rejected::new("time", format!("is {:?}", json::excerpt(&text)), remedy);
    if !looks_like_rfc3339(&text) {
        return Err(refuse());
    }
    let time: Timestamp = text.parse().map_err(|_| refuse())?;
    let milliseconds = time.as_nanosecond().div_euclid(1_000_000);
    i64::try_from(milliseconds).map_err(|_| refuse())
}

/// The parser of times reads more than RFC 3339; what it reads besides is kept out.
fn looks_like_rfc3339(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is = |position: usize, any: &[u8]| bytes.get(position).is_some_and(|byte| any.contains(byte));
    let offset = text.rfind(['+', '-']).filter(|position| *position > 10);
    let offset_hours =
        offset.and_then(|sign| text.get(sign.saturating_add(1)..)?.get(..2)?.parse::<u8>().ok());
    let is_offset = offset.is_none() || offset_hours.is_some_and(|hours| hours < 24);
    is(4, b"-")
        && is(7, b"-")
        && is(10, b"Tt ")
        && is(13, b":")
        && is(16, b":")
        && !text.contains('[')
        && is_offset
}

fn data<'a>(fields: &Fields<'a>) -> Result<&'a str, Rejected> {
    if let Some(raw) = fields.get("datacontenttype") {
        let json = json::text(raw).is_some_and(|text| is_json(&text));
        if !json {
            let problem = format!("is {}", json::excerpt(raw));
            return Err(Rejected::new(
                "datacontenttype",
                problem,
                "it must be \"application/json\", or be left out",
            ));
        }
    }
    let remedy = "give what was used as an object, as in \"data\":{\"model\":\"gpt-4o-mini\",\"measures\":{\"input_tokens\":480}}";
    match fields.get("data") {
        Some(raw) if json::kind(raw) == Kind::Object => Ok(raw),
        Some(raw) => Err(Rejected::new("data", format!("is {}, not an object", json::kind(raw)), remedy)),
        None if fields.get("data_base64").is_some() => {
            Err(Rejected::new("data_base64", "cannot be read", remedy))
        }
        None => Err(Rejected::new("data", "is missing", remedy)),
    }
}

/// `application/json`, `text/json; charset=utf-8`, `application/vnd.acme+json`.
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.ends_with("/json") || essence.ends_with("+json")
}

fn required<'a>(
    fields: &Fields<'a>,
    name: &'static str,
    remedy: &'static str,
) -> Result<Cow<'a, str>, Rejected> {
    let Some(raw) = fields.get(name) else {
        return Err(Rejected::new(name, "is missing", remedy));
    };
    let text = string(name, raw, NAME_BYTES_MAX)?;
    if text.is_empty() { Err(Rejected::new(name, "is empty", remedy)) } else { Ok(text) }
}

/// A string of a bearable length without control characters.
pub(super) fn string<'a>(field: &str, raw: &'a str, bytes_max: usize) -> Result<Cow<'a, str>, Rejected> {
    let refuse = |problem: String, remedy: String| Err(Rejected::new(field.to_owned(), problem, remedy));
    let Some(text) = json::text(raw) else {
        let problem = if json::kind(raw) == Kind::Text {
            format!("is {}, which escapes half a character", json::excerpt(raw))
        } else {
            format!("is {} ({})", json::kind(raw), json::excerpt(raw))
        };
        return refuse(problem, "it must be a string".to_owned());
    };
    match bearable(&text, bytes_max) {
        Ok(()) => Ok(text),
        Err((problem, remedy)) => refuse(problem, remedy),
    }
}

/// Whether a text is short enough and free of control characters; if not, the problem and its remedy.
pub(super) fn bearable(text: &str, bytes_max: usize) -> Result<(), (String, String)> {
    if text.len() > bytes_max {
        return Err((format!("is {} bytes long", text.len()), format!("it may have at most {bytes_max}")));
    }
    if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        return Err((
            format!("is {text:?}, with a control character"),
            "leave control characters out".to_owned(),
        ));
    }
    Ok(())
}
