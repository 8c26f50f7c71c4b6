//! Tiers and the divisor: what they cost, and which of them make sense.

use tollgate_sdk::prelude::*;

/// One tier: what lies above the tier before and up to its own bound.
#[settings]
pub struct Tier {
    /// The last unit of this tier, which it includes; null for the last tier, which is open.
    up_to: Option<Decimal>,
    /// The price of each unit in the tier.
    #[serde(default)]
    unit_price: Decimal,
    /// Charged once in a period, when the first fraction of the tier is used.
    #[serde(default)]
    flat: Decimal,
}

/// What so many units cost, from the first of the period.
pub fn price(tiers: &[Tier], total: Decimal) -> Result<Decimal, Fault> {
    let (mut price, mut floor) = (Decimal::ZERO, Decimal::ZERO);
    for tier in tiers {
        if total <= floor {
            break;
        }
        let ceiling = tier.up_to.map_or(total, |up_to| up_to.min(total));
        price = price.plus(ceiling.minus(floor)?.times(tier.unit_price)?)?.plus(tier.flat)?;
        floor = ceiling;
    }
    Ok(price)
}

/// Tiers must ascend from above zero, and the last one must be open.
pub fn check(tiers: &[Tier], problems: &mut Problems) {
    if tiers.is_empty() {
        problems.add("/tiers", "there is no tier; a single price is one tier with \"up_to\": null");
    }
    let mut floor = Decimal::ZERO;
    for (position, tier) in tiers.iter().enumerate() {
        let last = position + 1 == tiers.len();
        let pointer = format!("/tiers/{position}/up_to");
        match tier.up_to {
            Some(up_to) if last => problems.add(
                pointer,
                format!("nothing says what a unit beyond {up_to} costs; set the last tier's up_to to null"),
            ),
            Some(up_to) if up_to <= Decimal::ZERO => problems.add(
                pointer,
                format!("{up_to} is not above zero, so nothing would lie in the tier; raise it or leave the tier out"),
            ),
            Some(up_to) if up_to <= floor => problems.add(
                pointer,
                format!("{up_to} does not lie above the tier before, which ends at {floor}; sort the tiers"),
            ),
            None if !last => {
                problems.add(pointer, "only the last tier is open; say where this one ends");
            }
            _ => {}
        }
        floor = tier.up_to.unwrap_or(floor);
        problems.refuse_negative(format!("/tiers/{position}/unit_price"), tier.unit_price);
        problems.refuse_negative(format!("/tiers/{position}/flat"), tier.flat);
    }
}

/// A number to divide by, with its reciprocal at hand: multiplying is exact, and much faster.
#[settings]
#[serde(from = "Decimal")]
#[schemars(with = "Decimal")]
pub struct Divisor {
    divisor: Decimal,
    reciprocal: Option<Decimal>,
}

/// The most digits after the point that a quantity may have.
const QUANTITY_PLACES_MAX: u32 = 12;

impl From<Decimal> for Divisor {
    fn from(divisor: Decimal) -> Self {
        let reciprocal = Decimal::ONE.divided_by(divisor).ok();
        Self { divisor, reciprocal: reciprocal.filter(|exact| exact.scale() <= QUANTITY_PLACES_MAX) }
    }
}

impl Default for Divisor {
    fn default() -> Self {
        Decimal::ONE.into()
    }
}

impl Divisor {
    pub fn divide(&self, quantity: Decimal) -> Result<Decimal, Fault> {
        match self.reciprocal {
            Some(reciprocal) => quantity.times(reciprocal),
            None => quantity.divided_by(self.divisor),
        }
    }

    pub fn check(&self, pointer: &str, problems: &mut Problems) {
        let divisor = self.divisor;
        if divisor <= Decimal::ZERO {
            problems.add(pointer, format!("{divisor} cannot divide a quantity; use a number above zero"));
        } else if self.reciprocal.is_none() {
            problems.add(
                pointer,
                format!(
                    "dividing by {divisor} does not end within {QUANTITY_PLACES_MAX} digits after the point, so \
                     quantities would not be exact; use a product of twos and fives, such as 1000 or 1000000"
                ),
            );
        }
    }
}
