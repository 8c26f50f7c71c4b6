//! Money on its way in from a customer, and what may take it back: intents, states, and the trait of who moves
//! it.
//!
//! An intent is stored before a provider is called, with the key that makes the call idempotent. What a
//! provider says afterwards, in whatever order and however often, is never booked as told: it only makes the
//! payment be looked up, and the difference between what the provider shows and what is booked is booked.

mod provider;

use serde::{Deserialize, Serialize};

use crate::money::Amount;
use crate::store::record::{Document, RecordKind};

pub use provider::{
    Intent, Nudge, PaymentProvider, ProviderError, RefundIntent, Reported, ReportedKind, Seen, SeenDispute,
    SeenState, SeenTransfer, Started, TransferIntent,
};

/// A customer's payment into their wallet. Kept under the app and an id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Whose wallet.
    pub customer: String,
    /// How much: a whole number of the currency's minor units.
    pub amount: Amount,
    /// ISO 4217 code.
    pub currency: String,
    /// Who moves the money.
    pub provider: String,
    /// How it is asked for.
    pub method: Method,
    /// How far it has come.
    #[serde(flatten)]
    pub state: PaymentState,
    /// The provider's own name for it, once it has one; for a transfer, what the bank's statement says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Where the customer pays, if they are to go somewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who paid, in the provider's words, if their payment method is saved: an automatic top-up charges it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
    /// When it was asked for, in milliseconds since 1970.
    pub requested_at: i64,
    /// When the provider is to be asked, next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_look_at: Option<i64>,
    /// How often the provider was asked in vain since it last answered.
    #[serde(default)]
    pub attempts: u32,
    /// What went back to the customer, and is booked.
    #[serde(default)]
    pub refunded: Amount,
    /// Refunds asked for, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<PaymentRefund>,
    /// Disputes, as booked, by the provider's ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disputes: Vec<Dispute>,
}

/// How a payment is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Method {
    /// The customer sends it, and somebody marks it as received.
    Transfer,
    /// The customer pays on a page of the provider, which may save the payment method for later.
    Checkout {
        /// Where the customer comes back to after paying.
        success_url: String,
        /// Where the customer comes back to after giving up.
        cancel_url: String,
    },
    /// A saved payment method is charged.
    Saved {
        /// The provider's name for the customer.
        payer: String,
    },
}

/// How far a payment has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PaymentState {
    /// The provider has not answered yet.
    Requested,
    /// The provider waits for the customer, or for a bank.
    Pending,
    /// The money is there, and is booked.
    Succeeded {
        /// Since when.
        at: i64,
    },
    /// It will not come.
    Failed {
        /// Why, in the provider's words.
        reason: String,
    },
}

/// Money to go back to the customer by the way it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRefund {
    /// Unique in the payment.
    pub id: String,
    /// How much.
    pub amount: Amount,
    /// What became of it.
    #[serde(flatten)]
    pub state: RefundState,
}

/// What became of a refund. It left the wallet when it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RefundState {
    /// The provider has not answered yet.
    Asked,
    /// The provider sends it.
    Accepted,
    /// The provider does not: it is in the wallet again.
    Refused {
        /// Why, in the provider's words.
        reason: String,
    },
}

/// A customer's bank wants a payment back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// The provider's id.
    pub id: String,
    /// What was taken back.
    pub amount: Amount,
    /// How much of it had been spent, and was clawed back from the Builder.
    pub clawed_back: Amount,
    /// It was decided for the platform: the money is there again.
    pub is_won: bool,
}

impl Document for Payment {
    const KIND: RecordKind = RecordKind::Payment;

    fn due(&self) -> Option<i64> {
        self.next_look_at
    }
}
