//! Where events stand in their customers' histories: one small row each, beside the event.

use rusqlite::{CachedStatement, Connection, params};
use tollgate_core::door;
use tollgate_core::period::Period;
use tollgate_core::store::{Outcome, Placement, Sequence};

use super::charge_record;
use super::names::Names;
use super::row;
use super::trouble::Trouble;

/// The period of a held event.
const NO_PERIOD: i64 = 0;

/// What adds a row of app, customer, period and sequence.
pub fn insert(db: &Connection) -> Result<CachedStatement<'_>, Trouble> {
    Ok(db
        .prepare_cached("INSERT INTO placements (app, customer, period, sequence) VALUES (?1, ?2, ?3, ?4)")?)
}

/// The period's column for an event that became this.
pub fn period_of(outcome: &Outcome) -> Result<i64, Trouble> {
    match outcome {
        Outcome::Rated(charge) => row::period_number(charge.period),
        Outcome::Held(_) => Ok(NO_PERIOD),
    }
}

/// A placement as its two columns, which sort as it does.
pub fn columns(placement: Placement) -> Result<(i64, i64), Trouble> {
    let period = placement.period.map_or(Ok(NO_PERIOD), row::period_number)?;
    Ok((period, row::number_column(placement.sequence)))
}

/// The period of its column.
pub fn period(column: i64) -> Result<Option<Period>, Trouble> {
    if column == NO_PERIOD { Ok(None) } else { row::period(column).map(Some) }
}

/// Moves a held event, whose charge is written already, to the charge's period.
pub fn release(
    db: &Connection,
    names: &mut Names,
    sequence: Sequence,
    period: Period,
) -> Result<(), Trouble> {
    let column = row::number_column(sequence);
    let mut query = db.prepare_cached("SELECT app, received FROM events WHERE sequence = ?1")?;
    let (app, received): (i64, String) = query.query_row([column], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let customer = names.id(db, &customer_of(sequence, &received)?)?;
    let mut delete = db.prepare_cached(
        "DELETE FROM placements WHERE app = ?1 AND customer = ?2 AND period = ?3 AND sequence = ?4",
    )?;
    if delete.execute(params![app, customer, NO_PERIOD, column])? == 0 {
        return Err(Trouble::corrupt(format!("held event {sequence} has no placement")));
    }
    insert(db)?.execute(params![app, customer, row::period_number(period)?, column])?;
    Ok(())
}

/// Places every event of a database that has no placements yet.
pub fn place_all(db: &Connection) -> Result<(), Trouble> {
    let mut names = Names::default();
    let mut insert = insert(db)?;
    let mut query = db.prepare(
        "SELECT sequence, app, received, coalesce(events.charge, releases.charge)
         FROM events LEFT JOIN releases USING (sequence) ORDER BY sequence",
    )?;
    let mut rows = query.query([])?;
    while let Some(event) = rows.next()? {
        let (column, app, received): (i64, i64, String) = (event.get(0)?, event.get(1)?, event.get(2)?);
        let charge: Option<Vec<u8>> = event.get(3)?;
        let period = charge.as_deref().map_or(Ok(NO_PERIOD), charge_record::period_number)?;
        let customer = names.id(db, &customer_of(row::number(column)?, &received)?)?;
        insert.execute(params![app, customer, period, column])?;
        // Nothing of this is undone one by one: either all events are placed or the names go as well.
        names.saved();
    }
    Ok(())
}

/// Whose an event is. What the door let in once, it lets in again.
pub fn customer_of(sequence: Sequence, received: &str) -> Result<String, Trouble> {
    door::parse(received.as_bytes())
        .map(|event| event.customer)
        .map_err(|rejected| Trouble::corrupt(format!("event {sequence} cannot be read: {rejected}")))
}
