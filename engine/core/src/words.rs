//! Decimals as the contract's two words; see `sdk/wit/pricing.wit`.

use rust_decimal::Decimal;

const SIGN: u64 = 1 << 63;
const RESERVED: u64 = !(SIGN | 0xff_ffff_ffff);
const SCALE_MAX: u32 = 28;

/// Why two words are not a decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the words {w0:#x}, {w1:#x} are not a canonical decimal: {fault}")]
pub struct NotCanonical {
    /// The first word.
    pub w0: u64,
    /// The second word.
    pub w1: u64,
    /// What is wrong.
    pub fault: &'static str,
}

/// The two words of a decimal.
#[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation)] // the magnitude is split into its bits
pub fn encode(decimal: Decimal) -> [u64; 2] {
    let coefficient = decimal.mantissa().unsigned_abs();
    let sign = if decimal.is_sign_negative() && coefficient != 0 { SIGN } else { 0 };
    [coefficient as u64, (coefficient >> 64) as u64 | (u64::from(decimal.scale()) << 32) | sign]
}

/// The decimal that two words name.
///
/// # Errors
/// [`NotCanonical`] when a reserved bit is set, the scale is past 28, or zero is negative.
#[allow(clippy::cast_possible_truncation)] // each part is masked to its width
pub fn decode([w0, w1]: [u64; 2]) -> Result<Decimal, NotCanonical> {
    let refuse = |fault| Err(NotCanonical { w0, w1, fault });
    if w1 & RESERVED != 0 {
        return refuse("a reserved bit is set");
    }
    let (high, scale, negative) = (w1 as u32, ((w1 >> 32) & 0xff) as u32, w1 & SIGN != 0);
    if scale > SCALE_MAX {
        return refuse("the scale is past 28");
    }
    if negative && w0 == 0 && high == 0 {
        return refuse("zero is negative");
    }
    Ok(Decimal::from_parts(w0 as u32, (w0 >> 32) as u32, high, negative, scale))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_canonical_is_refused() {
        for (words, fault) in [
            ([0, SIGN], "zero is negative"),
            ([1, 29 << 32], "the scale is past 28"),
            ([1, 1 << 40], "a reserved bit is set"),
            ([1, 1 << 62], "a reserved bit is set"),
        ] {
            assert_eq!(decode(words).unwrap_err().fault, fault);
        }
    }

    proptest! {
        #[test]
        fn words_round_trip(low: u32, middle: u32, high: u32, negative: bool, scale in 0_u32..=28) {
            let decimal = Decimal::from_parts(low, middle, high, negative, scale);
            let back = decode(encode(decimal)).unwrap();
            prop_assert_eq!((back, back.scale()), (decimal, decimal.scale()));
        }
    }
}
