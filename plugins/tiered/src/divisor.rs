//! The divisor: how much of the measures makes one unit.

use tollgate_sdk::prelude::*;

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
