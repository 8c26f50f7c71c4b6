//! The digest of what an event says, by which a repeated id is told from a conflicting one.

use sha2::{Digest as _, Sha256};

use crate::event::{Event, Fingerprint};

/// The first 16 bytes of a SHA-256 over every field of the event but the text it was received as: neither
/// the order of keys, nor white space, nor how a number is spelt makes a difference.
pub(super) fn of(event: &Event) -> Fingerprint {
    let mut said = Said(Vec::with_capacity(512));
    for text in [
        "tollgate event 1",
        &event.key.app,
        &event.key.id,
        &event.customer,
        &event.feature,
        &event.route,
        &event.model,
        &event.provider,
    ] {
        said.text(text);
    }
    said.0.extend(event.time.to_le_bytes());
    said.length(event.measures.len());
    for (name, quantity) in &event.measures {
        said.text(name);
        // Quantities have no trailing zeros: equal ones have equal parts.
        said.0.extend(quantity.decimal().mantissa().to_le_bytes());
        said.0.extend(quantity.decimal().scale().to_le_bytes());
    }
    said.length(event.attributes.len());
    for (name, value) in &event.attributes {
        said.text(name);
        said.text(value);
    }
    if let Some(cost) = event.reported_cost {
        said.0.extend(cost.nano().to_le_bytes());
    }
    let digest: [u8; 32] = Sha256::digest(&said.0).into();
    let (first, _) = digest.split_at(16);
    first.try_into().unwrap_or_default()
}

/// Everything said so far, each text after its length so that no two events read the same.
struct Said(Vec<u8>);

impl Said {
    fn length(&mut self, length: usize) {
        self.0.extend((length as u64).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.extend(text.as_bytes());
    }
}
