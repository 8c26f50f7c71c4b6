//! What the writer can be asked to write, each all or nothing.

use rusqlite::{Connection, params};
use tollgate_core::access::{KeptAnswer, Key, RequestKey};
use tollgate_core::store::Commit;

use super::access;
use super::apply;
use super::definitions;
use super::names::Names;
use super::open::APPLICATION_ID;
use super::trouble::Trouble;

/// Something to be written.
pub enum Work {
    /// What a batch changes.
    Commit(Box<Commit>),
    /// Definitions, where so many are known.
    Define {
        /// How many.
        known: u64,
        /// As JSON.
        definitions: Vec<String>,
    },
    /// A plugin under its digest.
    KeepPlugin {
        /// As text.
        digest: String,
        /// The component.
        component: Vec<u8>,
    },
    /// A new key.
    AddKey(Key),
    /// A key that is refused from a moment on.
    RevokeKey {
        /// Its id.
        id: String,
        /// The moment.
        moment: i64,
    },
    /// Keys, and when they were used.
    KeysUsed(Vec<(String, i64)>),
    /// An answer to a request; older ones than `forget_before` go.
    KeepAnswer {
        /// Which request.
        request: RequestKey,
        /// The answer.
        answer: KeptAnswer,
        /// The moment.
        forget_before: i64,
    },
    /// Nothing new, down to the disk: whether that can be done.
    Trial,
}

impl Work {
    /// Writes it inside a transaction. Any error leaves the rolling back to the caller.
    pub fn apply(&self, db: &Connection, names: &mut Names) -> Result<(), Trouble> {
        match self {
            Self::Commit(commit) => apply::apply(db, names, commit),
            Self::Define { known, definitions } => definitions::append(db, *known, definitions),
            Self::KeepPlugin { digest, component } => keep_plugin(db, digest, component),
            Self::AddKey(key) => access::add_key(db, key),
            Self::RevokeKey { id, moment } => access::revoke_key(db, id, *moment),
            Self::KeysUsed(uses) => access::keys_used(db, uses),
            Self::KeepAnswer { request, answer, forget_before } => {
                access::keep_answer(db, request, answer, *forget_before)
            }
            Self::Trial => write_header(db),
        }
    }
}

/// Writes the file's header as it is.
fn write_header(db: &Connection) -> Result<(), Trouble> {
    db.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}"))?;
    Ok(())
}

fn keep_plugin(db: &Connection, digest: &str, component: &[u8]) -> Result<(), Trouble> {
    let mut insert =
        db.prepare_cached("INSERT INTO plugins (digest, component) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    insert.execute(params![digest, component])?;
    Ok(())
}
