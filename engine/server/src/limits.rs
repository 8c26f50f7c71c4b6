//! What one client may take of the server: requests a second, and time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::{StateInformationMiddleware, StateSnapshot};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use hyper::body::{Frame, SizeHint};

use crate::backend::Backend;
use crate::config::Config;
use crate::problem::{Kind, Problem, seconds_up};

/// So often, keys that have not asked for long are forgotten.
const SWEEP_EVERY: u64 = 1 << 16;

/// Which key a request came with: put into the request's extensions by whoever checked the key. It is the
/// key's public id, never the secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(pub Arc<str>);

/// How often each key has asked.
#[derive(Debug)]
pub struct RateLimits {
    limiter: RateLimiter<KeyId, HashMapStateStore<KeyId>, DefaultClock, StateInformationMiddleware>,
    clock: DefaultClock,
    asked: AtomicU64,
}

/// What a key has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    limit: u32,
    remaining: u32,
    /// Seconds until all of the limit is there again.
    reset: u64,
}

impl RateLimits {
    /// Nobody has asked yet.
    pub fn new(config: &Config) -> Self {
        let quota = Quota::per_second(config.rate_per_second).allow_burst(config.rate_burst);
        let limiter = RateLimiter::hashmap(quota).with_middleware::<StateInformationMiddleware>();
        Self { limiter, clock: DefaultClock::default(), asked: AtomicU64::new(0) }
    }

    fn ask(&self, key: &KeyId) -> Result<Standing, (Standing, Problem)> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.limiter.retain_recent();
        }
        match self.limiter.check_key(key) {
            Ok(snapshot) => Ok(Standing::of(&snapshot)),
            Err(refused) => {
                let wait = refused.wait_time_from(self.clock.now());
                let quota = refused.quota();
                let standing = Standing {
                    limit: quota.burst_size().get(),
                    remaining: 0,
                    reset: refill(&quota, quota.burst_size().get()),
                };
                let detail = "this key asks more often than it may; wait, or send more events in one request";
                Err((standing, Problem::too_many_requests(detail, wait)))
            }
        }
    }
}

impl Standing {
    fn of(snapshot: &StateSnapshot) -> Self {
        let quota = snapshot.quota();
        let limit = quota.burst_size().get();
        let remaining = snapshot.remaining_burst_capacity().min(limit);
        Self { limit, remaining, reset: refill(&quota, limit - remaining) }
    }

    fn write(self, response: &mut Response) {
        let fields = [
            ("ratelimit-limit", u64::from(self.limit)),
            ("ratelimit-remaining", u64::from(self.remaining)),
            ("ratelimit-reset", self.reset),
        ];
        for (name, value) in fields {
            response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
}

/// Whole seconds until so many requests are allowed again.
fn refill(quota: &Quota, missing: u32) -> u64 {
    seconds_up(quota.replenish_interval().saturating_mul(missing))
}

/// A layer: refuses with 429 when the request's [`KeyId`] asks too often, and tells each answer what the key
/// has left. A request without one is let through: it stands inside the layer that checks keys.
pub async fn rate(State(backend): State<Arc<Backend>>, request: Request, next: Next) -> Response {
    let Some(key) = request.extensions().get::<KeyId>() else { return next.run(request).await };
    let (standing, mut response) = match backend.rates.ask(key) {
        Ok(standing) => (standing, next.run(request).await),
        Err((standing, problem)) => (standing, problem.into_response()),
    };
    standing.write(&mut response);
    response
}

/// A layer: ends a request that takes longer than the request timeout. 408 when its body had not arrived by
/// then, 504 when it had.
pub async fn time(State(backend): State<Arc<Backend>>, request: Request, next: Next) -> Response {
    let arrived = Arc::new(AtomicBool::new(request.body().is_end_stream()));
    let watched = Arc::clone(&arrived);
    let request = request.map(|body| Body::new(Arriving { body, arrived: watched }));
    let timeout = backend.config.request_timeout;
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) if arrived.load(Ordering::Relaxed) => {
            let detail = format!("it took longer than {timeout:?}; sending it again is safe");
            Problem::new(Kind::Timeout, detail).into_response()
        }
        Err(_) => {
            let detail = format!("the body did not arrive within {timeout:?}; nothing of it was kept");
            Problem::new(Kind::RequestTimeout, detail).into_response()
        }
    }
}

/// A body that notes when it has arrived whole.
struct Arriving {
    body: Body,
    arrived: Arc<AtomicBool>,
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.arrived.store(true, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn a_key_has_its_own_burst_and_no_other_s() {
        let one = NonZeroU32::MIN;
        let config = Config { rate_per_second: one, rate_burst: one.saturating_add(1), ..Config::default() };
        let rates = RateLimits::new(&config);
        let (first, second) = (KeyId("first".into()), KeyId("second".into()));
        assert_eq!(rates.ask(&first).unwrap(), Standing { limit: 2, remaining: 1, reset: 1 });
        assert_eq!(rates.ask(&first).unwrap().remaining, 0);
        let (standing, problem) = rates.ask(&first).unwrap_err();
        assert_eq!((standing.remaining, problem.kind()), (0, Kind::TooManyRequests));
        assert_eq!(rates.ask(&second).unwrap().remaining, 1);
    }
}
