//! What the model keeps, and what a commit does to it: checked whole before anything of it is applied.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tollgate_core::catalog::Definition;
use tollgate_core::event::{Event, EventKey, Fingerprint};
use tollgate_core::ledger::{Account, Balance};
use tollgate_core::period::Period;
use tollgate_core::plugin::Digest;
use tollgate_core::quantity::Quantity;
use tollgate_core::store::{
    ClosingCharge, Commit, CounterKey, Notice, Outcome, Placement, SeenKey, Sequence, StatementKey,
    StatementTotals, StoreError, StoredEvent, Voided,
};

use super::entries::Entries;
use super::records::Records;

/// Everything.
#[derive(Debug, Default)]
pub struct Kept {
    pub definitions: Vec<Definition>,
    pub plugins: HashMap<Digest, Vec<u8>>,
    /// In order of sequence, which starts at 1.
    pub events: Vec<StoredEvent>,
    /// Whose each of them is.
    pub customers: Vec<String>,
    pub dedupe: HashMap<EventKey, (Sequence, Fingerprint)>,
    pub held: BTreeSet<Sequence>,
    /// How many events were taken back.
    pub voided: u64,
    /// How many of those were held.
    pub voided_held: u64,
    pub counters: BTreeMap<CounterKey, Quantity>,
    pub seen: BTreeSet<SeenKey>,
    pub closed: BTreeSet<(String, Period)>,
    pub closing_charges: Vec<ClosingCharge>,
    pub statements: BTreeMap<StatementKey, StatementTotals>,
    pub balances: BTreeMap<Account, Balance>,
    pub entries: Entries,
    pub records: Records,
    /// In order of their numbers, which start at 1.
    pub notices: Vec<Notice>,
}

/// The sums that a commit leads to, computed before anything is changed.
struct Sums {
    statements: Vec<(StatementKey, StatementTotals)>,
    balances: Vec<(Account, Balance)>,
}

impl Kept {
    /// Appends to a history of definitions of this length.
    pub fn define(&mut self, known: u64, definitions: &[Definition]) -> Result<(), StoreError> {
        let count = self.definitions.len() as u64;
        if count != known {
            return stale(format!("there are {count} definitions, not {known}"));
        }
        self.definitions.extend_from_slice(definitions);
        Ok(())
    }

    /// Applies the whole of a commit, or nothing.
    pub fn commit(&mut self, commit: Commit) -> Result<(), StoreError> {
        let count = self.definitions.len() as u64;
        if let Some(known) = commit.defined.filter(|known| count > *known) {
            return stale(format!("there are {count} definitions, it was decided by {known}"));
        }
        self.check_closed(&commit)?;
        self.records.check(&commit)?;
        self.entries.check(&commit)?;
        self.check_voids(&commit)?;
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

    fn check_voids(&self, commit: &Commit) -> Result<(), StoreError> {
        let mut fresh = BTreeSet::new();
        for (sequence, Voided { reversal, .. }) in &commit.voids {
            let Some(event) = position(*sequence).and_then(|position| self.events.get(position)) else {
                return stale(format!("event {sequence} is not there"));
            };
            let refusal = match (&event.outcome, reversal) {
                _ if event.voided.is_some() || !fresh.insert(sequence) => "has been taken back already",
                (Outcome::Held(_), Some(_)) => "is held: there is no charge to reverse",
                (Outcome::Rated(_), None) => "is charged: its charge must be reversed",
                _ => continue,
            };
            return stale(format!("event {sequence} {refusal}"));
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
        let mut ended: BTreeSet<Sequence> = commit.voids.iter().map(|(sequence, _)| *sequence).collect();
        for (sequence, _) in &commit.released {
            if !self.held.contains(sequence) || !ended.insert(*sequence) {
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
        self.check_seen(commit)
    }

    /// Keys go before others come: one may do both.
    fn check_seen(&self, commit: &Commit) -> Result<(), StoreError> {
        let mut gone = BTreeSet::new();
        for unseen in &commit.unseen {
            if !self.seen.contains(unseen) || !gone.insert(unseen) {
                return stale(format!("{:?} is not counted", unseen.key));
            }
        }
        let mut fresh = BTreeSet::new();
        for seen in &commit.seen {
            let counted = self.seen.contains(seen) && !gone.contains(seen);
            if counted || !fresh.insert(seen) {
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
            if sum.debits_pending < 0 || sum.credits_pending < 0 {
                return Err(StoreError::Failed(format!("less than nothing would be pending for {account}")));
            }
            sums.balances.push((account.clone(), sum));
        }
        Ok(sums)
    }

    fn apply(&mut self, commit: Commit, sums: Sums) {
        self.records.apply(commit.records);
        self.entries.add(commit.entries);
        self.notices.extend(commit.notices);
        for (sequence, voided) in commit.voids {
            self.void(sequence, voided);
        }
        for (event, outcome) in commit.events {
            self.insert(&event, Arc::unwrap_or_clone(outcome));
        }
        for (sequence, charge) in commit.released {
            self.held.remove(&sequence);
            if let Some(event) = position(sequence).and_then(|position| self.events.get_mut(position)) {
                event.outcome = Outcome::Rated(charge);
            }
        }
        self.counters.extend(commit.counters.into_iter().map(|change| (change.key, change.after)));
        for unseen in &commit.unseen {
            self.seen.remove(unseen);
        }
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

    fn insert(&mut self, event: &Event, outcome: Outcome) {
        let sequence = self.events.len() as Sequence + 1;
        if matches!(outcome, Outcome::Held(_)) {
            self.held.insert(sequence);
        }
        self.dedupe.insert(event.key.clone(), (sequence, event.fingerprint));
        self.customers.push(event.customer.clone());
        let (key, received) = (event.key.clone(), event.received.clone());
        self.events.push(StoredEvent { sequence, key, received, outcome, voided: None });
    }

    fn void(&mut self, sequence: Sequence, voided: Voided) {
        self.voided += 1;
        if self.held.remove(&sequence) {
            self.voided_held += 1;
        }
        if let Some(event) = position(sequence).and_then(|position| self.events.get_mut(position)) {
            event.voided = Some(voided);
        }
    }
}

/// Refuses a commit that was decided from something else.
pub fn stale(reason: String) -> Result<(), StoreError> {
    Err(StoreError::Stale(reason))
}

/// Where an event stands in its customer's history.
pub fn placement(event: &StoredEvent) -> Placement {
    let period = match &event.outcome {
        Outcome::Rated(charge) => Some(charge.period),
        Outcome::Held(_) => None,
    };
    Placement { period, sequence: event.sequence }
}

/// Where in the list of events this number stands.
pub fn position(sequence: Sequence) -> Option<usize> {
    usize::try_from(sequence.checked_sub(1)?).ok()
}
