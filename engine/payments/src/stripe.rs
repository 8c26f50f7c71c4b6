//! The provider `stripe`: Checkout for top-ups, saved methods for automatic ones, refunds, disputes, and
//! separate transfers to connected accounts.
//!
//! What Stripe calls what: a payment is a Checkout Session that becomes a `PaymentIntent`, or a `PaymentIntent`
//! at once when a saved method is charged. The reference of a payment is the session's id (`cs_…`) until there
//! is a payment intent, whose id (`pi_…`) it is from then on; of a payout, the transfer's (`tr_…`). Everything
//! made here carries in its metadata which payment or payout it is, so it is found again when a reply was lost,
//! also after Stripe forgot the idempotency key, which it may after 24 hours.

mod amounts;
mod messages;
mod objects;
mod paying;
mod report;
mod sending;
mod wire;

use std::fmt;
use std::time::Duration;

use tollgate_core::payment::{
    Intent, Nudge, PaymentProvider, ProviderError, RefundIntent, Reported, Seen, SeenTransfer, Started,
    TransferIntent,
};

use wire::Wire;

/// Names in the metadata of what is made at Stripe.
const APP: &str = "tollgate_app";
const CUSTOMER: &str = "tollgate_customer";
const PAYMENT: &str = "tollgate_payment";
const REFUND: &str = "tollgate_refund";
const TRANSFER: &str = "tollgate_transfer";

/// How to reach Stripe. Its `Debug` does not show the secrets.
#[derive(Clone)]
pub struct StripeConfig {
    /// The secret or restricted API key: `sk_…` or `rk_…`.
    pub secret_key: String,
    /// The signing secret of the webhook endpoint: `whsec_…`.
    pub webhook_secret: String,
    /// Where Stripe is: `https://api.stripe.com`. Without TLS only on this machine.
    pub base_url: String,
    /// How long a call may take in all.
    pub timeout: Duration,
}

impl StripeConfig {
    /// Stripe itself, with 20 seconds for a call.
    pub fn new(secret_key: impl Into<String>, webhook_secret: impl Into<String>) -> Self {
        Self {
            secret_key: secret_key.into(),
            webhook_secret: webhook_secret.into(),
            base_url: "https://api.stripe.com".into(),
            timeout: Duration::from_secs(20),
        }
    }
}

impl fmt::Debug for StripeConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("StripeConfig")
            .field("base_url", &self.base_url)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Why Stripe cannot be reached with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The key would be sent to anyone who listens.
    #[error(
        "the address of Stripe {0:?} must begin with https:// (http:// only for this machine: 127.0.0.1)"
    )]
    Address(String),
    /// A secret is not what Stripe gives out.
    #[error("the Stripe {0} is not one: it is empty, or has characters that no such secret has")]
    Secret(&'static str),
    /// The machine's certificates cannot be used.
    #[error("no TLS connection to Stripe can be prepared: {0}")]
    Tls(String),
}

/// Stripe.
#[derive(Debug)]
pub struct Stripe {
    wire: Wire,
    webhook_secret: messages::Secret,
}

impl Stripe {
    /// Prepares to call Stripe; calls nobody yet.
    ///
    /// # Errors
    /// [`ConfigError`], which never shows a secret.
    pub fn new(config: StripeConfig) -> Result<Self, ConfigError> {
        let webhook_secret = messages::Secret::new(config.webhook_secret)?;
        let wire = Wire::new(&config.base_url, config.secret_key, config.timeout)?;
        Ok(Self { wire, webhook_secret })
    }
}

impl PaymentProvider for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn start(&self, intent: &Intent) -> Result<Started, ProviderError> {
        paying::start(&self.wire, intent)
    }

    fn look_up(&self, intent: &Intent, reference: Option<&str>) -> Result<Option<Seen>, ProviderError> {
        paying::look_up(&self.wire, intent, reference)
    }

    fn refund(&self, refund: &RefundIntent) -> Result<(), ProviderError> {
        sending::refund(&self.wire, refund)
    }

    fn transfer(&self, transfer: &TransferIntent) -> Result<SeenTransfer, ProviderError> {
        sending::transfer(&self.wire, transfer)
    }

    fn look_up_transfer(&self, transfer: &TransferIntent) -> Result<Option<SeenTransfer>, ProviderError> {
        sending::look_up(&self.wire, transfer)
    }

    fn read_message(&self, signature: &str, body: &[u8], now: i64) -> Result<Nudge, ProviderError> {
        self.webhook_secret.check(signature, body, now)?;
        messages::read(&self.wire, body)
    }

    fn report(&self, from: i64, to: i64) -> Result<Vec<Reported>, ProviderError> {
        report::read(&self.wire, from, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_shown() {
        let config = StripeConfig::new("sk_live_very_secret", "whsec_secret_too");
        let config = StripeConfig { base_url: "http://127.0.0.1:1".into(), ..config };
        let shown = format!("{config:?}{:?}", Stripe::new(config.clone()).unwrap());
        assert!(!shown.contains("secret_too") && !shown.contains("very_secret"), "{shown}");
    }

    /// Nobody answers there, and nothing was sent; a machine without certificates is told so.
    #[test]
    fn a_connection_with_tls_is_prepared() {
        let config =
            StripeConfig { base_url: "https://127.0.0.1:1".into(), ..StripeConfig::new("sk_1", "whsec_1") };
        match Stripe::new(config) {
            Ok(stripe) => {
                let error = stripe.report(0, 1_000).unwrap_err();
                assert!(matches!(&error, ProviderError::Unavailable(_)), "{error}");
            }
            Err(error) => assert!(matches!(error, ConfigError::Tls(_)), "{error}"),
        }
    }

    #[test]
    fn a_key_is_never_sent_in_the_clear() {
        let config = |base_url: &str, key: &str| {
            let config = StripeConfig { base_url: base_url.into(), ..StripeConfig::new(key, "whsec_1") };
            Stripe::new(config).err()
        };
        for address in
            ["http://api.stripe.com", "http://127.0.0.1.example.com", "ftp://x", "", "http://localhost@x"]
        {
            assert_eq!(config(address, "sk_1"), Some(ConfigError::Address(address.into())));
        }
        assert_eq!(config("http://localhost:12111/", "sk_1"), None);
        for key in ["", "sk 1", "sk_1\n"] {
            assert_eq!(config("http://127.0.0.1:1", key), Some(ConfigError::Secret("secret key")));
        }
    }
}
