//! Entries as rows, and whose accounts each of them posts to.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::Value;
use tollgate_core::ledger::{Entry, EntryNumber, Owner};

use super::lookups::Reader;
use super::names::Names;
use super::owners;
use super::row;
use super::trouble::{Trouble, is_duplicate};

/// Adds entries, of which none may be there.
pub fn add(db: &Connection, names: &mut Names, entries: &[Entry]) -> Result<(), Trouble> {
    for entry in entries {
        let number = insert(db, entry)?;
        // Two postings may be to one owner.
        let mut note = db.prepare_cached(
            "INSERT INTO entry_owners (kind, app, name, entry) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?;
        for posting in &entry.postings {
            let (kind, app, name) = owners::row(db, names, &posting.account.owner)?;
            note.execute([kind, app, name, number])?;
        }
    }
    Ok(())
}

fn insert(db: &Connection, entry: &Entry) -> Result<i64, Trouble> {
    let Entry { id, kind, at, postings, reverses, request } = entry;
    let unwritable = |error: serde_json::Error| Trouble::failed(error.to_string());
    let Value::String(kind) = serde_json::to_value(kind).map_err(unwritable)? else {
        return Err(Trouble::failed(format!("{kind} is not kept as a word")));
    };
    let postings = serde_json::to_string(postings).map_err(unwritable)?;
    let mut insert = db.prepare_cached(
        "INSERT INTO entries (id, kind, at, reverses, postings, request) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    match insert.insert(params![id, kind, at, reverses, postings, request.to_string()]) {
        Err(error) if is_duplicate(&error) => Err(Trouble::stale(format!("entry {id:?} is posted already"))),
        result => Ok(result?),
    }
}

/// The entry of an id.
pub fn by_id(reader: &mut Reader, id: &str) -> Result<Option<(EntryNumber, Entry)>, Trouble> {
    let mut query = reader.db.prepare_cached(
        "SELECT number, id, kind, at, reverses, postings, request FROM entries WHERE id = ?1",
    )?;
    query.query_row([id], |row| Ok(numbered(row))).optional()?.transpose()
}

/// Up to `limit` entries after a number, in order; only those that post to an account of an owner, where given.
pub fn list(
    reader: &mut Reader,
    owner: Option<&Owner>,
    after: EntryNumber,
    limit: usize,
) -> Result<Vec<(EntryNumber, Entry)>, Trouble> {
    let Reader { db, names } = reader;
    let (after, limit) = (row::number_column(after), row::limit_column(limit));
    let Some(owner) = owner else {
        let mut query = db.prepare_cached(
            "SELECT number, id, kind, at, reverses, postings, request FROM entries
             WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?;
        return query.query_and_then([after, limit], numbered)?.collect();
    };
    let Some((kind, app, name)) = owners::known_row(db, names, owner)? else { return Ok(Vec::new()) };
    let mut query = db.prepare_cached(
        "SELECT number, id, entries.kind, at, reverses, postings, request
         FROM entry_owners CROSS JOIN entries ON number = entry
         WHERE entry_owners.kind = ?1 AND app = ?2 AND name = ?3 AND entry > ?4 ORDER BY entry LIMIT ?5",
    )?;
    query.query_and_then([kind, app, name, after, limit], numbered)?.collect()
}

fn numbered(row: &Row<'_>) -> Result<(EntryNumber, Entry), Trouble> {
    let (number, kind): (i64, String) = (row.get(0)?, row.get(2)?);
    let unreadable = |error| Trouble::corrupt(format!("entry {number} cannot be read: {error}"));
    let (postings, request): (String, String) = (row.get(5)?, row.get(6)?);
    let entry = Entry {
        id: row.get(1)?,
        kind: serde_json::from_value(Value::String(kind)).map_err(unreadable)?,
        at: row.get(3)?,
        postings: serde_json::from_str(&postings).map_err(unreadable)?,
        reverses: row.get(4)?,
        request: serde_json::from_str(&request).map_err(unreadable)?,
    };
    Ok((row::number(number)?, entry))
}
