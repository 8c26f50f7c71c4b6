//! Decimal numbers as JSON writes them, read exactly: no float is ever involved.
//!
//! Owns the reading of digits, point and exponent within stated limits. What a number means, and whether
//! it may be negative, is for the caller.

use rust_decimal::Decimal;

use crate::money::power_of_ten;

/// The most digits that a number may have in all, so that its coefficient fits a [`Decimal`].
const DIGITS_MAX: u32 = 28;

/// An exact decimal, `coefficient / 10^scale`, without trailing zeros after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exact {
    /// Signed; below 10²⁸ in magnitude.
    pub coefficient: i128,
    /// Digits after the point.
    pub scale: u32,
}

/// How many digits a number may have before and after the point; at most 28 together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The number is below 10 to this power.
    pub whole_digits: u32,
    /// Digits after the point.
    pub fraction_digits: u32,
}

/// Why a text is not a number within the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberFault {
    /// Not digits with an optional sign, point and exponent.
    NotANumber,
    /// Too many digits after the point.
    TooPrecise,
    /// Too many digits before the point.
    TooLarge,
}

impl Exact {
    /// The same value as a [`Decimal`].
    pub fn decimal(self) -> Option<Decimal> {
        Decimal::try_from_i128_with_scale(self.coefficient, self.scale).ok()
    }
}

/// Reads `-12.50e3`: an optional minus, digits, an optional fraction and an optional exponent.
pub(crate) fn read(text: &str, limits: Limits) -> Result<Exact, NumberFault> {
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let sign = if negative { -1 } else { 1 };
    // Nearly every number is a short whole one.
    if (1..=15).contains(&unsigned.len()) && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        let whole: i64 = unsigned.parse().map_err(|_| NumberFault::NotANumber)?;
        if power_of_ten(limits.whole_digits).is_none_or(|limit| i128::from(whole) < limit) {
            return Ok(Exact { coefficient: sign * i128::from(whole), scale: 0 });
        }
        return Err(NumberFault::TooLarge);
    }
    read_any(unsigned, limits).map(|exact| Exact { coefficient: sign * exact.coefficient, ..exact })
}

fn read_any(text: &str, limits: Limits) -> Result<Exact, NumberFault> {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, read_exponent(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) {
        return Err(NumberFault::NotANumber);
    }
    let all = || whole.bytes().chain(fraction.bytes());
    let Some(first) = all().position(|byte| byte != b'0') else {
        return Ok(Exact { coefficient: 0, scale: 0 });
    };
    let last = whole.len() + fraction.len() - all().rev().position(|byte| byte != b'0').unwrap_or(0);
    // The number is 0.ddd × 10^magnitude, with `significant` digits.
    let significant = last.saturating_sub(first);
    let magnitude = signed(whole.len()).saturating_sub(signed(first)).saturating_add(exponent);
    if magnitude > i64::from(limits.whole_digits) {
        return Err(NumberFault::TooLarge);
    }
    let scale = signed(significant).saturating_sub(magnitude).max(0);
    if scale > i64::from(limits.fraction_digits) || signed(significant) > i64::from(DIGITS_MAX) {
        return Err(NumberFault::TooPrecise);
    }
    let mut coefficient = 0_i128;
    for byte in all().skip(first).take(significant) {
        coefficient = coefficient * 10 + i128::from(byte - b'0');
    }
    let zeros = u32::try_from(magnitude.saturating_sub(signed(significant)).max(0)).unwrap_or(u32::MAX);
    let coefficient = power_of_ten(zeros).and_then(|factor| coefficient.checked_mul(factor));
    Ok(Exact {
        coefficient: coefficient.ok_or(NumberFault::TooLarge)?,
        scale: u32::try_from(scale).map_err(|_| NumberFault::TooPrecise)?,
    })
}

/// An exponent; one that no limit could bear is as good as any other such.
fn read_exponent(text: &str) -> Result<i64, NumberFault> {
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => (-1, text.get(1..)),
        Some(b'+') => (1, text.get(1..)),
        _ => (1, Some(text)),
    };
    let digits =
        digits.filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let magnitude = digits
        .ok_or(NumberFault::NotANumber)?
        .bytes()
        .fold(0_i64, |magnitude, byte| magnitude.saturating_mul(10).saturating_add(i64::from(byte - b'0')));
    Ok(sign * magnitude)
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { whole_digits: 15, fraction_digits: 9 };

    #[test]
    fn numbers_are_read_digit_for_digit() {
        for (text, coefficient, scale) in [
            ("0", 0, 0),
            ("-0", 0, 0),
            ("0.000", 0, 0),
            ("0e999999999999999999999", 0, 0),
            ("42", 42, 0),
            ("007", 7, 0),
            ("-3", -3, 0),
            ("1.50", 15, 1),
            ("100.0", 100, 0),
            ("12.5e3", 12_500, 0),
            ("12.5E-3", 125, 4),
            ("1e+2", 100, 0),
            ("0.000000001", 1, 9),
            ("999999999999999.999999999", 999_999_999_999_999_999_999_999, 9),
            ("1.00000000000000000000000000000000000000000000000", 1, 0),
            ("0.1000000000000000055511151231257827e0", 0, u32::MAX),
        ] {
            let read = read(text, LIMITS);
            if scale == u32::MAX {
                assert_eq!(read, Err(NumberFault::TooPrecise), "{text}");
            } else {
                assert_eq!(read, Ok(Exact { coefficient, scale }), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_number_or_past_the_limits_is_named() {
        use NumberFault::{NotANumber, TooLarge, TooPrecise};
        for (text, fault) in [
            ("", NotANumber),
            ("-", NotANumber),
            ("--1", NotANumber),
            ("+1", NotANumber),
            (" 1", NotANumber),
            ("1 ", NotANumber),
            ("1.", NotANumber),
            (".5", NotANumber),
            ("1e", NotANumber),
            ("1e-", NotANumber),
            ("1.2.3", NotANumber),
            ("1,000", NotANumber),
            ("ten", NotANumber),
            ("NaN", NotANumber),
            ("٣", NotANumber),
            ("1000000000000000", TooLarge),
            ("1e15", TooLarge),
            ("1e999999999999999999999", TooLarge),
            ("0.0000000001", TooPrecise),
            ("1e-10", TooPrecise),
            ("1e-999999999999999999999", TooPrecise),
        ] {
            assert_eq!(read(text, LIMITS), Err(fault), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_spelling_of_a_number_is_the_same_number(
            coefficient in -999_999_999_999_i64..=999_999_999_999, scale in 0_u32..=9, zeros in 0_usize..12,
        ) {
            let decimal = Decimal::new(coefficient, scale);
            let expected = decimal.normalize();
            let padded = if scale == 0 { format!("{decimal}.0{}", "0".repeat(zeros)) } else { format!("{decimal}{}", "0".repeat(zeros)) };
            for text in [decimal.to_string(), padded, format!("{coefficient}e-{scale}")] {
                let read = read(&text, LIMITS).unwrap();
                prop_assert_eq!((read.coefficient, read.scale), (expected.mantissa(), expected.scale()));
            }
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.eE]{0,60}") {
            let _ = read(&text, LIMITS);
        }
    }
}
