//! How a statement is written: what the client says, or what it likes best.

use axum::http::{HeaderMap, header};
use serde::Deserialize;
use utoipa::ToSchema;

/// How a statement is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// For programs.
    Json,
    /// For people: a page that prints well.
    Html,
}

impl Format {
    /// What a client likes best of the two; JSON when it does not say.
    pub fn accepted(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let weighed = accepted.flat_map(|value| value.split(',')).filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let format = match parts.next()?.to_ascii_lowercase().as_str() {
                "text/html" => Self::Html,
                "application/json" | "application/*" | "*/*" => Self::Json,
                _ => return None,
            };
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1000), thousandths);
            Some((weight?, format))
        });
        // The first of those liked best.
        weighed
            .reduce(|best, other| if other.0 > best.0 { other } else { best })
            .map_or(Self::Json, |best| best.1)
    }
}

/// A weight from `0` to `1` with at most three digits after the point, in thousandths.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let fraction: u16 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_client_gets_what_it_likes_best() {
        for (accept, expected) in [
            ("", Format::Json),
            ("*/*", Format::Json),
            ("text/html", Format::Html),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Html),
            ("application/json, text/html;q=0.9", Format::Json),
            ("application/json;q=0.25, text/html; q=0.5", Format::Html),
            ("text/html;q=0, application/json", Format::Json),
            ("image/png", Format::Json),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(Format::accepted(&headers), expected, "{accept}");
        }
    }
}
