//! One metered AI action, as the engine sees it once the door has let it in.

use crate::money::Amount;
use crate::quantity::Quantity;

/// What makes an event the same event, forever: the app that sent it and the id the app gave it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey {
    /// The app: the CloudEvents `source`.
    pub app: String,
    /// The CloudEvents `id`.
    pub id: String,
}

/// A digest of everything an event says: the same key with another fingerprint is a conflict.
pub type Fingerprint = [u8; 16];

/// A metered AI action. Text that the event does not give is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The dedupe key.
    pub key: EventKey,
    /// Who created the usage and pays: the CloudEvents `subject`.
    pub customer: String,
    /// When it happened, in milliseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// The app's feature: `document-review`.
    pub feature: String,
    /// How the request was routed: `default`, `premium`.
    pub route: String,
    /// The model that ran.
    pub model: String,
    /// Who ran the inference.
    pub provider: String,
    /// Raw numbers by name, sorted by name, disjoint: no token is counted under two names.
    pub measures: Vec<(String, Quantity)>,
    /// The app's own words by name, sorted by name.
    pub attributes: Vec<(String, String)>,
    /// What the provider says the request cost, where it says so.
    pub reported_cost: Option<Amount>,
    /// Digest of all of the above.
    pub fingerprint: Fingerprint,
    /// The event as it was received: one CloudEvents JSON object, without the blanks that mean nothing.
    pub received: Box<str>,
}

impl Event {
    /// The quantity of a measure; zero when the event has none of that name.
    pub fn measure(&self, name: &str) -> Quantity {
        self.measures
            .iter()
            .find(|(other, _)| other == name)
            .map_or(Quantity::ZERO, |(_, quantity)| *quantity)
    }
}
