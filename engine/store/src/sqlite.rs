//! The durable store: one SQLite file, one writer thread, a few reading connections.
//!
//! Writes go through [`writer`]; reads see every commit that has been acknowledged. Any number of stores,
//! in this process or others, may have the same file open: the conditions of each commit are checked
//! inside its transaction, against what the file holds then.

mod access;
mod apply;
mod backup;
mod charge_record;
mod checkpointer;
mod definitions;
mod entries;
mod event_id;
mod health;
mod late_reversals;
mod lists;
mod lookups;
mod names;
mod notices;
mod open;
mod owners;
mod placements;
mod records;
mod row;
mod schema;
mod stored_events;
mod sums;
mod take_back;
mod trouble;
mod work;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

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

pub use backup::BackupError;
pub use open::{OpenError, Options};

use lookups::Reader;
use trouble::Trouble;
use work::Work;
use writer::Writer;

/// Reading connections kept open between reads, with what each remembers. A read that finds none opens the file
/// anew, so there are as many as a server reads at once: 16 calls into the engine, and beside them those that
/// record, authorise, answer repeated writes and keep house. Only as many are opened as ever were needed at once.
const IDLE_READERS_MAX: usize = 24;

/// A store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    options: Options,
    idle_readers: Mutex<Vec<Reader>>,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the database at `path`, and makes it when there is no file or an empty one. An older schema is
    /// brought up to date.
    ///
    /// # Errors
    /// When the file is not a Tollgate database, is of a newer Tollgate, or cannot be opened.
    pub fn open(path: &Path, options: &Options) -> Result<Self, OpenError> {
        let mut connection = open::connect_writer(path, options)?;
        schema::migrate(&mut connection, path)?;
        let beside = open::connect_checkpointer(path, options)?;
        let writer = Writer::start(connection, beside, options).map_err(OpenError::NoThread)?;
        let (path, options) = (path.to_owned(), options.clone());
        Ok(Self { path, options, idle_readers: Mutex::default(), writer })
    }

    /// Runs `read` on a reading connection, in one transaction: all of it sees the same moment.
    fn read<T>(&self, read: impl FnOnce(&mut Reader) -> Result<T, Trouble>) -> Result<T, StoreError> {
        let idle = self.idle_readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => Reader::new(open::connect_reader(&self.path, &self.options).map_err(Trouble::from)?),
        };
        let answer = reader.in_transaction(read)?;
        let mut idle = self.idle_readers.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS_MAX {
            idle.push(reader);
        }
        Ok(answer)
    }
}

impl Store for SqliteStore {
    fn define(&self, known: u64, definitions: &[Definition]) -> Result<(), StoreError> {
        let texts: Result<Vec<String>, _> = definitions.iter().map(serde_json::to_string).collect();
        let definitions = texts.map_err(|error| StoreError::Failed(error.to_string()))?;
        self.writer.write(Work::Define { known, definitions })
    }

    fn definitions(&self, known: u64) -> Result<Vec<Definition>, StoreError> {
        self.read(|reader| definitions::after(reader, known))
    }

    fn keep_plugin(&self, digest: &Digest, component: &[u8]) -> Result<(), StoreError> {
        self.writer.write(Work::KeepPlugin { digest: digest.to_string(), component: component.to_vec() })
    }

    fn plugin(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|reader| lookups::plugin(reader, digest))
    }

    fn find(&self, keys: &[&EventKey]) -> Result<Vec<Option<Found>>, StoreError> {
        self.read(|reader| lookups::find(reader, keys))
    }

    fn event(&self, sequence: Sequence) -> Result<Option<StoredEvent>, StoreError> {
        let Some(before) = sequence.checked_sub(1) else { return Ok(None) };
        let next = self.read(|reader| stored_events::scan(reader, before, 1))?;
        Ok(next.into_iter().find(|event| event.sequence == sequence))
    }

    fn stored(&self, keys: &[&EventKey]) -> Result<Vec<Option<StoredEvent>>, StoreError> {
        self.read(|reader| stored_events::by_keys(reader, keys))
    }

    fn events_of(
        &self,
        app: &str,
        customer: &str,
        period: Option<Period>,
        before: Option<Placement>,
        limit: usize,
    ) -> Result<Vec<(Placement, StoredEvent)>, StoreError> {
        self.read(|reader| stored_events::of_customer(reader, (app, customer), period, before, limit))
    }

    fn counters(&self, keys: &[CounterKey]) -> Result<Vec<Quantity>, StoreError> {
        self.read(|reader| lookups::counters(reader, keys))
    }

    fn seen(&self, keys: &[SeenKey]) -> Result<Vec<bool>, StoreError> {
        self.read(|reader| lookups::seen(reader, keys))
    }

    fn closed_periods(&self, app: &str) -> Result<Vec<Period>, StoreError> {
        self.read(|reader| lookups::closed_periods(reader, app))
    }

    fn submit(&self, commit: Commit) -> Result<Box<dyn Ticket>, StoreError> {
        self.writer.submit(commit)
    }

    fn statements(
        &self,
        filter: &StatementFilter,
    ) -> Result<Vec<(StatementKey, StatementTotals)>, StoreError> {
        self.read(|reader| lists::statements(reader, filter))
    }

    fn usage(
        &self,
        app: &str,
        owner: Option<&str>,
        period: Option<Period>,
    ) -> Result<Vec<(CounterKey, Quantity)>, StoreError> {
        self.read(|reader| lists::usage(reader, app, owner, period))
    }

    fn balance(&self, account: &Account) -> Result<Balance, StoreError> {
        self.read(|reader| sums::balance_of(reader, account))
    }

    fn entry(&self, id: &str) -> Result<Option<(EntryNumber, Entry)>, StoreError> {
        self.read(|reader| entries::by_id(reader, id))
    }

    fn entries(
        &self,
        owner: Option<&Owner>,
        after: EntryNumber,
        limit: usize,
    ) -> Result<Vec<(EntryNumber, Entry)>, StoreError> {
        self.read(|reader| entries::list(reader, owner, after, limit))
    }

    fn records(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StoreError> {
        self.read(|reader| records::by_keys(reader, keys))
    }

    fn list_records(&self, filter: &RecordFilter, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.read(|reader| records::list(reader, filter, limit))
    }

    fn notices(&self, after: NoticeNumber, limit: usize) -> Result<Vec<(NoticeNumber, Notice)>, StoreError> {
        self.read(|reader| notices::list(reader, after, limit))
    }

    fn balances(&self) -> Result<Vec<(Account, Balance)>, StoreError> {
        self.read(lists::balances)
    }

    fn scan(&self, after: Sequence, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        self.read(|reader| stored_events::scan(reader, after, limit))
    }

    fn held(&self, app: Option<&str>, after: Sequence, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        self.read(|reader| stored_events::held(reader, app, after, limit))
    }

    fn late_reversals(
        &self,
        app: &str,
        customer: &str,
        period: Period,
        after: Sequence,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.read(|reader| stored_events::late_reversals(reader, (app, customer), period, after, limit))
    }

    fn closing_charges(
        &self,
        app: Option<&str>,
        period: Option<Period>,
    ) -> Result<Vec<ClosingCharge>, StoreError> {
        self.read(|reader| lists::closing_charges(reader, app, period))
    }

    fn counts(&self) -> Result<EventCounts, StoreError> {
        self.read(lookups::counts)
    }

    fn health(&self) -> StoreHealth {
        self.writer.health(&self.path)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn readers_of_a_busy_server_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("tollgate.db"), &Options::default()).unwrap();
        let at_once = |readers: usize| {
            let together = Barrier::new(readers);
            let wait = |_: &mut Reader| {
                together.wait();
                Ok(())
            };
            std::thread::scope(|scope| {
                (0..readers).for_each(|_| drop(scope.spawn(|| store.read(wait).unwrap())));
            });
            store.idle_readers.lock().unwrap().len()
        };
        assert_eq!(at_once(2), 2);
        assert_eq!(at_once(20), 20);
        assert_eq!(at_once(3), 20);
        assert_eq!(at_once(IDLE_READERS_MAX + 1), IDLE_READERS_MAX);
    }
}
