//! Who published a plugin: ed25519 keys, and signatures over a plugin's digest.
//!
//! Signing is the author's side and not here. Which keys count for whom is the [`Catalog`](crate::catalog)'s.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::VerifyingKey;
use hex::FromHex;
use serde::{Deserialize, Serialize};

use crate::plugin::Digest;

/// Before the digest in what is signed, so that a signature made for something else is none of a plugin.
const DOMAIN: &str = "tollgate plugin signature v1\n";
const PREFIX: &str = "ed25519:";

/// A publisher's public key. As text: `ed25519:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PublicKey([u8; 32]);

/// A signature over a plugin's digest, with the key it claims to be of. As text: the key, `:`, and 128 hexadecimal
/// digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Signature {
    key: PublicKey,
    bytes: [u8; 64],
}

/// A text that is no public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a public key: ed25519 and 64 hexadecimal digits, as `tollgate plugin keygen` prints it"
)]
pub struct NotAKey(String);

/// A text that is no signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a signature: ed25519, 64 hexadecimal digits of the key and 128 of the signature, with colons \
     between, as `tollgate plugin publish --sign` sends it"
)]
pub struct NotASignature(String);

/// A key whose plugins are taken in, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publisher {
    /// What a person reads: who holds the secret half.
    pub name: String,
    /// The public half.
    pub key: PublicKey,
}

/// Who vouched for a plugin when it was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// What the publisher was called then.
    pub by: String,
    /// The signature, which names the key.
    pub signature: Signature,
}

/// The bytes that are signed to publish the plugin of this digest.
pub fn signed_bytes(plugin: &Digest) -> Vec<u8> {
    format!("{DOMAIN}{plugin}").into_bytes()
}

impl PublicKey {
    /// A key of its bytes; `None` if they are no point of the curve.
    pub fn from_bytes(bytes: [u8; 32]) -> Option<Self> {
        VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak()).map(|_| Self(bytes))
    }
}

impl Signature {
    /// A signature of its parts. Nothing is verified.
    pub fn new(key: PublicKey, bytes: [u8; 64]) -> Self {
        Self { key, bytes }
    }

    /// The key it claims to be of.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether its key really signed the plugin of this digest.
    pub fn is_of(&self, plugin: &Digest) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&self.bytes);
        VerifyingKey::from_bytes(&self.key.0)
            .is_ok_and(|key| key.verify_strict(&signed_bytes(plugin), &signature).is_ok())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(PREFIX)?;
        out.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for PublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let bytes = text.strip_prefix(PREFIX).and_then(|digits| FromHex::from_hex(digits).ok());
        bytes.and_then(Self::from_bytes).ok_or_else(|| NotAKey(text.to_owned()))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.key, hex::encode(self.bytes))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Signature {
    type Err = NotASignature;

    fn from_str(text: &str) -> Result<Self, NotASignature> {
        let parts = text.rsplit_once(':');
        let parsed = parts
            .and_then(|(key, digits)| Some(Self::new(key.parse().ok()?, FromHex::from_hex(digits).ok()?)));
        parsed.ok_or_else(|| NotASignature(text.to_owned()))
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for PublicKey {
    type Error = NotAKey;

    fn try_from(text: String) -> Result<Self, NotAKey> {
        text.parse()
    }
}

impl From<Signature> for String {
    fn from(signature: Signature) -> Self {
        signature.to_string()
    }
}

impl TryFrom<String> for Signature {
    type Error = NotASignature;

    fn try_from(text: String) -> Result<Self, NotASignature> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    fn signed(secret: u8, plugin: &Digest, message: &[u8]) -> (Signature, bool) {
        let key = SigningKey::from_bytes(&[secret; 32]);
        let public = PublicKey::from_bytes(key.verifying_key().to_bytes()).unwrap();
        let signature = Signature::new(public, key.sign(message).to_bytes());
        (signature, signature.is_of(plugin))
    }

    #[test]
    fn a_signature_is_of_one_digest_one_key_and_one_purpose() {
        let plugin = Digest::of(b"plugin");
        let (signature, holds) = signed(1, &plugin, &signed_bytes(&plugin));
        assert!(holds);
        assert!(!signature.is_of(&Digest::of(b"another")));
        assert!(!signed(1, &plugin, plugin.to_string().as_bytes()).1, "without the domain");
        let (other, _) = signed(2, &plugin, &signed_bytes(&plugin));
        assert!(!Signature::new(*other.key(), signature.bytes).is_of(&plugin));
        assert_eq!(signature.to_string().parse(), Ok(signature));
    }

    #[test]
    fn what_is_no_key_or_signature_is_refused() {
        for text in ["", "ed25519:", "ed25519:00", &format!("ed25519:{}", "0".repeat(64)), &"é".repeat(36)] {
            assert!(text.parse::<PublicKey>().is_err(), "{text}");
            assert!(text.parse::<Signature>().is_err(), "{text}");
        }
    }
}
