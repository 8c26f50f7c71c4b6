//! The history of definitions: one after the other, and never changed. A definition's number is its position.

use rusqlite::{Connection, Row};
use tollgate_core::catalog::Definition;

use super::lookups::Reader;
use super::row;
use super::trouble::Trouble;

/// Those after the first `known`, oldest first.
pub fn after(reader: &mut Reader, known: u64) -> Result<Vec<Definition>, Trouble> {
    let mut query = reader
        .db
        .prepare_cached("SELECT number, definition FROM definitions WHERE number > ?1 ORDER BY number")?;
    let read = |row: &Row<'_>| {
        let (number, text): (i64, String) = (row.get(0)?, row.get(1)?);
        serde_json::from_str(&text)
            .map_err(|error| Trouble::corrupt(format!("definition {number} cannot be read: {error}")))
    };
    query.query_and_then([row::number_column(known)], read)?.collect()
}

/// Appends to a history of this length.
pub fn append(db: &Connection, known: u64, definitions: &[String]) -> Result<(), Trouble> {
    let count = count(db)?;
    if count != row::number_column(known) {
        return Err(Trouble::stale(format!("there are {count} definitions, not {known}")));
    }
    let mut insert = db.prepare_cached("INSERT INTO definitions (definition) VALUES (?1)")?;
    for definition in definitions {
        insert.execute([definition])?;
    }
    Ok(())
}

/// Refuses what was decided without knowing them all.
pub fn expect(db: &Connection, known: Option<u64>) -> Result<(), Trouble> {
    let Some(known) = known else { return Ok(()) };
    let count = count(db)?;
    if count > row::number_column(known) {
        return Err(Trouble::stale(format!("there are {count} definitions, it was decided by {known}")));
    }
    Ok(())
}

/// No row is ever deleted, so the largest number is how many there are.
fn count(db: &Connection) -> Result<i64, Trouble> {
    let mut query = db.prepare_cached("SELECT coalesce(max(number), 0) FROM definitions")?;
    Ok(query.query_row([], |row| row.get(0))?)
}
