//! The double-entry ledger: accounts, entries that balance, and balances.
//!
//! Entries are never changed. A charge determines its entry, so a store that keeps the charge keeps the
//! entry; the balances are sums of entries and can always be computed again.

mod entry;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::charge::Split;
use crate::money::Amount;
use crate::wallet::{Draw, Source};

pub use entry::{Entry, EntryKind, EntryNumber, Posting};

/// An account of the ledger, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Account {
    /// Whose it is.
    pub owner: Owner,
    /// ISO 4217 code.
    pub currency: String,
}

/// Whose account it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// A customer of an app: what they owe.
    Customer {
        /// The app.
        app: String,
        /// The customer.
        customer: String,
    },
    /// Who ran the inference: what they are owed.
    Provider(String),
    /// Who runs Tollgate: what they keep.
    Platform,
    /// A Builder: what they earned and is not yet set apart for a payout.
    Builder(String),
    /// A customer of an app: money of theirs that came in and is not yet used.
    Paid {
        /// The app.
        app: String,
        /// The customer.
        customer: String,
    },
    /// A customer of an app: credit granted to them and not yet used.
    Granted {
        /// The app.
        app: String,
        /// The customer.
        customer: String,
    },
    /// Where money comes in and leaves, outside the ledger: a payment provider or the bank. Its debits are
    /// what it holds for the platform.
    Clearing(String),
    /// A Builder: set apart for a payout that has not arrived yet.
    Transit(String),
    /// A Builder: earnings kept back for a while.
    Reserve(String),
}

impl Owner {
    /// The account of what a customer owes.
    pub fn customer(app: &str, customer: &str) -> Self {
        Self::Customer { app: app.to_owned(), customer: customer.to_owned() }
    }

    /// The account of a customer's own money.
    pub fn paid(app: &str, customer: &str) -> Self {
        Self::Paid { app: app.to_owned(), customer: customer.to_owned() }
    }

    /// The account of credit granted to a customer.
    pub fn granted(app: &str, customer: &str) -> Self {
        Self::Granted { app: app.to_owned(), customer: customer.to_owned() }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.owner {
            Owner::Customer { app, customer } => write!(out, "customer {customer} of {app}")?,
            Owner::Provider(name) => write!(out, "provider {name}")?,
            Owner::Platform => write!(out, "platform")?,
            Owner::Builder(name) => write!(out, "Builder {name}")?,
            Owner::Paid { app, customer } => write!(out, "paid balance of {customer} of {app}")?,
            Owner::Granted { app, customer } => write!(out, "granted credit of {customer} of {app}")?,
            Owner::Clearing(name) => write!(out, "clearing with {name}")?,
            Owner::Transit(name) => write!(out, "payouts on their way to Builder {name}")?,
            Owner::Reserve(name) => write!(out, "reserve of Builder {name}")?,
        }
        write!(out, " ({})", self.currency)
    }
}

/// The provider of events that do not name one.
pub const UNNAMED_PROVIDER: &str = "network";

/// The accounts of a charge's four postings: customer, provider, platform, Builder.
pub fn accounts_of_charge(parties: &Parties<'_>) -> [Account; 4] {
    let account = |owner| Account { owner, currency: parties.currency.to_owned() };
    let provider = if parties.provider.is_empty() { UNNAMED_PROVIDER } else { parties.provider };
    [
        account(Owner::Customer { app: parties.app.to_owned(), customer: parties.customer.to_owned() }),
        account(Owner::Provider(provider.to_owned())),
        account(Owner::Platform),
        account(Owner::Builder(parties.builder.to_owned())),
    ]
}

/// The amounts of a charge's four postings: customer −T, provider +C, platform +F, Builder +B. Positive
/// credits the account, negative debits it; they add up to zero. `None` when T does not fit.
pub fn amounts_of_charge(split: &Split) -> Option<[Amount; 4]> {
    let owed = split.total()?.checked_neg()?;
    Some([owed, split.network_cost, split.platform_fee, split.builder_earnings])
}

/// The accounts between which a charge is covered: what the customer owes, their own money, granted credit.
pub fn accounts_of_draws(app: &str, customer: &str, currency: &str) -> [Account; 3] {
    [Owner::customer(app, customer), Owner::paid(app, customer), Owner::granted(app, customer)]
        .map(|owner| Account { owner, currency: currency.to_owned() })
}

/// The amounts of those postings, which add up to zero: what money and grants cover is not owed any more.
/// `None` when a sum does not fit.
pub fn amounts_of_draws(draws: &[Draw]) -> Option<[Amount; 3]> {
    let (mut paid, mut granted) = (Amount::ZERO, Amount::ZERO);
    for draw in draws {
        match draw.source {
            Source::Grant(_) => granted = granted.checked_sub(draw.amount)?,
            Source::Paid => paid = paid.checked_sub(draw.amount)?,
            Source::Credit | Source::Uncovered => {}
        }
    }
    Some([paid.checked_add(granted)?.checked_neg()?, paid, granted])
}

/// Who takes part in a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parties<'a> {
    /// The app.
    pub app: &'a str,
    /// Its customer.
    pub customer: &'a str,
    /// Who ran the inference; empty when the event does not say.
    pub provider: &'a str,
    /// The app's Builder.
    pub builder: &'a str,
    /// The app's currency.
    pub currency: &'a str,
}

/// What an account has taken in and given out, in nano-units. Never one signed balance: the two posted totals
/// only grow, so a lost or doubled posting shows. What holds reserve is pending until they are resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Sum of what was debited, zero or more.
    pub debits_posted: i128,
    /// Sum of what was credited, zero or more.
    pub credits_posted: i128,
    /// Sum of what holds will debit. Falls when a hold is resolved, so what a commit adds may be negative.
    pub debits_pending: i128,
    /// Sum of what holds will credit; likewise.
    pub credits_pending: i128,
}

impl Balance {
    /// Adds a posting's amount to the side its sign says; `None` on overflow.
    #[must_use]
    pub fn with(self, amount: Amount) -> Option<Self> {
        let nano = i128::from(amount.nano());
        Some(if nano < 0 {
            Self { debits_posted: self.debits_posted.checked_sub(nano)?, ..self }
        } else {
            Self { credits_posted: self.credits_posted.checked_add(nano)?, ..self }
        })
    }

    /// Both sides added; `None` on overflow.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            debits_posted: self.debits_posted.checked_add(other.debits_posted)?,
            credits_posted: self.credits_posted.checked_add(other.credits_posted)?,
            debits_pending: self.debits_pending.checked_add(other.debits_pending)?,
            credits_pending: self.credits_pending.checked_add(other.credits_pending)?,
        })
    }

    /// Posted credits less posted debits; `None` on overflow.
    pub fn net(self) -> Option<i128> {
        self.credits_posted.checked_sub(self.debits_posted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absorbed_cost_debits_the_builder_and_balances() {
        let split = Split {
            network_cost: Amount::from_nano(100),
            platform_fee: Amount::ZERO,
            builder_earnings: Amount::from_nano(-100),
        };
        let parties = Parties { app: "acme", customer: "c1", provider: "", builder: "b", currency: "USD" };
        let amounts = amounts_of_charge(&split).unwrap();
        assert_eq!(amounts.map(Amount::nano), [0, 100, 0, -100]);
        assert_eq!(accounts_of_charge(&parties)[1].to_string(), "provider network (USD)");
        let balance = Balance::default().with(amounts[3]).unwrap();
        assert_eq!((balance.debits_posted, balance.credits_posted, balance.net()), (100, 0, Some(-100)));
    }
}
