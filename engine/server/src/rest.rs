//! Takes the rest of a request's body off the wire before an early answer is sent.
//!
//! A request may be answered before its body has been read: its key is wrong, or it asks too often. If the
//! connection were closed upon the unread rest, the client's system might throw the answer away, and the
//! client would see a broken connection instead of the reason.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};

/// The most bytes that are read for nothing. A larger rest closes the connection.
const BYTES_MAX: usize = 256 * 1024;

/// How long the rest may take to arrive.
const TIME_MAX: Duration = Duration::from_secs(1);

/// A body of which what is left can be taken back.
struct Lent(Arc<Mutex<Body>>);

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}

/// A layer: answers only once the body has been read, by the route or, within limits, for nothing.
pub async fn read(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let body = Arc::new(Mutex::new(body));
    let lent = Body::new(Lent(Arc::clone(&body)));
    let response = next.run(Request::from_parts(head, lent)).await;
    // Too large or too slow a rest is no reason to withhold the answer.
    let _ = tokio::time::timeout(TIME_MAX, discard(Lent(body))).await;
    response
}

async fn discard(mut rest: Lent) {
    let mut read = 0_usize;
    while !rest.is_end_stream() && read < BYTES_MAX {
        let Some(Ok(frame)) = rest.frame().await else { return };
        read = read.saturating_add(frame.data_ref().map_or(0, Bytes::len));
    }
}
