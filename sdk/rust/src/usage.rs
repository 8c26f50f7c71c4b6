//! Where a plugin records which units an event is worth.

use crate::{Aggregation, Decimal, Fault, Outcome, Text, Unit, native};
use std::collections::BTreeMap;

/// The most digits a quantity may have after the point.
const QUANTITY_PLACES_MAX: u32 = 12;

/// The units of the event at hand; a row for each call of `add`.
pub struct Usage {
    metered: native::Metered,
    /// How many strings the frame has: the id of the first key that is not among them.
    strings_of_frame: u32,
    new_keys: BTreeMap<String, u32>,
}

impl Usage {
    pub(crate) fn for_frame(frame: &native::Frame) -> Self {
        let rows = frame.rows as usize;
        let metered = native::Metered {
            counts: Vec::with_capacity(rows),
            units: Vec::with_capacity(rows),
            keys: Vec::with_capacity(rows),
            quantities: Vec::with_capacity(2 * rows),
            ..native::Metered::default()
        };
        // A table longer than its index type cannot come out of a frame.
        let strings_of_frame = u32::try_from(frame.strings.len()).unwrap_or(u32::MAX);
        Self { metered, strings_of_frame, new_keys: BTreeMap::new() }
    }

    /// Adds a quantity of a unit whose aggregation is `sum`, or offers one that is the largest so far of a
    /// unit whose aggregation is `max`. Nothing is recorded for zero.
    ///
    /// # Errors
    /// When the quantity is negative or has more than twelve digits after the point, and when the unit's
    /// aggregation is `distinct`.
    #[inline]
    pub fn add(&mut self, unit: Unit, quantity: Decimal) -> Outcome {
        if matches!(unit.aggregation, Aggregation::Distinct) {
            return Err(Fault::new("the plugin adds to a `distinct` unit without a key; use add_distinct"));
        }
        if quantity.is_zero() {
            return Ok(());
        }
        self.push(unit, 0, quantity_checked(quantity)?);
        Ok(())
    }

    /// Counts one for a key that is seen for the first time in the period, and nothing for one seen before:
    /// `usage.add_distinct(CONVERSATION, event.attribute("conversation"))`. A key that the plugin made up
    /// itself may be a `&str` or a `String`.
    ///
    /// # Errors
    /// When the key is empty, and when the unit's aggregation is not `distinct`.
    #[inline]
    pub fn add_distinct<'k>(&mut self, unit: Unit, key: impl Into<Key<'k>>) -> Outcome {
        if !matches!(unit.aggregation, Aggregation::Distinct) {
            return Err(Fault::new("the plugin adds a key to a unit that is not `distinct`; use add"));
        }
        let id = self.id_of(key.into())?;
        self.push(unit, id, Decimal::ONE);
        Ok(())
    }

    #[inline]
    fn push(&mut self, unit: Unit, key: u32, quantity: Decimal) {
        self.metered.units.push(unit.position);
        self.metered.keys.push(key);
        self.metered.quantities.extend_from_slice(&quantity.to_words());
    }

    fn id_of(&mut self, key: Key<'_>) -> Result<u32, Fault> {
        let text = match key {
            Key::Known(text) if !text.is_absent() => return Ok(text.id),
            Key::Borrowed(text) if !text.is_empty() => text.to_owned(),
            Key::Owned(text) if !text.is_empty() => text,
            _ => return Err(Fault::new("the key of a `distinct` unit is empty")),
        };
        let next =
            u32::try_from(self.new_keys.len()).ok().and_then(|new| self.strings_of_frame.checked_add(new));
        let Some(next) = next else { return Err(Fault::new("the batch has too many keys")) };
        Ok(*self.new_keys.entry(text).or_insert(next))
    }

    pub(crate) fn rows(&self) -> usize {
        self.metered.units.len()
    }

    /// Ends an event: keeps its rows, or drops them and records the fault.
    #[inline]
    pub(crate) fn end_event(&mut self, event: u32, rows_before: usize, outcome: Outcome) {
        if let Err(fault) = outcome {
            self.metered.units.truncate(rows_before);
            self.metered.keys.truncate(rows_before);
            self.metered.quantities.truncate(2 * rows_before);
            self.metered.faults.push(native::EventFault { event, message: fault.into_message() });
        }
        self.metered.counts.push(native::count(self.rows() - rows_before));
    }

    pub(crate) fn finish(self) -> native::Metered {
        let mut keys: Vec<(String, u32)> = self.new_keys.into_iter().collect();
        keys.sort_unstable_by_key(|(_, id)| *id);
        native::Metered { strings: keys.into_iter().map(|(key, _)| key).collect(), ..self.metered }
    }
}

/// A quantity in a form the contract allows.
#[inline]
fn quantity_checked(quantity: Decimal) -> Result<Decimal, Fault> {
    if !quantity.is_negative() && quantity.scale() <= QUANTITY_PLACES_MAX {
        return Ok(quantity);
    }
    quantity_shortened(quantity)
}

#[cold]
pub(crate) fn quantity_shortened(quantity: Decimal) -> Result<Decimal, Fault> {
    if quantity.is_negative() {
        return Err(Fault::new(format!("the quantity {quantity} is negative")));
    }
    let shortest = quantity.shortest();
    if shortest.scale() <= QUANTITY_PLACES_MAX {
        return Ok(shortest);
    }
    Err(Fault::new(format!(
        "the quantity {shortest} has more than {QUANTITY_PLACES_MAX} digits after the point"
    )))
}

/// What makes a `distinct` unit distinct: a text of the event, or one of the plugin's own.
#[derive(Debug, Clone)]
pub enum Key<'k> {
    /// A text that is already in the batch's table: nothing is copied.
    Known(Text<'k>),
    /// A text of the plugin's own.
    Borrowed(&'k str),
    /// A text of the plugin's own, handed over.
    Owned(String),
}

impl<'k> From<Text<'k>> for Key<'k> {
    #[inline]
    fn from(text: Text<'k>) -> Self {
        Self::Known(text)
    }
}

impl<'k> From<&'k str> for Key<'k> {
    fn from(text: &'k str) -> Self {
        Self::Borrowed(text)
    }
}

impl From<String> for Key<'_> {
    fn from(text: String) -> Self {
        Self::Owned(text)
    }
}
