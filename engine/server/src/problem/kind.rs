//! The kinds of problems: what programs tell apart. A kind's URI never changes its meaning.

use axum::http::StatusCode;

/// A kind of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 400: cannot be read.
    Malformed,
    /// 422: can be read and is wrong.
    Invalid,
    /// 401: no valid key.
    Unauthorized,
    /// 403: the key does not reach so far.
    Forbidden,
    /// 404: not there.
    NotFound,
    /// 405: no such method here.
    MethodNotAllowed,
    /// 408: it did not arrive in time.
    RequestTimeout,
    /// 409: contradicts what is there.
    Conflict,
    /// 409: the same request is being answered right now.
    InProgress,
    /// 412: it is in another state than the request says.
    PreconditionFailed,
    /// 413: too large.
    TooLarge,
    /// 415: a media type or encoding not understood here.
    UnsupportedMediaType,
    /// 422: the `Idempotency-Key` was used for another request.
    KeyReused,
    /// 429: this key asks too often.
    TooManyRequests,
    /// 429: the whole server has too much waiting.
    Busy,
    /// 500: a fault of the server.
    Internal,
    /// 503: not now.
    Unavailable,
    /// 504: took too long.
    Timeout,
}

impl Kind {
    /// Every kind, by status.
    pub const ALL: [Self; 18] = [
        Self::Malformed,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::Conflict,
        Self::InProgress,
        Self::PreconditionFailed,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::KeyReused,
        Self::TooManyRequests,
        Self::Busy,
        Self::Internal,
        Self::Unavailable,
        Self::Timeout,
    ];

    /// The problem's `type`: a path on this server.
    pub const fn uri(self) -> &'static str {
        self.row().0
    }

    /// The kind in words.
    pub const fn title(self) -> &'static str {
        self.row().1
    }

    /// The HTTP status that it is answered with.
    pub const fn status(self) -> StatusCode {
        self.row().2
    }

    const fn row(self) -> (&'static str, &'static str, StatusCode) {
        match self {
            Self::Malformed => {
                ("/problems/malformed-request", "The request cannot be read", StatusCode::BAD_REQUEST)
            }
            Self::Invalid => {
                ("/problems/invalid-request", "The request is invalid", StatusCode::UNPROCESSABLE_ENTITY)
            }
            Self::Unauthorized => {
                ("/problems/unauthorized", "A valid key is needed", StatusCode::UNAUTHORIZED)
            }
            Self::Forbidden => ("/problems/forbidden", "The key does not allow this", StatusCode::FORBIDDEN),
            Self::NotFound => ("/problems/not-found", "There is nothing here", StatusCode::NOT_FOUND),
            Self::MethodNotAllowed => (
                "/problems/method-not-allowed",
                "The resource does not have this method",
                StatusCode::METHOD_NOT_ALLOWED,
            ),
            Self::RequestTimeout => (
                "/problems/request-timeout",
                "The request did not arrive in time",
                StatusCode::REQUEST_TIMEOUT,
            ),
            Self::Conflict => ("/problems/conflict", "It contradicts what exists", StatusCode::CONFLICT),
            Self::InProgress => {
                ("/problems/in-progress", "The same request is being answered", StatusCode::CONFLICT)
            }
            Self::KeyReused => (
                "/problems/idempotency-key-reused",
                "The Idempotency-Key was used for another request",
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            Self::PreconditionFailed => (
                "/problems/precondition-failed",
                "It has been changed since",
                StatusCode::PRECONDITION_FAILED,
            ),
            Self::TooLarge => {
                ("/problems/too-large", "The request is too large", StatusCode::PAYLOAD_TOO_LARGE)
            }
            Self::UnsupportedMediaType => (
                "/problems/unsupported-media-type",
                "The body's type is not supported",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ),
            Self::TooManyRequests => {
                ("/problems/too-many-requests", "The key asks too often", StatusCode::TOO_MANY_REQUESTS)
            }
            Self::Busy => ("/problems/busy", "Too many events are waiting", StatusCode::TOO_MANY_REQUESTS),
            Self::Internal => {
                ("/problems/internal", "The server made a mistake", StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::Unavailable => {
                ("/problems/unavailable", "Not possible right now", StatusCode::SERVICE_UNAVAILABLE)
            }
            Self::Timeout => ("/problems/timeout", "It took too long", StatusCode::GATEWAY_TIMEOUT),
        }
    }
}
