//! `tiered`: what a unit costs depends on how many were used in the period.
//!
//! One price curve over the period's total: per unit, graduated, by volume, in packages, in bands, and for each
//! group of a column on its own. The curve is in `tiers.rs`, the period's fee, minimum and cap in the SDK.

mod divisor;
mod tiers;

use divisor::Divisor;
use tiers::Tiers;
use tollgate_sdk::prelude::*;

/// What a tariff sets.
#[settings]
pub struct Settings {
    /// What the customer sees, in the singular: "1k tokens".
    #[serde(default = "unit")]
    unit: String,
    /// The measures whose sum is counted; "events" counts one for each event.
    measures: Vec<String>,
    /// How much of the measures makes one unit: "1000".
    #[serde(default)]
    divide_by: Divisor,
    /// The tiers, from the first unit up. The last one is open: its `up_to` is null.
    tiers: Tiers,
    /// Whether each unit costs the price of the tier it lies in, or all cost that of the tier the total ends in.
    #[serde(default)]
    mode: Mode,
    /// Whether the unit at exactly `up_to` still belongs to the tier.
    #[serde(default)]
    bounds: Bounds,
    /// What a fraction of a unit counts for, in the period's total.
    #[serde(default)]
    fractions: Fractions,
    /// Charge the first tier's flat amount, when the period is closed, to a customer who used nothing.
    #[serde(default)]
    flat_at_zero: bool,
    /// The text column of which each value has tiers of its own: "feature", "model", "attribute:department".
    #[serde(default = "none")]
    group: String,
    /// The period's fee, minimum and cap.
    #[serde(default)]
    period: PeriodTerms,
    /// Refuse events that would lie wholly beyond the cap. One that ran all the same costs nothing more.
    #[serde(default)]
    stop_at_cap: bool,
}

fn unit() -> String {
    "unit".to_owned()
}

fn none() -> String {
    "none".to_owned()
}

/// How tiers are applied.
#[settings]
#[derive(Copy, Default)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Each unit costs the price of the tier it lies in.
    #[default]
    Graduated,
    /// All units cost the price of the tier that the period's total ends in.
    Volume,
}

/// Which tier a bound belongs to.
#[settings]
#[derive(Copy, Default)]
#[serde(rename_all = "snake_case")]
pub enum Bounds {
    /// The tier that it ends.
    #[default]
    Inclusive,
    /// The tier that begins there.
    Exclusive,
}

/// What a fraction of a unit counts for.
#[settings]
#[derive(Copy, Default)]
#[serde(rename_all = "snake_case")]
pub enum Fractions {
    /// For itself.
    #[default]
    Exact,
    /// For a whole unit.
    Up,
    /// For nothing.
    Down,
}

impl Fractions {
    #[inline]
    fn of(self, total: Decimal) -> Result<Decimal, Fault> {
        match self {
            Self::Exact => Ok(total),
            Self::Up => total.divided_up(Decimal::ONE),
            Self::Down => total.divided_down(Decimal::ONE),
        }
    }
}

const PERIOD_LINES: PeriodLines = PeriodLines { fee: FEE, minimum: MINIMUM, cap: CAP };

/// Charges units by tiers over the period.
#[plugin(
    unit(UNIT, name = "/unit", aggregation = sum, group_by = ["/group"]),
    // Only named, so that a fee is not called a document; the line's quantity says how many.
    unit(PERIOD, name = "period", aggregation = sum),
    line(TIERED, code = "tiered", title = "Usage by tiers", unit = "/unit"),
    line(TRUE_UP, code = "true_up", title = "All units at the price reached", unit = "/unit", kind = adjustment),
    line(FEE, code = "fee", title = "Fee for the period", unit = "period"),
    line(MINIMUM, code = "minimum", title = "Up to the minimum", unit = "period"),
    line(CAP, code = "cap", title = "Beyond the spend cap", unit = "period", kind = credit),
    refusal(CAP_REACHED, code = "cap_reached", title = "The period's spend cap is reached")
)]
impl Pricing for Tiered {
    type Settings = Settings;

    fn check(settings: &Settings, problems: &mut Problems) {
        if settings.unit.is_empty() {
            problems
                .add("/unit", "the unit has no name; write what the customer sees, such as \"1k tokens\"");
        }
        if settings.measures.is_empty() {
            problems.add("/measures", "name at least one measure to count, such as \"output_tokens\"");
        }
        settings.divide_by.check("/divide_by", problems);
        settings.tiers.check(problems);
        settings.period.check("/period", problems);
        if settings.stop_at_cap && settings.period.cap.is_none() {
            problems.add("/stop_at_cap", "there is no cap to stop at; set /period/cap as well");
        }
        let columns = ["none", "customer", "parent", "feature", "route", "model", "provider"];
        if !columns.contains(&settings.group.as_str()) && !settings.group.starts_with("attribute:") {
            let known = columns.join(", ");
            problems.add("/group", format!("there is no such column; use one of {known}, or attribute:NAME"));
        }
    }

    fn meter(settings: &Settings, event: &Event, usage: &mut Usage) -> Outcome {
        let mut sum = Decimal::ZERO;
        for measure in &settings.measures {
            sum = sum.plus(if measure == "events" { Decimal::ONE } else { event.measure(measure) })?;
        }
        usage.add(UNIT, settings.divide_by.divide(sum)?)
    }

    fn rate(settings: &Settings, _: &Event, counted: &Counted, bill: &mut Bill) -> Outcome {
        let Some(count) = counted.of(UNIT) else { return Ok(()) };
        let quantity = count.grown()?;
        if quantity.is_zero() {
            return Ok(());
        }
        let (unit_price, amount) = match settings.mode {
            Mode::Graduated => {
                let price = |total| settings.period.capped(settings.tiers.price(total, settings)?);
                (Decimal::ZERO, count.cumulative(price)?)
            }
            Mode::Volume => {
                let price = settings.tiers.unit_price_at(count.after, settings.bounds);
                (price, quantity.times(price)?)
            }
        };
        if settings.stop_at_cap
            && settings.period.is_used_up(settings.tiers.price(count.before, settings)?)?
        {
            bill.refuse(CAP_REACHED, "");
        }
        bill.add(Line { code: TIERED, quantity, unit_price, amount })
    }

    fn close(settings: &Settings, customer: &Closing, totals: &Totals, bill: &mut Bill) -> Outcome {
        let (mut used, mut due) = (Decimal::ZERO, Decimal::ZERO);
        for (_, total) in totals.groups_of(UNIT) {
            used = used.plus(total)?;
            due = due.plus(settings.tiers.price(total, settings)?.rounded_to_nano())?;
        }
        let mut charged = customer.charged();
        let mut add = |code, amount: Decimal| {
            charged = charged.plus(amount)?;
            bill.add(Line { code, quantity: Decimal::ZERO, unit_price: Decimal::ZERO, amount })
        };
        if settings.flat_at_zero && used.is_zero() {
            add(TIERED, settings.tiers.first_flat())?;
        } else if let Mode::Volume = settings.mode {
            let missing = due.minus(customer.charged_as(TIERED))?;
            if !missing.is_zero() {
                add(TRUE_UP, missing)?;
            }
        }
        settings.period.close(PERIOD_LINES, charged, bill)
    }
}
