//! Backups: a copy of a database while it is written to, and the way back.
//!
//! A copy is made under another name beside its own, `….partial`, and gets its own once it is complete and on
//! the disk: whatever has the name is whole. It is one file without a write-ahead log.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use tollgate_core::plugin::Digest;

use super::open::{self, APPLICATION_ID, OpenError, beside};
use super::{SqliteStore, schema};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A copy never takes the place of a file.
    #[error("{0} is there already: choose another name, or move it away")]
    Occupied(PathBuf),
    /// Another copy of that name is under way, or one was cut short.
    #[error("{0} is there already: another copy is being made, or one was cut short; if none is, delete it")]
    Unfinished(PathBuf),
    /// A database that is in use, or was not closed, is more than its file.
    #[error("{0} has a log beside it, so the file is not all of it: make a backup of it first")]
    InUse(PathBuf),
    /// What is to be restored has been damaged.
    #[error("{path} is damaged: {finding}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite finds first.
        finding: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Not a database that this Tollgate can open, or SQLite failed.
    #[error(transparent)]
    Database(OpenError),
}

impl From<OpenError> for BackupError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Database { path, source }
                if source.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) =>
            {
                Self::Damaged { path, finding: source.to_string() }
            }
            other => Self::Database(other),
        }
    }
}

impl SqliteStore {
    /// Copies the database to `to`, as it is at one moment, while others go on writing: every commit that was
    /// acknowledged before the call is in the copy, and of each later one all or nothing. When it returns, the
    /// copy is on the disk. It may be read by who may read the database.
    ///
    /// # Errors
    /// When `to` is there already, or something cannot be read or written; then no copy is left behind.
    pub fn backup(&self, to: &Path) -> Result<(), BackupError> {
        let copy = Copy::begin(to)?;
        copy.admit_readers_of(&self.path)?;
        let failed = OpenError::of(&self.path);
        let connection = open::connect(&self.path, &self.options).map_err(&failed)?;
        let target =
            copy.partial.to_str().ok_or_else(|| copy.failed(io::ErrorKind::InvalidFilename.into()))?;
        // In one reading transaction: a write-ahead log lets others write meanwhile.
        connection.execute("VACUUM INTO ?1", [target]).map_err(&failed)?;
        copy.finish()
    }

    /// Puts a backup in place as the database `to`, where there is none yet, for its owner alone. What is put there
    /// has been read whole: it is a Tollgate database of a schema that this program knows, SQLite finds no damage,
    /// and every plugin is what its digest says.
    ///
    /// # Errors
    /// When something is at `to`, `from` is no sound backup, or something cannot be read or written; then
    /// nothing is left at `to`.
    pub fn restore(from: &Path, to: &Path) -> Result<(), BackupError> {
        refuse_log(from, |_| BackupError::InUse(from.to_owned()))?;
        let failed = |source| BackupError::File { path: from.to_owned(), source };
        let mut source = File::open(from).map_err(failed)?;
        let copy = Copy::begin(to)?;
        let mut target =
            OpenOptions::new().write(true).open(&copy.partial).map_err(|error| copy.failed(error))?;
        io::copy(&mut source, &mut target).map_err(|error| copy.failed(error))?;
        drop(target);
        check(&copy.partial, from)?;
        copy.finish()
    }
}

/// Refuses when a log that belongs to a database, and not to its copy, stands beside a name: SQLite would take
/// what it holds for the copy's.
fn refuse_log(database: &Path, refusal: impl Fn(PathBuf) -> BackupError) -> Result<(), BackupError> {
    for log in ["-wal", "-journal"].map(|suffix| beside(database, suffix)) {
        match fs::metadata(&log) {
            Ok(metadata) if metadata.len() > 0 => return Err(refusal(log)),
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(BackupError::File { path: log, source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a copy is a sound database of ours; errors name the file it was made of.
fn check(copy: &Path, original: &Path) -> Result<(), BackupError> {
    let failed = OpenError::of(original);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(copy, flags).map_err(&failed)?;
    if open::application_id(&connection).map_err(&failed)? != APPLICATION_ID {
        return Err(OpenError::NotTollgate(original.to_owned()).into());
    }
    if schema::version(&connection, original)? == 0 {
        return Err(OpenError::NotTollgate(original.to_owned()).into());
    }
    let finding: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(&failed)?;
    let damaged = |finding| Err(BackupError::Damaged { path: original.to_owned(), finding });
    if finding != "ok" {
        return damaged(finding);
    }
    match damaged_plugin(&connection).map_err(&failed)? {
        Some(digest) => damaged(format!("the component of plugin {digest} is not the one that was kept")),
        None => Ok(()),
    }
}

/// A plugin whose component is not what its digest says. SQLite keeps no checksums of what it holds.
fn damaged_plugin(connection: &Connection) -> Result<Option<String>, rusqlite::Error> {
    let mut query = connection.prepare("SELECT digest, component FROM plugins")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let digest: String = row.get(0)?;
        let component = row.get_ref(1)?.as_blob()?;
        if Digest::of(component).to_string() != digest {
            return Ok(Some(digest));
        }
    }
    Ok(None)
}

/// A copy on its way. Dropped before it is finished, it is gone.
struct Copy<'a> {
    partial: PathBuf,
    to: &'a Path,
    finished: bool,
}

impl<'a> Copy<'a> {
    /// Claims the names.
    fn begin(to: &'a Path) -> Result<Self, BackupError> {
        refuse_occupied(to)?;
        refuse_log(to, BackupError::Occupied)?;
        let partial = beside(to, ".partial");
        match open::create_private(&partial) {
            Ok(_) => Ok(Self { partial, to, finished: false }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(BackupError::Unfinished(partial))
            }
            Err(source) => Err(BackupError::File { path: partial, source }),
        }
    }

    /// Gives the copy the permissions of another file, before there is anything in it.
    fn admit_readers_of(&self, other: &Path) -> Result<(), BackupError> {
        let permissions = fs::metadata(other).map(|metadata| metadata.permissions());
        permissions
            .and_then(|permissions| fs::set_permissions(&self.partial, permissions))
            .map_err(|error| self.failed(error))
    }

    /// Makes it durable, then gives it its name.
    fn finish(mut self) -> Result<(), BackupError> {
        let file = OpenOptions::new().write(true).open(&self.partial);
        file.and_then(|file| file.sync_all()).map_err(|error| self.failed(error))?;
        refuse_occupied(self.to)?;
        fs::rename(&self.partial, self.to).map_err(|error| self.failed(error))?;
        self.finished = true;
        sync_directory(self.to).map_err(|error| self.failed(error))
    }

    fn failed(&self, source: io::Error) -> BackupError {
        BackupError::File { path: self.to.to_owned(), source }
    }
}

impl Drop for Copy<'_> {
    fn drop(&mut self) {
        if !self.finished {
            // Why it is dropped matters more than what is said of removing it; the next copy names it.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

fn refuse_occupied(to: &Path) -> Result<(), BackupError> {
    // Not `exists`: a link that leads nowhere is there as well.
    match fs::symlink_metadata(to) {
        Ok(_) => Err(BackupError::Occupied(to.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(BackupError::File { path: to.to_owned(), source }),
    }
}

/// A name lasts once its directory is on the disk.
#[cfg(unix)]
fn sync_directory(of: &Path) -> io::Result<()> {
    let directory = of.parent().filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

/// Elsewhere a directory cannot be opened as a file.
#[cfg(not(unix))]
fn sync_directory(_of: &Path) -> io::Result<()> {
    Ok(())
}
