//! Amounts of money as whole nano-units, and the one division that rounds.
//!
//! Nothing else in the engine rounds: a decimal becomes an [`Amount`] here or nowhere.

use std::fmt;
use std::str::FromStr;

use iso_currency::Currency;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Digits after the point of an amount: nano-units, 10⁻⁹ of the currency.
pub const SCALE: u32 = 9;

/// Powers of ten that an `i128` holds: `POWERS_OF_TEN[n]` is 10ⁿ.
pub const POWERS_OF_TEN: [i128; 39] = powers_of_ten();

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // evaluated at compile time
const fn powers_of_ten() -> [i128; 39] {
    let mut powers = [1_i128; 39];
    let mut n = 1;
    while n < 39 {
        powers[n] = powers[n - 1] * 10;
        n += 1;
    }
    powers
}

/// 10ⁿ, or `None` past 10³⁸.
pub fn power_of_ten(n: u32) -> Option<i128> {
    POWERS_OF_TEN.get(n as usize).copied()
}

/// An amount of money in nano-units of some currency: one posting, up to about ±9.2 thousand million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

/// Why a number is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Larger than a posting can hold.
    #[error("{0} is out of range: an amount lies between -9223372036 and 9223372036")]
    OutOfRange(String),
    /// More digits after the point than a nano-unit has.
    #[error("{0} is too precise: an amount has at most 9 digits after the point")]
    TooPrecise(String),
    /// Not a decimal number at all.
    #[error("{0:?} is not a decimal number such as \"12.50\"")]
    NotANumber(String),
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// This many nano-units.
    pub const fn from_nano(nano: i64) -> Self {
        Self(nano)
    }

    /// The number of nano-units.
    pub const fn nano(self) -> i64 {
        self.0
    }

    /// The amount that `decimal` names exactly.
    ///
    /// # Errors
    /// [`MoneyError::TooPrecise`] past nine digits after the point, [`MoneyError::OutOfRange`] past a posting.
    pub fn exact(decimal: Decimal) -> Result<Self, MoneyError> {
        if decimal.normalize().scale() > SCALE {
            return Err(MoneyError::TooPrecise(decimal.to_string()));
        }
        Self::rounded(decimal)
    }

    /// `decimal` rounded half to even to a whole nano-unit.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] past a posting.
    pub fn rounded(decimal: Decimal) -> Result<Self, MoneyError> {
        let nano = if decimal.scale() <= SCALE {
            power_of_ten(SCALE.saturating_sub(decimal.scale()))
                .and_then(|factor| decimal.mantissa().checked_mul(factor))
        } else {
            power_of_ten(decimal.scale().saturating_sub(SCALE))
                .and_then(|divisor| divide_half_even(decimal.mantissa(), divisor))
        };
        nano.and_then(|nano| i64::try_from(nano).ok())
            .map(Self)
            .ok_or_else(|| MoneyError::OutOfRange(decimal.to_string()))
    }

    /// The sum, or `None` when it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` when it does not fit.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The opposite, or `None` when it does not fit.
    pub fn checked_neg(self) -> Option<Self> {
        self.0.checked_neg().map(Self)
    }

    /// `share` of this amount, rounded half to even to a whole nano-unit; `None` when it does not fit.
    pub fn checked_share(self, share: Decimal) -> Option<Self> {
        let product = i128::from(self.0).checked_mul(share.mantissa())?;
        let nano = divide_half_even(product, power_of_ten(share.scale())?)?;
        i64::try_from(nano).ok().map(Self)
    }

    /// The exact decimal value in units of the currency, with nine digits after the point.
    pub fn decimal(self) -> Decimal {
        Decimal::new(self.0, SCALE)
    }
}

/// Writes the exact amount in units of the currency, without trailing zeros: `0.42`, `-3`, `0`.
impl fmt::Display for Amount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&format_nano(i128::from(self.0)))
    }
}

impl FromStr for Amount {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let decimal = Decimal::from_str_exact(text).map_err(|_| MoneyError::NotANumber(text.to_owned()))?;
        Self::exact(decimal)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A sum of nano-units as an exact decimal string in units of the currency, without trailing zeros.
pub fn format_nano(nano: i128) -> String {
    format_fixed(nano, SCALE)
}

/// The same as people write money: with at least as many digits after the point as the currency's minor
/// unit has (ISO 4217), and its code: `1.80 USD`, `4.06162 USD`, `12 JPY`.
pub fn format_money(nano: i128, currency: &str) -> String {
    let exponent = Currency::from_code(currency).and_then(Currency::exponent).unwrap_or(0);
    let mut text = format_nano(nano);
    let point = text.find('.');
    let digits = point.map_or(0, |point| text.len().saturating_sub(point).saturating_sub(1));
    let missing = usize::from(exponent).saturating_sub(digits);
    if missing > 0 && point.is_none() {
        text.push('.');
    }
    text.extend(std::iter::repeat_n('0', missing));
    format!("{text} {currency}")
}

/// `number` × 10⁻ˢᶜᵃˡᵉ as an exact decimal string without trailing zeros. The scale is at most 38.
pub fn format_fixed(number: i128, scale: u32) -> String {
    let magnitude = number.unsigned_abs();
    let unit = power_of_ten(scale).map_or(1, i128::unsigned_abs);
    let (whole, fraction) = (magnitude / unit, magnitude % unit);
    let sign = if number < 0 { "-" } else { "" };
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let digits = format!("{fraction:0width$}", width = scale as usize);
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}

/// `numerator / denominator` rounded half to even; `None` for a zero denominator or on overflow.
pub fn divide_half_even(numerator: i128, denominator: i128) -> Option<i128> {
    let quotient = numerator.checked_div_euclid(denominator)?;
    let remainder = numerator.checked_rem_euclid(denominator)?.unsigned_abs();
    let rest = denominator.unsigned_abs().checked_sub(remainder)?;
    let up = match remainder.cmp(&rest) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => quotient & 1 != 0,
    };
    if up { quotient.checked_add(denominator.signum()) } else { Some(quotient) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_to_the_even_neighbour() {
        let cases = [
            ((5, 10), 0),
            ((15, 10), 2),
            ((25, 10), 2),
            ((-5, 10), 0),
            ((-15, 10), -2),
            ((-25, 10), -2),
            ((14, 10), 1),
            ((16, 10), 2),
            ((-14, 10), -1),
            ((-16, 10), -2),
            ((1, 3), 0),
            ((2, 3), 1),
            ((7, -2), -4),
        ];
        for ((numerator, denominator), expected) in cases {
            assert_eq!(divide_half_even(numerator, denominator), Some(expected), "{numerator}/{denominator}");
        }
        assert_eq!(divide_half_even(1, 0), None);
    }

    #[test]
    fn amounts_are_written_exactly() {
        for (nano, text) in [(0, "0"), (420_000_000, "0.42"), (-3_000_000_000, "-3"), (1, "0.000000001")] {
            assert_eq!(Amount::from_nano(nano).to_string(), text);
            assert_eq!(text.parse(), Ok(Amount::from_nano(nano)));
        }
    }

    #[test]
    fn money_has_at_least_the_digits_of_its_minor_unit() {
        let cases = [
            (1_800_000_000, "USD", "1.80 USD"),
            (-4_061_620_000, "USD", "-4.06162 USD"),
            (0, "USD", "0.00 USD"),
            (12_000_000_000, "JPY", "12 JPY"),
            (12_500_000_000, "KWD", "12.500 KWD"),
        ];
        for (nano, currency, text) in cases {
            assert_eq!(format_money(nano, currency), text);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_and_never_rounded() {
        assert_eq!("0.0000000001".parse::<Amount>(), Err(MoneyError::TooPrecise("0.0000000001".into())));
        assert_eq!("9223372037".parse::<Amount>(), Err(MoneyError::OutOfRange("9223372037".into())));
        assert_eq!("ten".parse::<Amount>(), Err(MoneyError::NotANumber("ten".into())));
    }

    #[test]
    fn a_share_rounds_half_to_even() {
        let half = Decimal::new(5, 1);
        assert_eq!(Amount::from_nano(3).checked_share(half), Some(Amount::from_nano(2)));
        assert_eq!(Amount::from_nano(5).checked_share(half), Some(Amount::from_nano(2)));
        assert_eq!(Amount::from_nano(i64::MAX).checked_share(Decimal::new(2, 0)), None);
    }
}
