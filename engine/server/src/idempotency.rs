//! `Idempotency-Key`: a write that is repeated is answered as it was the first time, and done once.
//!
//! Every write is idempotent by its own ids as well, so nothing is done twice even where an answer could not
//! be kept. Events need no such header: a source and an id are one event, forever. Only what was done is kept: a
//! request that was refused may be mended by something else, and is asked anew.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tollgate_core::access::{KeptAnswer, RequestKey};

use crate::auth::Caller;
use crate::backend::Backend;
use crate::body;
use crate::problem::Problem;

/// How long an answer is kept, in milliseconds: a day.
const KEPT_FOR: i64 = 24 * 60 * 60 * 1000;

/// The most bytes of the header.
const HEADER_BYTES_MAX: usize = 255;

/// Takes larger bodies than the others.
const PLUGINS: &str = "/v1/plugins";
/// Writes nothing: asked again, it is answered as of now.
pub(crate) const QUOTES: &str = "/v1/quotes";

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Marks an answer that holds a secret: it is not kept, and a repeated request is told so.
#[derive(Clone, Copy, Debug)]
pub struct HoldsSecret;

/// Requests that are being answered.
#[derive(Debug, Default)]
pub struct Underway(Mutex<HashSet<RequestKey>>);

impl Underway {
    fn begin(&self, request: &RequestKey) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(request.clone())
    }

    fn end(&self, request: &RequestKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(request);
    }
}

/// Ends what has begun, also when the request is given up.
struct Turn<'a> {
    underway: &'a Underway,
    request: &'a RequestKey,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.underway.end(self.request);
    }
}

/// A layer: answers a repeated write as it was answered the first time. Stands inside the one that checks
/// keys.
pub async fn once(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Response {
    let mut given = request.headers().get_all(HEADER).iter();
    let (Some(first), other) = (given.next(), given.next()) else { return next.run(request).await };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if reads || request.uri().path() == QUOTES {
        return next.run(request).await;
    }
    let given = first.to_str().ok().filter(|_| other.is_none());
    let text = given.filter(|text| !text.is_empty() && text.len() <= HEADER_BYTES_MAX);
    let Some(text) = text else {
        let detail = "the header Idempotency-Key must be there once, with 1 to 255 visible ASCII characters";
        return Problem::malformed(detail).into_response();
    };
    let key = RequestKey { key: caller.key_id().to_owned(), idempotency_key: text.to_owned() };
    if !backend.underway.begin(&key) {
        let detail = "a request with this Idempotency-Key is being answered right now; wait for its answer";
        return Problem::in_progress(detail).into_response();
    }
    let _turn = Turn { underway: &backend.underway, request: &key };
    answer(&backend, &key, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

async fn answer(
    backend: &Backend,
    key: &RequestKey,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (head, sent) = request.into_parts();
    let limits = if head.uri.path() == PLUGINS { backend.plugin_limits() } else { backend.body_limits() };
    let (sent, _room) = body::collect(backend, &head.headers, sent, limits.received_max).await?;
    let mut hash = Sha256::new();
    hash.update(head.method.as_str());
    hash.update([0]);
    hash.update(head.uri.path_and_query().map_or("", |path| path.as_str()));
    for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING] {
        hash.update([0]);
        hash.update(head.headers.get(name).map_or(&[][..], HeaderValue::as_bytes));
    }
    hash.update([0]);
    hash.update(&sent);
    let said: [u8; 32] = hash.finalize().into();
    let asked = key.clone();
    if let Some(kept) = backend.access(move |store| store.answer(&asked)).await? {
        return repeat(kept, &said);
    }
    let (head, body) = next.run(Request::from_parts(head, Body::from(sent))).await.into_parts();
    if !head.status.is_success() {
        return Ok(Response::from_parts(head, body));
    }
    let bytes = to_bytes(body, usize::MAX).await.map_err(|_| Problem::internal())?;
    let kept_body = if head.extensions.get::<HoldsSecret>().is_some() { Vec::new() } else { bytes.to_vec() };
    let now = Timestamp::now().as_millisecond();
    let kept = KeptAnswer { request: said, status: head.status.as_u16(), body: kept_body, answered_at: now };
    let asked = key.clone();
    let forget_before = now.saturating_sub(KEPT_FOR);
    backend.access(move |store| store.keep_answer(&asked, &kept, forget_before)).await?;
    Ok(Response::from_parts(head, Body::from(bytes)))
}

fn repeat(kept: KeptAnswer, said: &[u8; 32]) -> Result<Response, Problem> {
    if kept.request != *said {
        return Err(Problem::key_reused(
            "this Idempotency-Key was used for another request: give each request a key of its own",
        ));
    }
    if kept.body.is_empty() && kept.status == StatusCode::CREATED.as_u16() {
        return Err(Problem::conflict(
            "this request was answered before, with a secret that is shown once: make another",
        ));
    }
    let status = StatusCode::from_u16(kept.status).map_err(|_| Problem::internal())?;
    let mut response = (status, kept.body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}
