//! The model of records: documents that change, each with its version.

use std::collections::BTreeMap;

use tollgate_core::store::{Commit, Record, RecordChange, RecordFilter, RecordKey, StoreError, Version};

use super::kept::stale;

/// Records by their keys.
#[derive(Debug, Default)]
pub struct Records(BTreeMap<RecordKey, Record>);

impl Records {
    /// The record of a key.
    pub fn get(&self, key: &RecordKey) -> Option<&Record> {
        self.0.get(key)
    }

    /// Refuses a commit that expects other versions than there are, or was decided from others.
    pub fn check(&self, commit: &Commit) -> Result<(), StoreError> {
        for (key, expected) in &commit.expects {
            refuse_other(key, self.version(key), *expected)?;
        }
        let mut changed = BTreeMap::new();
        for RecordChange { key, before, .. } in &commit.records {
            let found = changed.get(key).copied().unwrap_or_else(|| self.version(key));
            refuse_other(key, found, *before)?;
            changed.insert(key, before.saturating_add(1));
        }
        Ok(())
    }

    fn version(&self, key: &RecordKey) -> Version {
        self.0.get(key).map_or(0, |record| record.version)
    }

    /// Makes changes that have been checked.
    pub fn apply(&mut self, changes: Vec<RecordChange>) {
        for RecordChange { key, before, due, body } in changes {
            self.0.insert(key.clone(), Record { key, version: before.saturating_add(1), due, body });
        }
    }

    /// Up to `limit` records that a filter selects: by owner and id, or by when they are due and then by those.
    pub fn list(&self, filter: &RecordFilter, limit: usize) -> Vec<Record> {
        let wanted = |record: &&Record| {
            let Record { key, due, .. } = record;
            let is_after = |(owner, id): &(String, String)| (&key.owner, &key.id) > (owner, id);
            key.kind == filter.kind
                && filter.owner.as_ref().is_none_or(|owner| *owner == key.owner)
                && filter.after.as_ref().is_none_or(is_after)
                && filter.due_by.is_none_or(|moment| due.is_some_and(|due| due <= moment))
        };
        let mut records: Vec<&Record> = self.0.values().filter(wanted).collect();
        if filter.due_by.is_some() {
            // Sorting keeps those that are due at once by owner and id.
            records.sort_by_key(|record| record.due);
        }
        records.into_iter().take(limit).cloned().collect()
    }
}

fn refuse_other(key: &RecordKey, found: Version, expected: Version) -> Result<(), StoreError> {
    let RecordKey { kind, owner, id } = key;
    if found == expected {
        return Ok(());
    }
    stale(format!("{} {id:?} of {owner:?} is at version {found}, not {expected}", kind.code()))
}
