//! Who moves money: a payment provider, or the bank and somebody who reads its statements.

use crate::money::Amount;

/// Moves money in and out. Calls may block. Every call carries a key: repeating it with the same key moves
/// nothing twice.
pub trait PaymentProvider: Send + Sync {
    /// A stable word: `manual`, `stripe`.
    fn name(&self) -> &str;

    /// Asks for a payment.
    ///
    /// # Errors
    /// As the provider answers.
    fn start(&self, intent: &Intent) -> Result<Started, ProviderError>;

    /// What the provider shows of a payment; `None` when it does not know it.
    ///
    /// # Errors
    /// As the provider answers.
    fn look_up(&self, intent: &Intent, reference: Option<&str>) -> Result<Option<Seen>, ProviderError>;

    /// Sends a part of a payment back.
    ///
    /// # Errors
    /// As the provider answers.
    fn refund(&self, refund: &RefundIntent) -> Result<(), ProviderError>;

    /// Sends money to a Builder.
    ///
    /// # Errors
    /// As the provider answers.
    fn transfer(&self, transfer: &TransferIntent) -> Result<SeenTransfer, ProviderError>;

    /// What the provider shows of a transfer; `None` when it does not know it.
    ///
    /// # Errors
    /// As the provider answers.
    fn look_up_transfer(&self, transfer: &TransferIntent) -> Result<Option<SeenTransfer>, ProviderError>;

    /// Whether a message was sent by the provider, and what should be looked up because of it. `now` is in
    /// milliseconds since 1970; the body is as received.
    ///
    /// # Errors
    /// [`ProviderError::Forged`] when it was not, or is too old.
    fn read_message(&self, signature: &str, body: &[u8], now: i64) -> Result<Nudge, ProviderError>;

    /// What the provider booked from one moment up to, not including, another.
    ///
    /// # Errors
    /// As the provider answers.
    fn report(&self, from: i64, to: i64) -> Result<Vec<Reported>, ProviderError>;
}

/// A payment to be asked for. It was stored before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Names the payment: the app and the payment's id. Also the key of the call.
    pub key: String,
    /// The app, its customer and the payment's id, for the provider's own records.
    pub app: String,
    /// The customer.
    pub customer: String,
    /// The payment's id.
    pub id: String,
    /// How much: a whole number of minor units.
    pub amount: Amount,
    /// ISO 4217 code.
    pub currency: String,
    /// How.
    pub method: super::Method,
}

/// What a provider answers to an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The provider's own name for it.
    pub reference: String,
    /// Where the customer pays, if they are to go somewhere.
    pub url: Option<String>,
}

/// What a provider shows of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The provider's own name for it.
    pub reference: String,
    /// How far it has come.
    pub state: SeenState,
    /// Where the customer pays, while it waits for them.
    pub url: Option<String>,
    /// Who paid, in the provider's words, if their payment method is saved: an automatic top-up charges it.
    pub payer: Option<String>,
    /// What has gone back to the customer in all.
    pub refunded: Amount,
    /// What the customer's bank has taken back, or wants to.
    pub disputes: Vec<SeenDispute>,
}

/// How far a payment has come, as a provider shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeenState {
    /// It waits for the customer, or for a bank.
    Pending,
    /// The money is there.
    Succeeded,
    /// It will not come.
    Failed(String),
}

/// A dispute, as a provider shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenDispute {
    /// The provider's id.
    pub id: String,
    /// What was taken back.
    pub amount: Amount,
    /// It was decided for the platform: the money is there again.
    pub is_won: bool,
}

/// A part of a payment to be sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundIntent {
    /// Names the refund: the app, the payment's id and the refund's. Also the key of the call.
    pub key: String,
    /// The provider's own name for the payment.
    pub reference: String,
    /// How much.
    pub amount: Amount,
    /// ISO 4217 code.
    pub currency: String,
}

/// Money to be sent to a Builder. It was stored before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferIntent {
    /// Names the payout: the Builder, the period and the currency. Also the key of the call.
    pub key: String,
    /// To whom, in the provider's words: an account.
    pub account: String,
    /// How much: a whole number of minor units.
    pub amount: Amount,
    /// ISO 4217 code.
    pub currency: String,
    /// The provider's own name for it, once it has one.
    pub reference: Option<String>,
}

/// What a provider shows of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenTransfer {
    /// The provider's own name for it.
    pub reference: String,
    /// Whether it has arrived; `None` while it is on its way.
    pub arrived: Option<bool>,
}

/// What should be looked up because a provider sent a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nudge {
    /// The provider's id of the message: the same one may come many times.
    pub message: String,
    /// Of which payment: the app and the payment's id. `None` when it is about something else.
    pub payment: Option<(String, String)>,
    /// Of which payout: the key of the [`TransferIntent`].
    pub transfer: Option<String>,
}

/// What a provider booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The provider's id of the booking.
    pub id: String,
    /// What was booked.
    pub kind: ReportedKind,
    /// The provider's own name for the payment or transfer that it belongs to; empty for none.
    pub reference: String,
    /// Positive came in, negative went out, before the provider's fee.
    pub amount: Amount,
    /// What the provider kept.
    pub fee: Amount,
    /// ISO 4217 code.
    pub currency: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// What a provider booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportedKind {
    /// A customer's payment.
    Payment,
    /// A payment, or a part of it, that went back.
    Refund,
    /// A payment that a bank took back.
    Dispute,
    /// A payment that a bank had taken back and that came again.
    DisputeWon,
    /// Money sent to a Builder.
    Transfer,
    /// Money sent to a Builder that came back.
    TransferReturned,
    /// Money moved to the platform's bank.
    Withdrawal,
    /// Anything else.
    Other,
}

/// Why a provider did not do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It refuses, and will refuse again.
    #[error("the payment provider refuses: {0}")]
    Refused(String),
    /// It did nothing, and may do it later.
    #[error("the payment provider is not available: {0}")]
    Unavailable(String),
    /// Nobody knows whether it did something: look it up before asking again.
    #[error("the payment provider's answer was lost: {0}")]
    Unknown(String),
    /// The message is not the provider's.
    #[error("the message is not the payment provider's: {0}")]
    Forged(String),
    /// It cannot do this at all.
    #[error("{0}")]
    Unsupported(String),
}
