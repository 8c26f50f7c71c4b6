//! The trait behind which everything is kept.
//!
//! It is coarse on purpose: one lookup for a batch, one atomic commit for a batch. A commit is
//! *conditional*: it says which counters it was rated from and which events it believes new, and the store
//! refuses the whole of it when that is no longer so. Whatever the engine remembers between commits is
//! therefore a hint; the commit decides. Several writers may share a store.

mod commit;
mod health;
mod history;
mod hold;
mod notice;
pub mod record;
mod totals;

use std::sync::Arc;

use crate::catalog::Definition;
use crate::charge::Charge;
use crate::door;
use crate::event::{Event, EventKey, Fingerprint};
use crate::ledger::{Account, Balance, Entry, EntryNumber, Owner};
use crate::period::Period;
use crate::plugin::Digest;
use crate::quantity::Quantity;

pub use commit::{Closing, ClosingCharge, Commit, CounterChange, StatementKey, StatementTotals};
pub use health::{StoreHealth, WriteTrouble};
pub use history::{RecordVisit, each_entry, each_event_of, each_late_reversal, each_record};
pub use hold::{HoldCause, HoldReason};
pub use notice::{Notice, NoticeKind, NoticeNumber};
pub use record::{Record, RecordChange, RecordFilter, RecordKey, RecordKind, Version};

/// Names one usage counter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CounterKey {
    /// The app.
    pub app: Arc<str>,
    /// The customer, or the customer's parent for a pooled unit.
    pub owner: Arc<str>,
    /// The unit's name.
    pub unit: Arc<str>,
    /// The group's label; empty when the unit is not grouped.
    pub group: Arc<str>,
    /// The period.
    pub period: Period,
}

/// A key of a distinct unit that has been counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeenKey {
    /// Where it was counted.
    pub counter: CounterKey,
    /// What was counted.
    pub key: Arc<str>,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was charged.
    Rated(Charge),
    /// It waits.
    Held(HoldReason),
}

/// A number the store gives each event, growing in the order of acceptance. Starts at 1.
pub type Sequence = u64;

/// An event that a store has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its number.
    pub sequence: Sequence,
    /// What it said.
    pub fingerprint: Fingerprint,
}

/// An event with its outcome, as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number.
    pub sequence: Sequence,
    /// The dedupe key.
    pub key: EventKey,
    /// The CloudEvents object as received: what the door parses again.
    pub received: Box<str>,
    /// What became of it.
    pub outcome: Outcome,
    /// How it was taken back, if it was.
    pub voided: Option<Voided>,
}

impl StoredEvent {
    /// The event, read again from what was received: what the door let in once, it lets in again.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it does not.
    pub fn event(&self) -> Result<Event, StoreError> {
        door::parse(self.received.as_bytes())
            .map_err(|error| StoreError::Corrupt(format!("a kept event does not parse any more: {error}")))
    }
}

/// An event taken back. The event and its charge stay; this stands beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voided {
    /// The opposite entry; `None` when the event was held and nothing had been charged.
    pub reversal: Option<Charge>,
    /// Why, in somebody's words.
    pub reason: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The id of the event of the same app that corrects it, where one was named.
    pub replacement: Option<String>,
}

/// Where an event stands in its customer's history: by period, and within it in the order of acceptance. A
/// held event has no period yet; it stands after all others, until it is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placement {
    /// The period it is counted in; `None` while it is held.
    pub period: Option<Period>,
    /// Its number.
    pub sequence: Sequence,
}

/// Why a store could not do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The commit was rated from something that has changed since: look again, rate again, try again.
    #[error("the store has moved on: {0}")]
    Stale(String),
    /// More is waiting to be written than the store takes in.
    #[error("the store's queue is full")]
    Full,
    /// The database refused or failed; nothing of the commit is in it.
    #[error("the store failed: {0}")]
    Failed(String),
    /// The commit failed at a moment at which it may have reached the disk, or not: what the file holds when it is
    /// opened again decides.
    #[error("it is not known whether the store kept it: {0}")]
    OutcomeUnknown(String),
    /// What was read back is not what was ever written.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(String),
}

/// An answer that comes once a commit is durable.
pub trait Ticket: Send {
    /// Waits for the commit. After `Ok` it survives a power loss.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it must be rated again; nothing of it is kept after any error but
    /// [`StoreError::OutcomeUnknown`].
    fn wait(self: Box<Self>) -> Result<(), StoreError>;
}

/// Which statements to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatementFilter {
    /// Only this app's.
    pub app: Option<String>,
    /// Only this customer's.
    pub customer: Option<String>,
    /// Only this period's.
    pub period: Option<Period>,
}

/// How many events a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventCounts {
    /// Charged.
    pub rated: u64,
    /// Waiting.
    pub held: u64,
    /// Taken back: charged ones, which count as charged too, and held ones, which count nowhere else.
    pub voided: u64,
}

/// Keeps what the engine decides. Every list answers in the order of the question.
pub trait Store: Send + Sync {
    /// Appends definitions to the history, which is `known` definitions long.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it is not; when the database fails.
    fn define(&self, known: u64, definitions: &[Definition]) -> Result<(), StoreError>;

    /// The history of definitions after the first `known`, oldest first.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    fn definitions(&self, known: u64) -> Result<Vec<Definition>, StoreError>;

    /// Keeps a plugin's component under its digest. Keeping it again changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    fn keep_plugin(&self, digest: &Digest, component: &[u8]) -> Result<(), StoreError>;

    /// The component of this digest.
    ///
    /// # Errors
    /// When the database fails.
    fn plugin(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError>;

    /// Which of these events the store has.
    ///
    /// # Errors
    /// When the database fails.
    fn find(&self, keys: &[&EventKey]) -> Result<Vec<Option<Found>>, StoreError>;

    /// The event of this number with its outcome.
    ///
    /// # Errors
    /// When the database fails.
    fn event(&self, sequence: Sequence) -> Result<Option<StoredEvent>, StoreError>;

    /// What these events became; `None` for one the store does not have.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    fn stored(&self, keys: &[&EventKey]) -> Result<Vec<Option<StoredEvent>>, StoreError> {
        let read = |found: Option<Found>| match found {
            Some(found) => self.event(found.sequence),
            None => Ok(None),
        };
        self.find(keys)?.into_iter().map(read).collect()
    }

    /// As [`Self::stored`], for one event.
    ///
    /// # Errors
    /// Likewise.
    fn stored_one(&self, key: &EventKey) -> Result<Option<StoredEvent>, StoreError> {
        Ok(self.stored(&[key])?.into_iter().next().flatten())
    }

    /// Up to `limit` events of one customer, the latest placement first: those placed before `before`, and
    /// only of one period, where given. Those taken back are among them.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    fn events_of(
        &self,
        app: &str,
        customer: &str,
        period: Option<Period>,
        before: Option<Placement>,
        limit: usize,
    ) -> Result<Vec<(Placement, StoredEvent)>, StoreError>;

    /// The values of these counters; zero for one the store does not have.
    ///
    /// # Errors
    /// When the database fails.
    fn counters(&self, keys: &[CounterKey]) -> Result<Vec<Quantity>, StoreError>;

    /// Which of these keys have been counted.
    ///
    /// # Errors
    /// When the database fails.
    fn seen(&self, keys: &[SeenKey]) -> Result<Vec<bool>, StoreError>;

    /// The periods of an app that are closed, in order.
    ///
    /// # Errors
    /// When the database fails.
    fn closed_periods(&self, app: &str) -> Result<Vec<Period>, StoreError>;

    /// Hands a commit over to be written, after all those handed over before. Returns at once.
    ///
    /// # Errors
    /// [`StoreError::Full`] when too many are waiting.
    fn submit(&self, commit: Commit) -> Result<Box<dyn Ticket>, StoreError>;

    /// Statements, sorted by customer, then period, then app.
    ///
    /// # Errors
    /// When the database fails.
    fn statements(
        &self,
        filter: &StatementFilter,
    ) -> Result<Vec<(StatementKey, StatementTotals)>, StoreError>;

    /// The counters of one app (and of one owner and period, where given), sorted by key.
    ///
    /// # Errors
    /// When the database fails.
    fn usage(
        &self,
        app: &str,
        owner: Option<&str>,
        period: Option<Period>,
    ) -> Result<Vec<(CounterKey, Quantity)>, StoreError>;

    /// The balance of one account; empty for one the store does not have.
    ///
    /// # Errors
    /// When the database fails.
    fn balance(&self, account: &Account) -> Result<Balance, StoreError>;

    /// The entry of this id with its number.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    fn entry(&self, id: &str) -> Result<Option<(EntryNumber, Entry)>, StoreError>;

    /// Up to `limit` entries after this number that post to an account of this owner (or any), in order.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    fn entries(
        &self,
        owner: Option<&Owner>,
        after: EntryNumber,
        limit: usize,
    ) -> Result<Vec<(EntryNumber, Entry)>, StoreError>;

    /// These records; `None` for one the store does not have.
    ///
    /// # Errors
    /// When the database fails.
    fn records(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StoreError>;

    /// Up to `limit` records that a filter selects: by owner and id, or, where it asks for those that are due,
    /// by the moment at which they are.
    ///
    /// # Errors
    /// When the database fails.
    fn list_records(&self, filter: &RecordFilter, limit: usize) -> Result<Vec<Record>, StoreError>;

    /// Up to `limit` notices after this number, in order.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    fn notices(&self, after: NoticeNumber, limit: usize) -> Result<Vec<(NoticeNumber, Notice)>, StoreError>;

    /// All balances, sorted by account.
    ///
    /// # Errors
    /// When the database fails.
    fn balances(&self) -> Result<Vec<(Account, Balance)>, StoreError>;

    /// Up to `limit` events after this number, in order.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    fn scan(&self, after: Sequence, limit: usize) -> Result<Vec<StoredEvent>, StoreError>;

    /// Up to `limit` held events after this number (of one app, where given), in order.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    fn held(&self, app: Option<&str>, after: Sequence, limit: usize) -> Result<Vec<StoredEvent>, StoreError>;

    /// Up to `limit` events of one customer after this number, in order, that were taken back by a reversal of
    /// this period but are counted in another, which was closed.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    fn late_reversals(
        &self,
        app: &str,
        customer: &str,
        period: Period,
        after: Sequence,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// What the closes charged (of one app, and of one period, where given), in the order of closing.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    fn closing_charges(
        &self,
        app: Option<&str>,
        period: Option<Period>,
    ) -> Result<Vec<ClosingCharge>, StoreError>;

    /// How many events there are.
    ///
    /// # Errors
    /// When the database fails.
    fn counts(&self) -> Result<EventCounts, StoreError>;

    /// Whether anything can be kept. Waits for nothing that is being written.
    fn health(&self) -> StoreHealth;
}
