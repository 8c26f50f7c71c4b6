//! Exact fractions: read from decimal text, rounded once where the specification says so, written back.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One as _, Signed as _, Zero as _};

/// A number without any error.
pub type Fraction = BigRational;

/// Ten to a power, which may be negative.
pub fn power_of_ten(exponent: i32) -> Fraction {
    Fraction::from_integer(BigInt::from(10)).pow(exponent)
}

/// What a decimal text means: `12`, `0.0375`, `1.5e3`.
pub fn read(text: &str) -> Fraction {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let coefficient: BigInt = format!("{whole}{fraction}").parse().expect("a decimal number");
    let exponent: i32 = exponent.parse().expect("an exponent");
    Fraction::from_integer(coefficient) * power_of_ten(exponent - i32::try_from(fraction.len()).unwrap())
}

/// Rounded half to even to nano-units.
pub fn nano(value: &Fraction) -> Fraction {
    let scaled = value * power_of_ten(9);
    let below = scaled.floor();
    let rest = &scaled - &below;
    let half = Fraction::new(BigInt::one(), BigInt::from(2));
    let is_odd = (below.to_integer() % 2_i32) != BigInt::zero();
    let up = rest > half || rest == half && is_odd;
    (if up { below + Fraction::one() } else { below }) / power_of_ten(9)
}

/// The exact decimal text, without trailing zeros; `0` for zero.
pub fn written(value: &Fraction) -> String {
    let pico = value * power_of_ten(12);
    assert!(pico.is_integer(), "{value} has no end within 12 digits");
    let digits = format!("{:0>13}", pico.to_integer().abs().to_string());
    let (whole, fraction) = digits.split_at(digits.len() - 12);
    let sign = if value.is_negative() { "-" } else { "" };
    format!("{sign}{whole}.{fraction}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The larger of the two.
pub fn larger(one: Fraction, other: Fraction) -> Fraction {
    if one > other { one } else { other }
}

/// The smaller of the two.
pub fn smaller(one: Fraction, other: Fraction) -> Fraction {
    if one < other { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_to_the_even_neighbour() {
        let cases = [
            ("0.0000000005", "0"),
            ("0.0000000015", "0.000000002"),
            ("0.0000000025", "0.000000002"),
            ("0.00000000250000000001", "0.000000003"),
            ("-0.0000000015", "-0.000000002"),
            ("-0.0000000025", "-0.000000002"),
            ("12e-1", "1.2"),
            ("1.50e3", "1500"),
        ];
        for (text, rounded) in cases {
            assert_eq!(written(&nano(&read(text))), rounded, "{text}");
        }
    }
}
