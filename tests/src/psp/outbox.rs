//! Messages to the platform, signed as Stripe signs them, and what becomes of them on the way.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::WEBHOOK_SECRET;
use super::conduct::Conduct;

/// Messages that have not gone yet.
#[derive(Default)]
pub(super) struct Outbox {
    waiting: Vec<String>,
}

impl Outbox {
    pub(super) fn push(&mut self, body: String) {
        self.waiting.push(body);
    }

    /// What goes out now.
    pub(super) fn round(&mut self, conduct: &mut Conduct) -> Vec<String> {
        let mut going = Vec::new();
        for body in std::mem::take(&mut self.waiting) {
            if conduct.happens(conduct.dropped) {
                continue;
            }
            if conduct.happens(conduct.duplicated) {
                self.waiting.push(body.clone());
            }
            if conduct.happens(conduct.delayed) {
                self.waiting.push(body);
            } else {
                going.push(body);
            }
        }
        if conduct.shuffled {
            for last in (1..going.len()).rev() {
                let other = usize::try_from(conduct.chance(last as u64 + 1)).unwrap();
                going.swap(last, other);
            }
        }
        going
    }
}

/// The `Stripe-Signature` of a body at a moment, in seconds since 1970.
pub(super) fn signature(body: &str, seconds: i64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).unwrap();
    mac.update(format!("{seconds}.{body}").as_bytes());
    let tag: Vec<String> = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={},v0=ignored", tag.concat())
}
