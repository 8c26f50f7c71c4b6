//! What bare SQLite can do on this machine: the same events as plain inserts, and nothing else.

use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, params};

use crate::traffic::{Ids, id};

/// A row is as long as an event is kept: its text and its charge.
const RECEIVED: [u8; 380] = [b'x'; 380];
const CHARGE: [u8; 64] = [0; 64];

/// Inserts rows into a table with a unique index over app and id, so many to a commit, each commit on the
/// disk; gives rows a second.
pub fn rows_per_second(database: &Path, ids: Ids, count: u64, rows_a_commit: usize) -> f64 {
    let connection = Connection::open(database).expect("a database");
    let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -131072;
         CREATE TABLE events (sequence INTEGER PRIMARY KEY, app INTEGER, id TEXT, fingerprint BLOB,
            received TEXT, charge BLOB, UNIQUE (app, id)) STRICT;";
    connection.execute_batch(settings).expect("a table");
    let received = str::from_utf8(&RECEIVED).expect("text");
    let identifiers: Vec<String> = (0..count).map(|number| id(ids, number)).collect();
    let started = Instant::now();
    for rows in identifiers.chunks(rows_a_commit) {
        connection.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
        let sql = "INSERT INTO events (app, id, fingerprint, received, charge) VALUES (?, ?, ?, ?, ?)";
        let mut insert = connection.prepare_cached(sql).expect("an insert");
        for id in rows {
            insert.execute(params![1, id, [0_u8; 16], received, CHARGE]).expect("a new row");
        }
        connection.execute_batch("COMMIT").expect("a commit");
    }
    count as f64 / started.elapsed().as_secs_f64()
}
