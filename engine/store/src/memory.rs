//! The model: what a store must do, on plain maps behind one lock.
//!
//! It is the yardstick of every other store, so it prefers being obviously right to being fast. A commit is
//! checked whole before anything of it is applied.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tollgate_core::catalog::Definition;
use tollgate_core::event::{EventKey, Fingerprint};
use tollgate_core::ledger::{Account, Balance};
use tollgate_core::period::Period;
use tollgate_core::plugin::Digest;
use tollgate_core::quantity::Quantity;
use tollgate_core::store::{
    ClosingCharge, Commit, CounterKey, EventCounts, Found, Outcome, SeenKey, Sequence, StatementFilter,
    StatementKey, StatementTotals, Store, StoreError, StoredEvent, Ticket,
};

/// A store that forgets everything when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryStore {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    definitions: Vec<Definition>,
    plugins: HashMap<Digest, Vec<u8>>,
    /// In order of sequence, which starts at 1.
    events: Vec<StoredEvent>,
    dedupe: HashMap<EventKey, (Sequence, Fingerprint)>,
    held: BTreeSet<Sequence>,
    counters: BTreeMap<CounterKey, Quantity>,
    seen: BTreeSet<SeenKey>,
    closed: BTreeSet<(String, Period)>,
    closing_charges: Vec<ClosingCharge>,
    statements: BTreeMap<StatementKey, StatementTotals>,
    balances: BTreeMap<Account, Balance>,
}

/// The sums that a commit leads to, computed before anything is changed.
struct Sums {
    statements: Vec<(StatementKey, StatementTotals)>,
    balances: Vec<(Account, Balance)>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A commit is checked before it is applied, so a panic elsewhere cannot leave half of one.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn commit(&mut self, commit: Commit) -> Result<(), StoreError> {
        self.check_closed(&commit)?;
        self.check_events(&commit)?;
        self.check_counters(&commit)?;
        let sums = self.sums(&commit)?;
        self.apply(commit, sums);
        Ok(())
    }

    fn check_closed(&self, commit: &Commit) -> Result<(), StoreError> {
        let closes = commit.closes.iter().map(|closing| (closing.app.as_str(), closing.period));
        let adds = commit.statements.iter().map(|(key, _)| (&*key.app, key.period));
        for (app, period) in closes.chain(adds) {
            if self.closed.contains(&(app.to_owned(), period)) {
                return stale(format!("period {period} of app {app:?} is closed"));
            }
        }
        Ok(())
    }

    fn check_events(&self, commit: &Commit) -> Result<(), StoreError> {
        let mut fresh = BTreeSet::new();
        for (event, _) in &commit.events {
            if self.dedupe.contains_key(&event.key) || !fresh.insert(&event.key) {
                return stale(format!(
                    "event {:?} of app {:?} is stored already",
                    event.key.id, event.key.app
                ));
            }
        }
        let mut released = BTreeSet::new();
        for (sequence, _) in &commit.released {
            if !self.held.contains(sequence) || !released.insert(sequence) {
                return stale(format!("event {sequence} is not held"));
            }
        }
        Ok(())
    }

    fn check_counters(&self, commit: &Commit) -> Result<(), StoreError> {
        for change in &commit.counters {
            let stored = self.counters.get(&change.key).copied().unwrap_or_default();
            if stored != change.before {
                let CounterKey { app, owner, unit, .. } = &change.key;
                return stale(format!(
                    "counter {unit:?} of {owner:?} of app {app:?} is no longer {}",
                    change.before
                ));
            }
        }
        let mut fresh = BTreeSet::new();
        for seen in &commit.seen {
            if self.seen.contains(seen) || !fresh.insert(seen) {
                return stale(format!("{:?} has been counted already", seen.key));
            }
        }
        Ok(())
    }

    fn sums(&self, commit: &Commit) -> Result<Sums, StoreError> {
        let mut sums = Sums { statements: Vec::new(), balances: Vec::new() };
        for (key, added) in &commit.statements {
            let mut totals = self.statements.get(key).cloned().unwrap_or_default();
            totals
                .add(added)
                .ok_or_else(|| StoreError::Failed("a statement's sum does not fit".to_owned()))?;
            sums.statements.push((key.clone(), totals));
        }
        for (account, added) in &commit.balances {
            let balance = self.balances.get(account).copied().unwrap_or_default();
            let sum = balance.plus(*added);
            let sum =
                sum.ok_or_else(|| StoreError::Failed(format!("the balance of {account} does not fit")))?;
            sums.balances.push((account.clone(), sum));
        }
        Ok(sums)
    }

    fn apply(&mut self, commit: Commit, sums: Sums) {
        for (event, outcome) in commit.events {
            let sequence = self.events.len() as Sequence + 1;
            if matches!(*outcome, Outcome::Held(_)) {
                self.held.insert(sequence);
            }
            self.dedupe.insert(event.key.clone(), (sequence, event.fingerprint));
            let (key, received) = (event.key.clone(), event.received.clone());
            let outcome = Arc::unwrap_or_clone(outcome);
            self.events.push(StoredEvent { sequence, key, received, outcome });
        }
        for (sequence, charge) in commit.released {
            self.held.remove(&sequence);
            if let Some(event) = position(sequence).and_then(|position| self.events.get_mut(position)) {
                event.outcome = Outcome::Rated(charge);
            }
        }
        self.counters.extend(commit.counters.into_iter().map(|change| (change.key, change.after)));
        for seen in commit.seen {
            self.counters.entry(seen.counter.clone()).or_default();
            self.seen.insert(seen);
        }
        self.statements.extend(sums.statements);
        self.balances.extend(sums.balances);
        if let Some(closing) = commit.closes {
            self.closed.insert((closing.app, closing.period));
            self.closing_charges.extend(closing.charges);
        }
    }
}

fn stale(reason: String) -> Result<(), StoreError> {
    Err(StoreError::Stale(reason))
}

/// Where in the list of events this number stands.
fn position(sequence: Sequence) -> Option<usize> {
    usize::try_from(sequence.checked_sub(1)?).ok()
}

/// A commit that is decided already.
struct Decided(Result<(), StoreError>);

impl Ticket for Decided {
    fn wait(self: Box<Self>) -> Result<(), StoreError> {
        self.0
    }
}

impl Store for MemoryStore {
    fn define(&self, definitions: &[Definition]) -> Result<(), StoreError> {
        self.kept().definitions.extend_from_slice(definitions);
        Ok(())
    }

    fn definitions(&self) -> Result<Vec<Definition>, StoreError> {
        Ok(self.kept().definitions.clone())
    }

    fn keep_plugin(&self, digest: &Digest, component: &[u8]) -> Result<(), StoreError> {
        self.kept().plugins.entry(*digest).or_insert_with(|| component.to_vec());
        Ok(())
    }

    fn plugin(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.kept().plugins.get(digest).cloned())
    }

    fn find(&self, keys: &[&EventKey]) -> Result<Vec<Option<Found>>, StoreError> {
        let kept = self.kept();
        let found = |key: &&EventKey| {
            let (sequence, fingerprint) = *kept.dedupe.get(*key)?;
            Some(Found { sequence, fingerprint })
        };
        Ok(keys.iter().map(found).collect())
    }

    fn event(&self, sequence: Sequence) -> Result<Option<StoredEvent>, StoreError> {
        Ok(position(sequence).and_then(|position| self.kept().events.get(position).cloned()))
    }

    fn counters(&self, keys: &[CounterKey]) -> Result<Vec<Quantity>, StoreError> {
        let kept = self.kept();
        Ok(keys.iter().map(|key| kept.counters.get(key).copied().unwrap_or_default()).collect())
    }

    fn seen(&self, keys: &[SeenKey]) -> Result<Vec<bool>, StoreError> {
        let kept = self.kept();
        Ok(keys.iter().map(|key| kept.seen.contains(key)).collect())
    }

    fn closed_periods(&self, app: &str) -> Result<Vec<Period>, StoreError> {
        let kept = self.kept();
        Ok(kept.closed.iter().filter(|(other, _)| other == app).map(|(_, period)| *period).collect())
    }

    fn submit(&self, commit: Commit) -> Result<Box<dyn Ticket>, StoreError> {
        Ok(Box::new(Decided(self.kept().commit(commit))))
    }

    fn statements(
        &self,
        filter: &StatementFilter,
    ) -> Result<Vec<(StatementKey, StatementTotals)>, StoreError> {
        let wanted = |key: &StatementKey| {
            filter.app.as_deref().is_none_or(|app| app == &*key.app)
                && filter.customer.as_deref().is_none_or(|customer| customer == &*key.customer)
                && filter.period.is_none_or(|period| period == key.period)
        };
        let kept = self.kept();
        let mut statements: Vec<_> = kept.statements.iter().filter(|(key, _)| wanted(key)).collect();
        statements
            .sort_by(|(a, _), (b, _)| (&a.customer, a.period, &a.app).cmp(&(&b.customer, b.period, &b.app)));
        Ok(statements.into_iter().map(|(key, totals)| (key.clone(), totals.clone())).collect())
    }

    fn usage(
        &self,
        app: &str,
        owner: Option<&str>,
        period: Option<Period>,
    ) -> Result<Vec<(CounterKey, Quantity)>, StoreError> {
        let wanted = |key: &CounterKey| {
            &*key.app == app
                && owner.is_none_or(|owner| owner == &*key.owner)
                && period.is_none_or(|period| period == key.period)
        };
        let kept = self.kept();
        Ok(kept
            .counters
            .iter()
            .filter(|(key, _)| wanted(key))
            .map(|(key, value)| (key.clone(), *value))
            .collect())
    }

    fn balances(&self) -> Result<Vec<(Account, Balance)>, StoreError> {
        Ok(self.kept().balances.iter().map(|(account, balance)| (account.clone(), *balance)).collect())
    }

    fn scan(&self, after: Sequence, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        Ok(self.kept().events.iter().skip(skipped).take(limit).cloned().collect())
    }

    fn held(&self, after: Sequence, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let kept = self.kept();
        let later = kept.held.iter().filter(|sequence| **sequence > after).take(limit);
        Ok(later.filter_map(|sequence| kept.events.get(position(*sequence)?)).cloned().collect())
    }

    fn closing_charges(&self) -> Result<Vec<ClosingCharge>, StoreError> {
        Ok(self.kept().closing_charges.clone())
    }

    fn counts(&self) -> Result<EventCounts, StoreError> {
        let kept = self.kept();
        let held = kept.held.len() as u64;
        Ok(EventCounts { rated: (kept.events.len() as u64).saturating_sub(held), held })
    }
}
