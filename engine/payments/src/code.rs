//! Short codes for long names: what people type and banks carry.

use sha2::{Digest as _, Sha256};

/// Digits and letters without those that are mistaken for others: I, L, O and U (Crockford's base 32).
pub(crate) const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The first `length` letters, five bits each, of a digest of `name`; at most 51.
pub(crate) fn short(name: &str, length: usize) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let letter = |place: usize| {
        let (byte, bit) = (place * 5 / 8, place * 5 % 8);
        let pair = [*digest.get(byte)?, digest.get(byte + 1).copied().unwrap_or_default()];
        let five = (u16::from_be_bytes(pair) >> (11 - bit)) & 31;
        ALPHABET.get(usize::from(five)).copied().map(char::from)
    };
    (0..length).map_while(letter).collect()
}

/// A digest of `name` in hexadecimal.
pub(crate) fn digest(name: &str) -> String {
    hex::encode(Sha256::digest(name.as_bytes()))
}

/// What is left of letters and digits, read as a number with A = 10 to Z = 35, when it is divided by 97
/// (ISO 7064); `None` when something else is among them.
pub(crate) fn modulo_97(text: impl Iterator<Item = char>) -> Option<u32> {
    text.into_iter().try_fold(0_u32, |rest, letter| {
        let value = letter.to_digit(36)?;
        let factor = if value < 10 { 10 } else { 100 };
        Some((rest * factor + value) % 97)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_of_the_length_asked_for_and_unambiguous() {
        for length in [0, 1, 12, 16, 51] {
            let code = short("acme-docs/top-up-1", length);
            assert_eq!(code.len(), length);
            assert!(code.bytes().all(|letter| ALPHABET.contains(&letter)), "{code}");
        }
        assert_eq!(short("a", 12), short("a", 16)[..12]);
        assert_ne!(short("a", 12), short("b", 12));
        assert!(digest("").starts_with("e3b0c442"));
    }

    #[test]
    fn a_remainder_is_that_of_the_whole_number() {
        assert_eq!(modulo_97("3214282912345698765432161182".chars()), Some(1));
        assert_eq!(modulo_97("z".chars()), Some(35));
        assert_eq!(modulo_97("1-2".chars()), None);
    }
}
