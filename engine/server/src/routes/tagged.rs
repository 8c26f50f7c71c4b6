//! Answers with an `ETag`, which tells one state of a resource from another; and `If-Match`, by which a replacement says
//! which of them it was made from, so that nobody overwrites what they have not seen.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::location::Location;
use crate::problem::Problem;

/// Where there are such resources; each at its id below.
pub(crate) const TAGGED: [&str; 5] =
    ["/v1/builders", "/v1/apps", "/v1/customers", "/v1/price-books", "/v1/tariffs"];

/// So much of a digest tells any two states apart.
const TAG_BYTES: usize = 16;

/// A resource as it is answered.
#[derive(Debug)]
pub(super) struct Tagged {
    status: StatusCode,
    location: Option<Location>,
    tag: String,
    json: Vec<u8>,
}

impl Tagged {
    /// # Errors
    /// 500 when it cannot be written.
    pub fn of(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let json = serde_json::to_vec(body).map_err(|_| Problem::internal())?;
        let digest = Sha256::digest(&json);
        let tag = format!("\"{}\"", hex::encode(digest.iter().take(TAG_BYTES).copied().collect::<Vec<_>>()));
        Ok(Self { status, location: None, tag, json })
    }

    /// The same, where it was created.
    pub fn at(self, location: Location) -> Self {
        let location = (self.status == StatusCode::CREATED).then_some(location);
        Self { location, ..self }
    }

    /// Its `ETag`.
    pub fn tag(&self) -> &str {
        &self.tag
    }
}

impl IntoResponse for Tagged {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        let mut response =
            (self.status, self.location, [(header::CONTENT_TYPE, json)], self.json).into_response();
        if let Ok(tag) = HeaderValue::from_str(&self.tag) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

/// Which states a replacement may be made from, as its `If-Match` says: any, when there is none.
#[derive(Clone, Debug, Default)]
pub(super) struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    /// # Errors
    /// 412 with the present tag when the resource is in another state.
    pub fn check(&self, tag: &str) -> Result<(), Problem> {
        let Some(given) = &self.0 else { return Ok(()) };
        if given.iter().any(|given| given == "*" || given == tag) {
            return Ok(());
        }
        let detail = format!("it has been changed since: it is {tag} now; read it again, and send that ETag");
        Err(Problem::precondition_failed(detail, tag))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut given = Vec::new();
        for value in parts.headers.get_all(header::IF_MATCH) {
            let text = value.to_str().map_err(|_| Problem::malformed("the header If-Match is no ETag"))?;
            given.extend(text.split(',').map(|tag| tag.trim().to_owned()));
        }
        Ok(Self(parts.headers.contains_key(header::IF_MATCH).then_some(given)))
    }
}
