//! An event's id as a column: a UUID in its usual text as 16 bytes, anything else as text.
//!
//! The index over ids is what costs a store of many events most, and UUIDs are what most apps send. Text and
//! bytes are never equal in SQLite, and each id has one form only, so ids stay unique.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

/// Where the hyphens of a UUID's text stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// An event's id, to be bound.
pub enum EventId<'a> {
    /// Text that is no UUID.
    Text(&'a str),
    /// A UUID.
    Uuid([u8; 16]),
}

impl<'a> From<&'a str> for EventId<'a> {
    fn from(id: &'a str) -> Self {
        uuid_bytes(id).map_or(Self::Text(id), Self::Uuid)
    }
}

impl ToSql for EventId<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(id) => ValueRef::Text(id.as_bytes()),
            Self::Uuid(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// An event's id, as read.
pub struct OwnedEventId(pub String);

impl FromSql for OwnedEventId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Blob(bytes) => {
                let bytes: [u8; 16] = bytes.try_into().map_err(|_| FromSqlError::InvalidType)?;
                Ok(Self(uuid_text(bytes)))
            }
            text => text.as_str().map(|id| Self(id.to_owned())),
        }
    }
}

/// The bytes of a UUID in lower case with hyphens; `None` for any other text.
fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 16];
    let mut digits = 0_usize;
    for (position, letter) in text.iter().enumerate() {
        if HYPHENS.contains(&position) {
            if *letter != b'-' {
                return None;
            }
            continue;
        }
        let digit = match letter {
            b'0'..=b'9' => letter - b'0',
            b'a'..=b'f' => letter - b'a' + 10,
            _ => return None,
        };
        let byte = bytes.get_mut(digits / 2)?;
        *byte = *byte << 4 | digit;
        digits += 1;
    }
    Some(bytes)
}

fn uuid_text(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for digit in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        if HYPHENS.contains(&text.len()) {
            text.push('-');
        }
        text.push(char::from_digit(u32::from(digit), 16).unwrap_or_default());
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_usual_text_of_a_uuid_becomes_bytes() {
        let uuid = "018bd7e2-9c4f-7a10-8000-0123456789ab";
        assert_eq!(uuid_bytes(uuid).map(uuid_text).as_deref(), Some(uuid));
        let others = [
            "018BD7E2-9c4f-7a10-8000-0123456789ab",
            "018bd7e29-c4f-7a10-8000-0123456789ab",
            "018bd7e29c4f7a1080000123456789ab",
            "018bd7e2-9c4f-7a10-8000-0123456789a",
            "018bd7e2-9c4f-7a10-8000-0123456789ag",
            "018bd7e2-9c4f-7a10-8000-0123456789\u{e9}",
            "",
        ];
        for other in others {
            assert_eq!(uuid_bytes(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes in any::<[u8; 16]>()) {
            prop_assert_eq!(uuid_bytes(&uuid_text(bytes)), Some(bytes));
        }
    }
}
