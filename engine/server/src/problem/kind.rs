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

    /// The problem's `type`: a path on this server, where it is explained.
    pub const fn uri(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status that it is answered with.
    pub const fn status(self) -> StatusCode {
        self.row().1
    }

    /// The kind in words.
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        self.row().3
    }

    #[rustfmt::skip]
    const fn row(self) -> (&'static str, StatusCode, &'static str, &'static str) {
        match self {
            Self::Malformed => ("/problems/malformed-request", StatusCode::BAD_REQUEST, "The request cannot be read",
                "Send what the route's description shows: JSON that is whole, each header once."),
            Self::Unauthorized => ("/problems/unauthorized", StatusCode::UNAUTHORIZED, "A valid key is needed",
                "Send `Authorization: Bearer tollgate_…` with a key that is neither revoked nor expired."),
            Self::Forbidden => ("/problems/forbidden", StatusCode::FORBIDDEN, "The key does not allow this",
                "Ask with a key that reaches so far, as `detail` says."),
            Self::NotFound => ("/problems/not-found", StatusCode::NOT_FOUND, "There is nothing here",
                "Check the path and the ids in it. What belongs to another tenant is answered alike."),
            Self::MethodNotAllowed => ("/problems/method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "The resource does not have this method",
                "Use one of the methods that the header `Allow` lists."),
            Self::RequestTimeout => ("/problems/request-timeout", StatusCode::REQUEST_TIMEOUT, "The request did not arrive in time",
                "Send it again, faster or in smaller parts."),
            Self::Conflict => ("/problems/conflict", StatusCode::CONFLICT, "It contradicts what exists",
                "Read what is there. Then take another id, or change what is there."),
            Self::InProgress => ("/problems/in-progress", StatusCode::CONFLICT, "The same request is being answered",
                "Wait for the answer to the first, or send the same again a little later."),
            Self::PreconditionFailed => ("/problems/precondition-failed", StatusCode::PRECONDITION_FAILED, "It has been changed since",
                "Read it again, make the change from what it is now, and send its new `ETag` in `If-Match`."),
            Self::TooLarge => ("/problems/too-large", StatusCode::PAYLOAD_TOO_LARGE, "The request is too large",
                "Send it in smaller parts."),
            Self::UnsupportedMediaType => ("/problems/unsupported-media-type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body's type is not supported",
                "Set `Content-Type`, and `Content-Encoding` if there is one, to what the route's description lists."),
            Self::Invalid => ("/problems/invalid-request", StatusCode::UNPROCESSABLE_ENTITY, "The request is invalid",
                "Mend each place that `errors` points at; each message says how."),
            Self::KeyReused => ("/problems/idempotency-key-reused", StatusCode::UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another request",
                "Give each request an `Idempotency-Key` of its own."),
            Self::TooManyRequests => ("/problems/too-many-requests", StatusCode::TOO_MANY_REQUESTS, "The key asks too often",
                "Wait as many seconds as `Retry-After` says, and ask less often or with more in each request."),
            Self::Busy => ("/problems/busy", StatusCode::TOO_MANY_REQUESTS, "Too many events are waiting",
                "Wait as many seconds as `Retry-After` says, and send it again: that is safe."),
            Self::Internal => ("/problems/internal", StatusCode::INTERNAL_SERVER_ERROR, "The server made a mistake",
                "Send it again: that is safe. If it happens again, tell whoever runs the server the `request_id`."),
            Self::Unavailable => ("/problems/unavailable", StatusCode::SERVICE_UNAVAILABLE, "Not possible right now",
                "Wait as many seconds as `Retry-After` says, and send it again: that is safe."),
            Self::Timeout => ("/problems/timeout", StatusCode::GATEWAY_TIMEOUT, "It took too long",
                "Send it again: that is safe. If it takes too long again, ask for less at once."),
        }
    }
}
