//! Where notices are sent, and the secrets that they are signed with.
//!
//! The secrets are kept as they are: a signature needs them. No answer shows one again.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tollgate_core::store::record::{self, Document, Versioned};
use tollgate_core::store::{NoticeKind, RecordFilter, RecordKind, Store, StoreError};

/// What a secret begins with, so that a person sees what has leaked.
const SECRET_PREFIX: &str = "whsec_";
const SECRET_BYTES: usize = 32;

/// An old secret goes on signing for so long, in milliseconds: a day.
pub(crate) const OLD_SECRET_FOR: i64 = 24 * 60 * 60 * 1000;

/// The most secrets that sign at once. Of more, the oldest stops.
const SECRETS_MAX: usize = 4;

/// The most endpoints that someone has.
pub(crate) const ENDPOINTS_MAX: usize = 50;

/// Whose the platform's own endpoints are: they are told of every Builder's notices.
pub(crate) const PLATFORM: &str = "";

/// Where notices are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    /// The address.
    pub url: String,
    /// What it wants to be told of; empty for everything.
    pub kinds: Vec<NoticeKind>,
    /// What a person calls it.
    pub description: String,
    /// What signs, the newest first.
    pub secrets: Vec<Secret>,
    /// When it was made.
    pub made_at: i64,
    /// Why nothing is sent to it, while that is so.
    pub disabled: Option<String>,
    /// Since when it is gone.
    pub deleted_at: Option<i64>,
}

/// A secret, as its owner has it: `whsec_` and base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Secret {
    /// The secret.
    pub text: String,
    /// Until when it signs; `None` for the current one.
    pub until: Option<i64>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Secret").field("until", &self.until).finish_non_exhaustive()
    }
}

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// When the operating system gives no random bits.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self { text: format!("{SECRET_PREFIX}{}", STANDARD.encode(bytes)), until: None })
    }
}

impl Document for Endpoint {
    const KIND: RecordKind = RecordKind::Endpoint;
}

impl Endpoint {
    /// Whether it wants to be told.
    pub(crate) fn wants(&self, kind: NoticeKind) -> bool {
        self.is_open() && (self.kinds.is_empty() || self.kinds.contains(&kind))
    }

    /// Whether anything is sent to it.
    pub(crate) fn is_open(&self) -> bool {
        self.disabled.is_none() && self.deleted_at.is_none()
    }

    /// The secrets that sign at a moment.
    pub(crate) fn signing(&self, now: i64) -> impl Iterator<Item = &str> {
        let signs = move |secret: &&Secret| secret.until.is_none_or(|until| now < until);
        self.secrets.iter().filter(signs).map(|secret| &*secret.text)
    }

    /// Signs with another secret from now on. The old ones go on for a day, or stop at once.
    pub(crate) fn rotate(&mut self, secret: Secret, now: i64, stop_old: bool) {
        if stop_old {
            self.secrets.clear();
        }
        self.secrets.retain(|old| old.until.is_none_or(|until| now < until));
        for old in &mut self.secrets {
            old.until = old.until.or(Some(now.saturating_add(OLD_SECRET_FOR)));
        }
        self.secrets.insert(0, secret);
        self.secrets.truncate(SECRETS_MAX);
    }

    /// It is gone: nothing is sent to it, and its secrets are forgotten.
    pub(crate) fn delete(&mut self, now: i64) {
        self.secrets.clear();
        self.deleted_at = Some(now);
    }
}

/// All endpoints of someone, by id, those that are gone among them.
pub(crate) fn of_owner(
    store: &dyn Store,
    owner: &str,
) -> Result<Vec<(String, Versioned<Endpoint>)>, StoreError> {
    let mut filter = RecordFilter::owned(RecordKind::Endpoint, owner);
    let mut endpoints = Vec::new();
    loop {
        let page = store.list_records(&filter, PAGE)?;
        for record in &page {
            endpoints.push((record.key.id.clone(), Versioned::of(record)?));
        }
        match page.last() {
            Some(last) if page.len() == PAGE => {
                filter.after = Some((last.key.owner.clone(), last.key.id.clone()));
            }
            _ => return Ok(endpoints),
        }
    }
}

/// The endpoint of this owner and id, unless it is gone.
pub(crate) fn read(
    store: &dyn Store,
    owner: &str,
    id: &str,
) -> Result<Option<Versioned<Endpoint>>, StoreError> {
    let found: Option<Versioned<Endpoint>> = record::read(store, owner, id)?;
    Ok(found.filter(|found| found.value.deleted_at.is_none()))
}

/// Records read at once.
const PAGE: usize = 200;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn endpoint() -> Endpoint {
        Endpoint {
            url: "https://example.com/hook".to_owned(),
            kinds: Vec::new(),
            description: String::new(),
            secrets: vec![Secret::random().unwrap()],
            made_at: 0,
            disabled: None,
            deleted_at: None,
        }
    }

    #[test]
    fn an_old_secret_signs_for_a_day() {
        let mut endpoint = endpoint();
        let old = endpoint.secrets.first().unwrap().text.clone();
        assert_eq!(STANDARD.decode(old.strip_prefix("whsec_").unwrap()).unwrap().len(), 32);
        let new = Secret::random().unwrap();
        endpoint.rotate(new.clone(), 1_000, false);
        let signing: Vec<_> = endpoint.signing(1_000).collect();
        assert_eq!(signing, [&*new.text, &*old]);
        let signing: Vec<_> = endpoint.signing(1_000 + OLD_SECRET_FOR).collect();
        assert_eq!(signing, [&*new.text]);

        let newest = Secret::random().unwrap();
        endpoint.rotate(newest.clone(), 2_000, true);
        assert_eq!(endpoint.signing(2_000).collect::<Vec<_>>(), [&*newest.text]);
        for _ in 0..10 {
            endpoint.rotate(Secret::random().unwrap(), 3_000, false);
        }
        assert_eq!(endpoint.signing(3_000).count(), SECRETS_MAX);
    }

    #[test]
    fn shows_no_secret_for_debugging() {
        let endpoint = endpoint();
        assert!(!format!("{endpoint:?}").contains("whsec"));
    }

    #[test]
    fn is_told_what_it_wants() {
        let mut endpoint = endpoint();
        assert!(NoticeKind::ALL.into_iter().all(|kind| endpoint.wants(kind)));
        endpoint.kinds = vec![NoticeKind::WalletLow];
        assert!(endpoint.wants(NoticeKind::WalletLow) && !endpoint.wants(NoticeKind::PayoutPaid));
        endpoint.disabled = Some("for now".to_owned());
        assert!(!endpoint.wants(NoticeKind::WalletLow));
    }
}
