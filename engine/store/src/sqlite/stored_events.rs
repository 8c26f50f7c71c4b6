//! Events as they are kept: each with its charge or hold, and how it was taken back, if it was.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};
use tollgate_core::charge::Charge;
use tollgate_core::event::EventKey;
use tollgate_core::period::Period;
use tollgate_core::store::{HoldCause, HoldReason, Outcome, Placement, Sequence, StoredEvent, Voided};

use super::charge_record;
use super::event_id::{EventId, OwnedEventId};
use super::lookups::Reader;
use super::names::Names;
use super::placements;
use super::row;
use super::trouble::Trouble;

/// A query of events: the eleven columns that [`stored`] reads, then `$more`; from `$tables`, among which `events`
/// is, and those beside it that say what became of an event; with `$rest` as its conditions and order.
macro_rules! select_events {
    ($more:literal, $tables:literal, $rest:literal) => {
        concat!(
            "SELECT events.sequence, events.app, events.id, events.received,
                coalesce(events.charge, releases.charge),
                coalesce(holds.cause, voids.cause), coalesce(holds.message, voids.message),
                voids.at, voids.reason, voids.charge, voids.replacement",
            $more,
            " FROM ",
            $tables,
            " LEFT JOIN releases USING (sequence) LEFT JOIN holds USING (sequence)
              LEFT JOIN voids USING (sequence) ",
            $rest
        )
    };
}

/// A query of held events, likewise.
macro_rules! select_held {
    ($rest:literal) => {
        concat!(
            "SELECT events.sequence, events.app, id, received, NULL, cause, message, NULL, NULL, NULL, NULL
             FROM holds CROSS JOIN events USING (sequence) ",
            $rest
        )
    };
}

/// Up to `limit` events after a number.
pub fn scan(reader: &mut Reader, after: Sequence, limit: usize) -> Result<Vec<StoredEvent>, Trouble> {
    let query = select_events!("", "events", "WHERE events.sequence > ?1 ORDER BY events.sequence LIMIT ?2");
    list(reader, query, params![row::number_column(after), row::limit_column(limit)], stored)
}

/// Up to `limit` held events after a number, of one app where given.
pub fn held(
    reader: &mut Reader,
    app: Option<&str>,
    after: Sequence,
    limit: usize,
) -> Result<Vec<StoredEvent>, Trouble> {
    let (after, limit) = (row::number_column(after), row::limit_column(limit));
    let Some(app) = app else {
        let query = select_held!("WHERE holds.sequence > ?1 ORDER BY holds.sequence LIMIT ?2");
        return list(reader, query, [after, limit], stored);
    };
    let Some(app) = reader.names.known_id(&reader.db, app)? else { return Ok(Vec::new()) };
    let query = select_held!("WHERE holds.sequence > ?1 AND holds.app = ?3 ORDER BY holds.sequence LIMIT ?2");
    list(reader, query, [after, limit, app], stored)
}

/// Up to `limit` events of one customer before a placement, the latest first.
pub fn of_customer(
    reader: &mut Reader,
    (app, customer): (&str, &str),
    period: Option<Period>,
    before: Option<Placement>,
    limit: usize,
) -> Result<Vec<(Placement, StoredEvent)>, Trouble> {
    let Reader { db, names } = &mut *reader;
    let (Some(app), Some(customer)) = (names.known_id(db, app)?, names.known_id(db, customer)?) else {
        return Ok(Vec::new());
    };
    let query = select_events!(
        ", placements.period",
        "placements CROSS JOIN events USING (sequence)",
        "WHERE placements.app = ?1 AND placements.customer = ?2 AND placements.period >= ?3
            AND (placements.period, placements.sequence) < (?4, ?5)
         ORDER BY placements.period DESC, placements.sequence DESC LIMIT ?6"
    );
    let before = before.map_or(Ok((i64::MAX, i64::MAX)), placements::columns)?;
    let (first, before) = match period.map(row::period_number).transpose()? {
        Some(period) => (period, before.min((period, i64::MAX))),
        None => (0, before),
    };
    let values = params![app, customer, first, before.0, before.1, row::limit_column(limit)];
    list(reader, query, values, |db, names, row| {
        let event = stored(db, names, row)?;
        Ok((Placement { period: placements::period(row.get(11)?)?, sequence: event.sequence }, event))
    })
}

/// Up to `limit` events of one customer after a number, taken back by a late reversal of this period.
pub fn late_reversals(
    reader: &mut Reader,
    (app, customer): (&str, &str),
    period: Period,
    after: Sequence,
    limit: usize,
) -> Result<Vec<StoredEvent>, Trouble> {
    let Reader { db, names } = &mut *reader;
    let (Some(app), Some(customer)) = (names.known_id(db, app)?, names.known_id(db, customer)?) else {
        return Ok(Vec::new());
    };
    let query = select_events!(
        "",
        "late_reversals CROSS JOIN events USING (sequence)",
        "WHERE late_reversals.app = ?1 AND late_reversals.customer = ?2 AND late_reversals.period = ?3
            AND late_reversals.sequence > ?4
         ORDER BY late_reversals.sequence LIMIT ?5"
    );
    let period = row::period_number(period)?;
    list(reader, query, [app, customer, period, row::number_column(after), row::limit_column(limit)], stored)
}

/// What these events became.
pub fn by_keys(reader: &mut Reader, keys: &[&EventKey]) -> Result<Vec<Option<StoredEvent>>, Trouble> {
    let Reader { db, names } = reader;
    let mut query =
        db.prepare_cached(select_events!("", "events", "WHERE events.app = ?1 AND events.id = ?2"))?;
    let mut event = |key: &&EventKey| {
        let Some(app) = names.known_id(db, &key.app)? else { return Ok(None) };
        let found = query
            .query_row(params![app, EventId::from(&*key.id)], |row| Ok(stored(db, names, row)))
            .optional()?;
        found.transpose()
    };
    keys.iter().map(&mut event).collect()
}

fn list<T>(
    reader: &mut Reader,
    query: &str,
    values: impl Params,
    read: impl Fn(&Connection, &mut Names, &Row<'_>) -> Result<T, Trouble>,
) -> Result<Vec<T>, Trouble> {
    let Reader { db, names } = reader;
    let mut query = db.prepare_cached(query)?;
    query.query_and_then(values, |row| read(db, names, row))?.collect()
}

/// An event from the first ten columns.
fn stored(db: &Connection, names: &mut Names, row: &Row<'_>) -> Result<StoredEvent, Trouble> {
    let sequence = row::number(row.get(0)?)?;
    let app = names.word(db, row.get(1)?)?.to_string();
    let received: String = row.get(3)?;
    let mut word = |id| names.word(db, id);
    Ok(StoredEvent {
        sequence,
        key: EventKey { app, id: row.get::<_, OwnedEventId>(2)?.0 },
        received: received.into(),
        outcome: outcome(row, sequence, &mut word)?,
        voided: voided(row, &mut word)?,
    })
}

/// An outcome from the columns charge, cause and message, which start at the fifth.
fn outcome(
    row: &Row<'_>,
    sequence: Sequence,
    word: impl FnMut(i64) -> Result<Arc<str>, Trouble>,
) -> Result<Outcome, Trouble> {
    if let Some(charge) = charge(row, 4, word)? {
        return Ok(Outcome::Rated(charge));
    }
    let cause: Option<String> = row.get(5)?;
    let cause = cause.as_deref().and_then(HoldCause::from_code);
    let cause = cause.ok_or_else(|| Trouble::corrupt(format!("event {sequence} has no outcome")))?;
    Ok(Outcome::Held(HoldReason { cause, message: row.get(6)? }))
}

/// How it was taken back, from the columns at, reason, charge and replacement, which start at the eighth.
fn voided(
    row: &Row<'_>,
    word: impl FnMut(i64) -> Result<Arc<str>, Trouble>,
) -> Result<Option<Voided>, Trouble> {
    let Some(at) = row.get(7)? else { return Ok(None) };
    Ok(Some(Voided { reversal: charge(row, 9, word)?, reason: row.get(8)?, at, replacement: row.get(10)? }))
}

fn charge(
    row: &Row<'_>,
    column: usize,
    word: impl FnMut(i64) -> Result<Arc<str>, Trouble>,
) -> Result<Option<Charge>, Trouble> {
    let record = row.get_ref(column)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
    record.map(|record| charge_record::decode(record, word)).transpose()
}
