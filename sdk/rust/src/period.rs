//! What a tariff says about a period as a whole, whatever else it charges: a fee, a minimum and a cap.
//!
//! Over a period, a customer is charged `min(cap, max(minimum, fee + usage))`.

use crate::{Bill, Decimal, Fault, Line, LineCode, Outcome, Problems};
use schemars::JsonSchema;
use serde::Deserialize;

/// A period's fee, minimum and cap: a field of a plugin's settings, `period` by custom.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PeriodTerms {
    /// What the period costs before anything is used.
    pub fee: Decimal,
    /// The least that the period costs in all, the fee included; 0 for none.
    pub minimum: Decimal,
    /// The most that the period costs in all, the fee included; null when there is no limit.
    pub cap: Option<Decimal>,
}

/// The lines that [`PeriodTerms::close`] adds, as the plugin declares them.
#[derive(Debug, Clone, Copy)]
pub struct PeriodLines {
    /// Of kind `charge`.
    pub fee: LineCode,
    /// Of kind `charge`.
    pub minimum: LineCode,
    /// Of kind `credit`.
    pub cap: LineCode,
}

impl PeriodTerms {
    /// Adds whatever is wrong with them, at `pointer`.
    pub fn check(&self, pointer: &str, problems: &mut Problems) {
        problems.refuse_negative(format!("{pointer}/fee"), self.fee);
        problems.refuse_negative(format!("{pointer}/minimum"), self.minimum);
        let least = self.fee.max(self.minimum);
        if let Some(cap) = self.cap.filter(|cap| *cap < least) {
            problems.add(
                format!("{pointer}/cap"),
                format!("{cap} is less than the {least} that a period costs at least; raise the cap"),
            );
        }
    }

    /// How much of the period's usage is charged under the cap, given what it would cost without one: to be
    /// put around a cumulative formula, so that the cap holds event by event and not only at the close.
    ///
    /// # Errors
    /// When the difference between the cap and the fee has more digits than a decimal can hold.
    #[inline]
    pub fn capped(&self, usage: Decimal) -> Result<Decimal, Fault> {
        match self.cap {
            None => Ok(usage),
            Some(cap) => Ok(usage.min(cap.minus(self.fee)?)),
        }
    }

    /// Whether usage that costs so much has used up the cap.
    ///
    /// # Errors
    /// When the difference between the cap and the fee has more digits than a decimal can hold.
    pub fn is_used_up(&self, usage: Decimal) -> Result<bool, Fault> {
        match self.cap {
            None => Ok(false),
            Some(cap) => Ok(usage >= cap.minus(self.fee)?),
        }
    }

    /// As the period ends: charges the fee, then what is missing to the minimum, or credits what lies beyond
    /// the cap. `charged` is what the period has charged so far, this close included:
    /// [`Closing::charged`](crate::Closing::charged) and the lines that the plugin has just added.
    ///
    /// # Errors
    /// When a sum has more digits than a decimal can hold.
    pub fn close(&self, lines: PeriodLines, charged: Decimal, bill: &mut Bill) -> Outcome {
        let total = charged.plus(self.fee)?;
        // Without a minimum, a period in which more was given back than charged stays below zero.
        let missing = if self.minimum.is_zero() { Decimal::ZERO } else { self.minimum.beyond(total)? };
        let excess = self.cap.map_or(Ok(Decimal::ZERO), |cap| total.beyond(cap))?;
        let rows = [(lines.fee, self.fee), (lines.minimum, missing), (lines.cap, excess.negated())];
        for (code, amount) in rows {
            if !amount.is_zero() {
                bill.add(Line { code, quantity: Decimal::ONE, unit_price: Decimal::ZERO, amount })?;
            }
        }
        Ok(())
    }
}
