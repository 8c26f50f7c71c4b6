//! The model of entries: a list that only grows.

use std::collections::{BTreeSet, HashMap};

use tollgate_core::ledger::{Entry, EntryNumber, Owner};
use tollgate_core::store::{Commit, StoreError};

use super::kept::{position, stale};

/// Entries in order of their numbers, which start at 1.
#[derive(Debug, Default)]
pub struct Entries {
    posted: Vec<Entry>,
    numbers: HashMap<String, EntryNumber>,
}

impl Entries {
    /// Refuses a commit that posts an entry again.
    pub fn check(&self, commit: &Commit) -> Result<(), StoreError> {
        let mut fresh = BTreeSet::new();
        for Entry { id, .. } in &commit.entries {
            if self.numbers.contains_key(id) || !fresh.insert(id) {
                return stale(format!("entry {id:?} is posted already"));
            }
        }
        Ok(())
    }

    /// Posts entries that have been checked.
    pub fn add(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            let number = self.posted.len() as EntryNumber + 1;
            self.numbers.insert(entry.id.clone(), number);
            self.posted.push(entry);
        }
    }

    /// The entry of an id.
    pub fn by_id(&self, id: &str) -> Option<(EntryNumber, Entry)> {
        let number = *self.numbers.get(id)?;
        Some((number, self.posted.get(position(number)?)?.clone()))
    }

    /// Up to `limit` entries after a number, in order; only those that post to an account of an owner, where
    /// given.
    pub fn list(&self, owner: Option<&Owner>, after: EntryNumber, limit: usize) -> Vec<(EntryNumber, Entry)> {
        let posts_to = |entry: &Entry, owner: &Owner| {
            entry.postings.iter().any(|posting| posting.account.owner == *owner)
        };
        let later = (1..).zip(&self.posted).skip(usize::try_from(after).unwrap_or(usize::MAX));
        let wanted = later.filter(|(_, entry)| owner.is_none_or(|owner| posts_to(entry, owner)));
        wanted.take(limit).map(|(number, entry)| (number, entry.clone())).collect()
    }
}
