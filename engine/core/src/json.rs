//! JSON objects read field by field: text is borrowed, and every value is left as it was written, so that
//! no digit of a number is lost.
//!
//! Owns shape only: what is an object, a text, a duplicate key. What a field means is for the caller.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What sort of value a JSON text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Number,
    Text,
    List,
    Object,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::List => "a list",
            Self::Object => "an object",
        })
    }
}

/// The sort of a value that is known to be JSON, by its first byte.
pub(crate) fn kind(raw: &str) -> Kind {
    match raw.as_bytes().first() {
        Some(b'"') => Kind::Text,
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::List,
        Some(b't' | b'f') => Kind::Boolean,
        Some(b'n') => Kind::Null,
        _ => Kind::Number,
    }
}

/// The text of a JSON string; `None` when the value is no string or escapes half a surrogate pair.
pub(crate) fn text(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// The elements of a JSON list, each as it was written.
pub(crate) fn list(raw: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// A value as a message may show it: not more than 40 characters of it.
pub(crate) fn excerpt(raw: &str) -> Cow<'_, str> {
    match raw.char_indices().nth(40) {
        Some((end, _)) => Cow::Owned(format!("{}…", raw.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(raw),
    }
}

/// Why a text is not an object to read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ObjectFault {
    /// Another sort of value.
    #[error("is {0}, not a JSON object")]
    AnotherKind(Kind),
    /// Not JSON at all.
    #[error("is not JSON: {message} at {place}")]
    Syntax { message: String, place: String },
    /// One key twice: which of the two is meant cannot be told.
    #[error("has the key {0:?} twice")]
    Duplicate(String),
    /// More keys than the caller allows.
    #[error("has more than {0} keys")]
    TooMany(usize),
}

impl ObjectFault {
    /// What would be right, where `shape` says what the object should look like.
    pub fn remedy<'a>(&self, shape: &'a str) -> &'a str {
        if matches!(self, Self::Duplicate(_)) { "write each key once" } else { shape }
    }
}

/// The fields of one JSON object, in the order they were written.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Fields<'a> {
    /// Reads an object of at most `max` distinct keys.
    pub fn read(raw: &'a str, max: usize) -> Result<Self, ObjectFault> {
        let trimmed = raw.trim_start();
        if !trimmed.starts_with('{') {
            // Something that is not JSON shall be called so, rather than a number.
            return Err(match serde_json::from_str::<IgnoredAny>(raw) {
                Ok(_) => ObjectFault::AnotherKind(kind(trimmed)),
                Err(error) => syntax(&error),
            });
        }
        let Collected { fields, overflow } = serde_json::from_str(raw).map_err(|error| syntax(&error))?;
        if overflow || fields.len() > max {
            return Err(ObjectFault::TooMany(max));
        }
        let mut later = fields.as_slice();
        while let Some(((name, _), rest)) = later.split_first() {
            if rest.iter().any(|(other, _)| other == name) {
                return Err(ObjectFault::Duplicate(excerpt(name).into_owned()));
            }
            later = rest;
        }
        Ok(Self(fields))
    }

    /// The value of a field as it was written; `None` also for null.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, raw)| *raw).filter(|raw| *raw != "null")
    }

    /// Every field, null or not.
    pub fn iter(&self) -> impl Iterator<Item = (&Cow<'a, str>, &'a str)> {
        self.0.iter().map(|(name, raw)| (name, *raw))
    }

    /// Only the fields whose name the caller wants.
    pub fn only(&self, wanted: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(name, _)| wanted(name)).cloned().collect())
    }

    /// The number of fields.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

fn syntax(error: &serde_json::Error) -> ObjectFault {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let message =
        message.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&message).to_owned();
    let place = if line > 1 { format!("line {line}, column {column}") } else { format!("column {column}") };
    ObjectFault::Syntax { message, place }
}

/// No object is read beyond this many keys, whatever the caller allows.
const FIELDS_MAX: usize = 256;

struct Collected<'a> {
    fields: Vec<(Cow<'a, str>, &'a str)>,
    overflow: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Collected<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(CollectFields)
    }
}

struct CollectFields;

impl<'de> Visitor<'de> for CollectFields {
    type Value = Collected<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::with_capacity(8);
        while let Some(Key(name)) = map.next_key()? {
            if fields.len() == FIELDS_MAX {
                map.next_value::<IgnoredAny>()?;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(Collected { fields, overflow: true });
            }
            let raw: &'de RawValue = map.next_value()?;
            fields.push((name, raw.get()));
        }
        Ok(Collected { fields, overflow: false })
    }
}

/// A key, borrowed unless it has escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ReadKey;
        impl<'de> Visitor<'de> for ReadKey {
            type Value = Key<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a key")
            }

            fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(ReadKey).map_err(D::Error::custom)
    }
}

/// JSON without the blanks between its parts.
pub fn compact(json: &str) -> String {
    let mut compact = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(quote) = rest.find('"') {
        let (between, string) = rest.split_at(quote);
        compact.extend(between.split_ascii_whitespace());
        let (string, after) = string.split_at(string_end(string));
        compact.push_str(string);
        rest = after;
    }
    compact.extend(rest.split_ascii_whitespace());
    compact
}

/// Where the string ends that a text begins with, behind its closing quote.
fn string_end(text: &str) -> usize {
    // The quote that opens it ends nothing.
    let mut is_escaped = true;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |end| end.saturating_add(1))
}
