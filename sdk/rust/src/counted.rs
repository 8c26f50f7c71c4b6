//! What an event counted for, with the host's counters around it.

use crate::{Decimal, Fault, Unit, columns::decimal_at, cumulative, native};

/// The usage rows of the event at hand.
#[derive(Clone, Copy)]
pub struct Counted<'a> {
    table: &'a native::Counted,
    start: usize,
    end: usize,
}

impl<'a> Counted<'a> {
    #[inline]
    pub(crate) fn rows_of(table: &'a native::Counted, start: usize, end: usize) -> Self {
        Self { table, start, end }
    }

    /// The unit's counter just before this event and just after; nothing when the event is worth none of it.
    #[inline]
    pub fn of(&self, unit: Unit) -> Option<Count> {
        let units = self.table.units.get(self.start..self.end)?;
        let first = units.iter().position(|position| *position == unit.position)?;
        let last = units.iter().rposition(|position| *position == unit.position)?;
        Some(Count {
            before: decimal_at(&self.table.before, self.start + first),
            after: decimal_at(&self.table.after, self.start + last),
        })
    }

    /// Every usage row of the event, in the order in which `meter` added them.
    pub fn rows(&self) -> impl Iterator<Item = UsageRow> + use<'a> {
        let table = self.table;
        (self.start..self.end).filter_map(move |row| {
            Some(UsageRow {
                unit: *table.units.get(row)?,
                quantity: decimal_at(&table.quantities, row),
                before: decimal_at(&table.before, row),
                after: decimal_at(&table.after, row),
            })
        })
    }
}

/// A counter around one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// What the customer had used in the period before this event.
    pub before: Decimal,
    /// What the customer has used with it.
    pub after: Decimal,
}

impl Count {
    /// By how much the event moved the counter.
    ///
    /// # Errors
    /// When the difference has more digits than a decimal can hold.
    #[inline]
    pub fn grown(&self) -> Result<Decimal, Fault> {
        self.after.minus(self.before)
    }

    /// This event's share of a cumulative formula: `f(after) - f(before)`. See [`cumulative`].
    ///
    /// # Errors
    /// When the formula faults, or the result has more digits than a decimal can hold.
    #[inline]
    pub fn cumulative(&self, formula: impl Fn(Decimal) -> Result<Decimal, Fault>) -> Result<Decimal, Fault> {
        cumulative(self.before, self.after, formula)
    }
}

/// One usage row with the host's counter around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageRow {
    unit: u32,
    /// What `meter` added.
    pub quantity: Decimal,
    /// The counter before this row.
    pub before: Decimal,
    /// The counter after it.
    pub after: Decimal,
}

impl UsageRow {
    /// Whether the row counts that unit.
    pub fn is(&self, unit: Unit) -> bool {
        self.unit == unit.position
    }
}
