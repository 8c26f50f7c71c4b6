//! Quantities: measures, usage and counters, as exact decimals within bounds where addition cannot round.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::money::{format_fixed, power_of_ten};

/// The most digits after the point that a quantity may have.
pub const QUANTITY_SCALE_MAX: u32 = 12;

/// A quantity is smaller than this in magnitude: 10¹⁶.
const LIMIT: i64 = 10_000_000_000_000_000;

/// An exact decimal with at most 12 digits after the point and below 10¹⁶ in magnitude.
///
/// Within these bounds a sum needs at most 29 digits, fewer than the 96 bits of a decimal hold, so
/// addition is exact or refused, never rounded. Kept without trailing zeros: equal values have equal bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(Decimal);

/// Why a number is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// More than [`QUANTITY_SCALE_MAX`] digits after the point.
    #[error("{0} is too precise: a quantity has at most 12 digits after the point")]
    TooPrecise(Decimal),
    /// 10¹⁶ or more in magnitude.
    #[error("{0} is out of range: a quantity is below 10000000000000000")]
    OutOfRange(Decimal),
}

impl Quantity {
    /// None of it.
    pub const ZERO: Self = Self(Decimal::ZERO);
    /// One of it.
    pub const ONE: Self = Self(Decimal::ONE);

    /// `decimal` as a quantity.
    ///
    /// # Errors
    /// When it has too many digits after the point or is too large.
    pub fn new(decimal: Decimal) -> Result<Self, QuantityError> {
        let decimal = if decimal.scale() == 0 { decimal } else { decimal.normalize() };
        if decimal.scale() > QUANTITY_SCALE_MAX {
            return Err(QuantityError::TooPrecise(decimal));
        }
        if decimal.abs() >= Decimal::from(LIMIT) {
            return Err(QuantityError::OutOfRange(decimal));
        }
        Ok(Self(if decimal.is_zero() { Decimal::ZERO } else { decimal }))
    }

    /// The exact sum.
    ///
    /// # Errors
    /// [`QuantityError::OutOfRange`] when it is too large.
    pub fn plus(self, other: Self) -> Result<Self, QuantityError> {
        // Exact: see the type. `checked_add` cannot fail within the bounds either.
        let sum = self.0.checked_add(other.0).ok_or(QuantityError::OutOfRange(self.0))?;
        Self::new(sum)
    }

    /// The same below zero, or above.
    #[must_use]
    pub fn opposite(self) -> Self {
        if self.0.is_zero() { self } else { Self(-self.0) }
    }

    /// The value.
    pub const fn decimal(self) -> Decimal {
        self.0
    }

    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        self.0.is_sign_negative() && !self.0.is_zero()
    }

    /// Whether it is zero.
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl From<u32> for Quantity {
    fn from(whole: u32) -> Self {
        Self(Decimal::from(whole))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let decimal = Decimal::from_str_exact(&text).map_err(|_| {
            serde::de::Error::custom(format!("{text:?} is not a decimal number such as \"12.5\""))
        })?;
        Self::new(decimal).map_err(serde::de::Error::custom)
    }
}

/// A sum of quantities, in whole pico-units (10⁻¹²): wide enough that no number of events overflows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuantitySum(i128);

impl QuantitySum {
    /// This many pico-units.
    pub const fn from_pico(pico: i128) -> Self {
        Self(pico)
    }

    /// The number of pico-units.
    pub const fn pico(self) -> i128 {
        self.0
    }

    /// The sum, or `None` when it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

impl From<Quantity> for QuantitySum {
    fn from(quantity: Quantity) -> Self {
        let decimal = quantity.decimal();
        let factor = power_of_ten(QUANTITY_SCALE_MAX.saturating_sub(decimal.scale())).unwrap_or(1);
        // Exact: a quantity is below 10¹⁶, so below 10²⁸ pico-units.
        Self(decimal.mantissa().saturating_mul(factor))
    }
}

/// Writes the exact sum without trailing zeros.
impl fmt::Display for QuantitySum {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&format_fixed(self.0, QUANTITY_SCALE_MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bounds_are_named() {
        let precise = Decimal::new(1, 13);
        assert_eq!(Quantity::new(precise), Err(QuantityError::TooPrecise(precise)));
        let large = Decimal::from(LIMIT);
        assert_eq!(Quantity::new(large), Err(QuantityError::OutOfRange(large)));
        assert_eq!(Quantity::new(Decimal::new(1_000, 15)).unwrap().to_string(), "0.000000000001");
    }

    proptest! {
        #[test]
        fn addition_is_exact(a in -10_i128.pow(28)+1..10_i128.pow(28), b in -10_i128.pow(28)+1..10_i128.pow(28)) {
            let quantity = |pico| Quantity::new(Decimal::from_i128_with_scale(pico, QUANTITY_SCALE_MAX)).unwrap();
            match quantity(a).plus(quantity(b)) {
                Ok(sum) => prop_assert_eq!(sum, quantity(a + b)),
                Err(_) => prop_assert!((a + b).abs() >= 10_i128.pow(28)),
            }
        }
    }
}
