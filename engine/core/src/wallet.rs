//! A customer's money: what came in, what was granted, what may be owed, and what is reserved.
//!
//! # Burn order
//! A charge is covered by granted credit in force at the event's time (by priority, the smallest number first,
//! then the soonest expiry, then the oldest grant), then by the customer's own money, then by the credit limit.
//! What nothing covers is *uncovered*: an event that ran is always charged, and only an authorisation made
//! before it keeps it from running. Money that comes in covers what is uncovered first, then what is owed on
//! credit, and the rest is the paid balance.
//!
//! # Reserving
//! A hold reserves from the same places in the same order, so that a grant which expires under a hold, or money
//! that somebody else spends, does not leave an authorised event without cover. Nothing is reserved from what is
//! not there.
//!
//! A wallet is arithmetic only: it posts nothing. Its sums are those of the ledger's accounts of the same
//! customer, which [`verify`](crate::verify) compares.

mod alert;
mod burn;
mod grant;
mod hold;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::money::Amount;
use crate::period::Period;
use crate::quantity::Quantity;
use crate::store::record::{Document, RecordKind};

pub use alert::{Alert, AlertState, Condition, Crossed, Span, Spending, Spent};
pub use burn::Shortfall;
pub use grant::{Funder, Grant, GrantTerms};
pub use hold::{Hold, HoldState};

/// Where a charge's money came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Credit granted under this id.
    Grant(Arc<str>),
    /// The customer's own money.
    Paid,
    /// Owed within the credit limit.
    Credit,
    /// Owed beyond it: the event ran without an authorisation.
    Uncovered,
}

/// A part of a charge and where its money came from. Positive is taken, negative is given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// Where from.
    pub source: Source,
    /// How much.
    pub amount: Amount,
}

/// What a customer of an app has, may owe, and has reserved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// What was agreed.
    pub terms: WalletTerms,
    /// Credit with something left, in burn order.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// The customer's own money, what is reserved of it included.
    pub paid: Pot,
    /// What is owed within the credit limit.
    pub credit: Pot,
    /// What is owed beyond it.
    pub uncovered: Amount,
    /// Holds that are pending.
    #[serde(default)]
    pub holds: u32,
    /// Usage that pending holds will count, by unit, group and period.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<PendingUsage>,
    /// What was charged in the latest periods, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charged: Vec<(Period, Amount)>,
    /// What each alert has seen, by its id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub alerts: BTreeMap<String, AlertState>,
    /// A top-up asked for automatically that has not been decided yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topping_up: Option<String>,
    /// How many top-ups were asked for automatically.
    #[serde(default)]
    pub automatic_top_ups: u64,
}

/// An amount, and how much of it is reserved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pot {
    /// For money: what is there. For credit: what is owed.
    pub amount: Amount,
    /// What holds reserve of it. For credit: on top of it.
    pub reserved: Amount,
}

/// Usage that a hold will count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingUsage {
    /// The unit's name.
    pub unit: Arc<str>,
    /// The group's label; empty when the unit is not grouped.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub group: Arc<str>,
    /// The period.
    pub period: Period,
    /// How many.
    pub quantity: Quantity,
}

/// What was agreed with a customer about money.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletTerms {
    /// The most that may be owed; without it, any amount. `"0"` is prepaid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_limit: Option<Amount>,
    /// Balances and spendings of which somebody wants to be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// Money fetched when little is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automatic_top_up: Option<AutomaticTopUp>,
}

/// Money fetched when little is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutomaticTopUp {
    /// When what is available falls below this.
    pub below: Amount,
    /// How much is fetched.
    pub amount: Amount,
    /// From which payment provider.
    pub provider: String,
    /// Of which payer, in the provider's words: a customer with a saved payment method.
    pub payer: String,
}

/// Of so many periods a wallet remembers what was charged: limits ask for those that are open.
const CHARGED_PERIODS_MAX: usize = 4;

impl Wallet {
    /// What was charged in a period; `None` for one that is not remembered any more.
    pub fn charged_in(&self, period: Period) -> Option<Amount> {
        let is_old = self.charged.len() >= CHARGED_PERIODS_MAX
            && self.charged.first().is_some_and(|(first, _)| period < *first);
        let known = self.charged.iter().find(|(other, _)| *other == period);
        if is_old { None } else { Some(known.map_or(Amount::ZERO, |(_, amount)| *amount)) }
    }

    /// Remembers a charge; `None` when a sum does not fit.
    pub fn add_charged(&mut self, period: Period, amount: Amount) -> Option<()> {
        let position = self.charged.partition_point(|(other, _)| *other < period);
        match self.charged.get_mut(position).filter(|(other, _)| *other == period) {
            Some((_, sum)) => *sum = sum.checked_add(amount)?,
            None => self.charged.insert(position, (period, amount)),
        }
        if self.charged.len() > CHARGED_PERIODS_MAX {
            self.charged.remove(0);
        }
        Some(())
    }

    /// What pending holds will count of a unit.
    pub fn pending_usage(&self, unit: &str, group: &str, period: Period) -> Quantity {
        let of_unit = |pending: &&PendingUsage| {
            (&*pending.unit, &*pending.group, pending.period) == (unit, group, period)
        };
        self.pending.iter().find(of_unit).map_or(Quantity::ZERO, |pending| pending.quantity)
    }

    /// Notes what a hold will count, or, once it is resolved, that it will not any more. `None` when a sum does
    /// not fit.
    pub fn expect_usage(&mut self, usage: &[PendingUsage], is_resolved: bool) -> Option<()> {
        for row in usage {
            let quantity = if is_resolved { row.quantity.opposite() } else { row.quantity };
            let of_unit = |pending: &PendingUsage| {
                (&pending.unit, &pending.group, pending.period) == (&row.unit, &row.group, row.period)
            };
            match self.pending.iter().position(of_unit) {
                Some(position) => {
                    let pending = self.pending.get_mut(position)?;
                    pending.quantity = pending.quantity.plus(quantity).ok()?;
                    if pending.quantity.is_zero() {
                        self.pending.remove(position);
                    }
                }
                None => self.pending.push(PendingUsage { quantity, ..row.clone() }),
            }
        }
        Some(())
    }
}

impl Document for Wallet {
    const KIND: RecordKind = RecordKind::Wallet;

    /// When the next grant expires.
    fn due(&self) -> Option<i64> {
        self.grants
            .iter()
            .filter(|grant| grant.free() > Amount::ZERO)
            .filter_map(|grant| grant.terms.expires_at)
            .min()
    }
}

/// How many wallets an app has had opened: while it is at the same version, no customer without a wallet has
/// got one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallets {
    /// How many.
    pub opened: u64,
}

impl Document for Wallets {
    const KIND: RecordKind = RecordKind::Wallets;
}
