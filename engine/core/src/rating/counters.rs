//! The usage counters of a batch: read once, advanced row by row, rolled back when a plugin fails.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::frame::{Counted, Frame, Metered};
use crate::period::Period;
use crate::plugin::Aggregation;
use crate::quantity::{Quantity, QuantityError};
use crate::rating::Candidate;
use crate::rating::answer::Usage;
use crate::rating::columns::{group_label, text};
use crate::rating::parties::{Parties, PartyId};
use crate::rating::terms::{Terms, UnitTerms};
use crate::store::{CounterChange, CounterKey, SeenKey, StoreError};
use crate::words;

/// Separates the values of a group's columns in its label. No event's text may contain it: the door
/// refuses control characters.
pub const GROUP_SEPARATOR: char = '\u{1f}';

/// Where the counters of a batch come from. Every list answers in the order of the question.
pub trait CounterSource: Sync {
    /// The values of these counters.
    ///
    /// # Errors
    /// When the store fails.
    fn values(&self, keys: &[CounterKey]) -> Result<Vec<Quantity>, StoreError>;

    /// Which of these keys have been counted.
    ///
    /// # Errors
    /// When the store fails.
    fn seen(&self, keys: &[SeenKey]) -> Result<Vec<bool>, StoreError>;
}

/// The counter after a row. `is_new` says whether the row's key is counted for the first time.
///
/// # Errors
/// When the counter does not fit a quantity.
pub fn advance(
    aggregation: Aggregation,
    before: Quantity,
    quantity: Quantity,
    is_new: bool,
) -> Result<Quantity, QuantityError> {
    match aggregation {
        Aggregation::Max => Ok(before.max(quantity)),
        Aggregation::Distinct if !is_new => Ok(before),
        Aggregation::Sum | Aggregation::Distinct => before.plus(quantity),
    }
}

/// Why rows were not counted. Nothing of the attempt is left in the counters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    /// A counter would not fit.
    #[error("the counter of {unit}: {error}")]
    OutOfRange {
        /// The unit.
        unit: Arc<str>,
        /// Why.
        error: QuantityError,
    },
    /// The counters could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Position of a counter in [`Counters`].
type SlotId = usize;

struct Slot {
    key: CounterKey,
    /// As read.
    first: Quantity,
    now: Quantity,
    /// Whether an accepted event was rated from it.
    used: bool,
    /// Of a distinct unit: whether each key looked at so far has been counted.
    keys: FxHashMap<Arc<str>, KeyState>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyState {
    Absent,
    Stored,
    New,
}

#[derive(PartialEq, Eq, Hash)]
struct SlotIndex {
    owner: PartyId,
    period: Period,
    unit: Arc<str>,
    group: Arc<str>,
}

enum Undo {
    Value(SlotId, Quantity),
    Key(SlotId, Arc<str>),
}

/// The counters that the events of a batch touch.
pub struct Counters<'a> {
    source: &'a dyn CounterSource,
    slots: Vec<Slot>,
    index: FxHashMap<SlotIndex, SlotId>,
    undo: Vec<Undo>,
}

/// Rows that have been counted: what `rate` is told, and what the charges keep.
pub struct Count {
    /// For the plugin.
    pub counted: Counted,
    /// For the charges, in the same order.
    pub steps: Vec<Step>,
}

/// One counted row.
pub struct Step {
    slot: SlotId,
    /// What made it distinct; empty otherwise.
    pub key: Arc<str>,
    /// How many.
    pub quantity: Quantity,
    /// The counter just before.
    pub before: Quantity,
    /// The counter just after.
    pub after: Quantity,
}

impl<'a> Counters<'a> {
    /// No counters yet; they are read from `source` as events touch them.
    pub fn new(source: &'a dyn CounterSource) -> Self {
        Self { source, slots: Vec::new(), index: FxHashMap::default(), undo: Vec::new() }
    }

    /// Counts the usage rows of some events in order. [`Self::keep`] or [`Self::roll_back`] must follow.
    ///
    /// # Errors
    /// When a counter does not fit or cannot be read; then nothing is counted.
    pub fn count(
        &mut self,
        terms: &Terms,
        parties: &Parties,
        rows: &[&Candidate],
        frame: &Frame,
        metered: &Metered,
        usage: &[Usage],
    ) -> Result<Count, CountError> {
        let places = self.find_slots(terms, parties, rows, frame, metered, usage)?;
        let keys = self.find_keys(&places, frame, metered, usage)?;
        let mut counted = Counted {
            counts: metered.counts.clone(),
            units: metered.units.clone(),
            quantities: metered.quantities.clone(),
            before: Vec::with_capacity(metered.quantities.len()),
            after: Vec::with_capacity(metered.quantities.len()),
        };
        let mut steps = Vec::with_capacity(usage.len());
        for ((row, slot), key) in usage.iter().zip(places).zip(keys) {
            let Some(unit) = terms.units.get(row.unit) else { continue };
            match self.advance(slot, unit, row.quantity, &key) {
                Ok((before, after)) => {
                    counted.before.extend(words::encode(before.decimal()));
                    counted.after.extend(words::encode(after.decimal()));
                    steps.push(Step { slot, key, quantity: row.quantity, before, after });
                }
                Err(error) => {
                    self.roll_back();
                    return Err(CountError::OutOfRange { unit: Arc::clone(&unit.name), error });
                }
            }
        }
        Ok(Count { counted, steps })
    }

    /// Makes the last count stand.
    pub fn keep(&mut self, count: &Count) {
        self.undo.clear();
        for step in &count.steps {
            if let Some(slot) = self.slots.get_mut(step.slot) {
                slot.used = true;
            }
        }
    }

    /// Undoes the last count.
    pub fn roll_back(&mut self) {
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Value(slot, value) => {
                    if let Some(slot) = self.slots.get_mut(slot) {
                        slot.now = value;
                    }
                }
                Undo::Key(slot, key) => {
                    if let Some(slot) = self.slots.get_mut(slot) {
                        slot.keys.insert(key, KeyState::Absent);
                    }
                }
            }
        }
    }

    /// Takes in the counters of a part of the batch; the two share none.
    pub fn absorb(&mut self, other: Self) {
        let known = self.slots.len();
        self.slots.extend(other.slots);
        self.index.extend(other.index.into_iter().map(|(index, slot)| (index, slot.saturating_add(known))));
    }

    /// The key of the counter that a step advanced.
    pub fn key_of(&self, step: &Step) -> Option<&CounterKey> {
        self.slots.get(step.slot).map(|slot| &slot.key)
    }

    /// What the batch changes: every counter that a charge was rated from, and every key newly counted.
    pub fn changes(self) -> (Vec<CounterChange>, Vec<SeenKey>) {
        let mut changes = Vec::with_capacity(self.slots.len());
        let mut seen = Vec::new();
        for slot in self.slots.into_iter().filter(|slot| slot.used) {
            for (key, state) in slot.keys {
                if state == KeyState::New {
                    seen.push(SeenKey { counter: slot.key.clone(), key });
                }
            }
            changes.push(CounterChange { key: slot.key, before: slot.first, after: slot.now });
        }
        (changes, seen)
    }

    fn advance(
        &mut self,
        slot_id: SlotId,
        unit: &UnitTerms,
        quantity: Quantity,
        key: &Arc<str>,
    ) -> Result<(Quantity, Quantity), QuantityError> {
        let Some(slot) = self.slots.get_mut(slot_id) else { return Ok((Quantity::ZERO, Quantity::ZERO)) };
        let is_new = unit.aggregation == Aggregation::Distinct
            && slot.keys.get(key).is_none_or(|state| *state == KeyState::Absent);
        let before = slot.now;
        let after = advance(unit.aggregation, before, quantity, is_new)?;
        if is_new {
            slot.keys.insert(Arc::clone(key), KeyState::New);
            self.undo.push(Undo::Key(slot_id, Arc::clone(key)));
        }
        if after != before {
            slot.now = after;
            self.undo.push(Undo::Value(slot_id, before));
        }
        Ok((before, after))
    }

    /// The slot of every usage row; counters not met before are read together.
    fn find_slots(
        &mut self,
        terms: &Terms,
        parties: &Parties,
        rows: &[&Candidate],
        frame: &Frame,
        metered: &Metered,
        usage: &[Usage],
    ) -> Result<Vec<SlotId>, StoreError> {
        let known = self.slots.len();
        let mut places = Vec::with_capacity(usage.len());
        // Ungrouped counters of this call, by small numbers: the common case costs no string.
        let mut ungrouped: FxHashMap<(PartyId, Period, usize), SlotId> = FxHashMap::default();
        let mut rest = usage.iter();
        for (row, (candidate, count)) in rows.iter().zip(&metered.counts).enumerate() {
            for usage in rest.by_ref().take(*count as usize) {
                let Some(unit) = terms.units.get(usage.unit) else { continue };
                let owner = parties.owner(candidate.party, unit.pooled);
                let place = if unit.group_by.is_empty() {
                    let index = (owner, candidate.period, usage.unit);
                    *ungrouped
                        .entry(index)
                        .or_insert_with(|| self.slot(parties, owner, candidate.period, unit, Arc::from("")))
                } else {
                    let label = group_label(unit, frame, row);
                    self.slot(parties, owner, candidate.period, unit, label.into())
                };
                places.push(place);
            }
        }
        self.read_values(known)?;
        Ok(places)
    }

    fn slot(
        &mut self,
        parties: &Parties,
        owner: PartyId,
        period: Period,
        unit: &UnitTerms,
        group: Arc<str>,
    ) -> SlotId {
        let index = SlotIndex { owner, period, unit: Arc::clone(&unit.name), group: Arc::clone(&group) };
        let next = self.slots.len();
        let place = *self.index.entry(index).or_insert(next);
        if place == next {
            let party = parties.get(owner);
            let key = CounterKey {
                app: Arc::clone(&party.app_id),
                owner: Arc::clone(&party.customer),
                unit: Arc::clone(&unit.name),
                group,
                period,
            };
            let (first, now) = (Quantity::ZERO, Quantity::ZERO);
            self.slots.push(Slot { key, first, now, used: false, keys: FxHashMap::default() });
        }
        place
    }

    /// Reads the values of the slots from `known` on. When that fails they are forgotten, so that no slot
    /// is ever taken for read that was not.
    fn read_values(&mut self, known: usize) -> Result<(), StoreError> {
        let fresh = self.slots.get(known..).unwrap_or_default();
        if fresh.is_empty() {
            return Ok(());
        }
        let keys: Vec<CounterKey> = fresh.iter().map(|slot| slot.key.clone()).collect();
        let values = match self.source.values(&keys) {
            Ok(values) => values,
            Err(error) => {
                self.slots.truncate(known);
                self.index.retain(|_, slot| *slot < known);
                return Err(error);
            }
        };
        for (slot, value) in self.slots.iter_mut().skip(known).zip(values) {
            (slot.first, slot.now) = (value, value);
        }
        Ok(())
    }

    /// The key of every usage row (empty unless distinct); keys not met before are looked up together.
    fn find_keys(
        &mut self,
        places: &[SlotId],
        frame: &Frame,
        metered: &Metered,
        usage: &[Usage],
    ) -> Result<Vec<Arc<str>>, StoreError> {
        let none: Arc<str> = "".into();
        let mut unknown: Vec<(SlotId, SeenKey)> = Vec::new();
        let mut keys = Vec::with_capacity(usage.len());
        for (row, place) in usage.iter().zip(places) {
            if row.key == 0 {
                keys.push(Arc::clone(&none));
                continue;
            }
            let text = text(frame, metered, row.key);
            let Some(slot) = self.slots.get_mut(*place) else { continue };
            if let Some((key, _)) = slot.keys.get_key_value(text) {
                keys.push(Arc::clone(key));
                continue;
            }
            let key: Arc<str> = text.into();
            slot.keys.insert(Arc::clone(&key), KeyState::Absent);
            unknown.push((*place, SeenKey { counter: slot.key.clone(), key: Arc::clone(&key) }));
            keys.push(key);
        }
        self.read_keys(unknown)?;
        Ok(keys)
    }

    fn read_keys(&mut self, unknown: Vec<(SlotId, SeenKey)>) -> Result<(), StoreError> {
        if unknown.is_empty() {
            return Ok(());
        }
        let (places, questions): (Vec<SlotId>, Vec<SeenKey>) = unknown.into_iter().unzip();
        let answers = self.source.seen(&questions);
        for (position, (place, question)) in places.into_iter().zip(questions).enumerate() {
            let Some(slot) = self.slots.get_mut(place) else { continue };
            match &answers {
                Ok(seen) if seen.get(position) == Some(&true) => {
                    slot.keys.insert(question.key, KeyState::Stored);
                }
                Ok(_) => {}
                Err(_) => {
                    slot.keys.remove(&question.key);
                }
            }
        }
        answers.map(|_| ())
    }
}
