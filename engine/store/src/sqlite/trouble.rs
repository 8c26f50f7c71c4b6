//! What can go wrong inside this store, before it becomes the caller's [`StoreError`].

use rusqlite::ErrorCode;
use tollgate_core::store::StoreError;

/// An error of the database, or one already in the caller's words.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Decided by this store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Said by SQLite.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

impl Trouble {
    /// The commit was rated from something that has changed.
    pub fn stale(reason: String) -> Self {
        Self::Store(StoreError::Stale(reason))
    }

    /// The store cannot take this.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Store(StoreError::Failed(reason.into()))
    }

    /// The file holds what this store did not write.
    pub fn corrupt(reason: impl Into<String>) -> Self {
        Self::Store(StoreError::Corrupt(reason.into()))
    }
}

impl Trouble {
    /// Whether it is about what is written into, and not about what was to be written: nothing else could have been
    /// written either.
    pub fn is_of_the_file(&self) -> bool {
        use ErrorCode::{
            CannotOpen, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, FileLockingProtocolFailed,
            NotADatabase, OutOfMemory, PermissionDenied, ReadOnly, SystemIoFailure,
        };
        let Self::Database(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(
                CannotOpen
                    | DatabaseBusy
                    | DatabaseCorrupt
                    | DatabaseLocked
                    | DiskFull
                    | FileLockingProtocolFailed
                    | NotADatabase
                    | OutOfMemory
                    | PermissionDenied
                    | ReadOnly
                    | SystemIoFailure
            )
        )
    }
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Store(error) => error,
            Trouble::Database(error @ rusqlite::Error::InvalidColumnType(..)) => {
                Self::Corrupt(error.to_string())
            }
            Trouble::Database(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                    Self::Corrupt(error.to_string())
                }
                _ => Self::Failed(error.to_string()),
            },
        }
    }
}

/// Whether a row was refused because one of the same key is there.
pub fn is_duplicate(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_UNIQUE))
}
