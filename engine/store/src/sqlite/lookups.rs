//! Point lookups: what the engine asks before it rates a batch.

use rusqlite::{Connection, OptionalExtension as _, params};
use tollgate_core::event::EventKey;
use tollgate_core::period::Period;
use tollgate_core::plugin::Digest;
use tollgate_core::quantity::Quantity;
use tollgate_core::store::{CounterKey, EventCounts, Found, SeenKey};

use super::event_id::EventId;
use super::names::{CounterRow, Names};
use super::row;
use super::trouble::Trouble;

/// A connection that reads, with what it remembers.
#[derive(Debug)]
pub struct Reader {
    /// The connection.
    pub db: Connection,
    /// What it remembers of names and counters.
    pub names: Names,
}

impl Reader {
    /// A reader that remembers nothing yet.
    pub fn new(db: Connection) -> Self {
        Self { db, names: Names::default() }
    }

    /// Runs `read` in one transaction, which also spares each statement its locks.
    pub fn in_transaction<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        self.db.prepare_cached("BEGIN DEFERRED")?.execute([])?;
        let answer = read(self);
        self.db.prepare_cached("COMMIT")?.execute([])?;
        self.names.saved();
        answer
    }
}

/// Which of these events there are.
pub fn find(reader: &mut Reader, keys: &[&EventKey]) -> Result<Vec<Option<Found>>, Trouble> {
    let Reader { db, names } = reader;
    let mut query =
        db.prepare_cached("SELECT sequence, fingerprint FROM events WHERE app = ?1 AND id = ?2")?;
    let mut find = |key: &&EventKey| {
        let Some(app) = names.known_id(db, &key.app)? else { return Ok(None) };
        let found = query
            .query_row(params![app, EventId::from(&*key.id)], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((sequence, fingerprint)) = found else { return Ok(None) };
        Ok(Some(Found { sequence: row::sequence(sequence)?, fingerprint }))
    };
    keys.iter().map(&mut find).collect()
}

/// The values of these counters.
pub fn counters(reader: &mut Reader, keys: &[CounterKey]) -> Result<Vec<Quantity>, Trouble> {
    let Reader { db, names } = reader;
    let mut query = db.prepare_cached("SELECT value FROM counters WHERE id = ?1")?;
    let mut value = |key: &CounterKey| {
        let Some(id) = counter_id(db, names, key)? else { return Ok(Quantity::ZERO) };
        let value: String = query.query_row([id], |row| row.get(0))?;
        row::quantity(&value)
    };
    keys.iter().map(&mut value).collect()
}

/// Which of these keys have been counted.
pub fn seen(reader: &mut Reader, keys: &[SeenKey]) -> Result<Vec<bool>, Trouble> {
    let Reader { db, names } = reader;
    let mut query = db.prepare_cached("SELECT 1 FROM seen WHERE counter = ?1 AND key = ?2")?;
    let mut seen = |seen: &SeenKey| {
        let Some(id) = counter_id(db, names, &seen.counter)? else { return Ok(false) };
        Ok(query.exists(params![id, seen.key])?)
    };
    keys.iter().map(&mut seen).collect()
}

/// The number of a counter; `None` when there is no such counter.
fn counter_id(db: &Connection, names: &mut Names, key: &CounterKey) -> Result<Option<i64>, Trouble> {
    let mut ids = [0; 4];
    for (id, word) in ids.iter_mut().zip([&key.app, &key.owner, &key.unit, &key.group]) {
        let Some(known) = names.known_id(db, word)? else { return Ok(None) };
        *id = known;
    }
    let [app, owner, unit, label] = ids;
    let counter: CounterRow = (app, owner, unit, label, row::period_number(key.period)?);
    names.known_counter(db, counter)
}

/// The closed periods of an app, in order.
pub fn closed_periods(reader: &mut Reader, app: &str) -> Result<Vec<Period>, Trouble> {
    let Reader { db, names } = reader;
    let Some(app) = names.known_id(db, app)? else { return Ok(Vec::new()) };
    let mut query = db.prepare_cached("SELECT period FROM closings WHERE app = ?1 ORDER BY period")?;
    query.query_and_then([app], |row| row::period(row.get(0)?))?.collect()
}

/// The component of this digest.
pub fn plugin(reader: &mut Reader, digest: &Digest) -> Result<Option<Vec<u8>>, Trouble> {
    let mut query = reader.db.prepare_cached("SELECT component FROM plugins WHERE digest = ?1")?;
    Ok(query.query_row([digest.to_string()], |row| row.get(0)).optional()?)
}

/// How many events there are.
pub fn counts(reader: &mut Reader) -> Result<EventCounts, Trouble> {
    // Numbers have no gaps (see the schema): the largest is the count, without walking millions of rows.
    let mut query = reader.db.prepare_cached(
        "SELECT (SELECT coalesce(max(sequence), 0) FROM events), (SELECT count(*) FROM holds)",
    )?;
    let (events, held): (i64, i64) = query.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (events, held) = (row::sequence(events)?, row::sequence(held)?);
    Ok(EventCounts { rated: events.saturating_sub(held), held })
}
