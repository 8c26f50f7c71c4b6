//! Words and counters as small numbers, remembered.
//!
//! Rows of `names` and `counters` never go away, so what was read or committed once stays right, whoever
//! else writes to the file. What a transaction adds is remembered as unsaved until its fate is known.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};
use rustc_hash::FxHashMap;
use tollgate_core::store::CounterKey;

use super::row;
use super::trouble::Trouble;

/// Remembered words and counters; past this it starts afresh, to bound its memory.
const REMEMBERED_MAX: usize = 500_000;

/// A counter's key in numbers: app, owner, unit, label, period.
pub type CounterRow = (i64, i64, i64, i64, i64);

/// What is known of `names` and `counters`.
#[derive(Debug, Default)]
pub struct Names {
    ids: FxHashMap<Arc<str>, i64>,
    words: FxHashMap<i64, Arc<str>>,
    counters: FxHashMap<CounterRow, i64>,
    unsaved: Vec<Unsaved>,
}

#[derive(Debug)]
enum Unsaved {
    Word(i64, Arc<str>),
    Counter(CounterRow),
}

impl Names {
    /// The number of a word; `None` when the database does not have it.
    pub fn known_id(&mut self, db: &Connection, word: &str) -> Result<Option<i64>, Trouble> {
        if let Some(id) = self.ids.get(word) {
            return Ok(Some(*id));
        }
        let mut query = db.prepare_cached("SELECT id FROM names WHERE name = ?1")?;
        let id = query.query_row([word], |row| row.get(0)).optional()?;
        if let Some(id) = id {
            self.remember(id, Arc::from(word));
        }
        Ok(id)
    }

    /// The number of a word, which is added when the database does not have it.
    pub fn id(&mut self, db: &Connection, word: &str) -> Result<i64, Trouble> {
        if let Some(id) = self.known_id(db, word)? {
            return Ok(id);
        }
        let id = db.prepare_cached("INSERT INTO names (name) VALUES (?1)")?.insert([word])?;
        let word: Arc<str> = Arc::from(word);
        self.unsaved.push(Unsaved::Word(id, Arc::clone(&word)));
        self.remember(id, word);
        Ok(id)
    }

    /// The word of a number.
    pub fn word(&mut self, db: &Connection, id: i64) -> Result<Arc<str>, Trouble> {
        if let Some(word) = self.words.get(&id) {
            return Ok(Arc::clone(word));
        }
        let mut query = db.prepare_cached("SELECT name FROM names WHERE id = ?1")?;
        let word: Option<String> = query.query_row([id], |row| row.get(0)).optional()?;
        let word: Arc<str> = word.ok_or_else(|| Trouble::corrupt(format!("no name {id}")))?.into();
        self.remember(id, Arc::clone(&word));
        Ok(word)
    }

    /// The number of a counter; `None` when the database does not have it.
    pub fn known_counter(&mut self, db: &Connection, counter: CounterRow) -> Result<Option<i64>, Trouble> {
        if let Some(id) = self.counters.get(&counter) {
            return Ok(Some(*id));
        }
        let mut query = db.prepare_cached(
            "SELECT id FROM counters WHERE app = ?1 AND owner = ?2 AND unit = ?3 AND label = ?4 AND period = ?5",
        )?;
        let id = query.query_row(counter, |row| row.get(0)).optional()?;
        if let Some(id) = id {
            self.counters.insert(counter, id);
        }
        Ok(id)
    }

    /// The number of the counter of a key; `None` when the database does not have it.
    pub fn known_counter_of(&mut self, db: &Connection, key: &CounterKey) -> Result<Option<i64>, Trouble> {
        let mut ids = [0; 4];
        for (id, word) in ids.iter_mut().zip([&key.app, &key.owner, &key.unit, &key.group]) {
            let Some(known) = self.known_id(db, word)? else { return Ok(None) };
            *id = known;
        }
        let [app, owner, unit, label] = ids;
        self.known_counter(db, (app, owner, unit, label, row::period_number(key.period)?))
    }

    /// The number of a counter, which is added at zero when the database does not have it.
    pub fn counter(&mut self, db: &Connection, counter: CounterRow) -> Result<i64, Trouble> {
        if let Some(id) = self.known_counter(db, counter)? {
            return Ok(id);
        }
        let (app, owner, unit, label, period) = counter;
        let mut insert = db.prepare_cached(
            "INSERT INTO counters (app, owner, unit, label, period, value) VALUES (?1, ?2, ?3, ?4, ?5, '0')",
        )?;
        let id = insert.insert(params![app, owner, unit, label, period])?;
        self.unsaved.push(Unsaved::Counter(counter));
        self.counters.insert(counter, id);
        Ok(id)
    }

    /// A mark to come back to with [`Self::forget_since`].
    pub fn mark(&self) -> usize {
        self.unsaved.len()
    }

    /// What was added since the mark was rolled back.
    pub fn forget_since(&mut self, mark: usize) {
        for unsaved in self.unsaved.drain(mark.min(self.unsaved.len())..) {
            match unsaved {
                Unsaved::Word(id, word) => {
                    self.ids.remove(&word);
                    self.words.remove(&id);
                }
                Unsaved::Counter(counter) => {
                    self.counters.remove(&counter);
                }
            }
        }
    }

    /// What was added is committed.
    pub fn saved(&mut self) {
        self.unsaved.clear();
        if self.ids.len().saturating_add(self.counters.len()) > REMEMBERED_MAX {
            *self = Self::default();
        }
    }

    fn remember(&mut self, id: i64, word: Arc<str>) {
        self.words.insert(id, Arc::clone(&word));
        self.ids.insert(word, id);
    }
}
