//! Reversals that are posted to another period than their event's: one small row each, so that what was posted to
//! a period is read without walking those before it.

use rusqlite::{Connection, Row, params};

use super::charge_record;
use super::names::Names;
use super::placements;
use super::row;
use super::trouble::Trouble;

/// Notes the reversal of an event, which is kept already with its void, if it is a late one.
pub fn note(db: &Connection, names: &mut Names, sequence: i64) -> Result<(), Trouble> {
    let mut query = db.prepare_cached(
        "SELECT app, received, voids.charge, coalesce(events.charge, releases.charge)
         FROM voids CROSS JOIN events USING (sequence) LEFT JOIN releases USING (sequence)
         WHERE voids.sequence = ?1",
    )?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let (app, received, reversal, charge): (i64, String, Vec<u8>, Vec<u8>) =
        query.query_row([sequence], read)?;
    let period = charge_record::period_number(&reversal)?;
    if period != charge_record::period_number(&charge)? {
        let customer = names.id(db, &placements::customer_of(row::number(sequence)?, &received)?)?;
        let mut insert = db.prepare_cached(
            "INSERT INTO late_reversals (app, customer, period, sequence) VALUES (?1, ?2, ?3, ?4)",
        )?;
        insert.execute(params![app, customer, period, sequence])?;
    }
    Ok(())
}

/// Notes every late reversal of a database that has noted none yet.
pub fn note_all(db: &Connection) -> Result<(), Trouble> {
    let mut names = Names::default();
    let mut query = db.prepare("SELECT sequence FROM voids WHERE charge IS NOT NULL")?;
    let mut voids = query.query([])?;
    while let Some(void) = voids.next()? {
        note(db, &mut names, void.get(0)?)?;
    }
    Ok(())
}
