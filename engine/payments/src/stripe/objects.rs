//! What is read of Stripe's objects, and nothing else of them.

use std::collections::BTreeMap;

use serde::Deserialize;

pub(super) type Metadata = BTreeMap<String, String>;

/// One page of a list, newest first.
#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) has_more: bool,
}

/// An object, or only its id when it was not asked to be expanded.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Expandable<T> {
    Id(String),
    Object(T),
}

#[derive(Debug, Deserialize)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) url: Option<String>,
    /// `open`, `complete` or `expired`.
    pub(super) status: Option<String>,
    pub(super) payment_status: Option<String>,
    pub(super) payment_intent: Option<Expandable<PaymentIntent>>,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

#[derive(Debug, Deserialize)]
pub(super) struct PaymentIntent {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) currency: String,
    #[serde(default)]
    pub(super) amount_received: i64,
    pub(super) latest_charge: Option<Expandable<Charge>>,
    pub(super) last_payment_error: Option<Spoken>,
    /// Whose saved method it used or saved.
    pub(super) customer: Option<String>,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

#[derive(Debug, Deserialize)]
pub(super) struct Charge {
    #[serde(default)]
    pub(super) amount_refunded: i64,
    #[serde(default)]
    pub(super) disputed: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) status: Option<String>,
    pub(super) failure_reason: Option<String>,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

impl Refund {
    /// Whether the money did not go, or came back.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.status.as_deref(), Some("failed" | "canceled"))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Dispute {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) status: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Transfer {
    pub(super) id: String,
    /// Whether all of it came back.
    #[serde(default)]
    pub(super) reversed: bool,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

#[derive(Debug, Deserialize)]
pub(super) struct Customer {
    pub(super) invoice_settings: Option<InvoiceSettings>,
}

#[derive(Debug, Deserialize)]
pub(super) struct InvoiceSettings {
    pub(super) default_payment_method: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PaymentMethod {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct BalanceTransaction {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) fee: i64,
    pub(super) currency: String,
    /// In seconds since 1970.
    pub(super) created: i64,
    pub(super) reporting_category: String,
    pub(super) source: Option<Expandable<Source>>,
}

/// What a balance transaction comes from: a charge, refund, dispute, transfer, reversal or payout.
#[derive(Debug, Deserialize)]
pub(super) struct Source {
    pub(super) id: String,
    pub(super) payment_intent: Option<String>,
    pub(super) transfer: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) data: EventData,
}

#[derive(Debug, Deserialize)]
pub(super) struct EventData {
    pub(super) object: EventObject,
}

#[derive(Debug, Deserialize)]
pub(super) struct EventObject {
    pub(super) payment_intent: Option<Expandable<Named>>,
    #[serde(default)]
    pub(super) metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

/// An error's words.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Spoken {
    pub(super) message: Option<String>,
    pub(super) code: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    pub(super) error: Spoken,
}
