//! Opens connections: which SQLite, which settings, and whether the file is one of ours.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use tollgate_core::store::StoreError;

use super::trouble::Trouble;

/// SQLite before this version may corrupt a file when a write-ahead log restarts.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// "Toll": what the header of our files says.
pub const APPLICATION_ID: i32 = 0x546f_6c6c;

/// How a [`SqliteStore`](crate::SqliteStore) behaves. The defaults suit a machine of two cores and up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Commits that may wait to be written; one more is refused with `Full`.
    pub queue_commits: usize,
    /// Events that may wait to be written; a commit that would exceed it is refused with `Full`, unless
    /// nothing waits.
    pub queue_events: usize,
    /// Events after which a group is closed and made durable.
    pub group_events: usize,
    /// Time after which a group is closed and made durable.
    pub group_time: Duration,
    /// How long to wait for another process that is writing.
    pub busy_timeout: Duration,
    /// Memory for the writer's pages, in MiB.
    pub cache_mebibytes: u32,
    /// Pages of the write-ahead log after which it starts over. They are copied into the database meanwhile.
    pub checkpoint_pages: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue_commits: 4_096,
            queue_events: 32_000,
            group_events: 8_000,
            group_time: Duration::from_millis(50),
            busy_timeout: Duration::from_secs(10),
            cache_mebibytes: 128,
            checkpoint_pages: 16_000,
        }
    }
}

/// Why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Something else is in the file.
    #[error("{0} is not a Tollgate database: choose another file, or an empty or absent one to start anew")]
    NotTollgate(PathBuf),
    /// Written by a newer Tollgate.
    #[error("{path} has schema {found}, and this Tollgate knows schemas up to {known}: use a newer Tollgate")]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema this program knows.
        known: usize,
    },
    /// Linked against a SQLite that loses data.
    #[error(
        "SQLite {0} is too old: before 3.51.3 it may corrupt a database when its write-ahead log restarts"
    )]
    OldSqlite(&'static str),
    /// The file cannot be opened or made.
    #[error("{0} cannot be opened or made: is its directory there, and may you write to it?")]
    Unreachable(PathBuf),
    /// The file system has no shared memory for a write-ahead log.
    #[error("{0} cannot have a write-ahead log: put it on a local disk")]
    NoWriteAheadLog(PathBuf),
    /// A row that an older Tollgate should have written cannot be read.
    #[error("{path} cannot be brought up to date: {problem}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with the row.
        problem: StoreError,
    },
    /// No thread for the writer.
    #[error("the store cannot start its writer: {0}")]
    NoThread(std::io::Error),
    /// SQLite failed.
    #[error("{path}: {source}")]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

impl OpenError {
    /// Puts the file's name to what SQLite says of it.
    pub fn of(path: &Path) -> impl Fn(rusqlite::Error) -> Self + '_ {
        |source| match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotTollgate(path.to_owned()),
            Some(ErrorCode::CannotOpen) => Self::Unreachable(path.to_owned()),
            _ => Self::Database { path: path.to_owned(), source },
        }
    }

    /// Puts the file's name to what is wrong with its rows.
    pub fn of_rows(path: &Path, trouble: Trouble) -> Self {
        match trouble {
            Trouble::Database(source) => Self::of(path)(source),
            Trouble::Store(problem) => Self::Unreadable { path: path.to_owned(), problem },
        }
    }
}

/// The one connection that writes.
pub fn connect_writer(path: &Path, options: &Options) -> Result<Connection, OpenError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(OpenError::OldSqlite(rusqlite::version()));
    }
    // Where it cannot be made, SQLite says so below.
    let _ = create_private(path);
    let failed = OpenError::of(path);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(&failed)?;
    connection.busy_timeout(options.busy_timeout).map_err(&failed)?;
    refuse_foreign_file(&connection, path)?;
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(&failed)?;
    if mode != "wal" {
        return Err(OpenError::NoWriteAheadLog(path.to_owned()));
    }
    // FULL: a commit is on the disk before it is acknowledged. Checkpoints: see `checkpointer`.
    let settings = format!(
        "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
         PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;
         PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -{};",
        u64::from(options.cache_mebibytes).saturating_mul(1024),
    );
    connection.execute_batch(&settings).map_err(&failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// The connection that copies the write-ahead log beside the writer: as careful as the writer itself.
pub fn connect_checkpointer(path: &Path, options: &Options) -> Result<Connection, OpenError> {
    let failed = OpenError::of(path);
    let connection = connect(path, options).map_err(&failed)?;
    let settings = "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
         PRAGMA wal_autocheckpoint = 0; PRAGMA trusted_schema = OFF;";
    connection.execute_batch(settings).map_err(&failed)?;
    Ok(connection)
}

/// A connection to a database that is there, with SQLite's own settings.
pub fn connect(path: &Path, options: &Options) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(options.busy_timeout)?;
    Ok(connection)
}

/// A connection that only reads.
pub fn connect_reader(path: &Path, options: &Options) -> Result<Connection, rusqlite::Error> {
    let connection = connect(path, options)?;
    connection.execute_batch(
        "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -32768;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Refuses a file that holds something and does not say that it is ours.
fn refuse_foreign_file(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let failed = OpenError::of(path);
    let id = application_id(connection).map_err(&failed)?;
    if id == APPLICATION_ID {
        return Ok(());
    }
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(&failed)?;
    if id == 0 && tables == 0 { Ok(()) } else { Err(OpenError::NotTollgate(path.to_owned())) }
}

/// Whose the file says that it is.
pub fn application_id(connection: &Connection) -> Result<i32, rusqlite::Error> {
    connection.query_row("PRAGMA application_id", [], |row| row.get(0))
}

/// Makes an empty file that nobody else may read, where there is none: what customers pay is nobody's business.
/// SQLite gives its log, and what else it puts beside a database, the same permissions.
pub fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The name of a file beside another.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
