//! The schema and its migrations: ordered, each run once, all in one transaction.
//!
//! A released migration is never edited; a change is a new one at the end.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::open::{APPLICATION_ID, OpenError};

/// The step from schema n to n + 1 stands at position n.
const MIGRATIONS: [&str; 1] = [include_str!("schema/1.sql")];

/// Brings the schema up to date. Safe against another process that does the same.
pub fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let failed = OpenError::of(path);
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(&failed)?;
    let done = usize::try_from(found).map_err(|_| OpenError::NotTollgate(path.to_owned()))?;
    if done > MIGRATIONS.len() {
        return Err(OpenError::NewerSchema { path: path.to_owned(), found, known: MIGRATIONS.len() });
    }
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration).map_err(&failed)?;
    }
    if done < MIGRATIONS.len() {
        let newest = MIGRATIONS.len();
        let header = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {newest};");
        transaction.execute_batch(&header).map_err(&failed)?;
    }
    transaction.commit().map_err(&failed)
}
