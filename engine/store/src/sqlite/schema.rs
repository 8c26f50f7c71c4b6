//! The schema and its migrations: ordered, each run once, all in one transaction.
//!
//! A released migration is never edited; a change is a new one at the end.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::late_reversals;
use super::lists;
use super::open::{APPLICATION_ID, OpenError};
use super::placements;
use super::trouble::Trouble;

/// One step of the schema.
struct Migration {
    /// What changes in the schema.
    schema: &'static str,
    /// What SQL alone cannot work out of the rows that are there.
    rows: fn(&Connection) -> Result<(), Trouble>,
}

/// The step from schema n to n + 1 stands at position n.
const MIGRATIONS: [Migration; 4] = [
    Migration { schema: include_str!("schema/1.sql"), rows: |_| Ok(()) },
    Migration { schema: include_str!("schema/2.sql"), rows: placements::place_all },
    Migration { schema: include_str!("schema/3.sql"), rows: |_| Ok(()) },
    Migration {
        schema: include_str!("schema/4.sql"),
        rows: |db| late_reversals::note_all(db).and_then(|()| lists::date_closing_charges(db)),
    },
];

/// Brings the schema up to date. Safe against another process that does the same.
pub fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let failed = OpenError::of(path);
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
    let done = version(&transaction, path)?;
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration.schema).map_err(&failed)?;
        (migration.rows)(&transaction).map_err(|trouble| OpenError::of_rows(path, trouble))?;
    }
    if done < MIGRATIONS.len() {
        let newest = MIGRATIONS.len();
        let header = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {newest};");
        transaction.execute_batch(&header).map_err(&failed)?;
    }
    transaction.commit().map_err(&failed)
}

/// The schema of the file: 0 for an empty one, and never a newer one than this program knows.
pub fn version(connection: &Connection, path: &Path) -> Result<usize, OpenError> {
    let found: i64 =
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(OpenError::of(path))?;
    let version = usize::try_from(found).map_err(|_| OpenError::NotTollgate(path.to_owned()))?;
    if version > MIGRATIONS.len() {
        return Err(OpenError::NewerSchema { path: path.to_owned(), found, known: MIGRATIONS.len() });
    }
    Ok(version)
}
