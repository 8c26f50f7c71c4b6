//! Moments in requests: RFC 3339 with an offset. For `#[serde(deserialize_with)]`.

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A moment.
pub(super) fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    read(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// A moment, or null.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| read(&text)).transpose().map_err(D::Error::custom)
}

fn read(text: &str) -> Result<Timestamp, String> {
    let refused =
        |_| format!("{text:?} is no moment: give date, time and offset, as in \"2026-11-24T19:22:39Z\"");
    text.parse().map_err(refused)
}
