//! The keyring: makes keys, recognises them, and forgets their secrets at once.
//!
//! A key reads `tollgate_builder_4f1c09d2a7b3_` and 43 characters more: what it is good for, its public id,
//! and 256 random bits in base64url. Only the SHA-256 of the whole is kept. What a key may do is decided by
//! its [`Scope`], in the core.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tollgate_core::access::{AccessStore, Key, Scope};
use tollgate_core::store::StoreError;

/// A use is written down when the last one written is older than this, in milliseconds.
const USE_EVERY: i64 = 60_000;

/// The longest text that is looked at as a key.
const KEY_BYTES_MAX: usize = 128;

/// Why a key opens nothing. It says the same of a key that never was and of a wrong secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not one of ours.
    #[error("the key is not known: check that it was copied whole")]
    Unknown,
    /// Past its end.
    #[error("the key has expired: make a new one")]
    Expired,
    /// Taken back.
    #[error("the key has been revoked: make a new one")]
    Revoked,
}

/// A key that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The operating system gave no random bits.
    #[error("no random bits for a key: {0}")]
    NoRandomness(String),
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The bytes of a key's public id, which is written in hexadecimal digits.
const ID_BYTES: usize = 6;

/// The public id that a text gives, whether there is such a key or not.
pub fn id_in(text: &str) -> Option<&str> {
    let is_id = |id: &&str| id.len() == 2 * ID_BYTES && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('_').nth(2).filter(is_id)
}

/// All keys, in memory as the store has them.
pub struct Keyring {
    store: Arc<dyn AccessStore>,
    known: RwLock<HashMap<String, Arc<Key>>>,
    /// Held while keys are read again or changed, so that what was read before a change does not undo it.
    changing: Mutex<()>,
    /// By id, the use that was written down last, and the one that is to be.
    uses: Mutex<HashMap<String, (i64, i64)>>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Keyring")
    }
}

impl Keyring {
    /// The keys that a store has.
    ///
    /// # Errors
    /// When the store fails.
    pub fn open(store: Arc<dyn AccessStore>) -> Result<Self, StoreError> {
        let (known, changing, uses) = Default::default();
        let keyring = Self { store, known, changing, uses };
        keyring.reload()?;
        Ok(keyring)
    }

    /// Reads the keys again: another process may have made or revoked some.
    ///
    /// # Errors
    /// When the store fails.
    pub fn reload(&self) -> Result<(), StoreError> {
        let _no_change_meanwhile = self.change();
        let keys = self.store.keys()?;
        let known = keys.into_iter().map(|key| (key.id.clone(), Arc::new(key))).collect();
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    /// Makes a key. Its text is told here and nowhere else. Times are in milliseconds since 1970.
    ///
    /// # Errors
    /// When there is no randomness or the store fails.
    pub fn make(
        &self,
        name: &str,
        scope: Scope,
        expires_at: Option<i64>,
        now: i64,
    ) -> Result<(Arc<Key>, String), KeyError> {
        let random = |bytes: &mut [u8]| {
            getrandom::fill(bytes).map_err(|error| KeyError::NoRandomness(error.to_string()))
        };
        let (mut id, mut secret) = ([0; ID_BYTES], [0; 32]);
        random(&mut id)?;
        random(&mut secret)?;
        let id = hex::encode(id);
        let text = format!("tollgate_{}_{id}_{}", kind(&scope), URL_SAFE_NO_PAD.encode(secret));
        let key = Key {
            id,
            name: name.to_owned(),
            scope,
            digest: digest(&text),
            created_at: now,
            expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        let _not_read_meanwhile = self.change();
        self.store.add_key(&key)?;
        let key = Arc::new(key);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(key.id.clone(), Arc::clone(&key));
        Ok((key, text))
    }

    /// The key that a text is, and notes that it was used.
    ///
    /// # Errors
    /// When it opens nothing.
    pub fn recognise(&self, text: &str, now: i64) -> Result<Arc<Key>, Refused> {
        if text.len() > KEY_BYTES_MAX {
            return Err(Refused::Unknown);
        }
        let id = id_in(text).unwrap_or_default();
        let key = self.get(id);
        // Compared also when there is no such id: the time taken tells nothing.
        let digest_kept = key.as_ref().map_or([0; 32], |key| key.digest);
        let is_same = bool::from(digest(text).ct_eq(&digest_kept));
        let key = key.filter(|_| is_same).ok_or(Refused::Unknown)?;
        if key.revoked_at.is_some() {
            return Err(Refused::Revoked);
        }
        if !key.is_valid_at(now) {
            return Err(Refused::Expired);
        }
        let mut uses = self.uses();
        let (_, latest) = uses.entry(key.id.clone()).or_insert((key.last_used_at.unwrap_or(0), 0));
        *latest = now;
        Ok(key)
    }

    /// The key of this id, with its latest use.
    pub fn read(&self, id: &str) -> Option<Key> {
        self.get(id).map(|key| with_use(&key, &self.uses()))
    }

    fn get(&self, id: &str) -> Option<Arc<Key>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(id).map(Arc::clone)
    }

    /// All keys, by id, each with its latest use.
    pub fn list(&self) -> Vec<Key> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let uses = self.uses();
        let mut keys: Vec<Key> = known.values().map(|key| with_use(key, &uses)).collect();
        keys.sort_by(|one, other| one.id.cmp(&other.id));
        keys
    }

    /// Refuses a key from now on. Gives back the key, if there is one of this id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn revoke(&self, id: &str, now: i64) -> Result<Option<Arc<Key>>, StoreError> {
        let Some(key) = self.get(id) else { return Ok(None) };
        if key.revoked_at.is_some() {
            return Ok(Some(key));
        }
        let _not_read_meanwhile = self.change();
        self.store.revoke_key(id, now)?;
        let key = Arc::new(Key { revoked_at: Some(now), ..Key::clone(&key) });
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(id.to_owned(), Arc::clone(&key));
        Ok(Some(key))
    }

    /// Writes down which keys were used, to the minute. Called now and then, and at the end.
    ///
    /// # Errors
    /// When the store fails; the uses are written down the next time.
    pub fn write_uses(&self) -> Result<(), StoreError> {
        let due: Vec<(String, i64)> = {
            let uses = self.uses();
            let due =
                uses.iter().filter(|(_, (written, latest))| latest.saturating_sub(*written) >= USE_EVERY);
            due.map(|(id, (_, latest))| (id.clone(), *latest)).collect()
        };
        if due.is_empty() {
            return Ok(());
        }
        self.store.keys_used(&due)?;
        let mut uses = self.uses();
        for (id, moment) in due {
            if let Some((written, _)) = uses.get_mut(&id) {
                *written = moment;
            }
        }
        Ok(())
    }

    fn change(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uses(&self) -> MutexGuard<'_, HashMap<String, (i64, i64)>> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key as it is kept, or used since.
fn with_use(key: &Key, uses: &HashMap<String, (i64, i64)>) -> Key {
    let latest = uses.get(&key.id).map(|(_, latest)| *latest).filter(|latest| *latest > 0);
    Key { last_used_at: key.last_used_at.max(latest), ..key.clone() }
}

/// What a key says of itself, so that a person sees what has leaked.
fn kind(scope: &Scope) -> &'static str {
    match scope {
        Scope::Platform => "platform",
        Scope::Builder { .. } => "builder",
        Scope::AppIngest { .. } => "ingest",
        Scope::CustomerRead { .. } => "customer",
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tollgate_store::MemoryStore;

    use super::*;

    #[test]
    fn a_key_is_known_by_its_whole_text_until_it_ends() {
        let store = Arc::new(MemoryStore::new());
        let keyring = Keyring::open(Arc::clone(&store) as _).unwrap();
        let (key, text) = keyring.make("laptop", Scope::Platform, Some(2_000_000), 1_000).unwrap();
        assert!(text.starts_with(&format!("tollgate_platform_{}_", key.id)));
        assert_eq!(text.len(), "tollgate_platform_".len() + 12 + 1 + 43);
        assert_eq!(keyring.recognise(&text, 100_000).unwrap().id, key.id);
        let mut wrong = text.clone();
        wrong.pop();
        wrong.push(if text.ends_with('A') { 'B' } else { 'A' });
        for wrong in [&*wrong, "", "tollgate", "tollgate_platform_000000000000_x", &"x".repeat(4096)] {
            assert_eq!(keyring.recognise(wrong, 100_000), Err(Refused::Unknown), "{wrong}");
        }
        assert_eq!(keyring.recognise(&text, 2_000_000), Err(Refused::Expired));

        keyring.write_uses().unwrap();
        let again = Keyring::open(store).unwrap();
        assert_eq!(again.list().first().unwrap().last_used_at, Some(100_000));
        again.revoke(&key.id, 150_000).unwrap();
        assert_eq!(again.recognise(&text, 160_000), Err(Refused::Revoked));
        // Another process learns of it when it looks again.
        assert!(keyring.recognise(&text, 160_000).is_ok());
        keyring.reload().unwrap();
        assert_eq!(keyring.recognise(&text, 160_000), Err(Refused::Revoked));
    }
}
