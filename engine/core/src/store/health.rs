//! How a store is doing: whether it can still keep anything, and how much room it takes.

/// How a store is doing, as of its last commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreHealth {
    /// Why the last commit was not kept; `None` when it was, or when there was none.
    pub trouble: Option<WriteTrouble>,
    /// Commits that failed for the store's own reasons. One that has turned stale is no failure.
    pub commit_failures: u64,
    /// What the store takes up, without its log, in bytes.
    pub database_bytes: u64,
    /// What the log of the latest commits takes up, in bytes.
    pub log_bytes: u64,
}

/// Why a store can keep nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteTrouble {
    /// It may pass: the disk is full, or somebody else is writing. The store goes on trying.
    Passing(String),
    /// It does not pass: the store must be opened again.
    Final(String),
}

impl WriteTrouble {
    /// The trouble in words.
    pub fn reason(&self) -> &str {
        match self {
            Self::Passing(reason) | Self::Final(reason) => reason,
        }
    }
}
