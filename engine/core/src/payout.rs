//! Payouts: what a Builder is paid of the earnings of closed periods.

use iso_currency::Currency;

use crate::money::{SCALE, power_of_ten};

/// How earnings divide into what can be paid and what is carried forward. In nano-units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payable {
    /// A whole number of the currency's minor units, zero or more.
    pub paid: i128,
    /// The remainder, which stays payable; negative when the Builder owes.
    pub carried: i128,
}

/// Floors earnings to the currency's minor unit (ISO 4217). `None` when the currency is unknown.
pub fn payable(currency: &str, earnings: i128) -> Option<Payable> {
    let exponent = u32::from(Currency::from_code(currency)?.exponent()?);
    let minor_unit = power_of_ten(SCALE.checked_sub(exponent)?)?;
    let remainder = earnings.max(0).checked_rem(minor_unit)?;
    let paid = earnings.max(0).checked_sub(remainder)?;
    Some(Payable { paid, carried: earnings.checked_sub(paid)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payouts_floor_and_carry_the_remainder() {
        let cases = [
            ("USD", 1_239_999_999, 1_230_000_000, 9_999_999),
            ("JPY", 1_999_999_999, 1_000_000_000, 999_999_999),
            ("KWD", 1_239_999_999, 1_239_000_000, 999_999),
            ("USD", -5, 0, -5),
            ("USD", 0, 0, 0),
        ];
        for (currency, earnings, paid, carried) in cases {
            assert_eq!(payable(currency, earnings), Some(Payable { paid, carried }), "{currency} {earnings}");
        }
        assert_eq!(payable("XYZ", 1), None);
    }
}
