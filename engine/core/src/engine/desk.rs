//! Where decisions are made: whose turn it is, and what has been decided and may not be durable yet.
//!
//! Two locks, so that who asks for a few events does not wait for a whole batch. Only who has the *turn*
//! advances counters, makes charges or closes periods; rating a batch takes the turn alone. What is *ahead* is
//! held for as long as one looks something up, covers charges and submits. An authorisation reserves money and
//! advances no counter, so it needs only the second. The turn is always taken first.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard};

use super::ahead::Ahead;
use super::lock;
use crate::quantity::Quantity;
use crate::rating::counters::CounterSource;
use crate::store::{CounterKey, SeenKey, Store, StoreError};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Desk {
    turn: Mutex<()>,
    ahead: Mutex<Ahead>,
}

impl Desk {
    /// Waits for the turn.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        lock(&self.turn)
    }

    /// What is ahead, as of now.
    pub(super) fn ahead(&self) -> MutexGuard<'_, Ahead> {
        lock(&self.ahead)
    }

    /// The turn, with nobody else deciding anything.
    pub(super) fn alone(&self) -> Alone<'_> {
        let turn = self.turn();
        Alone { ahead: self.ahead(), _turn: turn }
    }

    /// Counters as of the last decision, for who has the turn.
    pub(super) fn latest<'a>(&'a self, store: &'a dyn Store) -> Unheld<'a> {
        Unheld { desk: self, store }
    }
}

/// The desk for oneself.
pub(super) struct Alone<'a> {
    ahead: MutexGuard<'a, Ahead>,
    _turn: MutexGuard<'a, ()>,
}

impl Deref for Alone<'_> {
    type Target = Ahead;

    fn deref(&self) -> &Ahead {
        &self.ahead
    }
}

impl DerefMut for Alone<'_> {
    fn deref_mut(&mut self) -> &mut Ahead {
        &mut self.ahead
    }
}

/// Counters as of the last decision: remembered, or else read from the store.
pub(super) struct Latest<'a> {
    pub(super) ahead: &'a Ahead,
    pub(super) store: &'a dyn Store,
}

impl CounterSource for Latest<'_> {
    fn values(&self, keys: &[CounterKey]) -> Result<Vec<Quantity>, StoreError> {
        fill(keys, self.ahead.values(keys), |missing| self.store.counters(missing))
    }

    fn seen(&self, keys: &[SeenKey]) -> Result<Vec<bool>, StoreError> {
        fill(keys, self.ahead.seen(keys), |missing| self.store.seen(missing))
    }
}

/// The same, without keeping others from what is ahead.
pub(super) struct Unheld<'a> {
    desk: &'a Desk,
    store: &'a dyn Store,
}

impl CounterSource for Unheld<'_> {
    fn values(&self, keys: &[CounterKey]) -> Result<Vec<Quantity>, StoreError> {
        let remembered = self.desk.ahead().values(keys);
        fill(keys, remembered, |missing| self.store.counters(missing))
    }

    fn seen(&self, keys: &[SeenKey]) -> Result<Vec<bool>, StoreError> {
        let remembered = self.desk.ahead().seen(keys);
        fill(keys, remembered, |missing| self.store.seen(missing))
    }
}

/// The remembered answers, with those missing asked for together.
fn fill<K: Clone, V>(
    keys: &[K],
    remembered: Vec<Option<V>>,
    ask: impl FnOnce(&[K]) -> Result<Vec<V>, StoreError>,
) -> Result<Vec<V>, StoreError> {
    let missing = keys.iter().zip(&remembered).filter(|(_, value)| value.is_none());
    let missing: Vec<K> = missing.map(|(key, _)| key.clone()).collect();
    let mut asked = if missing.is_empty() { Vec::new() } else { ask(&missing)? }.into_iter();
    let answers: Vec<V> = remembered.into_iter().filter_map(|value| value.or_else(|| asked.next())).collect();
    if answers.len() == keys.len() {
        Ok(answers)
    } else {
        Err(StoreError::Corrupt("it answered fewer questions than were asked".to_owned()))
    }
}
