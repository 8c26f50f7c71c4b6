//! Records as rows, each with the version that a change of it must have been decided from.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};
use tollgate_core::store::{Record, RecordChange, RecordFilter, RecordKey, RecordKind, Version};

use super::lookups::Reader;
use super::row;
use super::trouble::{Trouble, is_duplicate};

/// Refuses unless each record is at the version that is expected of it.
pub fn expect(db: &Connection, expects: &[(RecordKey, Version)]) -> Result<(), Trouble> {
    for (key, expected) in expects {
        let found = version_of(db, key)?;
        if found != *expected {
            return Err(stale(key, found, *expected));
        }
    }
    Ok(())
}

/// Changes records, which must be at the versions that their changes were decided from.
pub fn change(db: &Connection, changes: &[RecordChange]) -> Result<(), Trouble> {
    for change in changes {
        let RecordChange { key, before, due, body } = change;
        let RecordKey { kind, owner, id } = key;
        let moved = if *before == 0 {
            let mut insert = db.prepare_cached(
                "INSERT INTO records (kind, owner, id, version, due, body) VALUES (?1, ?2, ?3, 1, ?4, ?5)",
            )?;
            match insert.execute(params![kind.code(), owner, id, due, body]) {
                Err(error) if is_duplicate(&error) => 0,
                result => result?,
            }
        } else {
            let mut update = db.prepare_cached(
                "UPDATE records SET version = version + 1, due = ?5, body = ?6
                 WHERE kind = ?1 AND owner = ?2 AND id = ?3 AND version = ?4",
            )?;
            update.execute(params![kind.code(), owner, id, row::number_column(*before), due, body])?
        };
        if moved == 0 {
            return Err(stale(key, version_of(db, key)?, *before));
        }
    }
    Ok(())
}

/// The version a record is at; 0 when there is none.
fn version_of(db: &Connection, key: &RecordKey) -> Result<Version, Trouble> {
    let mut query =
        db.prepare_cached("SELECT version FROM records WHERE kind = ?1 AND owner = ?2 AND id = ?3")?;
    let found = query.query_row([key.kind.code(), &key.owner, &key.id], |row| row.get(0)).optional()?;
    found.map_or(Ok(0), row::number)
}

fn stale(key: &RecordKey, found: Version, expected: Version) -> Trouble {
    let RecordKey { kind, owner, id } = key;
    Trouble::stale(format!("{} {id:?} of {owner:?} is at version {found}, not {expected}", kind.code()))
}

/// These records; `None` for one that is not there.
pub fn by_keys(reader: &mut Reader, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, Trouble> {
    let mut query = reader.db.prepare_cached(
        "SELECT version, due, body FROM records WHERE kind = ?1 AND owner = ?2 AND id = ?3",
    )?;
    let mut read = |key: &RecordKey| {
        let read = |row: &Row<'_>| Ok(record(key.clone(), row, 0));
        query.query_row([key.kind.code(), &key.owner, &key.id], read).optional()?.transpose()
    };
    keys.iter().map(&mut read).collect()
}

/// Up to `limit` records that a filter selects: by owner and id, or by when they are due and then by those.
pub fn list(reader: &mut Reader, filter: &RecordFilter, limit: usize) -> Result<Vec<Record>, Trouble> {
    let RecordFilter { kind, owner, after, due_by } = filter;
    let mut query = "SELECT owner, id, version, due, body FROM records WHERE kind = ?".to_owned();
    let mut values = vec![Value::from(kind.code().to_owned())];
    if let Some(owner) = owner {
        query.push_str(" AND owner = ?");
        values.push(Value::from(owner.clone()));
    }
    match (owner, after) {
        (Some(owner), Some((after, _))) if after > owner => return Ok(Vec::new()),
        (Some(owner), Some((after, id))) if after == owner => {
            query.push_str(" AND id > ?");
            values.push(Value::from(id.clone()));
        }
        (None, Some((after, id))) => {
            query.push_str(" AND (owner, id) > (?, ?)");
            values.extend([after, id].map(|word| Value::from(word.clone())));
        }
        _ => {}
    }
    match due_by {
        Some(moment) => {
            query.push_str(" AND due <= ? ORDER BY due, owner, id LIMIT ?");
            values.push(Value::from(*moment));
        }
        None => query.push_str(" ORDER BY owner, id LIMIT ?"),
    }
    values.push(Value::from(row::limit_column(limit)));
    let mut query = reader.db.prepare_cached(&query)?;
    query.query_and_then(params_from_iter(values), |row| listed(*kind, row))?.collect()
}

fn listed(kind: RecordKind, row: &Row<'_>) -> Result<Record, Trouble> {
    record(RecordKey { kind, owner: row.get(0)?, id: row.get(1)? }, row, 2)
}

/// A record from the columns version, due and body, of which the first is `first`.
fn record(key: RecordKey, row: &Row<'_>, first: usize) -> Result<Record, Trouble> {
    let column = |offset: usize| first.saturating_add(offset);
    Ok(Record {
        key,
        version: row::number(row.get(column(0))?)?,
        due: row.get(column(1))?,
        body: row.get(column(2))?,
    })
}
