//! What a plugin sees of a customer when a period ends.

use crate::{
    Decimal, LineCode, Text, Unit,
    columns::{Columns, decimal_at, named},
    native,
};

/// One customer at the end of a period.
#[derive(Clone, Copy)]
pub struct Closing<'a> {
    columns: &'a Columns<'a>,
    row: usize,
}

impl<'a> Closing<'a> {
    pub(crate) fn at(columns: &'a Columns<'a>, row: usize) -> Self {
        Self { columns, row }
    }

    /// Who pays.
    pub fn customer(&self) -> Text<'a> {
        self.text(self.columns.customer)
    }

    /// The customer's parent.
    pub fn parent(&self) -> Text<'a> {
        self.text(self.columns.parent)
    }

    /// The period's end, in milliseconds since 1970-01-01T00:00:00Z.
    pub fn period_end(&self) -> i64 {
        self.columns.times.get(self.row).copied().unwrap_or_default()
    }

    /// What the period's inference cost the network, in units of the tariff's currency.
    pub fn network_cost(&self) -> Decimal {
        decimal_at(self.columns.network_cost, self.row)
    }

    /// What all lines of the period have charged so far.
    pub fn charged(&self) -> Decimal {
        decimal_at(named(&self.columns.charged, ""), self.row)
    }

    /// What the lines of one code have charged so far.
    pub fn charged_as(&self, line: LineCode) -> Decimal {
        decimal_at(named(&self.columns.charged, line.code), self.row)
    }

    fn text(&self, ids: &[u32]) -> Text<'a> {
        Text::from_table(self.columns.strings, ids.get(self.row).copied().unwrap_or_default())
    }
}

/// The counters of one customer's period.
#[derive(Clone, Copy)]
pub struct Totals<'a> {
    table: &'a native::Totals,
    strings: &'a [String],
    start: usize,
    end: usize,
}

impl<'a> Totals<'a> {
    pub(crate) fn rows_of(
        table: &'a native::Totals,
        strings: &'a [String],
        start: usize,
        end: usize,
    ) -> Self {
        Self { table, strings, start, end }
    }

    /// The counter of a unit that is not grouped; zero when nothing was counted.
    pub fn of(&self, unit: Unit) -> Decimal {
        self.groups_of(unit).find(|(group, _)| group.is_absent()).map_or(Decimal::ZERO, |(_, total)| total)
    }

    /// Each group of a unit with its counter.
    pub fn groups_of(&self, unit: Unit) -> impl Iterator<Item = (Text<'a>, Decimal)> + use<'a> {
        let Self { table, strings, start, end } = *self;
        (start..end).filter(move |row| table.units.get(*row) == Some(&unit.position)).map(move |row| {
            let group = table.groups.get(row).copied().unwrap_or_default();
            (Text::from_table(strings, group), decimal_at(&table.totals, row))
        })
    }
}
