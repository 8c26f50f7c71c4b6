//! What every refusal looks like on the wire: a problem by RFC 9457.
//!
//! A problem says what is wrong, where, and what to do; never how the server is built inside. Which error of
//! the core becomes which problem is decided in `conversions`, and nowhere else.

mod conversions;
pub(crate) mod explained;
mod kind;

use std::borrow::Cow;
use std::time::Duration;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

pub use kind::Kind;

use crate::telemetry::request_id;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A refusal, ready to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    kind: Kind,
    detail: Cow<'static, str>,
    errors: Vec<Fault>,
    retry_after: Option<Duration>,
    etag: Option<String>,
}

/// One place in a request that is wrong. It has either a pointer or a parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// Where in the body: a JSON pointer, empty for the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/settings/price")]
    pub pointer: Option<String>,
    /// Which parameter of the path or query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// What is wrong and what would be right.
    #[schema(example = "is required")]
    pub message: String,
}

impl Fault {
    /// Something wrong in the body, at a JSON pointer.
    pub fn at(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, message: message.into() }
    }

    /// Something wrong with a parameter of the path or query.
    pub fn parameter(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: None, parameter: Some(name.into()), message: message.into() }
    }
}

/// The document that a refused request is answered with (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// The kind of problem: `/problems/invalid-request`. Programs tell problems apart by it; people read what it leads
    /// to on this server. `/problems` lists all.
    #[schema(value_type = String, example = "/problems/invalid-request")]
    r#type: &'static str,
    /// The kind in words.
    #[schema(value_type = String, example = "The request is invalid")]
    title: &'static str,
    /// The HTTP status, repeated.
    #[schema(example = 422)]
    status: u16,
    /// What is wrong this time.
    #[schema(value_type = String, example = "/settings/price: is required")]
    detail: Cow<'static, str>,
    /// Each place that is wrong; left out when no place can be named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
    /// The request's id, as in `x-request-id` and in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    request_id: Option<std::sync::Arc<str>>,
}

impl Problem {
    /// A problem of a kind, said in words.
    pub fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), retry_after: None, etag: None }
    }

    /// 400: it cannot be read at all, as JSON that is none.
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Malformed, detail)
    }

    /// 422: it can be read, and these places are wrong. The detail repeats the first.
    pub fn invalid(errors: Vec<Fault>) -> Self {
        let detail = match errors.first() {
            Some(Fault { pointer: Some(place), message, .. }) if !place.is_empty() => {
                format!("{place}: {message}")
            }
            Some(Fault { parameter: Some(place), message, .. }) => format!("{place}: {message}"),
            Some(fault) => fault.message.clone(),
            None => "the request is invalid".to_owned(),
        };
        Self { errors, ..Self::new(Kind::Invalid, detail) }
    }

    /// 401: no key, or none that is valid.
    pub fn unauthorized(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Unauthorized, detail)
    }

    /// 403: the key does not reach so far.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Forbidden, detail)
    }

    /// 404: it is not there, or not for this key to see.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::NotFound, detail)
    }

    /// 409: it contradicts what is there.
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Conflict, detail)
    }

    /// 409: a request with the same `Idempotency-Key` is being answered.
    pub fn in_progress(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { retry_after: Some(Duration::from_secs(1)), ..Self::new(Kind::InProgress, detail) }
    }

    /// 422: the `Idempotency-Key` belongs to another request.
    pub fn key_reused(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::KeyReused, detail)
    }

    /// 413: larger than allowed.
    pub fn too_large(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::TooLarge, detail)
    }

    /// 415: a media type or encoding that is not understood here.
    pub fn unsupported_media_type(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::UnsupportedMediaType, detail)
    }

    /// 429: this key asks more often than it may.
    pub fn too_many_requests(detail: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(Kind::TooManyRequests, detail) }
    }

    /// 412: it is in another state than the request says, in the one of this tag.
    pub fn precondition_failed(detail: impl Into<Cow<'static, str>>, etag: &str) -> Self {
        Self { etag: Some(etag.to_owned()), ..Self::new(Kind::PreconditionFailed, detail) }
    }

    /// 429: more events are waiting than the server takes in.
    pub fn busy(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { retry_after: Some(Duration::from_secs(1)), ..Self::new(Kind::Busy, detail) }
    }

    /// 503: not now: out of room, stopping, or the store failed. Sending again is safe.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { retry_after: Some(Duration::from_secs(1)), ..Self::new(Kind::Unavailable, detail) }
    }

    /// 500: a fault of the server. What it was goes to the log, not to the client.
    pub fn internal() -> Self {
        Self::new(
            Kind::Internal,
            "the server made a mistake; its log has the details under this request's id",
        )
    }

    /// Names places that are wrong.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Fault>) -> Self {
        self.errors = errors;
        self
    }

    /// What kind it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What is wrong, in words.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The places that are wrong.
    pub fn errors(&self) -> &[Fault] {
        &self.errors
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        let document = ProblemDocument {
            r#type: self.kind.uri(),
            title: self.kind.title(),
            status: status.as_u16(),
            detail: self.detail,
            errors: self.errors,
            request_id: request_id(),
        };
        let mut response = (status, axum::Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if self.kind == Kind::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tollgate\""));
        }
        if let Some(Ok(etag)) = self.etag.map(HeaderValue::try_from) {
            headers.insert(header::ETAG, etag);
        }
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds_up(wait)));
        }
        response
    }
}

/// Whole seconds, rounded up: a client that waits so long has waited long enough.
pub(crate) fn seconds_up(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
