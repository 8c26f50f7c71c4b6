//! Granted credit: who pays for it, when it may be used, and what is left.

use std::cmp::Ordering;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ledger::Owner;
use crate::money::Amount;

/// Who pays for granted credit, and gets back what expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Funder {
    /// Who runs Tollgate.
    Platform,
    /// The app's Builder, out of what they earn.
    Builder,
}

impl Funder {
    /// Whose account that is, given the app's Builder.
    pub fn owner(self, builder: &str) -> Owner {
        match self {
            Self::Platform => Owner::Platform,
            Self::Builder => Owner::Builder(builder.to_owned()),
        }
    }
}

/// Credit granted to a customer, as agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantTerms {
    /// Unique among the customer's grants.
    pub id: Arc<str>,
    /// How much.
    pub amount: Amount,
    /// Who pays for it.
    pub funder: Funder,
    /// The smallest number is used first.
    #[serde(default)]
    pub priority: u32,
    /// From which event time on it covers charges, in milliseconds since 1970.
    pub effective_at: i64,
    /// From when on it does not; without it, it never expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// Why, in somebody's words: `promotion`, `goodwill`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A grant with what is left of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// What was agreed.
    #[serde(flatten)]
    pub terms: GrantTerms,
    /// What has not been used, what is reserved of it included.
    pub left: Amount,
    /// What holds reserve of it.
    pub reserved: Amount,
}

impl Grant {
    /// A grant of which nothing has been used.
    pub fn new(terms: GrantTerms) -> Self {
        Self { left: terms.amount, reserved: Amount::ZERO, terms }
    }

    /// What may still be used or reserved. Never negative.
    pub fn free(&self) -> Amount {
        self.left.checked_sub(self.reserved).unwrap_or_default().max(Amount::ZERO)
    }

    /// Whether it covers a charge of an event of this time.
    pub fn is_in_force_at(&self, time: i64) -> bool {
        self.terms.effective_at <= time && !self.has_expired_at(time)
    }

    /// Whether it is over at this moment.
    pub fn has_expired_at(&self, moment: i64) -> bool {
        self.terms.expires_at.is_some_and(|end| end <= moment)
    }

    /// The order in which grants are used: priority, then the soonest expiry, then the oldest.
    pub fn burn_order(&self, other: &Self) -> Ordering {
        let key = |grant: &Self| {
            let GrantTerms { priority, expires_at, effective_at, .. } = grant.terms;
            (priority, expires_at.unwrap_or(i64::MAX), effective_at)
        };
        key(self).cmp(&key(other)).then_with(|| self.terms.id.cmp(&other.terms.id))
    }
}
