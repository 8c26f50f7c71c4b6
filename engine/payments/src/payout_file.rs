//! Payouts as a file for a bank: [`pain001`] for the bank's own program, [`csv()`] for people.
//!
//! Both are the same for the same payouts and times, in whatever order they are given.

mod pain001;
mod table;

use std::collections::BTreeSet;

use tollgate_core::money::{Amount, format_money};
use tollgate_core::payout::{Destination, Payout, minor_unit, payout_id};
use tollgate_core::period::Period;

use crate::bank::BankError;
use crate::code::short;

pub use pain001::pain001;
pub use table::csv;

/// Whose account pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payer {
    /// As its bank knows it: at most 70 letters.
    pub name: String,
    /// The account (ISO 13616).
    pub iban: String,
    /// Its bank (ISO 9362), where the bank wants it.
    pub bic: Option<String>,
}

/// A payout and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Due<'a> {
    /// The Builder.
    pub builder: &'a str,
    /// What they are paid.
    pub payout: &'a Payout,
}

/// Why there is no file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// No payouts.
    #[error("there is nothing to pay")]
    Empty,
    /// Something about the platform's own account.
    #[error("the payer's {field}: {fault}")]
    Payer {
        /// `name`, `iban` or `bic`.
        field: &'static str,
        /// What is wrong with it.
        fault: BankError,
    },
    /// Something about where a Builder's money goes.
    #[error("Builder {builder:?}, payout {payout}, destination {field}: {fault}")]
    Destination {
        /// The Builder.
        builder: String,
        /// The payout: `2026-11/EUR`.
        payout: String,
        /// `name`, `iban` or `bic`.
        field: &'static str,
        /// What is wrong with it.
        fault: BankError,
    },
    /// The money does not go to a bank.
    #[error("Builder {builder:?}, payout {payout}, destination: {fault}")]
    NoBank {
        /// The Builder.
        builder: String,
        /// The payout: `2026-11/EUR`.
        payout: String,
        /// What is there instead.
        fault: String,
    },
    /// Not an amount that a bank moves.
    #[error("Builder {builder:?}, payout {payout}, amount: {amount} is {fault}")]
    Amount {
        /// The Builder.
        builder: String,
        /// The payout: `2026-11/EUR`.
        payout: String,
        /// How much.
        amount: Amount,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// It would be paid twice.
    #[error("Builder {builder:?}, payout {payout} is there twice")]
    Twice {
        /// The Builder.
        builder: String,
        /// The payout: `2026-11/EUR`.
        payout: String,
    },
    /// The file cannot have been written then.
    #[error("the time {0} ms is outside the calendar")]
    Time(i64),
}

/// What a bank's statement says of a payout, at both ends: 31 letters, digits and hyphens, always the same for
/// the same Builder, period and currency.
pub fn end_to_end_id(builder: &str, period: Period, currency: &str) -> String {
    let code = short(&format!("{builder}/{}", payout_id(period, currency)), 16);
    format!("PO-{period}-{currency}-{code}")
}

/// The payouts in the order of the file: by currency, Builder and period.
///
/// # Errors
/// [`FileError`] when there are none, one is there twice, or no bank moves its amount.
fn in_order<'a>(due: &[Due<'a>]) -> Result<Vec<Due<'a>>, FileError> {
    let mut ordered = due.to_vec();
    ordered.sort_by_key(|due| (due.payout.currency.as_str(), due.builder, due.payout.period));
    let mut seen = BTreeSet::new();
    for due in &ordered {
        if !seen.insert((due.builder, due.payout.period, due.payout.currency.as_str())) {
            return Err(FileError::Twice { builder: due.builder.to_owned(), payout: due.id() });
        }
        due.check_amount()?;
    }
    if ordered.is_empty() { Err(FileError::Empty) } else { Ok(ordered) }
}

impl Due<'_> {
    fn id(&self) -> String {
        payout_id(self.payout.period, &self.payout.currency)
    }

    fn end_to_end_id(&self) -> String {
        end_to_end_id(self.builder, self.payout.period, &self.payout.currency)
    }

    fn check_amount(&self) -> Result<(), FileError> {
        let amount = self.payout.amount;
        let fault = match minor_unit(&self.payout.currency) {
            None => "in a currency that ISO 4217 does not know",
            Some(_) if amount <= Amount::ZERO => "not more than zero",
            Some(unit) if i128::from(amount.nano()).checked_rem(unit) != Some(0) => {
                "not a whole number of the currency's minor units"
            }
            Some(_) => return Ok(()),
        };
        Err(FileError::Amount { builder: self.builder.to_owned(), payout: self.id(), amount, fault })
    }

    /// The amount with the digits of the currency's minor unit: `12.50`.
    fn amount(&self) -> String {
        let money = format_money(i128::from(self.payout.amount.nano()), &self.payout.currency);
        money.split(' ').next().unwrap_or_default().to_owned()
    }

    /// Adds whose it is to what is wrong with a field of the destination.
    fn at<T>(&self, field: &'static str, checked: Result<T, BankError>) -> Result<T, FileError> {
        let (builder, payout) = (self.builder.to_owned(), self.id());
        checked.map_err(|fault| FileError::Destination { builder, payout, field, fault })
    }

    fn no_bank(&self, fault: impl Into<String>) -> FileError {
        FileError::NoBank { builder: self.builder.to_owned(), payout: self.id(), fault: fault.into() }
    }

    fn destination(&self) -> Result<&Destination, FileError> {
        let missing = || self.no_bank("there is none: set one in the Builder's payout terms");
        self.payout.destination.as_ref().ok_or_else(missing)
    }
}

/// Payouts to try files with.
#[cfg(test)]
mod samples {
    use tollgate_core::payout::PayoutState;

    use super::*;

    pub(super) fn payout(amount: &str, currency: &str, destination: Option<Destination>) -> Payout {
        Payout {
            period: "2026-11".parse().unwrap(),
            currency: currency.into(),
            earned: Vec::new(),
            amount: amount.parse().unwrap(),
            reserved: Amount::ZERO,
            released: Amount::ZERO,
            brought_forward: Amount::ZERO,
            carried: Amount::ZERO,
            destination,
            state: PayoutState::Approved,
            planned_at: 0,
            release_at: None,
            reference: None,
            next_look_at: None,
            attempts: 0,
        }
    }

    #[allow(clippy::unnecessary_wraps)] // a payout's destination is one
    pub(super) fn bank(name: &str, iban: &str, bic: Option<&str>) -> Option<Destination> {
        Some(Destination::Bank { name: name.into(), iban: iban.into(), bic: bic.map(str::to_owned) })
    }

    pub(super) const GERMAN: &str = "DE89 3704 0044 0532 0130 00";
    pub(super) const DUTCH: &str = "NL91ABNA0417164300";
}
