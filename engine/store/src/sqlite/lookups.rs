//! Point lookups: what the engine asks before it rates a batch.

use rusqlite::{Connection, OptionalExtension as _, params};
use tollgate_core::event::EventKey;
use tollgate_core::period::Period;
use tollgate_core::plugin::Digest;
use tollgate_core::quantity::Quantity;
use tollgate_core::store::{CounterKey, EventCounts, Found, SeenKey};

use super::event_id::EventId;
use super::names::Names;
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
        Ok(Some(Found { sequence: row::number(sequence)?, fingerprint }))
    };
    keys.iter().map(&mut find).collect()
}

/// The values of these counters.
pub fn counters(reader: &mut Reader, keys: &[CounterKey]) -> Result<Vec<Quantity>, Trouble> {
    let Reader { db, names } = reader;
    let mut query = db.prepare_cached("SELECT value FROM counters WHERE id = ?1")?;
    let mut value = |key: &CounterKey| {
        let Some(id) = names.known_counter_of(db, key)? else { return Ok(Quantity::ZERO) };
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
        let Some(id) = names.known_counter_of(db, &seen.counter)? else { return Ok(false) };
        Ok(query.exists(params![id, seen.key])?)
    };
    keys.iter().map(&mut seen).collect()
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
    // Numbers have no gaps (see the schema): the largest is the count, without walking millions of rows. What is
    // held is counted, by the pages of its narrowest index.
    let mut query = reader.db.prepare_cached(
        "SELECT (SELECT coalesce(max(sequence), 0) FROM events), (SELECT count(*) FROM holds),
            coalesce(number, 0), coalesce(number_held, 0)
         FROM (SELECT 1) LEFT JOIN (SELECT number, number_held FROM voids ORDER BY number DESC LIMIT 1)",
    )?;
    let counts: [i64; 4] =
        query.query_row([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
    let [events, held, voided, voided_held] = counts.map(row::number);
    let (held, voided) = (held?, voided?);
    Ok(EventCounts { rated: events?.saturating_sub(held).saturating_sub(voided_held?), held, voided })
}
