//! Amounts in the whole numbers that Stripe counts, exactly or not at all.
//!
//! Stripe's number of digits after the point is its own (<https://docs.stripe.com/currencies>) and differs from
//! ISO 4217: the ariary has none, the krona of Iceland and the shilling of Uganda have two that must be zero,
//! and of three digits the last must be zero.

use iso_currency::Currency;
use tollgate_core::money::{Amount, SCALE, power_of_ten};
use tollgate_core::payment::ProviderError;

const WITHOUT_DIGITS: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
const THREE_DIGITS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];
const TWO_ZEROS: [&str; 2] = ["ISK", "UGX"];

/// How Stripe counts a currency.
struct Rule {
    /// Digits after the point.
    exponent: u32,
    /// Numbers must be multiples of this.
    multiple: i64,
}

fn rule(currency: &str) -> Result<Rule, ProviderError> {
    if WITHOUT_DIGITS.contains(&currency) {
        Ok(Rule { exponent: 0, multiple: 1 })
    } else if THREE_DIGITS.contains(&currency) {
        Ok(Rule { exponent: 3, multiple: 10 })
    } else if TWO_ZEROS.contains(&currency) {
        Ok(Rule { exponent: 2, multiple: 100 })
    } else if Currency::from_code(currency).and_then(Currency::exponent) == Some(2) {
        Ok(Rule { exponent: 2, multiple: 1 })
    } else {
        Err(ProviderError::Refused(format!("how Stripe counts the currency {currency:?} is not known")))
    }
}

/// The number that Stripe is told for an amount of more than zero.
///
/// # Errors
/// [`ProviderError::Refused`] when there is no such number.
pub(super) fn to_minor(amount: Amount, currency: &str) -> Result<i64, ProviderError> {
    let Rule { exponent, multiple } = rule(currency)?;
    let refuse =
        |what: String| ProviderError::Refused(format!("{amount} {currency} cannot be moved: {what}"));
    if amount <= Amount::ZERO {
        return Err(refuse("it is not more than zero".into()));
    }
    let unit = power_of_ten(SCALE.saturating_sub(exponent)).unwrap_or(1);
    let step = unit.saturating_mul(i128::from(multiple));
    let nano = i128::from(amount.nano());
    if nano.checked_rem(step) != Some(0) {
        let step = i64::try_from(step).map(Amount::from_nano).unwrap_or_default();
        return Err(refuse(format!("Stripe counts {currency} in whole multiples of {step}")));
    }
    let minor = nano.checked_div(unit).and_then(|minor| i64::try_from(minor).ok());
    minor.ok_or_else(|| refuse("it is too large".into()))
}

/// The amount that Stripe means with a number; the currency in small or capital letters.
///
/// # Errors
/// [`ProviderError::Unknown`] when it does not fit.
pub(super) fn from_minor(minor: i64, currency: &str) -> Result<Amount, ProviderError> {
    let currency = currency.to_ascii_uppercase();
    let Rule { exponent, .. } = rule(&currency)?;
    let unit = power_of_ten(SCALE.saturating_sub(exponent)).unwrap_or(1);
    let nano = i128::from(minor).checked_mul(unit).and_then(|nano| i64::try_from(nano).ok());
    let lost =
        || ProviderError::Unknown(format!("Stripe shows {minor} {currency}, more than an amount can be"));
    nano.map(Amount::from_nano).ok_or_else(lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_become_the_numbers_of_stripes_own_table_and_back() {
        for (amount, currency, minor) in [
            ("12.34", "USD", 1234),
            ("0.01", "EUR", 1),
            ("500", "JPY", 500),
            ("500", "MGA", 500),
            ("5", "UGX", 500),
            ("5", "ISK", 500),
            ("10.5", "HUF", 1050),
            ("1.230", "KWD", 1230),
            ("9223372036", "USD", 922_337_203_600),
        ] {
            let amount: Amount = amount.parse().unwrap();
            assert_eq!(to_minor(amount, currency), Ok(minor), "{amount} {currency}");
            assert_eq!(from_minor(minor, &currency.to_lowercase()), Ok(amount), "{amount} {currency}");
        }
    }

    #[test]
    fn what_stripe_cannot_count_is_refused_and_never_rounded() {
        for (amount, currency, words) in [
            ("12.345", "USD", "multiples of 0.01"),
            ("0.000000001", "EUR", "multiples of 0.01"),
            ("500.5", "JPY", "multiples of 1"),
            ("1.234", "KWD", "multiples of 0.01"),
            ("5.01", "ISK", "multiples of 1"),
            ("0", "USD", "not more than zero"),
            ("-1", "USD", "not more than zero"),
            ("1", "CLF", "is not known"),
            ("1", "usd", "is not known"),
            ("1", "XYZ", "is not known"),
        ] {
            let error = to_minor(amount.parse().unwrap(), currency).unwrap_err().to_string();
            assert!(error.contains(words), "{amount} {currency}: {error}");
        }
        assert!(matches!(from_minor(i64::MAX, "usd"), Err(ProviderError::Unknown(_))));
    }
}
