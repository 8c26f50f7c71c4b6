//! What is counted of deliveries.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::delivery::Step;

/// Counted since the server was started, but for what is pending.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    attempts: Family<[(&'static str, &'static str); 1], Counter>,
    notices: Counter,
    pending: Gauge,
}

impl Figures {
    pub(super) fn register(&self, registry: &mut Registry) {
        let about =
            "Webhooks sent, by what came of it: delivered, failed (tried again), dead (given up), gone";
        registry.register("webhook_attempts", about, self.attempts.clone());
        let about = "Notices handed on to the endpoints that want them";
        registry.register("webhook_notices", about, self.notices.clone());
        let about = "Webhooks that are to be sent, now or later; more than 10000 count as 10000";
        registry.register("webhook_deliveries_pending", about, self.pending.clone());
    }

    pub(super) fn attempt(&self, step: Step) {
        let outcome = match step {
            Step::Delivered => "delivered",
            Step::Failed => "failed",
            Step::Dead => "dead",
            Step::Gone => "gone",
        };
        self.attempts.get_or_create(&[("outcome", outcome)]).inc();
    }

    pub(super) fn handed_on(&self, notices: usize) {
        self.notices.inc_by(notices as u64);
    }

    pub(super) fn pending(&self, deliveries: usize) {
        self.pending.set(i64::try_from(deliveries).unwrap_or(i64::MAX));
    }
}
