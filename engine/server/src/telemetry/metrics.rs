//! The Prometheus metrics, one registry a server.
//!
//! Labels come from small closed sets, so that no client can make the registry grow.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tollgate_core::engine::Receipt;
use tollgate_core::store::Outcome;

use super::{Ids, MoneyFigures, Standing};

/// From 1 ms to 30 s, close enough together that a percentile means something.
const REQUEST_SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Of batches, from 0.1 ms to 30 s.
const SECONDS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];
const BATCH_EVENTS: [f64; 9] = [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0];

/// The receipt of what is no event, or not for its sender to send.
const INVALID: &str = "invalid";

/// What the names of Tollgate's own metrics begin with.
const PREFIX: &str = "tollgate";

type Label = [(&'static str, &'static str); 1];

/// What one request counts under.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RequestLabels {
    pub method: &'static str,
    /// The route as it is declared, never the path as it was asked.
    pub route: String,
    pub status: u16,
}

/// What a request's time is taken under: one set of buckets a route.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RouteLabel {
    /// The route as it is declared.
    pub route: String,
}

/// The server's metrics and request ids.
#[derive(Debug)]
pub struct Telemetry {
    registry: RwLock<Registry>,
    pub(super) ids: Ids,
    pub(super) requests: Family<RequestLabels, Counter>,
    pub(super) request_seconds: Family<RouteLabel, Histogram, fn() -> Histogram>,
    pub(super) requests_running: Gauge,
    connections: Gauge,
    pipeline: Pipeline,
    authorizations: LaneFigures,
    standing: Standing,
    money: MoneyFigures,
}

/// What the recorder measures.
#[derive(Clone, Debug)]
pub struct Pipeline {
    receipts: Family<Label, Counter>,
    held: Family<Label, Counter>,
    figures: LaneFigures,
}

/// What a lane measures.
#[derive(Clone, Debug)]
pub struct LaneFigures {
    busy: Counter,
    queue: Gauge,
    batch: Histogram,
    deciding_seconds: Histogram,
    commit_seconds: Histogram,
}

impl Telemetry {
    /// Empty metrics.
    #[expect(clippy::new_without_default, reason = "making a registry is no trivial default")]
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let own = registry.sub_registry_with_prefix(PREFIX);
        let requests = Family::default();
        own.register("http_requests", "Requests answered, by route and status", requests.clone());
        let request_seconds =
            Family::new_with_constructor((|| Histogram::new(REQUEST_SECONDS)) as fn() -> Histogram);
        own.register(
            "http_request_seconds",
            "From a request's head to its answer's, by route",
            request_seconds.clone(),
        );
        let requests_running = Gauge::default();
        own.register("http_requests_running", "Requests in work", requests_running.clone());
        let connections = Gauge::default();
        own.register("http_connections", "Open connections", connections.clone());
        let (pipeline, standing) = (Pipeline::register(own), Standing::register(own));
        let (authorizations, money) = (LaneFigures::of_authorizations(own), MoneyFigures::register(own));
        standing.register_process(&mut registry);
        let (registry, ids) = (RwLock::new(registry), Ids::new());
        Self {
            registry,
            ids,
            requests,
            request_seconds,
            requests_running,
            connections,
            pipeline,
            authorizations,
            standing,
            money,
        }
    }

    /// Adds metrics of one's own. Their names get the prefix `tollgate_`.
    pub fn register(&self, register: impl FnOnce(&mut Registry)) {
        let mut registry = self.registry.write().unwrap_or_else(PoisonError::into_inner);
        register(registry.sub_registry_with_prefix(PREFIX));
    }

    /// All metrics in the Prometheus text format.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        if text::encode(&mut out, &registry).is_err() {
            tracing::error!("the metrics could not be written");
        }
        out
    }

    /// The recorder's metrics.
    pub fn pipeline(&self) -> Pipeline {
        self.pipeline.clone()
    }

    /// The authoriser's metrics.
    pub fn authorizations(&self) -> LaneFigures {
        self.authorizations.clone()
    }

    /// What is set now and then.
    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// What is counted of money.
    pub(crate) fn money(&self) -> &MoneyFigures {
        &self.money
    }

    /// The number of open connections.
    pub(crate) fn connections(&self) -> &Gauge {
        &self.connections
    }
}

impl Pipeline {
    fn register(registry: &mut Registry) -> Self {
        let (receipts, held) = (Family::default(), Family::default());
        registry.register("events", "Events answered, by receipt", receipts.clone());
        registry.register("events_held", "Events held, by cause", held.clone());
        let figures = LaneFigures::new();
        let LaneFigures { busy, queue, batch, deciding_seconds, commit_seconds } = &figures;
        registry.register("busy", "Requests refused because the queue was full", busy.clone());
        registry.register("queue_events", "Events waiting to be rated", queue.clone());
        registry.register("batch_events", "Events a batch", batch.clone());
        registry.register("rating_seconds", "Rating one batch", deciding_seconds.clone());
        registry.register("commit_seconds", "From a batch's rating to durable", commit_seconds.clone());
        Self { receipts, held, figures }
    }

    pub(crate) fn figures(&self) -> &LaneFigures {
        &self.figures
    }

    pub(crate) fn count(&self, receipts: &[Receipt]) {
        for receipt in receipts {
            let kind = match receipt {
                Receipt::Accepted(outcome) => match &**outcome {
                    Outcome::Held(reason) => {
                        self.held.get_or_create(&[("cause", reason.cause.code())]).inc();
                        "held"
                    }
                    Outcome::Rated(_) => "rated",
                },
                Receipt::Duplicate { conflict: true } => "conflict",
                Receipt::Duplicate { conflict: false } => "duplicate",
                // Its app was there when its sender was looked at: it is answered as any other that is not.
                Receipt::Undefined => INVALID,
            };
            self.receipts.get_or_create(&[("receipt", kind)]).inc();
        }
    }

    /// Counts events that were refused before they came so far.
    pub(crate) fn count_invalid(&self, events: usize) {
        self.receipts.get_or_create(&[("receipt", INVALID)]).inc_by(events as u64);
    }
}

impl LaneFigures {
    fn new() -> Self {
        Self {
            busy: Counter::default(),
            queue: Gauge::default(),
            batch: Histogram::new(BATCH_EVENTS),
            deciding_seconds: Histogram::new(SECONDS),
            commit_seconds: Histogram::new(SECONDS),
        }
    }

    fn of_authorizations(registry: &mut Registry) -> Self {
        let figures = Self::new();
        let Self { busy, queue, batch, deciding_seconds, commit_seconds } = &figures;
        let registry = registry.sub_registry_with_prefix("authorization");
        registry.register("busy", "Authorisations refused because the queue was full", busy.clone());
        registry.register("queue", "Authorisations waiting to be decided", queue.clone());
        registry.register("batch", "Authorisations decided together", batch.clone());
        registry.register("deciding_seconds", "Deciding one batch of them", deciding_seconds.clone());
        registry.register("commit_seconds", "From their decision to durable", commit_seconds.clone());
        figures
    }

    pub(crate) fn busy(&self) {
        self.busy.inc();
    }

    pub(crate) fn waiting(&self, places: u32) {
        self.queue.inc_by(i64::from(places));
    }

    pub(crate) fn left_queue(&self, places: usize, items: usize) {
        self.queue.dec_by(i64::try_from(places).unwrap_or(i64::MAX));
        self.batch.observe(f64::from(u32::try_from(items).unwrap_or(u32::MAX)));
    }

    pub(crate) fn decided(&self, took: Duration) {
        self.deciding_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn committed(&self, took: Duration) {
        self.commit_seconds.observe(took.as_secs_f64());
    }
}
