//! Watches every request: its id, its span, its line in the access log, its metrics.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use tracing::{Instrument, Span};
#[cfg(feature = "otel")]
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::metrics::{RequestLabels, RouteLabel};
use super::trace_parent::TraceParent;
use super::{CURRENT, REQUEST_ID, Telemetry};
use crate::backend::Backend;

/// Whose key a request came with, valid or not: who looks at the key says it here. It is the key's public id,
/// never the secret.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asker(Arc<OnceLock<Box<str>>>);

impl Asker {
    /// Says it, once.
    pub fn is(&self, id: &str) {
        // Whoever was first looked at the key.
        let _ = self.0.set(id.into());
    }
}

/// The outermost layer: gives the request its id, runs it, and tells what became of it.
pub async fn observe(State(backend): State<Arc<Backend>>, mut request: Request, next: Next) -> Response {
    let id = backend.telemetry.ids.of(request.headers().get(REQUEST_ID));
    let watch = Watch::start(&backend.telemetry, &request);
    request.extensions_mut().insert(watch.asker.clone());
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
    trace: Option<TraceParent>,
    peer: Option<SocketAddr>,
    asker: Asker,
    started: Instant,
    status: Option<StatusCode>,
}

impl<'t> Watch<'t> {
    fn start(telemetry: &'t Telemetry, request: &Request) -> Self {
        telemetry.requests_running.inc();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let method = method(request.method());
        let trace = TraceParent::of(request.headers());
        let peer = request.extensions().get().map(|ConnectInfo(peer)| *peer);
        let asker = Asker::default();
        Self { telemetry, method, route, trace, peer, asker, started: Instant::now(), status: None }
    }

    fn route(&self) -> &str {
        self.route.as_ref().map_or("unmatched", MatchedPath::as_str)
    }

    /// Every line that is logged within it says which request it is about.
    #[cfg(not(feature = "otel"))]
    fn span(&self, id: &str) -> Span {
        tracing::info_span!(
            "request",
            id,
            trace_id = self.trace_id(),
            method = self.method,
            route = self.route()
        )
    }

    fn trace_id(&self) -> Option<&str> {
        self.trace.as_ref().map(TraceParent::trace_id)
    }

    /// Likewise, with what traces are found by, and as a part of the trace of who asked.
    #[cfg(feature = "otel")]
    fn span(&self, id: &str) -> Span {
        let (method, route) = (self.method, self.route());
        let name = format!("{method} {route}");
        let trace_id = self.trace_id();
        let span = tracing::info_span!(
            "request",
            id,
            trace_id,
            method,
            route,
            otel.name = name,
            otel.kind = "server"
        );
        if let Some(trace) = &self.trace {
            // Fails only where no traces are sent.
            let _ = span.set_parent(trace.context());
        }
        span
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
        let (peer, key) = (self.peer.map(tracing::field::display), self.asker.0.get());
        tracing::info!(target: "tollgate::access", status, micros, peer, key = key.map(AsRef::<str>::as_ref), "answered");
        self.telemetry.requests_running.dec();
        let route = RouteLabel { route: self.route().to_owned() };
        self.telemetry.request_seconds.get_or_create(&route).observe(took.as_secs_f64());
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
