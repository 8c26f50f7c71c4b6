//! Where what was created can be read: the header `Location`.

use std::convert::Infallible;
use std::fmt::Write as _;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponseParts, ResponseParts};

/// A path on this server.
#[derive(Clone, Debug)]
pub(super) struct Location(String);

impl Location {
    /// Something below a collection, by its id.
    pub fn below(collection: &str, id: &str) -> Self {
        Self(collection.to_owned()).then(id)
    }

    /// One step further down.
    pub fn then(mut self, segment: &str) -> Self {
        self.0.push('/');
        self.write(segment);
        self
    }

    /// With the only parameter that tells whose it is.
    pub fn of(mut self, name: &str, value: &str) -> Self {
        self.0 = format!("{}?{name}=", self.0);
        self.write(value);
        self
    }

    /// An id may have any character.
    fn write(&mut self, text: &str) {
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
                self.0.push(char::from(byte));
            } else {
                // Writing into text does not fail.
                let _ = write!(self.0, "%{byte:02X}");
            }
        }
    }
}

impl IntoResponseParts for Location {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        if let Ok(value) = HeaderValue::try_from(self.0) {
            parts.headers_mut().insert(header::LOCATION, value);
        }
        Ok(parts)
    }
}
