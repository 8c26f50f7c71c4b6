//! Exact decimals against big fractions: a result is exact, or there is none.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // What cannot be is a failed test.

use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;
use tollgate_sdk::{Decimal, cumulative};

fn fraction(decimal: Decimal) -> BigRational {
    let digits: BigInt = decimal.to_string().replace('.', "").parse().unwrap();
    BigRational::new(digits, BigInt::from(10).pow(decimal.scale()))
}

/// Half to even, on big integers alone.
fn rounded(value: &BigRational, places: u32) -> BigRational {
    let power = BigRational::from(BigInt::from(10).pow(places));
    let shifted = value * &power;
    let floor = shifted.floor().to_integer();
    let rest = &shifted - BigRational::from(floor.clone());
    let half = BigRational::new(1.into(), 2.into());
    let odd = &floor % BigInt::from(2) != BigInt::from(0);
    let up = rest > half || (rest == half && odd);
    BigRational::from(floor + BigInt::from(i32::from(up))) / power
}

/// Coefficients of every length, often with trailing zeros; every scale.
fn decimals() -> impl Strategy<Value = Decimal> {
    let magnitude = (0..=96_u32, any::<u128>()).prop_map(|(bits, raw)| raw & ((1_u128 << bits) - 1));
    (magnitude, 0..=28_u32, any::<bool>(), 0..=12_u32).prop_map(|(raw, scale, negative, zeros)| {
        let coefficient = raw / 10_u128.pow(zeros) * 10_u128.pow(zeros);
        let sign = if negative && coefficient != 0 { 1_u64 << 63 } else { 0 };
        let low = u64::try_from(coefficient & u128::from(u64::MAX)).unwrap();
        let high = u64::try_from(coefficient >> 64).unwrap();
        Decimal::from_words(low, high | (u64::from(scale) << 32) | sign)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn arithmetic_is_exact_or_refused(left in decimals(), right in decimals()) {
        if let Ok(sum) = left.plus(right) {
            prop_assert_eq!(fraction(sum), fraction(left) + fraction(right));
        }
        if let Ok(difference) = left.minus(right) {
            prop_assert_eq!(fraction(difference), fraction(left) - fraction(right));
        }
        if let Ok(product) = left.times(right) {
            prop_assert_eq!(fraction(product), fraction(left) * fraction(right));
        }
        if let Ok(quotient) = left.divided_by(right) {
            prop_assert_eq!(fraction(quotient), fraction(left) / fraction(right));
        }
        prop_assert_eq!(left.cmp(&right), fraction(left).cmp(&fraction(right)));
    }

    #[test]
    fn short_numbers_are_never_refused(left in 0..=u64::MAX, right in 0..1_000_000_u64, scale in 0..=9_u64) {
        let left = Decimal::from_words(left, scale << 32);
        let right = Decimal::from_words(right, 3 << 32);
        prop_assert!(left.plus(right).is_ok());
        prop_assert!(left.minus(right).is_ok());
        prop_assert!(left.times(right).is_ok());
    }

    #[test]
    fn rounding_is_half_to_even(value in decimals(), places in 0..=28_u32) {
        prop_assert_eq!(fraction(value.rounded(places)), rounded(&fraction(value), places));
        prop_assert_eq!(fraction(value.rounded_to_nano()), rounded(&fraction(value), 9));
    }

    #[test]
    fn quotients_are_rounded_half_to_even(left in decimals(), right in decimals(), places in 0..=28_u32) {
        if let Ok(quotient) = left.divided_by_rounded(right, places) {
            prop_assert_eq!(fraction(quotient), rounded(&(fraction(left) / fraction(right)), places));
        }
    }

    #[test]
    fn whole_quotients_are_the_next_integers(left in decimals(), right in decimals()) {
        let quotient = || fraction(left) / fraction(right);
        if let Ok(up) = left.divided_up(right) {
            prop_assert_eq!(fraction(up), quotient().ceil());
        }
        if let Ok(down) = left.divided_down(right) {
            prop_assert_eq!(fraction(down), quotient().floor());
        }
    }

    #[test]
    fn words_and_text_keep_every_digit(value in decimals()) {
        let [low, high] = value.to_words();
        prop_assert_eq!(Decimal::from_words(low, high).to_string(), value.to_string());
        prop_assert_eq!(Decimal::parse(&value.to_string()).unwrap().to_words(), [low, high]);
        prop_assert_eq!(value.shortest(), value);
    }

    #[test]
    fn a_cumulative_formula_adds_up_to_its_total(steps in prop::collection::vec(0..1_000_000_u64, 1..40)) {
        // A third of a nano for each unit: every single step would be rounded away.
        let formula = |total: Decimal| total.times(Decimal::literal("0.0000000003333333"));
        let (mut counter, mut charged) = (Decimal::ZERO, Decimal::ZERO);
        for step in steps {
            let after = counter.plus(step.into()).unwrap();
            charged = charged.plus(cumulative(counter, after, formula).unwrap()).unwrap();
            counter = after;
        }
        prop_assert_eq!(charged, formula(counter).unwrap().rounded_to_nano());
    }
}

#[test]
fn what_is_lost_elsewhere_is_refused_here() {
    // A product of 29 digits after the point, which a decimal of 28 would silently make zero.
    let (tiny, tinier) = (Decimal::literal("0.00000000000001"), Decimal::literal("0.0000000000000012"));
    assert!(tiny.times(tinier).unwrap_err().message().starts_with("the product "));
    // Too long as it is written, but not with its trailing zeros taken off.
    let even = Decimal::literal("0.50000000000000000000");
    assert_eq!(even.times(even).unwrap(), Decimal::literal("0.25"));
    let largest = Decimal::literal("79228162514264337593543950335");
    assert!(largest.plus(Decimal::ONE).is_err());
    assert!(Decimal::ONE.divided_by(3.into()).unwrap_err().message().contains("does not end"));
    assert!(Decimal::ONE.divided_by(Decimal::ZERO).is_err());
    assert!(Decimal::ONE.divided_up(Decimal::ZERO).is_err());
    assert_eq!(Decimal::literal("201").divided_up(100.into()).unwrap(), Decimal::literal("3"));
    assert_eq!(Decimal::literal("-0.5").divided_down(Decimal::ONE).unwrap(), Decimal::literal("-1"));
    assert!(Decimal::ONE.negated().minus(Decimal::ONE.negated()).unwrap().to_words() == [0, 0]);
}

#[test]
fn only_plain_decimals_are_read() {
    for text in ["", "-", ".", "1.", ".5", "+1", "1e3", " 1", "1_000", "1.2.3", "0x1", "١"] {
        assert!(Decimal::parse(text).is_err(), "`{text}` was read");
    }
    for text in ["0", "-0.5", "007", "12.50", "79228162514264337593543950335"] {
        assert!(Decimal::parse(text).is_ok(), "`{text}` was not read");
    }
    assert!(Decimal::parse("79228162514264337593543950336").is_err());
    assert!(Decimal::parse("0.00000000000000000000000000001").is_err());
    let error = serde_json::from_str::<Decimal>("0.5").unwrap_err().to_string();
    assert!(error.contains("expected a decimal in quotation marks, like \"12.50\""), "{error}");
}
