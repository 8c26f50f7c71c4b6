//! What happened that somebody wants to be told of: written in the commit that made it happen.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A number the store gives each notice, growing. Starts at 1.
pub type NoticeNumber = u64;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Whose Builder it concerns.
    pub builder: String,
    /// What happened.
    pub kind: NoticeKind,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// To whom and how much: a JSON object, amounts as decimal strings.
    pub data: Value,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NoticeKind {
    /// A customer's spending crossed a threshold.
    #[serde(rename = "usage.threshold_reached")]
    ThresholdReached,
    /// A wallet fell below a balance.
    #[serde(rename = "wallet.low")]
    WalletLow,
    /// Money came into a wallet.
    #[serde(rename = "wallet.topped_up")]
    WalletToppedUp,
    /// An event was not allowed to run.
    #[serde(rename = "authorization.denied")]
    AuthorizationDenied,
    /// Events were accepted that cannot be rated yet.
    #[serde(rename = "event.held")]
    EventHeld,
    /// A tariff's plugin failed so often that it is not run for now.
    #[serde(rename = "tariff.failing")]
    TariffFailing,
    /// A period was closed.
    #[serde(rename = "period.closed")]
    PeriodClosed,
    /// A payout arrived.
    #[serde(rename = "payout.paid")]
    PayoutPaid,
    /// A payout came back.
    #[serde(rename = "payout.returned")]
    PayoutReturned,
}

impl NoticeKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::ThresholdReached,
        Self::WalletLow,
        Self::WalletToppedUp,
        Self::AuthorizationDenied,
        Self::EventHeld,
        Self::TariffFailing,
        Self::PeriodClosed,
        Self::PayoutPaid,
        Self::PayoutReturned,
    ];

    /// A stable name for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ThresholdReached => "usage.threshold_reached",
            Self::WalletLow => "wallet.low",
            Self::WalletToppedUp => "wallet.topped_up",
            Self::AuthorizationDenied => "authorization.denied",
            Self::EventHeld => "event.held",
            Self::TariffFailing => "tariff.failing",
            Self::PeriodClosed => "period.closed",
            Self::PayoutPaid => "payout.paid",
            Self::PayoutReturned => "payout.returned",
        }
    }
}
