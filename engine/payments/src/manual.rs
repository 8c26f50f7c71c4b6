//! Payments by bank transfer: the customer writes a reference on it, and somebody marks it as received.

use tollgate_core::money::Amount;
use tollgate_core::payment::{
    Intent, Nudge, PaymentProvider, ProviderError, RefundIntent, Reported, Seen, SeenState, SeenTransfer,
    Started, TransferIntent,
};

use crate::code::{modulo_97, short};

/// Letters of a reference after its check digits: 60 bits of the payment's name.
const BODY: usize = 12;

/// The provider `manual`: people and their banks. It knows nothing that it is not told through the engine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manual;

impl Manual {
    /// The reference that goes on the transfer for a payment: a creditor reference (ISO 11649) of 16 letters
    /// and digits, such as `RF71ETZDP0XNFPD0`, always the same for the same key.
    pub fn reference(key: &str) -> String {
        let body = short(key, BODY);
        let rest = modulo_97(body.chars().chain("RF00".chars())).unwrap_or_default();
        format!("RF{:02}{body}", 98_u32.saturating_sub(rest))
    }

    /// The same in groups of four, as people read it: `RF71 ETZD P0XN FPD0`.
    pub fn spaced(reference: &str) -> String {
        let letters: Vec<char> = reference.chars().collect();
        letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" ")
    }

    /// The reference that somebody typed or that a bank's statement shows, whatever its spaces and case, and
    /// with O, I and L for 0 and 1. `None` when its check digits are wrong: it was misread.
    pub fn read_reference(text: &str) -> Option<String> {
        let letters = text.chars().filter(|letter| !letter.is_whitespace() && *letter != '-');
        let letters: String = letters
            .map(|letter| match letter.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            })
            .collect();
        let (digits, body) = letters.strip_prefix("RF")?.split_at_checked(2)?;
        let is_whole = body.len() == BODY && digits.bytes().all(|digit| digit.is_ascii_digit());
        let rest = modulo_97(body.chars().chain("RF".chars()).chain(digits.chars()))?;
        (is_whole && rest == 1).then_some(letters)
    }
}

impl PaymentProvider for Manual {
    fn name(&self) -> &'static str {
        "manual"
    }

    fn start(&self, intent: &Intent) -> Result<Started, ProviderError> {
        Ok(Started { reference: Self::reference(&intent.key), url: None })
    }

    fn look_up(&self, intent: &Intent, reference: Option<&str>) -> Result<Option<Seen>, ProviderError> {
        let reference = reference.map_or_else(|| Self::reference(&intent.key), str::to_owned);
        let (state, refunded) = (SeenState::Pending, Amount::ZERO);
        Ok(Some(Seen { reference, state, url: None, payer: None, refunded, disputes: Vec::new() }))
    }

    fn refund(&self, _refund: &RefundIntent) -> Result<(), ProviderError> {
        Err(ProviderError::Unsupported(
            "a bank transfer is sent back by bank transfer: send the money, then record that it was refunded"
                .into(),
        ))
    }

    fn transfer(&self, _transfer: &TransferIntent) -> Result<SeenTransfer, ProviderError> {
        Err(ProviderError::Unsupported(
            "\"manual\" sends no money: give the Builder a bank account as destination and pay by payment file".into(),
        ))
    }

    fn look_up_transfer(&self, _transfer: &TransferIntent) -> Result<Option<SeenTransfer>, ProviderError> {
        Ok(None)
    }

    fn read_message(&self, _signature: &str, _body: &[u8], _now: i64) -> Result<Nudge, ProviderError> {
        Err(ProviderError::Unsupported("\"manual\" sends no messages".into()))
    }

    fn report(&self, _from: i64, _to: i64) -> Result<Vec<Reported>, ProviderError> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use tollgate_core::payment::Method;

    use super::*;

    fn intent() -> Intent {
        Intent {
            key: "acme-docs/top-up-1".into(),
            app: "acme-docs".into(),
            customer: "legal".into(),
            id: "top-up-1".into(),
            amount: Amount::from_nano(50_000_000_000),
            currency: "EUR".into(),
            method: Method::Transfer,
        }
    }

    #[test]
    fn a_reference_is_short_checked_and_always_the_same() {
        let started = Manual.start(&intent()).unwrap();
        assert_eq!(started, Manual.start(&intent()).unwrap());
        assert_eq!(started.reference.len(), 16);
        let spaced = Manual::spaced(&started.reference);
        assert_eq!(spaced.len(), 19);
        assert_eq!(Manual::read_reference(&spaced.to_lowercase()), Some(started.reference));
        assert_eq!(started.url, None);
    }

    #[test]
    fn a_reference_with_one_wrong_letter_or_two_exchanged_ones_is_not_taken() {
        let reference = Manual::reference("acme-docs/top-up-1");
        for at in 2..reference.len() {
            let mut letters: Vec<char> = reference.chars().collect();
            letters[at] = if letters[at] == '7' { '3' } else { '7' };
            assert_eq!(Manual::read_reference(&String::from_iter(&letters)), None, "letter {at}");
            let mut letters: Vec<char> = reference.chars().collect();
            letters.swap(at - 1, at);
            if at > 4 && letters[at - 1] != letters[at] {
                assert_eq!(Manual::read_reference(&String::from_iter(&letters)), None, "letters {at}");
            }
        }
        for text in ["", "RF", "RF7", "RF71", "RF71É", "RF71ETZDP0XNFPD"] {
            assert_eq!(Manual::read_reference(text), None, "{text}");
        }
        // The example of the standard is well-formed, but none of ours: it is longer.
        assert_eq!(Manual::read_reference("RF18 5390 0754 7034"), Some("RF18539007547034".into()));
    }

    #[test]
    fn it_waits_until_somebody_says_so() {
        let seen = Manual.look_up(&intent(), None).unwrap().unwrap();
        assert_eq!(
            (seen.state, seen.reference),
            (SeenState::Pending, Manual::reference("acme-docs/top-up-1"))
        );
        assert_eq!(Manual.report(0, i64::MAX), Ok(Vec::new()));
        assert!(matches!(Manual.read_message("", b"", 0), Err(ProviderError::Unsupported(_))));
    }
}
