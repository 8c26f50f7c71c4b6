//! Compiled code on disk: written once for each plugin, engine and processor, and trusted only when nobody
//! else can have touched it.
//!
//! Loading compiled code is as good as running it, so a directory or file that is not this user's alone is
//! refused, and so is a file whose checksum does not match.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use sha2::{Digest as _, Sha256};
use tollgate_core::plugin::Digest;
use wasmtime::Engine;

/// Says what a file is, and in which layout: this line, the checksum of the rest, the rest.
const HEADING: &[u8] = b"tollgate compiled plugin 1\n";
const CHECKSUM_BYTES: usize = 32;
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// A directory of compiled plugins.
pub(crate) struct CodeCache {
    directory: PathBuf,
    /// Differs whenever code compiled for one engine and processor does not fit another.
    compatibility: u64,
}

impl CodeCache {
    /// Opens the directory, or creates it for this user alone.
    ///
    /// # Errors
    /// When it cannot be created, or belongs to or can be written by somebody else.
    pub(crate) fn open(directory: &Path, engine: &Engine) -> Result<Self, String> {
        let shown = directory.display();
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|error| format!("cannot create the plugin cache {shown}: {error}"))?;
        let metadata = fs::symlink_metadata(directory)
            .map_err(|error| format!("cannot look at the plugin cache {shown}: {error}"))?;
        if !metadata.is_dir() || !is_private(&metadata) {
            return Err(format!(
                "the plugin cache {shown} must be a directory that only its owner, this user, can write to: \
                 it holds code that will run (`chmod go-w` it, or choose another)"
            ));
        }
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self { directory: directory.to_owned(), compatibility: hasher.finish() })
    }

    /// Where the compiled code of a plugin belongs.
    pub(crate) fn path(&self, plugin: &Digest) -> PathBuf {
        let name = plugin.to_string();
        let hex = name.strip_prefix("sha256:").unwrap_or(&name);
        self.directory.join(format!("{hex}-{:016x}.compiled", self.compatibility))
    }
}

/// Writes compiled code so that a reader sees all of it or nothing.
///
/// # Errors
/// When the disk refuses.
pub(crate) fn seal(path: &Path, code: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(HEADING)?;
    file.write_all(&Sha256::digest(code))?;
    file.write_all(code)?;
    file.persist(path)?;
    Ok(())
}

/// Reads compiled code back; nothing when the file is missing, not this user's alone, or damaged.
pub(crate) fn unseal(path: &Path) -> Option<Vec<u8>> {
    let descriptor =
        rustix::fs::open(path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut file = File::from(descriptor);
    // Asked of the open file, so that it cannot be exchanged between the question and the reading.
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || !is_private(&metadata) {
        return None;
    }
    let mut heading = [0; HEADING.len()];
    let mut checksum = [0; CHECKSUM_BYTES];
    file.read_exact(&mut heading).ok()?;
    file.read_exact(&mut checksum).ok()?;
    let mut code = Vec::with_capacity(usize::try_from(metadata.len()).ok()?);
    file.read_to_end(&mut code).ok()?;
    let whole = heading == HEADING && Sha256::digest(&code).as_slice() == checksum;
    whole.then_some(code)
}

fn is_private(metadata: &fs::Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & WRITABLE_BY_OTHERS == 0
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn sealed() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("code");
        seal(&path, b"machine code").unwrap();
        (directory, path)
    }

    #[test]
    fn what_was_sealed_is_read_back() {
        let (_directory, path) = sealed();
        assert_eq!(unseal(&path).as_deref(), Some(b"machine code".as_slice()));
        assert_eq!(unseal(&path.with_extension("other")), None);
    }

    #[test]
    fn a_changed_or_shortened_file_is_not_believed() {
        let (_directory, path) = sealed();
        let whole = fs::read(&path).unwrap();
        for position in 0..whole.len() {
            let mut changed = whole.clone();
            changed[position] ^= 1;
            fs::write(&path, changed).unwrap();
            assert_eq!(unseal(&path), None, "byte {position} changed");
            fs::write(&path, &whole[..position]).unwrap();
            assert_eq!(unseal(&path), None, "cut at {position}");
        }
    }

    #[test]
    fn a_file_others_can_write_or_a_link_is_not_believed() {
        let (directory, path) = sealed();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(unseal(&link), None);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(unseal(&path), None);
    }
}
