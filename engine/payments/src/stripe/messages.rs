//! Messages from Stripe: whether they are Stripe's, and which payment or payout they are about.
//!
//! What a message says is not believed beyond that: the payment or payout is looked up.

use std::fmt;

use hex::FromHex as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tollgate_core::payment::{Nudge, ProviderError};

use super::objects::{Event, Expandable, Metadata, PaymentIntent};
use super::wire::{Wire, id};
use super::{APP, ConfigError, PAYMENT, TRANSFER};

/// A message may be this old, or this far ahead of the clock.
const TOLERANCE_SECONDS: u64 = 300;

/// The webhook endpoint's signing secret.
pub(super) struct Secret(Hmac<Sha256>);

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret")
    }
}

impl Secret {
    #[allow(clippy::needless_pass_by_value)] // a secret is not left lying about
    pub(super) fn new(secret: String) -> Result<Self, ConfigError> {
        let refuse = || ConfigError::Secret("webhook secret");
        let is_whole = !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_graphic());
        let key = is_whole.then(|| Hmac::new_from_slice(secret.as_bytes()).ok()).flatten();
        key.map(Self).ok_or_else(refuse)
    }

    /// Whether Stripe signed a body, not long before or after `now` (milliseconds since 1970).
    pub(super) fn check(&self, signature: &str, body: &[u8], now: i64) -> Result<(), ProviderError> {
        let forged = |words: &str| Err(ProviderError::Forged(words.to_owned()));
        let parts = || signature.split(',').filter_map(|part| part.trim().split_once('='));
        let Some((_, time)) = parts().find(|(name, _)| *name == "t") else {
            return forged("its signature has no time (t=)");
        };
        let Ok(seconds) = time.parse::<i64>() else {
            return forged("the time of its signature (t=) is not a number of seconds");
        };
        if now.div_euclid(1_000).abs_diff(seconds) > TOLERANCE_SECONDS {
            return forged(
                "it was signed more than 300 seconds away from now: check the clock, or it is a replay",
            );
        }
        // A secret that is being replaced signs beside the new one.
        let signed = parts()
            .filter(|(name, _)| *name == "v1")
            .filter_map(|(_, digits)| <[u8; 32]>::from_hex(digits).ok())
            .any(|tag| {
                let mut mac = self.0.clone();
                mac.update(time.as_bytes());
                mac.update(b".");
                mac.update(body);
                mac.verify_slice(&tag).is_ok()
            });
        if signed {
            Ok(())
        } else {
            forged("no signature (v1=) is one by the webhook secret over these very bytes")
        }
    }
}

/// What a message, which was signed, is about. Disputes and refunds made by hand name only the payment intent,
/// which is asked then.
pub(super) fn read(wire: &Wire, body: &[u8]) -> Result<Nudge, ProviderError> {
    let event: Event = serde_json::from_slice(body)
        .map_err(|error| ProviderError::Refused(format!("the message cannot be read: {error}")))?;
    let object = event.data.object;
    let metadata = object.metadata.unwrap_or_default();
    let transfer = metadata.get(TRANSFER).cloned();
    let mut payment = payment_of(&metadata);
    if payment.is_none() && transfer.is_none() {
        let named = object.payment_intent.map(|payment| match payment {
            Expandable::Id(id) => id,
            Expandable::Object(payment) => payment.id,
        });
        payment = named.map(|named| asked(wire, &named)).transpose()?.flatten();
    }
    Ok(Nudge { message: event.id, payment, transfer })
}

fn asked(wire: &Wire, payment: &str) -> Result<Option<(String, String)>, ProviderError> {
    let path = format!("/v1/payment_intents/{}", id("payment", payment)?);
    let payment: Option<PaymentIntent> = wire.get(&path, &Vec::new())?;
    // What is not known is a connected account's.
    Ok(payment.and_then(|payment| payment_of(&payment.metadata)))
}

fn payment_of(metadata: &Metadata) -> Option<(String, String)> {
    Some((metadata.get(APP)?.clone(), metadata.get(PAYMENT)?.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1","data":{"object":{}}}"#;
    const NOW: i64 = 1_700_000_000_000;

    fn secret() -> Secret {
        Secret::new("whsec_test".into()).unwrap()
    }

    fn tag(secret: &Secret, time: i64, body: &[u8]) -> String {
        let mut mac = secret.0.clone();
        mac.update(format!("{time}.").as_bytes());
        mac.update(body);
        hex::encode(mac.finalize().into_bytes())
    }

    fn refusal(signature: &str, body: &[u8], now: i64) -> String {
        secret().check(signature, body, now).unwrap_err().to_string()
    }

    #[test]
    fn a_signature_over_these_bytes_is_taken_within_five_minutes_both_ways() {
        let time = NOW / 1_000;
        let good = tag(&secret(), time, BODY);
        for signature in [
            format!("t={time},v1={good}"),
            format!("t={time},v1={},v1={good},v0=00", "0".repeat(64)),
            format!("v1={good}, t={time}"),
        ] {
            for now in [NOW, NOW + 300_999, NOW - 300_000] {
                assert_eq!(secret().check(&signature, BODY, now), Ok(()), "{signature} {now}");
            }
            for now in [NOW + 301_000, NOW - 300_001, 0, i64::MAX, i64::MIN] {
                assert!(refusal(&signature, BODY, now).contains("300 seconds"), "{now}");
            }
            assert!(refusal(&signature, b"{}", NOW).contains("these very bytes"));
        }
    }

    #[test]
    fn what_stripe_did_not_sign_is_forged() {
        let time = NOW / 1_000;
        let good = tag(&secret(), time, BODY);
        let other = tag(&Secret::new("whsec_other".into()).unwrap(), time, BODY);
        for (signature, words) in [
            (String::new(), "no time"),
            (format!("v1={good}"), "no time"),
            (format!("t=soon,v1={good}"), "number of seconds"),
            (format!("t={time}"), "no signature"),
            (format!("t={time},v0={good}"), "no signature"),
            (format!("t={time},v1={other}"), "no signature"),
            (format!("t={time},v1={}", &good[..62]), "no signature"),
            (format!("t={time},v1={}", "é".repeat(32)), "no signature"),
            (format!("t={},v1={good}", time + 1), "no signature"),
        ] {
            let error = refusal(&signature, BODY, NOW);
            assert!(error.contains(words), "{signature}: {error}");
        }
    }

    /// By the rules of Stripe's documentation, worked out apart with another program.
    #[test]
    fn a_signature_worked_out_elsewhere_is_taken() {
        let signature = "t=1700000000,v1=51a405b398055fdbe8e3974ee64b35d75bc7c0b153e13370751f47066103d3cb";
        assert_eq!(secret().check(signature, BODY, NOW), Ok(()));
    }
}
