//! What is counted of authorisations, payments and payouts.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tollgate_core::engine::Expired;
use tollgate_core::store::HoldCause;

use crate::money::Stepped;

type Label = [(&'static str, &'static str); 1];

/// The figures of money.
#[derive(Debug, Default)]
pub struct MoneyFigures {
    authorizations: Family<Label, Counter>,
    denials: Family<Label, Counter>,
    steps: Family<[(&'static str, &'static str); 2], Counter>,
    messages: Family<Label, Counter>,
    expired: Family<Label, Counter>,
}

impl MoneyFigures {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let figures = Self::default();
        let about = "Authorisations, by answer";
        registry.register("authorizations", about, figures.authorizations.clone());
        let about = "Reasons for which authorisations were denied; a plugin's own are counted together";
        registry.register("authorization_denials", about, figures.denials.clone());
        let about = "Times that a payment or payout was taken on, by the state it was in afterwards";
        registry.register("money_steps", about, figures.steps.clone());
        let about = "Messages of payment providers, by answer";
        registry.register("provider_messages", about, figures.messages.clone());
        registry.register("money_expired", "Holds and grants that expired", figures.expired.clone());
        figures
    }

    pub(crate) fn authorized(&self, answer: &'static str) {
        self.authorizations.get_or_create(&[("answer", answer)]).inc();
    }

    /// A reason of a denial. What plugins call their refusals is an open set, so they have one label.
    pub(crate) fn denied(&self, reason: &str) {
        const LIMITS: [&str; 3] = ["insufficient_funds", "charge_max", "usage_max"];
        let limits = LIMITS.into_iter();
        let mut known = limits.chain(HoldCause::ALL.into_iter().map(HoldCause::code));
        let reason = known.find(|known| *known == reason).unwrap_or("plugin");
        self.denials.get_or_create(&[("reason", reason)]).inc();
    }

    pub(crate) fn stepped(&self, stepped: &Stepped) {
        self.steps.get_or_create(&[("what", stepped.what()), ("state", stepped.state())]).inc();
    }

    pub(crate) fn message(&self, answer: &'static str) {
        self.messages.get_or_create(&[("answer", answer)]).inc();
    }

    pub(crate) fn expired(&self, expired: Expired) {
        self.expired.get_or_create(&[("what", "holds")]).inc_by(expired.holds);
        self.expired.get_or_create(&[("what", "grants")]).inc_by(expired.grants);
    }
}
