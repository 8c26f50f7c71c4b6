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

/// The tiers, with what each of them builds on worked out once and not for every event.
#[settings]
#[serde(from = "Vec<Tier>")]
#[schemars(with = "Vec<Tier>")]
pub struct Tiers {
    tiers: Vec<Tier>,
    steps: Result<Vec<Step>, Fault>,
}

/// Where a tier begins, and what has been charged there.
#[derive(Debug, Clone)]
struct Step {
    /// The last unit of the tier before.
    floor: Decimal,
    /// The price of everything up to the floor, and this tier's flat amount.
    base: Decimal,
    unit_price: Decimal,
}

impl From<Vec<Tier>> for Tiers {
    fn from(tiers: Vec<Tier>) -> Self {
        let steps = steps(&tiers);
        Self { tiers, steps }
    }
}

fn steps(tiers: &[Tier]) -> Result<Vec<Step>, Fault> {
    let (mut floor, mut charged) = (Decimal::ZERO, Decimal::ZERO);
    let mut steps = Vec::with_capacity(tiers.len());
    for Tier { up_to, unit_price, flat } in tiers {
        let base = charged.plus(*flat)?;
        steps.push(Step { floor, base, unit_price: *unit_price });
        if let Some(ceiling) = *up_to {
            charged = base.plus(ceiling.minus(floor)?.times(*unit_price)?)?;
            floor = ceiling;
        }
    }
    Ok(steps)
}

impl Tiers {
    /// What so many units cost, counted from the first of the period.
    pub fn price(&self, total: Decimal) -> Result<Decimal, Fault> {
        let steps = self.steps.as_ref().map_err(Fault::clone)?;
        let Some(step) = steps.iter().rev().find(|step| step.floor < total) else {
            return Ok(Decimal::ZERO);
        };
        step.base.plus(total.minus(step.floor)?.times(step.unit_price)?)
    }

    /// Adds whatever is wrong with them.
    pub fn check(&self, problems: &mut Problems) {
        check(&self.tiers, problems);
        if let Err(fault) = &self.steps {
            problems.add("/tiers", format!("the price of a whole tier cannot be held exactly: {fault}"));
        }
    }
}

/// Tiers must ascend from above zero, and the last one must be open.
fn check(tiers: &[Tier], problems: &mut Problems) {
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
