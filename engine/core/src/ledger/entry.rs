//! Entries: money that moved otherwise than by a charge. A charge is its own entry.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Account, Balance};
use crate::money::Amount;

/// A number the store gives each entry, growing in the order of posting. Starts at 1.
pub type EntryNumber = u64;

/// Money that moved between accounts of one currency. Never changed: a correction is another entry that names
/// the one it reverses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Unique among all entries, and made of what it is for: who repeats a request meets the first entry.
    pub id: String,
    /// What moved the money.
    pub kind: EntryKind,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// At least two, which add up to zero.
    pub postings: Vec<Posting>,
    /// The entry, or the event, that it takes back, in whole or in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<String>,
    /// What was asked for: a JSON object. Another request of the same id is a conflict.
    pub request: Value,
}

/// One side of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// Whose account.
    pub account: Account,
    /// Positive credits it, negative debits it.
    pub amount: Amount,
}

/// What moved the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A wallet was opened by a customer who had been given more than was charged.
    Opening,
    /// Credit was granted to a customer.
    Grant,
    /// What was left of granted credit went back to who funded it.
    Expiry,
    /// A customer's payment arrived.
    Payment,
    /// A payment went back to the customer.
    PaymentRefund,
    /// A customer's bank took a payment back.
    Chargeback,
    /// A chargeback was decided against the customer.
    ChargebackWon,
    /// A charge was given back to the customer, in whole or in part.
    Refund,
    /// Earnings were set apart for a payout.
    Payout,
    /// Part of the earnings was kept back for a while.
    Reserve,
    /// What was kept back is payable again.
    ReserveRelease,
    /// A payout left.
    PayoutPaid,
    /// A payout came back and is payable again.
    PayoutReturned,
    /// A provider was paid for network costs.
    Settlement,
    /// Money moved between a payment provider and the bank.
    Transfer,
    /// What a payment provider kept for its service.
    ProviderFee,
}

impl fmt::Display for EntryKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Opening => "opening",
            Self::Grant => "grant",
            Self::Expiry => "expiry",
            Self::Payment => "payment",
            Self::PaymentRefund => "payment refund",
            Self::Chargeback => "chargeback",
            Self::ChargebackWon => "chargeback won",
            Self::Refund => "refund",
            Self::Payout => "payout",
            Self::Reserve => "reserve",
            Self::ReserveRelease => "reserve release",
            Self::PayoutPaid => "payout paid",
            Self::PayoutReturned => "payout returned",
            Self::Settlement => "settlement",
            Self::Transfer => "transfer",
            Self::ProviderFee => "provider fee",
        })
    }
}

impl Entry {
    /// Whether its postings are of one currency and add up to zero.
    pub fn is_balanced(&self) -> bool {
        let sum = self.postings.iter().map(|posting| i128::from(posting.amount.nano())).sum::<i128>();
        let mut currencies = self.postings.iter().map(|posting| &posting.account.currency);
        let first = currencies.next();
        sum == 0 && first.is_some() && currencies.all(|currency| Some(currency) == first)
    }

    /// What it adds to balances; `None` when a sum does not fit.
    pub fn balances(&self) -> Option<Vec<(Account, Balance)>> {
        let with =
            |posting: &Posting| Some((posting.account.clone(), Balance::default().with(posting.amount)?));
        self.postings.iter().map(with).collect()
    }
}
