//! Sends traces to an OpenTelemetry collector, by OTLP over HTTP: a span for each request.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio_rustls::rustls::crypto::ring;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Layer as _;

use super::logs::{AnyLayer, LogError};

/// What traces are sent under.
const SERVICE: &str = "tollgate";
/// Where a collector takes traces, below its address.
const PATH: &str = "/v1/traces";

/// Sends what is still waiting when dropped.
pub struct Export(SdkTracerProvider);

impl Drop for Export {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Sends to a collector at an address like `http://localhost:4318`, in batches, from a thread of its own.
///
/// # Errors
/// When it is no such address.
pub fn to(endpoint: &str) -> Result<(AnyLayer, Export), LogError> {
    let wrong = |reason: String| LogError::Endpoint { endpoint: endpoint.to_owned(), reason };
    if !endpoint.starts_with("http://") {
        return Err(wrong("write http:// and a collector nearby, which may pass it on by https".to_owned()));
    }
    let address = format!("{}{PATH}", endpoint.trim_end_matches('/'));
    // The exporter's client wants one to be there, also where it speaks no TLS. Another one may stand as well.
    let _ = ring::default_provider().install_default();
    let exporter = SpanExporter::builder().with_http().with_endpoint(address).build();
    let exporter = exporter.map_err(|error| wrong(error.to_string()))?;
    let resource = Resource::builder().with_service_name(SERVICE).build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    // Whatever is logged: spans are made at this level.
    let own = Targets::new().with_target("tollgate", Level::INFO);
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer(SERVICE)).with_filter(own);
    Ok((Box::new(layer), Export(provider)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use tracing_opentelemetry::OpenTelemetrySpanExt as _;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::telemetry::trace_parent::TraceParent;

    #[test]
    fn a_collector_is_sent_the_spans() {
        let collector = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/", collector.local_addr().unwrap());
        let received: std::thread::JoinHandle<Vec<u8>> = std::thread::spawn(move || {
            let (mut stream, _) = collector.accept().unwrap();
            let (mut received, mut bytes) = (Vec::new(), [0; 4096]);
            // The request's name is near the end of the body.
            while !received.windows(7).any(|part| part == b"job-7/3") {
                let count = stream.read(&mut bytes).unwrap();
                assert_ne!(count, 0, "the connection ended: {}", String::from_utf8_lossy(&received));
                received.extend_from_slice(bytes.get(..count).unwrap());
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            received
        });
        let (layer, export) = to(&endpoint).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let span = tracing::info_span!(target: "tollgate_server::request", "request", id = "job-7/3");
            let mut headers = axum::http::HeaderMap::new();
            headers.insert(
                "traceparent",
                format!("00-{}-{}-01", "ab".repeat(16), "cd".repeat(8)).parse().unwrap(),
            );
            span.set_parent(TraceParent::of(&headers).unwrap().context()).unwrap();
            drop(span.entered());
        });
        drop(export);
        let received = received.join().unwrap();
        for id in [&[0xab; 16][..], &[0xcd; 8]] {
            assert!(
                received.windows(id.len()).any(|part| part == id),
                "it is part of the trace of who asked"
            );
        }
        let received = String::from_utf8_lossy(&received);
        assert!(received.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{received}");
        assert!(received.contains("tollgate") && received.contains("request"), "{received}");
    }
}
