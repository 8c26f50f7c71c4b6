//! Keys and kept answers as rows. They share the file and the writer with the ledger, and nothing else.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tollgate_core::access::{AccessStore, KeptAnswer, Key, RequestKey};
use tollgate_core::store::StoreError;

use super::SqliteStore;
use super::lookups::Reader;
use super::trouble::{Trouble, is_duplicate};
use super::work::Work;

impl AccessStore for SqliteStore {
    fn add_key(&self, key: &Key) -> Result<(), StoreError> {
        self.writer.write(Work::AddKey(key.clone()))
    }

    fn keys(&self) -> Result<Vec<Key>, StoreError> {
        self.read(keys)
    }

    fn revoke_key(&self, id: &str, moment: i64) -> Result<(), StoreError> {
        self.writer.write(Work::RevokeKey { id: id.to_owned(), moment })
    }

    fn keys_used(&self, uses: &[(String, i64)]) -> Result<(), StoreError> {
        self.writer.write(Work::KeysUsed(uses.to_vec()))
    }

    fn answer(&self, request: &RequestKey) -> Result<Option<KeptAnswer>, StoreError> {
        self.read(|reader| answer(reader, request))
    }

    fn keep_answer(
        &self,
        request: &RequestKey,
        answer: &KeptAnswer,
        forget_before: i64,
    ) -> Result<(), StoreError> {
        let (request, answer) = (request.clone(), answer.clone());
        self.writer.write(Work::KeepAnswer { request, answer, forget_before })
    }
}

fn keys(reader: &mut Reader) -> Result<Vec<Key>, Trouble> {
    let mut query = reader.db.prepare_cached(
        "SELECT id, name, scope, digest, created_at, expires_at, revoked_at, last_used_at
         FROM keys ORDER BY created_at, number",
    )?;
    query.query_and_then([], key)?.collect()
}

fn key(row: &Row<'_>) -> Result<Key, Trouble> {
    let (id, scope): (String, String) = (row.get(0)?, row.get(2)?);
    let scope = serde_json::from_str(&scope)
        .map_err(|error| Trouble::corrupt(format!("the scope of key {id:?} cannot be read: {error}")))?;
    Ok(Key {
        name: row.get(1)?,
        scope,
        digest: row.get(3)?,
        created_at: row.get(4)?,
        expires_at: row.get(5)?,
        revoked_at: row.get(6)?,
        last_used_at: row.get(7)?,
        id,
    })
}

/// Adds a key.
pub fn add_key(db: &Connection, key: &Key) -> Result<(), Trouble> {
    let Key { id, name, scope, digest, created_at, expires_at, revoked_at, last_used_at } = key;
    let scope = serde_json::to_string(scope).map_err(|error| Trouble::failed(error.to_string()))?;
    let mut insert = db.prepare_cached(
        "INSERT INTO keys (id, name, scope, digest, created_at, expires_at, revoked_at, last_used_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let row = params![id, name, scope, digest, created_at, expires_at, revoked_at, last_used_at];
    match insert.execute(row) {
        Err(error) if is_duplicate(&error) => Err(Trouble::failed(format!("a key {id:?} is there already"))),
        result => result.map(drop).map_err(Trouble::from),
    }
}

/// Revokes a key that is not revoked.
pub fn revoke_key(db: &Connection, id: &str, moment: i64) -> Result<(), Trouble> {
    let mut update =
        db.prepare_cached("UPDATE keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")?;
    update.execute(params![id, moment])?;
    Ok(())
}

/// Notes when keys were used.
pub fn keys_used(db: &Connection, uses: &[(String, i64)]) -> Result<(), Trouble> {
    let mut update = db.prepare_cached(
        "UPDATE keys SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)",
    )?;
    for (id, moment) in uses {
        update.execute(params![id, moment])?;
    }
    Ok(())
}

fn answer(reader: &mut Reader, request: &RequestKey) -> Result<Option<KeptAnswer>, Trouble> {
    let mut query = reader.db.prepare_cached(
        "SELECT request, status, body, answered_at FROM answers WHERE key = ?1 AND idempotency_key = ?2",
    )?;
    let answer = query.query_row([&request.key, &request.idempotency_key], |row| {
        Ok(KeptAnswer {
            request: row.get(0)?,
            status: row.get(1)?,
            body: row.get(2)?,
            answered_at: row.get(3)?,
        })
    });
    Ok(answer.optional()?)
}

/// Drops old answers, then keeps this one unless there is one.
pub fn keep_answer(
    db: &Connection,
    request: &RequestKey,
    answer: &KeptAnswer,
    forget_before: i64,
) -> Result<(), Trouble> {
    db.prepare_cached("DELETE FROM answers WHERE answered_at < ?1")?.execute([forget_before])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO answers (key, idempotency_key, request, status, body, answered_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )?;
    let RequestKey { key, idempotency_key } = request;
    let KeptAnswer { request, status, body, answered_at } = answer;
    insert.execute(params![key, idempotency_key, request, status, body, answered_at])?;
    Ok(())
}
