//! Request bodies: received whole, within limits, unpacked, and read as JSON.
//!
//! A body is bounded three times: as received, as unpacked, and together with all other bodies held at once.
//! It does not know what a body means.

mod unpack;

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::Segment;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::backend::Backend;
use crate::misfit;
use crate::problem::{Fault, Problem};

/// Room for bodies is counted in pieces of so many bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// A body as received, unpacked. Its room among all bodies is given back when it is dropped.
#[derive(Debug)]
pub struct Received {
    /// The unpacked bytes.
    pub bytes: Vec<u8>,
    /// The media type without parameters, in lower case; empty when none was given.
    pub media_type: String,
    /// What it holds of the room for all bodies: to be kept as long as what was read from it is.
    pub room: Room,
}

/// The most bytes of one body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// As received.
    pub received_max: usize,
    /// Once unpacked.
    pub unpacked_max: usize,
}

/// A JSON body read as `T`. Whatever is wrong with it is answered as a problem: 413 and 415 for the body as
/// such, 400 for what is no JSON, 422 with a JSON pointer for what is no `T`.
#[derive(Clone, Copy, Debug)]
pub struct Body<T>(pub T);

/// Room for all request bodies held at once.
#[derive(Clone, Debug)]
pub struct Rooms(Arc<Semaphore>);

/// What one body holds of it, until it is dropped.
#[derive(Debug)]
pub struct Room {
    rooms: Rooms,
    held: Option<OwnedSemaphorePermit>,
}

impl Rooms {
    /// Room for so many bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes_max.div_ceil(PIECE_BYTES).min(Semaphore::MAX_PERMITS))))
    }

    fn enter(&self) -> Room {
        Room { rooms: self.clone(), held: None }
    }
}

impl Room {
    /// Makes sure that there is room for so many bytes in all.
    fn reach(&mut self, bytes: usize) -> Result<(), Problem> {
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = bytes.div_ceil(PIECE_BYTES).saturating_sub(held);
        if missing == 0 {
            return Ok(());
        }
        let full = || Problem::unavailable("the server holds too many request bodies at once; send it again");
        let missing = u32::try_from(missing).map_err(|_| full())?;
        let more = Arc::clone(&self.rooms.0).try_acquire_many_owned(missing).map_err(|_| full())?;
        match &mut self.held {
            Some(held) => held.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

/// Receives a request's body whole and unpacks it.
///
/// # Errors
/// 413 when it is larger than the limits, 415 for an encoding other than gzip and zstd, 400 when it breaks
/// off or does not unpack, 503 when too many bodies are held at once.
pub async fn receive(backend: &Backend, request: Request, limits: BodyLimits) -> Result<Received, Problem> {
    let (head, body) = request.into_parts();
    let encoding = unpack::Encoding::of(&head.headers)?;
    let received_max =
        limits.received_max.min(if encoding.is_packed() { usize::MAX } else { limits.unpacked_max });
    let (bytes, room) = collect(backend, &head.headers, body, received_max).await?;
    let (bytes, room) = unpack::unpack(encoding, bytes, limits.unpacked_max, room).await?;
    Ok(Received { bytes, media_type: media_type(&head.headers), room })
}

/// Receives a body as it is sent, of at most so many bytes.
///
/// # Errors
/// 413 when it is larger, 400 when it breaks off, 503 when too many bodies are held at once.
pub(crate) async fn collect(
    backend: &Backend,
    headers: &HeaderMap,
    mut body: axum::body::Body,
    max: usize,
) -> Result<(Vec<u8>, Room), Problem> {
    if announced(headers).is_some_and(|announced| announced > max as u64) {
        return Err(too_large("body", max));
    }
    let mut room = backend.bodies.enter();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::malformed("the body broke off before its end"))?;
        let Some(data) = frame.data_ref() else { continue };
        if bytes.len() + data.len() > max {
            return Err(too_large("body", max));
        }
        room.reach(bytes.len() + data.len())?;
        bytes.extend_from_slice(data);
    }
    Ok((bytes, room))
}

/// What the client says its body will be; checked again while it arrives.
fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn media_type(headers: &HeaderMap) -> String {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split_once(';').map_or(given, |(essence, _)| essence);
    essence.trim().to_ascii_lowercase()
}

/// 413 for something larger than so many bytes.
pub(crate) fn too_large(what: &str, max: usize) -> Problem {
    Problem::too_large(format!("the {what} is larger than {max} bytes; send it in smaller parts"))
}

impl FromRequest<Arc<Backend>> for Received {
    type Rejection = Problem;

    async fn from_request(request: Request, backend: &Arc<Backend>) -> Result<Self, Problem> {
        receive(backend, request, backend.body_limits()).await
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<Backend>> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, backend: &Arc<Backend>) -> Result<Self, Problem> {
        let media_type = media_type(request.headers());
        if !is_json(&media_type) {
            return Err(Problem::unsupported_media_type(format!(
                "the body must be application/json, not {media_type:?}: set the header content-type"
            )));
        }
        let received = Received::from_request(request, backend).await?;
        // A list would be read as an object's fields in the order in which they are declared.
        if received.bytes.trim_ascii_start().first() == Some(&b'[') {
            return Err(Problem::invalid(vec![Fault::at("", "must be an object, not a list")]));
        }
        from_json(&received.bytes).map(Self)
    }
}

fn is_json(media_type: &str) -> bool {
    let Some(subtype) = media_type.strip_prefix("application/") else { return false };
    subtype == "json" || subtype.ends_with("+json")
}

/// Reads JSON as `T`.
///
/// # Errors
/// 400 with line and column for what is no JSON, 422 with a JSON pointer for what is no `T`.
pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let pointer = pointer(error.path());
        unreadable(bytes, error.inner(), pointer)
    })?;
    json.end().map_err(|error| unreadable(bytes, &error, String::new()))?;
    Ok(value)
}

fn unreadable(bytes: &[u8], error: &serde_json::Error, pointer: String) -> Problem {
    if !error.is_data() {
        // What is JSON, and no value that can stand there, is a number or a list in place of a word.
        return match serde_json::from_slice::<IgnoredAny>(bytes) {
            Err(error) => Problem::malformed(format!("the body is not JSON: {error}")),
            Ok(_) => Problem::invalid(vec![Fault::at(pointer, "must be a string")]),
        };
    }
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = said.strip_suffix(&place).unwrap_or(&said);
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    let fault = match missing {
        Some(field) => Fault::at(format!("{pointer}/{}", escaped(field)), "is required"),
        None => Fault::at(pointer, misfit::told(message)),
    };
    Problem::invalid(vec![fault])
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    let segments = path.iter().map(|segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", escaped(key)),
        Segment::Enum { variant } => format!("/{}", escaped(variant)),
        Segment::Unknown => String::new(),
    });
    segments.collect()
}

/// A name as a part of a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::value::RawValue;

    use super::*;
    use crate::problem::Kind;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        name: String,
        #[serde(default)]
        lines: Vec<BTreeMap<String, u32>>,
        settings: Option<Box<RawValue>>,
    }

    fn refused(json: &str) -> (Kind, String, String) {
        let problem = from_json::<Order>(json.as_bytes()).unwrap_err();
        let fault = problem.errors().first().cloned().unwrap_or_default();
        (problem.kind(), fault.pointer.unwrap_or_default(), problem.detail().to_owned())
    }

    #[test]
    fn reads_what_is_right() {
        let order: Order = from_json(br#"{"name": "a", "settings": {"b":  1}}"#).unwrap();
        assert_eq!((order.name.as_str(), order.lines.len()), ("a", 0));
        assert_eq!(order.settings.unwrap().get(), r#"{"b":  1}"#);
    }

    #[test]
    fn points_at_what_is_wrong() {
        let (kind, pointer, detail) = refused(r#"{"name": "a", "lines": [{"x": 1}, {"a/b~": "two"}]}"#);
        assert_eq!((kind, pointer.as_str()), (Kind::Invalid, "/lines/1/a~1b~0"));
        assert_eq!(detail, "/lines/1/a~1b~0: must be a whole number from 0 to 4294967295, not \"two\"");
        let (kind, pointer, detail) = refused(r#"{"lines": []}"#);
        assert_eq!((kind, pointer.as_str(), detail.as_str()), (Kind::Invalid, "/name", "/name: is required"));
        let (kind, pointer, _) = refused(r#"{"name": "a", "nmae": 1}"#);
        assert_eq!((kind, pointer.as_str()), (Kind::Invalid, "/nmae"));
    }

    #[test]
    fn tells_what_is_no_json() {
        for json in ["", "{", "{\"name\": \"a\"} x", "nope"] {
            let (kind, pointer, detail) = refused(json);
            assert_eq!((kind, pointer.as_str()), (Kind::Malformed, ""), "{json}");
            assert!(detail.contains("line 1"), "{detail}");
        }
    }

    #[test]
    fn knows_json_by_its_media_type() {
        for json in ["application/json", "application/cloudevents+json"] {
            assert!(is_json(json));
        }
        for other in ["", "text/json", "application/x-www-form-urlencoded", "application/jsonl"] {
            assert!(!is_json(other));
        }
    }
}
