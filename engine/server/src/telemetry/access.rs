//! Watches every request: its id, its span, its line in the access log, its metrics.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use tracing::{Instrument, Span};

use super::metrics::RequestLabels;
use super::{CURRENT, REQUEST_ID, Telemetry};
use crate::backend::Backend;

/// The outermost layer: gives the request its id, runs it, and tells what became of it.
pub async fn observe(State(backend): State<Arc<Backend>>, request: Request, next: Next) -> Response {
    let id = backend.telemetry.ids.of(request.headers().get(REQUEST_ID));
    let watch = Watch::start(&backend.telemetry, &request);
    let span = watch.span(&id);
    let echoed = HeaderValue::from_str(&id);
    CURRENT
        .scope(id, async move {
            let mut response = next.run(request).await;
            watch.answered(response.status());
            let headers = response.headers_mut();
            if let Ok(id) = echoed {
                headers.insert(REQUEST_ID, id);
            }
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            // Charges and statements have no place in anybody's cache, unless a route says otherwise.
            headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            response
        })
        .instrument(span)
        .await
}

/// One request under watch; one that is dropped without an answer was given up by its client.
struct Watch<'t> {
    telemetry: &'t Telemetry,
    method: &'static str,
    route: Option<MatchedPath>,
    started: Instant,
    status: Option<StatusCode>,
}

impl<'t> Watch<'t> {
    fn start(telemetry: &'t Telemetry, request: &Request) -> Self {
        telemetry.requests_running.inc();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let method = method(request.method());
        Self { telemetry, method, route, started: Instant::now(), status: None }
    }

    fn route(&self) -> &str {
        self.route.as_ref().map_or("unmatched", MatchedPath::as_str)
    }

    /// Every line that is logged within it says which request it is about.
    #[cfg(not(feature = "otel"))]
    fn span(&self, id: &str) -> Span {
        tracing::info_span!("request", id, method = self.method, route = self.route())
    }

    /// Likewise, with what traces are found by.
    #[cfg(feature = "otel")]
    fn span(&self, id: &str) -> Span {
        let (method, route) = (self.method, self.route());
        let name = format!("{method} {route}");
        tracing::info_span!("request", id, method, route, otel.name = name, otel.kind = "server")
    }

    fn answered(mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        /// What proxies log for a client that went away.
        const CLIENT_GONE: u16 = 499;
        let status = self.status.map_or(CLIENT_GONE, |status| status.as_u16());
        let took = self.started.elapsed();
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        tracing::info!(target: "tollgate::access", status, micros, "answered");
        self.telemetry.requests_running.dec();
        self.telemetry.request_seconds.observe(took.as_secs_f64());
        let labels = RequestLabels { method: self.method, route: self.route().to_owned(), status };
        self.telemetry.requests.get_or_create(&labels).inc();
    }
}

/// Any token is a method; only those known become labels.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
