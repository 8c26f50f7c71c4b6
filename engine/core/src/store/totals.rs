//! Adds charges up into a statement's totals, without ever rounding or wrapping around.

use std::sync::Arc;

use super::StatementTotals;
use crate::charge::{Charge, Split};
use crate::money::Amount;
use crate::quantity::QuantitySum;
use crate::wallet::Source;

impl StatementTotals {
    /// Adds a charge for so many events; `None` when a sum does not fit.
    pub fn add_charge(&mut self, events: u64, charge: &Charge) -> Option<()> {
        self.events = self.events.checked_add(events)?;
        for line in &charge.lines {
            self.add_line(&line.code, QuantitySum::from(line.quantity), i128::from(line.amount.nano()))?;
        }
        for draw in &charge.draws {
            let covered = match draw.source {
                Source::Grant(_) => &mut self.from_granted,
                Source::Paid => &mut self.from_paid,
                Source::Credit | Source::Uncovered => continue,
            };
            *covered = covered.checked_add(i128::from(draw.amount.nano()))?;
        }
        self.add_split(&charge.split)
    }

    /// Adds who gets what; `None` when a sum does not fit.
    pub fn add_split(&mut self, split: &Split) -> Option<()> {
        let Split { network_cost, platform_fee, builder_earnings } = split;
        let nano = |amount: &Amount| i128::from(amount.nano());
        self.add_amounts(nano(network_cost), nano(platform_fee), nano(builder_earnings))
    }

    /// Adds other totals; `None` when a sum does not fit.
    pub fn add(&mut self, other: &Self) -> Option<()> {
        self.events = self.events.checked_add(other.events)?;
        for (code, quantity, nano) in &other.lines {
            self.add_line(code, *quantity, *nano)?;
        }
        self.from_granted = self.from_granted.checked_add(other.from_granted)?;
        self.from_paid = self.from_paid.checked_add(other.from_paid)?;
        self.add_amounts(other.network_cost, other.platform_fee, other.builder_earnings)
    }

    /// What the customer is charged, in nano-units; `None` when it does not fit.
    pub fn total(&self) -> Option<i128> {
        self.network_cost.checked_add(self.platform_fee)?.checked_add(self.builder_earnings)
    }

    fn add_line(&mut self, code: &Arc<str>, quantity: QuantitySum, nano: i128) -> Option<()> {
        let position = self.lines.partition_point(|(other, _, _)| other < code);
        match self.lines.get_mut(position) {
            Some((other, quantities, amounts)) if other == code => {
                *quantities = quantities.checked_add(quantity)?;
                *amounts = amounts.checked_add(nano)?;
            }
            _ => self.lines.insert(position, (Arc::clone(code), quantity, nano)),
        }
        Some(())
    }

    fn add_amounts(&mut self, network_cost: i128, platform_fee: i128, builder_earnings: i128) -> Option<()> {
        self.network_cost = self.network_cost.checked_add(network_cost)?;
        self.platform_fee = self.platform_fee.checked_add(platform_fee)?;
        self.builder_earnings = self.builder_earnings.checked_add(builder_earnings)?;
        Some(())
    }
}
