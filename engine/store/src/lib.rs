//! Keeps what the engine decides: two stores behind one trait.
//!
//! [`SqliteStore`] is durable: one file, written by one thread in groups. [`MemoryStore`] is the model: the
//! same rules on plain maps, for tests and for rating without a database. One conformance suite
//! (`tests/conformance`) holds both to the words of [`Store`](tollgate_core::store::Store) and
//! [`AccessStore`](tollgate_core::access::AccessStore). No rule of pricing lives here: a store checks a
//! commit's conditions, adds what it is told to add, and keeps it.

mod memory;
mod sqlite;

pub use memory::MemoryStore;
pub use sqlite::{BackupError, OpenError, Options, SqliteStore};
