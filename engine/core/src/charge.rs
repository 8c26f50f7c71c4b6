//! A charge: what one event was worth, what it cost whom, and everything needed to compute it again.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::money::Amount;
use crate::period::Period;
use crate::quantity::Quantity;
use crate::wallet::Draw;

/// One usage row of an event, with the counter around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRow {
    /// The unit's name, resolved.
    pub unit: Arc<str>,
    /// The group's label; empty when the unit is not grouped.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub group: Arc<str>,
    /// What makes it distinct; empty for units of other kinds.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub key: Arc<str>,
    /// How many.
    pub quantity: Quantity,
    /// The counter just before.
    pub before: Quantity,
    /// The counter just after.
    pub after: Quantity,
}

/// One line of a charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The line's code.
    pub code: Arc<str>,
    /// How many of the line's unit.
    pub quantity: Quantity,
    /// The price of one, where there is a single one.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rust_decimal::serde::str_option")]
    pub unit_price: Option<Decimal>,
    /// What is charged.
    pub amount: Amount,
}

/// A reason the plugin gave why the event should not have run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The refusal's code.
    pub code: Arc<str>,
    /// What the customer reads beside its title.
    pub detail: String,
}

/// Who gets what of a charge. Their sum is the total the customer is charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Owed to the provider who ran the inference.
    pub network_cost: Amount,
    /// Kept by the platform.
    pub platform_fee: Amount,
    /// Earned by the Builder; negative when the Builder absorbed the cost.
    pub builder_earnings: Amount,
}

impl Split {
    /// Divides a total: the platform takes `platform_share` of what exceeds the network cost, half to even
    /// to nano, and the Builder the rest. `None` when an amount does not fit.
    pub fn of(total: Amount, network_cost: Amount, platform_share: Decimal) -> Option<Self> {
        let margin = total.checked_sub(network_cost)?;
        let platform_fee = margin.max(Amount::ZERO).checked_share(platform_share)?;
        Some(Self { network_cost, platform_fee, builder_earnings: margin.checked_sub(platform_fee)? })
    }

    /// The same network cost and platform fee with another total, of which the Builder gets the rest. `None`
    /// when an amount does not fit.
    pub fn with_total(self, total: Amount) -> Option<Self> {
        let margin = total.checked_sub(self.network_cost)?;
        Some(Self { builder_earnings: margin.checked_sub(self.platform_fee)?, ..self })
    }

    /// What the customer is charged; `None` when it does not fit.
    pub fn total(&self) -> Option<Amount> {
        self.network_cost.checked_add(self.platform_fee)?.checked_add(self.builder_earnings)
    }
}

/// A rated event, or what a period's close charged a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The tariff that priced it.
    pub tariff: Arc<str>,
    /// The customer's parent as it was then: for them pooled units were counted.
    pub parent: Option<Arc<str>>,
    /// The period it belongs to.
    pub period: Period,
    /// Its own period was closed already, so it went to the next open one.
    pub late: bool,
    /// What the customer is charged.
    pub total: Amount,
    /// Who gets what.
    pub split: Split,
    /// The units it was worth.
    pub usage: Vec<UsageRow>,
    /// What was charged for.
    pub lines: Vec<Line>,
    /// Why it should not have run, if the plugin said so.
    pub refused: Vec<Refused>,
    /// Where the money came from, where the customer has a wallet: then they add up to the total.
    pub draws: Vec<Draw>,
}

impl Charge {
    /// Whether the total is split by one of these platform shares.
    pub fn is_split_by(&self, platform_shares: &[Decimal]) -> bool {
        let by = |share: &Decimal| Split::of(self.total, self.split.network_cost, *share);
        platform_shares.iter().any(|share| by(share) == Some(self.split))
    }

    /// The entry that takes this one back, in a period: every counter steps back, every amount is opposite.
    /// `None` when an amount does not fit.
    pub fn reversed(self, period: Period, late: bool) -> Option<Self> {
        let usage = self.usage.into_iter();
        let usage = usage.map(|row| UsageRow { before: row.after, after: row.before, ..row }).collect();
        let lines = self.lines.into_iter().map(|line| {
            Some(Line { quantity: line.quantity.opposite(), amount: line.amount.checked_neg()?, ..line })
        });
        let split = Split {
            network_cost: self.split.network_cost.checked_neg()?,
            platform_fee: self.split.platform_fee.checked_neg()?,
            builder_earnings: self.split.builder_earnings.checked_neg()?,
        };
        let (lines, total) = (lines.collect::<Option<_>>()?, self.total.checked_neg()?);
        Some(Self {
            period,
            late,
            total,
            split,
            usage,
            lines,
            refused: Vec::new(),
            draws: Vec::new(),
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_builder_absorbs_what_the_total_does_not_cover() {
        let split = Split::of(Amount::ZERO, Amount::from_nano(100), Decimal::new(20, 2)).unwrap();
        assert_eq!((split.platform_fee.nano(), split.builder_earnings.nano()), (0, -100));
    }

    proptest! {
        #[test]
        fn a_split_adds_up(total in -1_i64 << 60..1_i64 << 60, cost in 0_i64..1 << 60, share in 0_i64..=100) {
            let (total, cost) = (Amount::from_nano(total), Amount::from_nano(cost));
            let split = Split::of(total, cost, Decimal::new(share, 2)).unwrap();
            prop_assert_eq!(split.total(), Some(total));
            prop_assert!(split.platform_fee >= Amount::ZERO);
        }
    }
}
