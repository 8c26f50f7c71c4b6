//! What banks write: account numbers, bank codes, and the letters that their networks carry.

mod characters;

use crate::code::modulo_97;

pub use characters::plain;

/// Why a bank would not take something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BankError {
    /// Not an account number.
    #[error(
        "{0:?} is not an IBAN: two letters, two digits and up to 30 letters and digits (DE89 3704 0044 0532 0130 00)"
    )]
    NotAnIban(String),
    /// Of another length than the country's.
    #[error("{text:?} is not an IBAN: one of {country} has {expected} letters and digits, this has {found}")]
    Length {
        /// The text.
        text: String,
        /// The country's two letters.
        country: &'static str,
        /// How many its account numbers have.
        expected: usize,
        /// How many this has.
        found: usize,
    },
    /// Its check digits are wrong.
    #[error("{0:?} is not an IBAN: its check digits are wrong, so a digit was mistyped or left out")]
    CheckDigits(String),
    /// Not a bank code.
    #[error(
        "{0:?} is not a BIC: eight or eleven letters and digits, with the country in the middle (COBADEFFXXX)"
    )]
    NotABic(String),
    /// A letter that no bank's network carries.
    #[error(
        "{text:?} has {letter:?}, which payment files cannot carry: write it in Latin letters, as the bank does"
    )]
    Letter {
        /// The text.
        text: String,
        /// The first such letter.
        letter: char,
    },
    /// Nothing is left.
    #[error("it is empty: write it as the bank does")]
    Empty,
    /// Too long for the field.
    #[error("{text:?} has {found} letters, and payment files carry {most}: shorten it as the bank does")]
    TooLong {
        /// The text.
        text: String,
        /// Its letters.
        found: usize,
        /// The most there may be.
        most: usize,
    },
}

/// Lengths of the IBANs of the countries of SEPA and some more (the registry of ISO 13616).
const LENGTHS: [(&str, usize); 56] = [
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BR", 29),
    ("CH", 21),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("EE", 20),
    ("ES", 24),
    ("FI", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MT", 31),
    ("NL", 18),
    ("NO", 15),
    ("PL", 28),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("SA", 24),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("TR", 26),
    ("UA", 29),
];

/// An account number (ISO 13616) as banks exchange it: capital letters, no spaces, and its check digits right.
///
/// # Errors
/// [`BankError`] when it is none.
pub fn iban(text: &str) -> Result<String, BankError> {
    let iban: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    let bytes = iban.as_bytes();
    let fits = |at: std::ops::Range<usize>, is_right: fn(&u8) -> bool| {
        bytes.get(at).is_some_and(|part| part.iter().all(is_right))
    };
    let is_formed = (5..=34).contains(&bytes.len())
        && fits(0..2, u8::is_ascii_uppercase)
        && fits(2..4, u8::is_ascii_digit)
        && fits(4..bytes.len(), u8::is_ascii_alphanumeric);
    let Some((head, body)) = iban.split_at_checked(4).filter(|_| is_formed) else {
        return Err(BankError::NotAnIban(text.to_owned()));
    };
    let known = LENGTHS.into_iter().find(|(country, _)| head.starts_with(country));
    if let Some((country, expected)) = known
        && expected != iban.len()
    {
        return Err(BankError::Length { text: text.to_owned(), country, expected, found: iban.len() });
    }
    match modulo_97(body.chars().chain(head.chars())) {
        Some(1) => Ok(iban),
        _ => Err(BankError::CheckDigits(text.to_owned())),
    }
}

/// A bank code (ISO 9362) in capital letters.
///
/// # Errors
/// [`BankError::NotABic`].
pub fn bic(text: &str) -> Result<String, BankError> {
    let bic = text.trim().to_ascii_uppercase();
    let is_country = |part: &[u8]| part.iter().all(u8::is_ascii_uppercase);
    let is_formed = matches!(bic.len(), 8 | 11)
        && bic.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && bic.as_bytes().get(4..6).is_some_and(is_country);
    if is_formed { Ok(bic) } else { Err(BankError::NotABic(text.to_owned())) }
}

/// An account number of which only the country, the check digits and the end are shown: `DE89 … 3000`.
pub fn masked(iban: &str) -> String {
    let letters: Vec<char> = iban.chars().filter(|letter| !letter.is_whitespace()).collect();
    match (letters.first_chunk::<4>(), letters.last_chunk::<4>()) {
        (Some(head), Some(end)) if letters.len() >= 12 => {
            format!("{} … {}", String::from_iter(head), String::from_iter(end))
        }
        _ => "…".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_numbers_of_the_registry_are_taken() {
        for text in [
            "DE89 3704 0044 0532 0130 00",
            "gb29nwbk60161331926819",
            "FR14 2004 1010 0505 0001 3M02 606",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
            "CH93 0076 2011 6238 5295 7",
            "NL91ABNA0417164300",
            "EG380019000500000000263180002",
        ] {
            let iban = iban(text).unwrap();
            assert!(!iban.contains(' ') && iban == iban.to_uppercase(), "{iban}");
        }
    }

    #[test]
    fn a_wrong_account_number_says_what_is_wrong() {
        for (text, words) in [
            ("DE88 3704 0044 0532 0130 00", "check digits"),
            ("DE89 3704 0044 0532 0130 01", "check digits"),
            ("DE89 3704 0044 0532 1030 00", "check digits"),
            ("DE89 3704 0044 0532 0130", "one of DE has 22 letters and digits, this has 20"),
            ("", "two letters, two digits"),
            ("DE", "two letters, two digits"),
            ("8937", "two letters, two digits"),
            ("DÉ89370400440532013000", "two letters, two digits"),
            ("DE89-3704-0044-0532-0130-00", "two letters, two digits"),
        ] {
            let error = iban(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn bank_codes_have_the_form_of_the_standard() {
        assert_eq!(bic(" cobadeffxxx ").as_deref(), Ok("COBADEFFXXX"));
        assert_eq!(bic("COBADEFF").as_deref(), Ok("COBADEFF"));
        for text in ["", "COBADEF", "COBADEFFX", "COBA1EFF", "COBA-EFF", "COBADÉFF"] {
            assert!(bic(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_masked_account_number_does_not_tell_the_account() {
        assert_eq!(masked("DE89 3704 0044 0532 0130 00"), "DE89 … 3000");
        assert_eq!(masked("DE89"), "…");
        assert_eq!(masked("ééééééééééééééé"), "éééé … éééé");
    }
}
