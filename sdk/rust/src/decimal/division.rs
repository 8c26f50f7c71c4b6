//! The operations that can leave a remainder: rounding, and division.

use super::{Decimal, POWERS_OF_TEN, SCALE_MAX};
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
        let quotient = self.long_division(divisor, SCALE_MAX, None)?;
        quotient.map(Self::shortest).ok_or_else(|| {
            Fault::new(format!("{self} ÷ {divisor} does not end within {SCALE_MAX} digits after the point"))
        })
    }

    /// The quotient, rounded half to even to so many digits (0 to 28) after the point.
    ///
    /// # Errors
    /// When the divisor is zero, or the quotient has more digits than a decimal can hold.
    pub fn divided_by_rounded(self, divisor: Self, places: u32) -> Result<Self, Fault> {
        let quotient = self.long_division(divisor, places.min(SCALE_MAX), Some(()))?;
        quotient.ok_or_else(|| {
            Fault::new(format!("{self} ÷ {divisor} has more digits than an exact decimal can hold"))
        })
    }

    /// Divides digit by digit, up to so many places; a remainder is rounded only when that is asked for.
    fn long_division(self, divisor: Self, places: u32, round: Option<()>) -> Result<Option<Self>, Fault> {
        if divisor.is_zero() {
            return Err(Fault::new(format!("{self} cannot be divided by zero")));
        }
        let negative = self.is_negative() != divisor.is_negative();
        let denominator = divisor.coefficient.unsigned_abs();
        let mut quotient = self.coefficient.unsigned_abs() / denominator;
        let mut remainder = self.coefficient.unsigned_abs() % denominator;
        let mut scale = i64::from(self.scale) - i64::from(divisor.scale);
        // A scale below zero stands for trailing zeros, which have to be written out.
        while scale < 0 || (remainder != 0 && scale < i64::from(places)) {
            let Some(longer) = quotient.checked_mul(10) else { return Ok(None) };
            quotient = longer + remainder * 10 / denominator;
            remainder = remainder * 10 % denominator;
            scale += 1;
        }
        let Ok(scale) = u32::try_from(scale) else { return Ok(None) };
        if remainder != 0 && round.is_none() {
            return Ok(None);
        }
        if scale <= places {
            let rounded = half_even(quotient, remainder, denominator);
            return Ok(Self::fit_shorter(with_sign(rounded, negative), scale));
        }
        // Already more digits than were asked for: a remainder only decides what would be a tie.
        let sticky = u128::from(remainder != 0);
        let Some(power) = POWERS_OF_TEN.get((scale - places) as usize).map(|power| power.unsigned_abs()) else {
            return Ok(Some(Self { coefficient: 0, scale: places }));
        };
        if round.is_none() {
            return Ok(Self::fit_shorter(with_sign(quotient, negative), scale));
        }
        let (whole, rest) = (quotient / power, quotient % power);
        let rounded = half_even(whole, rest * 2 + sticky, power * 2);
        Ok(Self::fit_shorter(with_sign(rounded, negative), places))
    }
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
