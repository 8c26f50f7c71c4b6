//! A publisher's secret key: made, kept in a file that only its owner reads, and signed with.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signer as _, SigningKey};
use hex::FromHex;
use tollgate_core::plugin::Digest;
use tollgate_core::publisher::{PublicKey, Signature, signed_bytes};
use zeroize::Zeroizing;

/// Begins the one line of a key file, so that it is not taken for the public half.
const PREFIX: &str = "tollgate-secret-key:ed25519:";

/// The secret half of a publisher's key.
pub struct SecretKey(SigningKey);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // The messages say what each field is.
pub enum KeyError {
    #[error("{} is there already, and a key is never overwritten: name another file", .0.display())]
    Occupied(PathBuf),
    #[error(
        "{} holds no secret key: it is one line that begins with {PREFIX}, as `tollgate plugin keygen` writes it",
        .0.display()
    )]
    NotAKey(PathBuf),
    #[error("{} may be read by others than its owner: run `chmod 600 {}`", .0.display(), .0.display())]
    Open(PathBuf),
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("this system gives no random numbers: {0}")]
    NoRandomness(String),
}

impl SecretKey {
    /// A new key.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut()).map_err(|error| KeyError::NoRandomness(error.to_string()))?;
        Ok(Self(SigningKey::from_bytes(&bytes)))
    }

    /// Writes it to a new file that only its owner reads.
    ///
    /// # Errors
    /// When the file is there already or cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), KeyError> {
        let digits = Zeroizing::new(hex::encode(Zeroizing::new(self.0.to_bytes())));
        let line = Zeroizing::new(format!("{PREFIX}{}\n", *digits));
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => KeyError::Occupied(path.to_owned()),
            _ => KeyError::File { path: path.to_owned(), error },
        };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
    }

    /// Reads a key's file.
    ///
    /// # Errors
    /// When there is no key in it, others may read it, or it cannot be read.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let failed = |error| KeyError::File { path: path.to_owned(), error };
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(path).map_err(failed)?);
            if mode & 0o077 != 0 {
                return Err(KeyError::Open(path.to_owned()));
            }
        }
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
        let bytes = text.trim().strip_prefix(PREFIX).and_then(|digits| FromHex::from_hex(digits).ok());
        let bytes = bytes.map(Zeroizing::<[u8; 32]>::new);
        let bytes = bytes.ok_or_else(|| KeyError::NotAKey(path.to_owned()))?;
        Ok(Self(SigningKey::from_bytes(&bytes)))
    }

    /// The public half. `None` never happens with a key of this program's making.
    pub fn public(&self) -> Option<PublicKey> {
        PublicKey::from_bytes(self.0.verifying_key().to_bytes())
    }

    /// Signs the plugin of this digest.
    pub fn sign(&self, plugin: &Digest) -> Option<Signature> {
        let bytes = self.0.sign(&signed_bytes(plugin)).to_bytes();
        self.public().map(|public| Signature::new(public, bytes))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may stop where it stands
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_owners_alone_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = SecretKey::generate().unwrap();
        key.write(&path).unwrap();
        assert!(matches!(SecretKey::generate().unwrap().write(&path), Err(KeyError::Occupied(_))));
        let read = SecretKey::read(&path).unwrap();
        assert_eq!(read.public(), key.public());
        let plugin = Digest::of(b"plugin");
        assert!(read.sign(&plugin).unwrap().is_of(&plugin));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert!(matches!(SecretKey::read(&path), Err(KeyError::Open(_))));
        }
        let public = folder.path().join("key.pub");
        std::fs::write(&public, key.public().unwrap().to_string()).unwrap();
        assert!(SecretKey::read(&public).is_err(), "the public half is no key to sign with");
    }
}
