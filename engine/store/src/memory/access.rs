//! The model of keys and kept answers.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use tollgate_core::access::{AccessStore, KeptAnswer, Key, RequestKey};
use tollgate_core::store::StoreError;

use super::MemoryStore;

/// Who may do what, and what was answered.
#[derive(Debug, Default)]
pub struct Access {
    /// In order of being added.
    keys: Vec<Key>,
    answers: HashMap<RequestKey, KeptAnswer>,
}

impl MemoryStore {
    fn access(&self) -> MutexGuard<'_, Access> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AccessStore for MemoryStore {
    fn add_key(&self, key: &Key) -> Result<(), StoreError> {
        let keys = &mut self.access().keys;
        if keys.iter().any(|other| other.id == key.id) {
            return Err(StoreError::Failed(format!("a key {:?} is there already", key.id)));
        }
        keys.push(key.clone());
        Ok(())
    }

    fn keys(&self) -> Result<Vec<Key>, StoreError> {
        let mut keys = self.access().keys.clone();
        keys.sort_by_key(|key| key.created_at);
        Ok(keys)
    }

    fn revoke_key(&self, id: &str, moment: i64) -> Result<(), StoreError> {
        if let Some(key) = self.access().keys.iter_mut().find(|key| key.id == id) {
            key.revoked_at.get_or_insert(moment);
        }
        Ok(())
    }

    fn keys_used(&self, uses: &[(String, i64)]) -> Result<(), StoreError> {
        let keys = &mut self.access().keys;
        for (id, moment) in uses {
            if let Some(key) = keys.iter_mut().find(|key| key.id == *id) {
                key.last_used_at = key.last_used_at.max(Some(*moment));
            }
        }
        Ok(())
    }

    fn answer(&self, request: &RequestKey) -> Result<Option<KeptAnswer>, StoreError> {
        Ok(self.access().answers.get(request).cloned())
    }

    fn keep_answer(
        &self,
        request: &RequestKey,
        answer: &KeptAnswer,
        forget_before: i64,
    ) -> Result<(), StoreError> {
        let answers = &mut self.access().answers;
        answers.retain(|_, kept| kept.answered_at >= forget_before);
        answers.entry(request.clone()).or_insert_with(|| answer.clone());
        Ok(())
    }
}
