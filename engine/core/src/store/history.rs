//! Goes through what a store has, however much it is, a page at a time.

use super::record::{Document, Versioned};
use super::{Placement, RecordFilter, RecordKey, Sequence, Store, StoreError, StoredEvent};
use crate::ledger::{Entry, EntryNumber};
use crate::period::Period;

/// How many events, entries or records are read at a time.
const PAGE: usize = 1_000;

/// Shows `visit` every event of a customer that is counted in a period, those taken back among them, the
/// latest first.
///
/// # Errors
/// When the store fails, or `visit` does.
pub fn each_event_of<E: From<StoreError>>(
    store: &dyn Store,
    app: &str,
    customer: &str,
    period: Period,
    visit: &mut dyn FnMut(&StoredEvent) -> Result<(), E>,
) -> Result<(), E> {
    let mut before: Option<Placement> = None;
    loop {
        let events = store.events_of(app, customer, Some(period), before, PAGE)?;
        let Some((last, _)) = events.last() else { return Ok(()) };
        before = Some(*last);
        events.iter().try_for_each(|(_, stored)| visit(stored))?;
    }
}

/// Shows `visit` every event of a customer that was taken back by a reversal of this period but is counted in
/// another, in the order of acceptance.
///
/// # Errors
/// When the store fails, or `visit` does.
pub fn each_late_reversal<E: From<StoreError>>(
    store: &dyn Store,
    app: &str,
    customer: &str,
    period: Period,
    visit: &mut dyn FnMut(&StoredEvent) -> Result<(), E>,
) -> Result<(), E> {
    let mut after: Sequence = 0;
    loop {
        let events = store.late_reversals(app, customer, period, after, PAGE)?;
        let Some(last) = events.last() else { return Ok(()) };
        after = last.sequence;
        events.iter().try_for_each(&mut *visit)?;
    }
}

/// Shows `visit` every entry, in order.
///
/// # Errors
/// When the store fails, or `visit` does.
pub fn each_entry<E: From<StoreError>>(
    store: &dyn Store,
    visit: &mut dyn FnMut(&Entry) -> Result<(), E>,
) -> Result<(), E> {
    let mut after: EntryNumber = 0;
    loop {
        let entries = store.entries(None, after, PAGE)?;
        let Some((last, _)) = entries.last() else { return Ok(()) };
        after = *last;
        entries.iter().try_for_each(|(_, entry)| visit(entry))?;
    }
}

/// What looks at a record.
pub type RecordVisit<'v, T, E> = dyn FnMut(&RecordKey, Versioned<T>) -> Result<(), E> + 'v;

/// Shows `visit` every record of a kind, of one owner where given, in order.
///
/// # Errors
/// When the store fails or holds something unreadable, or `visit` fails.
pub fn each_record<T: Document, E: From<StoreError>>(
    store: &dyn Store,
    owner: Option<&str>,
    visit: &mut RecordVisit<'_, T, E>,
) -> Result<(), E> {
    let mut filter = RecordFilter { owner: owner.map(str::to_owned), ..RecordFilter::of(T::KIND) };
    loop {
        let records = store.list_records(&filter, PAGE)?;
        let Some(last) = records.last() else { return Ok(()) };
        filter.after = Some((last.key.owner.clone(), last.key.id.clone()));
        for record in &records {
            visit(&record.key, Versioned::of(record)?)?;
        }
    }
}
