//! What the engine remembers of commits that are on their way: a hint that spares reading the store.
//!
//! It is never the truth. A commit says what it was decided from, and the store refuses it when that is no
//! longer so; the engine then forgets everything here and decides again.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Event, EventKey, Fingerprint};
use crate::period::Period;
use crate::quantity::Quantity;
use crate::store::record::Versioned;
use crate::store::{Commit, CounterKey, SeenKey, Store, StoreError, Version};
use crate::wallet::{Hold, Wallet};

/// Beyond so many counters or keys the memory is emptied.
const REMEMBERED_MAX: usize = 1_000_000;

/// The app and the customer.
pub(super) type WalletKey = (Arc<str>, Arc<str>);

/// A wallet with its version; `None` for a customer who has none.
pub(super) type KnownWallet = Option<Arc<Versioned<Wallet>>>;

/// What has been decided and may not be in the store yet.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    counters: FxHashMap<CounterKey, Quantity>,
    seen: FxHashSet<SeenKey>,
    in_flight: FxHashMap<EventKey, Fingerprint>,
    closed: FxHashMap<String, Arc<[Period]>>,
    /// Of each app, how many wallets it has had opened, as a version.
    opened: FxHashMap<Arc<str>, Version>,
    wallets: FxHashMap<WalletKey, KnownWallet>,
    holds: FxHashMap<EventKey, Versioned<Hold>>,
}

impl Ahead {
    /// The fingerprint of an event that is on its way.
    pub(super) fn in_flight(&self, key: &EventKey) -> Option<Fingerprint> {
        self.in_flight.get(key).copied()
    }

    /// The counters that are remembered.
    pub(super) fn values(&self, keys: &[CounterKey]) -> Vec<Option<Quantity>> {
        keys.iter().map(|key| self.counters.get(key).copied()).collect()
    }

    /// The keys that are remembered as counted.
    pub(super) fn seen(&self, keys: &[SeenKey]) -> Vec<Option<bool>> {
        keys.iter().map(|key| self.seen.contains(key).then_some(true)).collect()
    }

    /// The closed periods of an app.
    pub(super) fn closed(&mut self, store: &dyn Store, app: &str) -> Result<Arc<[Period]>, StoreError> {
        if let Some(periods) = self.closed.get(app) {
            return Ok(Arc::clone(periods));
        }
        let periods: Arc<[Period]> = store.closed_periods(app)?.into();
        self.closed.insert(app.to_owned(), Arc::clone(&periods));
        Ok(periods)
    }

    /// How many wallets an app has had opened, as a version.
    pub(super) fn opened(&self, app: &str) -> Option<Version> {
        self.opened.get(app).copied()
    }

    /// A customer's wallet, or that there is none.
    pub(super) fn wallet(&self, key: &WalletKey) -> Option<&KnownWallet> {
        self.wallets.get(key)
    }

    /// The hold for an event.
    pub(super) fn hold(&self, event: &EventKey) -> Option<&Versioned<Hold>> {
        self.holds.get(event)
    }

    /// Remembers a commit that the store has taken in.
    pub(super) fn remember(&mut self, commit: Remembered) {
        self.counters.extend(commit.counters);
        self.seen.extend(commit.seen);
        self.in_flight.extend(commit.events);
        self.opened.extend(commit.books.opened);
        self.wallets.extend(commit.books.wallets);
        self.holds.extend(commit.books.holds);
    }

    /// These events are durable.
    pub(super) fn landed<'e>(&mut self, events: impl Iterator<Item = &'e Arc<Event>>) {
        for event in events {
            self.in_flight.remove(&event.key);
        }
    }

    /// Whether so much is remembered that it is time to forget.
    pub(super) fn is_large(&self) -> bool {
        let sizes = [self.counters.len(), self.seen.len(), self.wallets.len(), self.holds.len()];
        sizes.into_iter().any(|size| size > REMEMBERED_MAX)
    }

    /// Forgets everything: what is needed is read from the store again.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// Wallets and holds as decided last.
#[derive(Default)]
pub(super) struct Books {
    pub(super) opened: Vec<(Arc<str>, Version)>,
    pub(super) wallets: Vec<(WalletKey, KnownWallet)>,
    pub(super) holds: Vec<(EventKey, Versioned<Hold>)>,
}

/// The part of a commit that is worth remembering.
pub(super) struct Remembered {
    counters: Vec<(CounterKey, Quantity)>,
    seen: Vec<SeenKey>,
    events: Vec<(EventKey, Fingerprint)>,
    books: Books,
}

impl Remembered {
    pub(super) fn of(commit: &Commit, books: Books) -> Self {
        Self {
            books,
            counters: commit.counters.iter().map(|change| (change.key.clone(), change.after)).collect(),
            seen: commit.seen.clone(),
            events: commit.events.iter().map(|(event, _)| (event.key.clone(), event.fingerprint)).collect(),
        }
    }
}
