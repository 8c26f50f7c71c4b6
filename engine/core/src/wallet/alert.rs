//! Balances and spendings of which somebody wants to be told, once each time they are crossed.

use serde::{Deserialize, Serialize};

use super::Wallet;
use crate::money::Amount;
use crate::period::Period;

/// Of so many periods an alert remembers what was spent: late events may still come for the older ones.
const PERIODS_MAX: usize = 3;

/// Something to be told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Unique in the wallet.
    pub id: String,
    /// When.
    #[serde(flatten)]
    pub condition: Condition,
}

/// When somebody is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "when", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// The balance (granted and paid, without what is reserved) falls below this. Told again after it has been
    /// at or above it.
    BalanceBelow {
        /// This.
        amount: Amount,
    },
    /// What was charged reaches this.
    SpentReaches {
        /// This.
        amount: Amount,
        /// Counted anew for each period, or for ever.
        #[serde(default)]
        per: Span,
        /// Only for events of this feature.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        feature: Option<String>,
    },
}

/// Over what spending is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// A billing period.
    #[default]
    Period,
    /// From when the alert was made.
    Ever,
}

/// What an alert has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertState {
    /// The balance is below, and that has been told.
    #[serde(default)]
    pub is_below: bool,
    /// What was spent, by period (none for ever), the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spent: Vec<Spent>,
}

/// What was spent in a span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Which; none for ever.
    pub period: Option<Period>,
    /// How much.
    pub amount: Amount,
    /// That it reached the alert's amount has been told.
    pub is_told: bool,
}

/// An alert that has just been crossed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossed {
    /// Which.
    pub alert: Alert,
    /// The balance, or what was spent.
    pub amount: Amount,
    /// In which period it was spent.
    pub period: Option<Period>,
}

/// Something that was charged.
#[derive(Clone, Copy, Debug)]
pub struct Spending<'a> {
    /// The event's feature.
    pub feature: &'a str,
    /// The charge's period.
    pub period: Period,
    /// The charge's total.
    pub amount: Amount,
}

impl Wallet {
    /// What is left at a moment, granted and paid, without what is reserved.
    pub fn balance_at(&self, time: i64) -> Amount {
        self.granted_at(time).checked_add(self.paid_free()).unwrap_or(Amount::from_nano(i64::MAX))
    }

    /// Looks at the alerts after something was charged, or after money moved. Gives back those that were
    /// crossed; `None` when a sum does not fit.
    pub fn watch(&mut self, spending: Option<Spending<'_>>, time: i64) -> Option<Vec<Crossed>> {
        if self.terms.alerts.is_empty() {
            return Some(Vec::new());
        }
        let balance = self.balance_at(time);
        let mut crossed = Vec::new();
        for alert in &self.terms.alerts {
            let state = self.alerts.entry(alert.id.clone()).or_default();
            match (&alert.condition, spending) {
                (Condition::BalanceBelow { amount }, _) => {
                    let is_below = balance < *amount;
                    if is_below && !state.is_below {
                        crossed.push(Crossed { alert: alert.clone(), amount: balance, period: None });
                    }
                    state.is_below = is_below;
                }
                (Condition::SpentReaches { amount, per, feature }, Some(spending)) => {
                    if feature.as_deref().is_some_and(|feature| feature != spending.feature) {
                        continue;
                    }
                    let period = (*per == Span::Period).then_some(spending.period);
                    let Some(spent) = state.spent_in(period) else { continue };
                    spent.amount = spent.amount.checked_add(spending.amount)?;
                    if spent.amount >= *amount && !spent.is_told {
                        spent.is_told = true;
                        crossed.push(Crossed { alert: alert.clone(), amount: spent.amount, period });
                    }
                }
                (Condition::SpentReaches { .. }, None) => {}
            }
        }
        Some(crossed)
    }
}

impl AlertState {
    /// What was spent in a span, starting at nothing; `None` for a period that is not remembered any more.
    fn spent_in(&mut self, period: Option<Period>) -> Option<&mut Spent> {
        let position = self.spent.partition_point(|other| other.period < period);
        let is_known = self.spent.get(position).is_some_and(|other| other.period == period);
        if !is_known {
            if position == 0 && self.spent.len() >= PERIODS_MAX {
                return None;
            }
            self.spent.insert(position, Spent { period, amount: Amount::ZERO, is_told: false });
            if self.spent.len() > PERIODS_MAX {
                self.spent.remove(0);
            }
        }
        self.spent.iter_mut().find(|other| other.period == period)
    }
}
