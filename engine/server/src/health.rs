//! What operators ask: does it live, is it ready, what does it measure.
//!
//! The first two need no key and tell of no tenant. The metrics name plugins: without a key they are for whoever
//! reaches the address of `admin_listen`, which also answers while every connection of the other is taken.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::backend::Backend;
use crate::problem::Problem;

/// A store that takes longer to say anything is not ready.
const STORE_ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// `/healthz` and `/readyz`, for everybody.
pub fn router() -> Router<Arc<Backend>> {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready))
}

/// What `admin_listen` serves.
pub fn admin_router() -> Router<Arc<Backend>> {
    let show = |State(backend): State<Arc<Backend>>| async move { metrics(&backend) };
    router().route("/metrics", get(show))
}

/// The process lives.
async fn alive() -> &'static str {
    "ok\n"
}

/// Requests can be served: the store answers and can write, events are taken in, and the server is not stopping.
async fn ready(State(backend): State<Arc<Backend>>) -> Result<&'static str, Problem> {
    if backend.is_stopping() {
        return Err(Problem::unavailable("the server is stopping"));
    }
    if !(backend.recorder.is_running() && backend.authorizer.is_running()) {
        return Err(Problem::unavailable("no events are taken in"));
    }
    // Event numbers start at 1: this one costs a lookup and finds nothing.
    let asked = backend.peek(|engine| engine.store().event(0).map(|_| engine.store().health().trouble));
    match tokio::time::timeout(STORE_ANSWERS_WITHIN, asked).await {
        Ok(Ok(None)) => Ok("ready\n"),
        Ok(Ok(Some(trouble))) => {
            Err(Problem::unavailable(format!("nothing can be recorded: {}", trouble.reason())))
        }
        Ok(Err(problem)) => Err(problem),
        Err(_) => Err(Problem::unavailable("the store does not answer in time")),
    }
}

/// All figures, for Prometheus.
pub fn metrics(backend: &Backend) -> Response {
    const OPEN_METRICS: HeaderValue =
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    // As of now, and for nothing: what costs something is looked at by `housekeeping`.
    backend.telemetry.standing().look(backend.engine().suspended().len());
    ([(header::CONTENT_TYPE, OPEN_METRICS)], backend.telemetry.text()).into_response()
}
