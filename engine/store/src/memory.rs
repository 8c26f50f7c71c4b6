//! The model: what a store must do, on plain maps behind one lock.
//!
//! It is the yardstick of every other store, so it prefers being obviously right to being fast. What a commit
//! does is in [`kept`]; here is what can be asked.

mod access;
mod entries;
mod kept;
mod records;

use std::cmp::Reverse;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tollgate_core::catalog::Definition;
use tollgate_core::event::EventKey;
use tollgate_core::ledger::{Account, Balance, Entry, EntryNumber, Owner};
use tollgate_core::period::Period;
use tollgate_core::plugin::Digest;
use tollgate_core::quantity::Quantity;
use tollgate_core::store::{
    ClosingCharge, Commit, CounterKey, EventCounts, Found, Notice, NoticeNumber, Placement, Record,
    RecordFilter, RecordKey, SeenKey, Sequence, StatementFilter, StatementKey, StatementTotals, Store,
    StoreError, StoreHealth, StoredEvent, Ticket,
};

use access::Access;
use kept::{Kept, placement, position};

/// A store that forgets everything when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryStore {
    kept: Mutex<Kept>,
    access: Mutex<Access>,
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

/// A commit that is decided already.
struct Decided(Result<(), StoreError>);

impl Ticket for Decided {
    fn wait(self: Box<Self>) -> Result<(), StoreError> {
        self.0
    }
}

impl Store for MemoryStore {
    fn define(&self, known: u64, definitions: &[Definition]) -> Result<(), StoreError> {
        self.kept().define(known, definitions)
    }

    fn definitions(&self, known: u64) -> Result<Vec<Definition>, StoreError> {
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        Ok(self.kept().definitions.iter().skip(known).cloned().collect())
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

    fn events_of(
        &self,
        app: &str,
        customer: &str,
        period: Option<Period>,
        before: Option<Placement>,
        limit: usize,
    ) -> Result<Vec<(Placement, StoredEvent)>, StoreError> {
        let kept = self.kept();
        let theirs = kept.events.iter().zip(&kept.customers);
        let theirs = theirs.filter(|(event, owner)| event.key.app == app && *owner == customer);
        let mut placed: Vec<_> = theirs
            .map(|(event, _)| (placement(event), event.clone()))
            .filter(|(placement, _)| period.is_none_or(|period| placement.period == Some(period)))
            .filter(|(placement, _)| before.is_none_or(|before| *placement < before))
            .collect();
        placed.sort_by_key(|(placement, _)| Reverse(*placement));
        placed.truncate(limit);
        Ok(placed)
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

    fn balance(&self, account: &Account) -> Result<Balance, StoreError> {
        Ok(self.kept().balances.get(account).copied().unwrap_or_default())
    }

    fn entry(&self, id: &str) -> Result<Option<(EntryNumber, Entry)>, StoreError> {
        Ok(self.kept().entries.by_id(id))
    }

    fn entries(
        &self,
        owner: Option<&Owner>,
        after: EntryNumber,
        limit: usize,
    ) -> Result<Vec<(EntryNumber, Entry)>, StoreError> {
        Ok(self.kept().entries.list(owner, after, limit))
    }

    fn records(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StoreError> {
        let kept = self.kept();
        Ok(keys.iter().map(|key| kept.records.get(key).cloned()).collect())
    }

    fn list_records(&self, filter: &RecordFilter, limit: usize) -> Result<Vec<Record>, StoreError> {
        Ok(self.kept().records.list(filter, limit))
    }

    fn notices(&self, after: NoticeNumber, limit: usize) -> Result<Vec<(NoticeNumber, Notice)>, StoreError> {
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        Ok((1..).zip(self.kept().notices.iter().cloned()).skip(skipped).take(limit).collect())
    }

    fn balances(&self) -> Result<Vec<(Account, Balance)>, StoreError> {
        Ok(self.kept().balances.iter().map(|(account, balance)| (account.clone(), *balance)).collect())
    }

    fn scan(&self, after: Sequence, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        Ok(self.kept().events.iter().skip(skipped).take(limit).cloned().collect())
    }

    fn held(&self, app: Option<&str>, after: Sequence, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let kept = self.kept();
        let later = kept.held.iter().filter(|sequence| **sequence > after);
        let events = later.filter_map(|sequence| kept.events.get(position(*sequence)?));
        let wanted = events.filter(|event| app.is_none_or(|app| app == event.key.app));
        Ok(wanted.take(limit).cloned().collect())
    }

    fn late_reversals(
        &self,
        app: &str,
        customer: &str,
        period: Period,
        after: Sequence,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let kept = self.kept();
        let events = kept.events.iter().zip(&kept.customers);
        let theirs = events.filter(|(event, owner)| event.key.app == app && *owner == customer);
        let later = theirs.map(|(event, _)| event).filter(|event| event.sequence > after);
        let late = later.filter(|event| {
            let reversal = event.voided.as_ref().and_then(|voided| voided.reversal.as_ref());
            reversal.is_some_and(|reversal| reversal.period == period)
                && placement(event).period != Some(period)
        });
        Ok(late.take(limit).cloned().collect())
    }

    fn closing_charges(
        &self,
        app: Option<&str>,
        period: Option<Period>,
    ) -> Result<Vec<ClosingCharge>, StoreError> {
        let kept = self.kept();
        let charges = kept.closing_charges.iter();
        let of_app = charges.filter(|closing| app.is_none_or(|app| app == closing.app));
        let wanted = of_app.filter(|closing| period.is_none_or(|period| period == closing.charge.period));
        Ok(wanted.cloned().collect())
    }

    fn counts(&self) -> Result<EventCounts, StoreError> {
        let kept = self.kept();
        let (events, held) = (kept.events.len() as u64, kept.held.len() as u64);
        let rated = events.saturating_sub(held).saturating_sub(kept.voided_held);
        Ok(EventCounts { rated, held, voided: kept.voided })
    }

    fn health(&self) -> StoreHealth {
        StoreHealth::default()
    }
}
