//! `tiered`: the price of a unit depends on how many were used in the period before it.
//!
//! Graduated and cumulative: a tier covers what lies above the tier before and up to its own bound, and its
//! flat amount is charged once, when its first fraction is used. The formula is in `tiers.rs`.

mod tiers;

use tiers::{Divisor, Tiers};
use tollgate_sdk::prelude::*;

/// What a tariff sets.
#[settings]
pub struct Settings {
    /// What the customer sees, in the singular: "1k tokens".
    #[serde(default = "unit")]
    unit: String,
    /// The measures whose sum is counted.
    measures: Vec<String>,
    /// How much of the measures makes one unit: "1000".
    #[serde(default)]
    divide_by: Divisor,
    /// The tiers, from the first unit up. The last one is open: its `up_to` is null.
    tiers: Tiers,
}

fn unit() -> String {
    "unit".to_owned()
}

/// Charges units by graduated tiers over the period.
#[plugin(
    unit(UNIT, name = "/unit", aggregation = sum),
    line(TIERED, code = "tiered", title = "Usage by tiers", unit = "/unit")
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
    }

    fn meter(settings: &Settings, event: &Event, usage: &mut Usage) -> Outcome {
        let mut sum = Decimal::ZERO;
        for measure in &settings.measures {
            sum = sum.plus(event.measure(measure))?;
        }
        usage.add(UNIT, settings.divide_by.divide(sum)?)
    }

    fn rate(settings: &Settings, _: &Event, counted: &Counted, bill: &mut Bill) -> Outcome {
        let Some(count) = counted.of(UNIT) else { return Ok(()) };
        let quantity = count.grown()?;
        if quantity.is_zero() {
            return Ok(());
        }
        let amount = count.cumulative(|total| settings.tiers.price(total))?;
        bill.add(Line { code: TIERED, quantity, unit_price: Decimal::ZERO, amount })
    }
}
