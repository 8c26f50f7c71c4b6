//! Payment files that were made, in the data directory: each payout in one of them and no other.
//!
//! A file is on disk before any of its payouts is marked as submitted, under a name that says that it is not
//! ready, and nobody is given it before all of them are. So what was interrupted has been given to nobody, and can
//! be made again.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tollgate_core::engine::PayoutKey;
use tollgate_core::period::Period;
use tollgate_payments::payout_file::end_to_end_id;

use crate::exit::Refused;

/// Where they are kept in a data directory.
const DIRECTORY: &str = "payment-files";

/// Held while a file is made: one is made at a time.
const LOCK: &str = "lock";

/// What the name of one ends with that is not ready.
const UNREADY: &str = ".part";

/// The payment files of a database, for as long as nobody else makes any.
pub struct PaymentFiles {
    directory: PathBuf,
    _lock: File,
}

/// A file that was made.
pub struct PaymentFile {
    /// What it is called: the period and when it was made, `2026-11-1764925200000.xml`.
    pub name: String,
    /// What it says.
    pub text: String,
    /// When it was made, in milliseconds since 1970: its payouts were submitted then.
    pub made_at: i64,
}

impl PaymentFile {
    /// Whether a payout is in it.
    pub fn has(&self, key: &PayoutKey) -> bool {
        self.text.contains(&end_to_end_id(&key.builder, key.period, &key.currency))
    }
}

impl PaymentFiles {
    /// Waits for whoever is making one.
    pub fn open(data: &Path) -> anyhow::Result<Self> {
        let directory = data.join(DIRECTORY);
        let named = || directory.display().to_string();
        fs::create_dir_all(&directory).with_context(named)?;
        let lock = File::create(directory.join(LOCK)).with_context(named)?;
        lock.lock().with_context(named)?;
        Ok(Self { directory, _lock: lock })
    }

    /// The files of a period that are ready, the oldest first.
    pub fn ready(&self, period: Period) -> anyhow::Result<Vec<PaymentFile>> {
        let mut files = self.all(period)?;
        files.retain(|file| !file.name.ends_with(UNREADY));
        Ok(files)
    }

    /// Those that an export left which did not come to its end. Nobody has them.
    pub fn interrupted(&self, period: Period) -> anyhow::Result<Vec<PaymentFile>> {
        let mut files = self.all(period)?;
        files.retain(|file| file.name.ends_with(UNREADY));
        Ok(files)
    }

    fn all(&self, period: Period) -> anyhow::Result<Vec<PaymentFile>> {
        let mut files = Vec::new();
        let named = || self.directory.display().to_string();
        for entry in fs::read_dir(&self.directory).with_context(named)? {
            let path = entry.with_context(named)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let rest = name.strip_prefix(&format!("{period}-"));
            let made_at = rest.and_then(|rest| rest.split('.').next()?.parse().ok());
            if let Some(made_at) = made_at {
                let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                files.push(PaymentFile { name, text, made_at });
            }
        }
        files.sort_by_key(|file| file.made_at);
        Ok(files)
    }

    /// Keeps a file that is not ready. After this it survives a power loss.
    pub fn keep_unready(&self, name: &str, text: &str) -> anyhow::Result<()> {
        write_whole(&self.directory.join(format!("{name}{UNREADY}")), text)
    }

    /// All payouts of a file are marked.
    pub fn is_ready(&self, name: &str) -> anyhow::Result<()> {
        let named = || name.to_owned();
        let path = self.directory.join(name);
        fs::rename(self.directory.join(format!("{name}{UNREADY}")), path).with_context(named)?;
        File::open(&self.directory).and_then(|directory| directory.sync_all()).with_context(named)
    }

    /// Forgets a file that was interrupted.
    pub fn forget(&self, file: &PaymentFile) -> anyhow::Result<()> {
        let path = self.directory.join(&file.name);
        fs::remove_file(&path).with_context(|| path.display().to_string())
    }
}

/// Gives a file out. What is there with the same words stays; with others, nothing is overwritten.
pub fn give_out(output: &Path, text: &str) -> anyhow::Result<()> {
    free(output, Some(text))?;
    write_whole(output, text)
}

/// Refuses a place where something else is.
pub fn free(output: &Path, text: Option<&str>) -> anyhow::Result<()> {
    match fs::read_to_string(output) {
        Ok(there) if text == Some(&*there) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        _ => {
            let message = format!("{} is there already: it is not overwritten", output.display());
            Err(anyhow::anyhow!(message).context(Refused))
        }
    }
}

/// Writes a file beside its place, and moves it there once it is on disk.
fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let named = || path.display().to_string();
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory).with_context(named)?;
    file.write_all(text.as_bytes()).with_context(named)?;
    file.as_file().sync_all().with_context(named)?;
    file.persist(path).with_context(named)?;
    File::open(directory).and_then(|directory| directory.sync_all()).with_context(named)
}
