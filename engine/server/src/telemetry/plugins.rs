//! The figures of plugins' runs, by plugin.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tollgate_core::pricer::PricerError;

/// From 10 µs, a few events in a small component, to 10 s.
const RUN_SECONDS: [f64; 13] =
    [0.00001, 0.000_025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1.0, 10.0];
/// The longest name and version that is shown of a plugin.
const LABEL_CHARS_MAX: usize = 96;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PluginLabels {
    plugin: String,
    digest: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailureLabels {
    plugin: String,
    digest: String,
    cause: &'static str,
}

/// What plugins' runs took, burnt and failed with. Made before the engine, whose pricer counts here (see
/// [`Observed`](crate::observed::Observed)), and shown by the server. Clones share one set of figures.
#[derive(Clone, Debug)]
pub struct PluginFigures {
    run_seconds: Family<PluginLabels, Histogram, fn() -> Histogram>,
    events: Family<PluginLabels, Counter>,
    fuel: Family<PluginLabels, Counter>,
    failures: Family<FailureLabels, Counter>,
}

/// One plugin's figures.
#[derive(Debug)]
pub(crate) struct RunFigures {
    run_seconds: Histogram,
    events: Counter,
    fuel: Counter,
    failures_of_plugin: Counter,
    failures_of_host: Counter,
}

impl PluginFigures {
    /// No figures yet.
    #[expect(clippy::new_without_default, reason = "it pairs with Telemetry::new")]
    pub fn new() -> Self {
        let run_seconds = Family::new_with_constructor((|| Histogram::new(RUN_SECONDS)) as fn() -> Histogram);
        let (events, fuel, failures) = Default::default();
        Self { run_seconds, events, fuel, failures }
    }

    /// Shows the figures in a registry.
    pub fn register(&self, registry: &mut Registry) {
        let about = "All calls into a plugin for one batch: metering and rating, or closing";
        registry.register("plugin_run_seconds", about, self.run_seconds.clone());
        let about = "Events handed to a plugin, again for each run that they were in";
        registry.register("plugin_events", about, self.events.clone());
        registry.register("plugin_fuel", "Fuel burnt by a plugin", self.fuel.clone());
        let about = "Calls that gave no answer, by whose fault it was: the plugin's or the host's";
        registry.register("plugin_failures", about, self.failures.clone());
    }

    pub(crate) fn of(&self, plugin: &str, digest: String) -> RunFigures {
        let plugin: String = plugin.chars().take(LABEL_CHARS_MAX).collect();
        let failures = |cause| FailureLabels { plugin: plugin.clone(), digest: digest.clone(), cause };
        let failures_of_plugin = self.failures.get_or_create_owned(&failures("plugin"));
        let failures_of_host = self.failures.get_or_create_owned(&failures("host"));
        let labels = PluginLabels { plugin, digest };
        RunFigures {
            run_seconds: self.run_seconds.get_or_create_owned(&labels),
            events: self.events.get_or_create_owned(&labels),
            fuel: self.fuel.get_or_create_owned(&labels),
            failures_of_plugin,
            failures_of_host,
        }
    }
}

impl RunFigures {
    pub(crate) fn events(&self, rows: u32) {
        self.events.inc_by(u64::from(rows));
    }

    pub(crate) fn ran(&self, took: Duration, fuel: u64) {
        self.run_seconds.observe(took.as_secs_f64());
        self.fuel.inc_by(fuel);
    }

    pub(crate) fn failed(&self, error: &PricerError) {
        let failures = match error {
            PricerError::Failed { .. } | PricerError::NotAPlugin(_) => &self.failures_of_plugin,
            PricerError::Infrastructure(_) | PricerError::Unknown(_) => &self.failures_of_host,
        };
        failures.inc();
    }
}
