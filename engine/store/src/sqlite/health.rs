//! How writing goes, told by the writer to whoever asks the store.
//!
//! A store that could not write may be asked for nothing more, since nobody sends to a server that is not ready;
//! so whoever looks at a trouble that may pass has the writer try again.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tollgate_core::store::{StoreHealth, WriteTrouble};

use super::open;

/// What the writer has told.
#[derive(Debug, Default)]
pub struct Writing(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    trouble: Option<WriteTrouble>,
    failures: u64,
    /// The writer has been asked to try, and has not answered.
    trying: bool,
}

impl Writing {
    /// Something was made durable.
    pub fn succeeded(&self) {
        let mut state = self.state();
        if !matches!(state.trouble, Some(WriteTrouble::Final(_))) {
            state.trouble = None;
        }
    }

    /// Nothing could be. What is final stays what it is.
    pub fn failed(&self, trouble: WriteTrouble) {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        if !matches!(state.trouble, Some(WriteTrouble::Final(_))) {
            state.trouble = Some(trouble);
        }
    }

    /// What was to be tried has been.
    pub fn tried(&self) {
        self.state().trying = false;
    }

    /// How writing into the database at `path` goes; and whether the writer is to try again, which is said once.
    pub fn look(&self, path: &Path) -> (StoreHealth, bool) {
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let mut state = self.state();
        let again = matches!(state.trouble, Some(WriteTrouble::Passing(_))) && !state.trying;
        state.trying |= again;
        let health = StoreHealth {
            trouble: state.trouble.clone(),
            commit_failures: state.failures,
            database_bytes: size(path),
            log_bytes: size(&open::beside(path, "-wal")),
        };
        (health, again)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
