//! Signatures by Standard Webhooks: HMAC-SHA256 over id, time and body, one for each secret that signs.

use standardwebhooks::{Webhook, WebhookError};

/// The headers of a message.
pub(super) const ID: &str = standardwebhooks::HEADER_WEBHOOK_ID;
/// When the attempt was made, in seconds since 1970.
pub(super) const TIMESTAMP: &str = standardwebhooks::HEADER_WEBHOOK_TIMESTAMP;
/// The signatures, apart by spaces.
pub(super) const SIGNATURE: &str = standardwebhooks::HEADER_WEBHOOK_SIGNATURE;

/// The signature header of an attempt made at `timestamp`, in seconds since 1970.
///
/// # Errors
/// When a secret is none.
pub(super) fn sign<'a>(
    secrets: impl Iterator<Item = &'a str>,
    id: &str,
    timestamp: i64,
    body: &str,
) -> Result<String, WebhookError> {
    let sign = |secret: &str| Webhook::new(secret)?.sign(id, timestamp, body.as_bytes());
    Ok(secrets.map(sign).collect::<Result<Vec<_>, _>>()?.join(" "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The example of the specification.
    #[test]
    fn signs_as_the_specification_does() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let body = r#"{"test": 2432232314}"#;
        let signed = sign([secret].into_iter(), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
