//! Payouts: what a Builder is paid of the earnings of closed periods.
//!
//! # What is payable
//! A Builder's account in a currency has everything on it: earnings of every period, and what clawbacks,
//! refunds, granted credit, reserves and earlier payouts took. Of that, what periods earned that may not be
//! paid yet (open ones, and those whose hold-back days are not over) is left out. From the rest, the reserve is
//! kept back from what the period earned, and what remains is floored to the currency's minor unit. Less than
//! the minimum, or less than nothing, is carried: it stays on the account.
//!
//! So Σ payouts + carried + reserve = Σ earnings, at any time and by construction.

use std::collections::BTreeMap;

use iso_currency::Currency;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::money::{Amount, SCALE, power_of_ten};
use crate::period::Period;
use crate::store::record::{Document, RecordKind};

/// What the platform agreed with a Builder about payouts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayoutTerms {
    /// Less is carried forward. By currency; none where it is not named.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub minimum: BTreeMap<String, Amount>,
    /// Days after a period's end before it is paid.
    #[serde(default)]
    pub hold_back_days: u32,
    /// The share of a period's earnings that is kept back against clawbacks, 0 to 1.
    #[serde(default, with = "rust_decimal::serde::str")]
    pub reserve_share: Decimal,
    /// For how many days it is kept back.
    #[serde(default)]
    pub reserve_days: u32,
    /// Where the money goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Destination>,
}

impl PayoutTerms {
    /// Whether nothing was agreed that goes without saying.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a Builder's money goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case", deny_unknown_fields)]
pub enum Destination {
    /// A bank account, by a payment file.
    Bank {
        /// Whose account: as the bank knows them.
        name: String,
        /// The account's number (ISO 13616).
        iban: String,
        /// The bank (ISO 9362), where the country wants it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bic: Option<String>,
    },
    /// An account with a payment provider.
    Account {
        /// The provider.
        provider: String,
        /// The account, in the provider's words.
        account: String,
    },
}

/// What a Builder is paid for a period in one currency. Kept under the Builder and `period/currency`, so a
/// period is paid once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    /// The period it was run for: it and all before it are paid.
    pub period: Period,
    /// ISO 4217 code.
    pub currency: String,
    /// What was earned in the periods that this payout is the first to pay, by app and period, in nano-units.
    pub earned: Vec<Earned>,
    /// What is paid: a whole number of minor units, more than zero.
    pub amount: Amount,
    /// What was kept back as a reserve.
    pub reserved: Amount,
    /// What earlier reserves were released.
    pub released: Amount,
    /// What was on the account before: carried forward, clawed back, granted.
    pub brought_forward: Amount,
    /// What stays on the account.
    pub carried: Amount,
    /// Where the money goes.
    pub destination: Option<Destination>,
    /// How far it has come.
    #[serde(flatten)]
    pub state: PayoutState,
    /// When it was planned, in milliseconds since 1970.
    pub planned_at: i64,
    /// When a reserve is released, and until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_at: Option<i64>,
    /// The provider's own name for it, once it has one; for a bank, what its statement says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// When the provider is to be asked, next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_look_at: Option<i64>,
    /// How often the provider was asked in vain since it last answered.
    #[serde(default)]
    pub attempts: u32,
}

/// What an app earned its Builder in a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earned {
    /// The app.
    pub app: String,
    /// The period.
    pub period: Period,
    /// How much.
    pub amount: Amount,
}

/// How far a payout has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PayoutState {
    /// Worked out, and set apart.
    Planned,
    /// Somebody agreed to it.
    Approved,
    /// It is with the provider or in a payment file.
    Submitted {
        /// Since when.
        at: i64,
    },
    /// It arrived.
    Paid {
        /// Since when.
        at: i64,
    },
    /// It came back, and is payable again.
    Returned {
        /// When.
        at: i64,
        /// Why.
        reason: String,
    },
}

impl PayoutState {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Approved => "approved",
            Self::Submitted { .. } => "submitted",
            Self::Paid { .. } => "paid",
            Self::Returned { .. } => "returned",
        }
    }
}

impl Document for Payout {
    const KIND: RecordKind = RecordKind::Payout;

    fn due(&self) -> Option<i64> {
        self.next_look_at
    }
}

/// The id under which a payout is kept.
pub fn payout_id(period: Period, currency: &str) -> String {
    format!("{period}/{currency}")
}

/// How earnings divide into what can be paid and what is carried forward. In nano-units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payable {
    /// A whole number of the currency's minor units, zero or more.
    pub paid: i128,
    /// The remainder, which stays payable; negative when the Builder owes.
    pub carried: i128,
}

/// Floors earnings to the currency's minor unit (ISO 4217). `None` when the currency is unknown.
pub fn payable(currency: &str, earnings: i128) -> Option<Payable> {
    let minor_unit = minor_unit(currency)?;
    let remainder = earnings.max(0).checked_rem(minor_unit)?;
    let paid = earnings.max(0).checked_sub(remainder)?;
    Some(Payable { paid, carried: earnings.checked_sub(paid)? })
}

/// The nano-units of a currency's minor unit (ISO 4217). `None` when the currency is unknown.
pub fn minor_unit(currency: &str) -> Option<i128> {
    let exponent = u32::from(Currency::from_code(currency)?.exponent()?);
    power_of_ten(SCALE.checked_sub(exponent)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payouts_floor_and_carry_the_remainder() {
        let cases = [
            ("USD", 1_239_999_999, 1_230_000_000, 9_999_999),
            ("JPY", 1_999_999_999, 1_000_000_000, 999_999_999),
            ("KWD", 1_239_999_999, 1_239_000_000, 999_999),
            ("USD", -5, 0, -5),
            ("USD", 0, 0, 0),
        ];
        for (currency, earnings, paid, carried) in cases {
            assert_eq!(payable(currency, earnings), Some(Payable { paid, carried }), "{currency} {earnings}");
        }
        assert_eq!(payable("XYZ", 1), None);
    }
}
