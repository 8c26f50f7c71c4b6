//! The operations that can leave a remainder: rounding, and division.

use super::{COEFFICIENT_BITS, Decimal, POWERS_OF_TEN, SCALE_MAX};
use crate::Fault;

impl Decimal {
    /// Rounded half to even to so many digits after the point; unchanged when it has no more than those.
    #[must_use]
    pub fn rounded(self, places: u32) -> Self {
        let Some(dropped) = self.scale.checked_sub(places) else { return self };
        let Some(divisor) = POWERS_OF_TEN.get(dropped as usize).map(|power| power.unsigned_abs()) else {
            return Self { coefficient: 0, scale: places };
        };
        let magnitude = self.coefficient.unsigned_abs();
        let (quotient, remainder) = divide(magnitude, divisor);
        let coefficient = with_sign(half_even(quotient, remainder, divisor), self.is_negative());
        Self { coefficient, scale: places }
    }

    /// The quotient, exactly.
    ///
    /// # Errors
    /// When the divisor is zero, or the quotient does not end within 28 digits after the point: then say
    /// how to round it, with [`Decimal::divided_by_rounded`].
    pub fn divided_by(self, divisor: Self) -> Result<Self, Fault> {
        let quotient = self.long_division(divisor, SCALE_MAX)?.filter(|quotient| quotient.remainder == 0);
        quotient
            .and_then(|Quotient { whole, scale, negative, .. }| {
                Self::fit_shorter(with_sign(whole, negative), scale)
            })
            .ok_or_else(|| {
                Fault::new(format!(
                    "{self} ÷ {divisor} does not end within {SCALE_MAX} digits after the point"
                ))
            })
    }

    /// The quotient, rounded half to even to so many digits (0 to 28) after the point.
    ///
    /// # Errors
    /// When the divisor is zero, or the quotient has more digits than a decimal can hold.
    pub fn divided_by_rounded(self, divisor: Self, places: u32) -> Result<Self, Fault> {
        let places = places.min(SCALE_MAX);
        let quotient = self.long_division(divisor, places)?;
        quotient.and_then(|quotient| quotient.rounded(places)).ok_or_else(|| too_long(self, divisor))
    }

    /// How many divisors it takes to cover this: the quotient, rounded up to an integer. So many packages of
    /// 100 are begun by 201 units: `total.divided_up(100.into())` is 3.
    ///
    /// # Errors
    /// When the divisor is zero, or the quotient has more digits than a decimal can hold.
    pub fn divided_up(self, divisor: Self) -> Result<Self, Fault> {
        self.whole_quotient(divisor, true)
    }

    /// How many whole divisors fit into this: the quotient, rounded down to an integer.
    ///
    /// # Errors
    /// When the divisor is zero, or the quotient has more digits than a decimal can hold.
    pub fn divided_down(self, divisor: Self) -> Result<Self, Fault> {
        self.whole_quotient(divisor, false)
    }

    fn whole_quotient(self, divisor: Self, up: bool) -> Result<Self, Fault> {
        let quotient = self.long_division(divisor, 0)?;
        quotient.and_then(|quotient| quotient.whole(up)).ok_or_else(|| too_long(self, divisor))
    }

    /// Divides digit by digit, until it ends or has so many places; nothing when it grows too long.
    fn long_division(self, divisor: Self, places: u32) -> Result<Option<Quotient>, Fault> {
        if divisor.is_zero() {
            return Err(Fault::new(format!("{self} cannot be divided by zero")));
        }
        let denominator = divisor.coefficient.unsigned_abs();
        let mut whole = self.coefficient.unsigned_abs() / denominator;
        let mut remainder = self.coefficient.unsigned_abs() % denominator;
        let mut scale = i64::from(self.scale) - i64::from(divisor.scale);
        // A scale below zero stands for trailing zeros, which have to be written out.
        while scale < 0 || (remainder != 0 && scale < i64::from(places)) {
            if whole >> COEFFICIENT_BITS != 0 {
                return Ok(None);
            }
            whole = whole * 10 + remainder * 10 / denominator;
            remainder = remainder * 10 % denominator;
            scale += 1;
        }
        let negative = self.is_negative() != divisor.is_negative();
        let quotient = |scale| Quotient { whole, remainder, denominator, scale, negative };
        Ok(u32::try_from(scale).ok().map(quotient))
    }
}

/// A quotient as far as it was worked out: `(whole + remainder / denominator) / 10^scale`.
struct Quotient {
    whole: u128,
    remainder: u128,
    denominator: u128,
    scale: u32,
    negative: bool,
}

impl Quotient {
    fn rounded(self, places: u32) -> Option<Decimal> {
        let dropped = self.scale.saturating_sub(places);
        if dropped == 0 {
            let rounded = half_even(self.whole, self.remainder, self.denominator);
            return Decimal::fit_shorter(with_sign(rounded, self.negative), self.scale);
        }
        let power = POWERS_OF_TEN.get(dropped as usize)?.unsigned_abs();
        // What remains below the last digit only tells a tie from a little more than one.
        let rest = self.whole % power * 2 + u128::from(self.remainder != 0);
        let rounded = half_even(self.whole / power, rest, power * 2);
        Decimal::fit_shorter(with_sign(rounded, self.negative), places)
    }

    /// The next integer up or down.
    fn whole(self, up: bool) -> Option<Decimal> {
        let power = POWERS_OF_TEN.get(self.scale as usize)?.unsigned_abs();
        let exact = self.whole.is_multiple_of(power) && self.remainder == 0;
        let away_from_zero = !exact && up != self.negative;
        Decimal::fit_shorter(with_sign(self.whole / power + u128::from(away_from_zero), self.negative), 0)
    }
}

#[cold]
fn too_long(dividend: Decimal, divisor: Decimal) -> Fault {
    Fault::new(format!("{dividend} ÷ {divisor} has more digits than an exact decimal can hold"))
}

#[inline]
fn divide(magnitude: u128, divisor: u128) -> (u128, u128) {
    match (u64::try_from(magnitude), u64::try_from(divisor)) {
        (Ok(magnitude), Ok(divisor)) => (u128::from(magnitude / divisor), u128::from(magnitude % divisor)),
        _ => (magnitude / divisor, magnitude % divisor),
    }
}

fn half_even(quotient: u128, remainder: u128, divisor: u128) -> u128 {
    let up = match (remainder * 2).cmp(&divisor) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient % 2 == 1,
        std::cmp::Ordering::Greater => true,
    };
    quotient + u128::from(up)
}

#[allow(clippy::cast_possible_wrap)] // A quotient of 96 bits, or it is refused by `fit_shorter`.
fn with_sign(magnitude: u128, negative: bool) -> i128 {
    if negative { -(magnitude as i128) } else { magnitude as i128 }
}
