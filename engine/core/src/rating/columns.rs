//! Packs events into the contract's columns, each string once.

use rustc_hash::FxHashMap;

use crate::frame::{Frame, Metered, NumberColumn, TextColumn};
use crate::rating::Candidate;
use crate::rating::counters::GROUP_SEPARATOR;
use crate::rating::parties::Parties;
use crate::rating::terms::UnitTerms;
use crate::words;

/// The frame of some events, in their order.
pub fn pack(rows: &[&Candidate], parties: &Parties) -> Frame {
    let mut strings = Strings::new();
    let mut texts = Texts::new(rows.len());
    let mut numbers = Numbers::new(rows.len());
    let mut times = Vec::with_capacity(rows.len());
    for (row, candidate) in rows.iter().enumerate() {
        let event = &*candidate.event;
        times.push(event.time);
        let parent = parties.parent(candidate.party).map_or("", |parent| parent);
        let values = [&*event.customer, parent, &event.feature, &event.route, &event.model, &event.provider];
        for (column, value) in values.into_iter().enumerate() {
            texts.set(row, column, value, &mut strings);
        }
        for (position, (name, value)) in event.attributes.iter().enumerate() {
            let column = texts.attribute(position, name);
            texts.set(row, column, value, &mut strings);
        }
        numbers.set(row, 0, words::encode(candidate.network_cost.decimal()));
        for (position, (name, quantity)) in event.measures.iter().enumerate() {
            let column = numbers.measure(position, name);
            numbers.set(row, column, words::encode(quantity.decimal()));
        }
    }
    Frame {
        rows: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        strings: strings.into_table(),
        times,
        texts: texts.columns.into_iter().filter(|column| column.ids.iter().any(|id| *id != 0)).collect(),
        numbers: numbers.columns,
    }
}

/// The text of a string id of an answer, which continues the frame's table.
pub(crate) fn text<'a>(frame: &'a Frame, metered: &'a Metered, id: u32) -> &'a str {
    let id = id as usize;
    frame
        .strings
        .get(id)
        .or_else(|| metered.strings.get(id.saturating_sub(frame.strings.len())))
        .map_or("", String::as_str)
}

/// The values of a unit's group columns in one row.
pub(crate) fn group_label(unit: &UnitTerms, frame: &Frame, row: usize) -> String {
    let value = |name: &String| {
        let column = frame.texts.iter().find(|column| column.name == *name)?;
        frame.strings.get(*column.ids.get(row)? as usize)
    };
    let values = unit.group_by.iter().map(|name| value(name).map_or("", String::as_str));
    values.collect::<Vec<_>>().join(&GROUP_SEPARATOR.to_string())
}

/// The string table under construction.
pub(crate) struct Strings<'a> {
    table: Vec<&'a str>,
    ids: FxHashMap<&'a str, u32>,
}

impl<'a> Strings<'a> {
    /// The table with the empty string at 0.
    pub(crate) fn new() -> Self {
        Self { table: vec![""], ids: FxHashMap::from_iter([("", 0)]) }
    }

    /// The table's entries in order.
    pub(crate) fn into_table(self) -> Vec<String> {
        self.table.into_iter().map(str::to_owned).collect()
    }

    /// The id of a text.
    pub(crate) fn intern(&mut self, text: &'a str) -> u32 {
        let next = u32::try_from(self.table.len()).unwrap_or(u32::MAX);
        let id = *self.ids.entry(text).or_insert(next);
        if id == next {
            self.table.push(text);
        }
        id
    }
}

/// The text columns of every event; attributes come after them.
const TEXTS: [&str; 6] = ["customer", "parent", "feature", "route", "model", "provider"];
const ATTRIBUTE: &str = "attribute:";
const NETWORK_COST: &str = "network-cost";
const MEASURE: &str = "measure:";

/// Text columns under construction.
struct Texts<'a> {
    rows: usize,
    columns: Vec<TextColumn>,
    /// Of each column, the text set last and its id: neighbours mostly agree.
    last: Vec<(&'a str, u32)>,
}

impl<'a> Texts<'a> {
    fn new(rows: usize) -> Self {
        let mut texts = Self { rows, columns: Vec::with_capacity(8), last: Vec::with_capacity(8) };
        for name in TEXTS {
            texts.add(name.to_owned());
        }
        texts
    }

    fn add(&mut self, name: String) -> usize {
        self.columns.push(TextColumn { name, ids: vec![0; self.rows] });
        self.last.push(("", 0));
        self.columns.len().saturating_sub(1)
    }

    /// The column of an event's attribute that is in this position.
    fn attribute(&mut self, position: usize, name: &str) -> usize {
        find(&self.columns, TEXTS.len(), position, ATTRIBUTE, name, |column| &column.name)
            .unwrap_or_else(|| self.add(format!("{ATTRIBUTE}{name}")))
    }

    fn set(&mut self, row: usize, column: usize, text: &'a str, strings: &mut Strings<'a>) {
        // A row is empty until it is set; and comparing nothing with nothing is slow on some processors: glibc's
        // masked loads of no byte at all took an AVX-512 machine some 40 ns.
        if text.is_empty() {
            return;
        }
        let (Some(column), Some(last)) = (self.columns.get_mut(column), self.last.get_mut(column)) else {
            return;
        };
        if last.0 != text {
            *last = (text, strings.intern(text));
        }
        if let Some(id) = column.ids.get_mut(row) {
            *id = last.1;
        }
    }
}

/// Number columns under construction.
struct Numbers {
    rows: usize,
    columns: Vec<NumberColumn>,
}

impl Numbers {
    fn new(rows: usize) -> Self {
        let mut numbers = Self { rows, columns: Vec::with_capacity(4) };
        numbers.add(NETWORK_COST.to_owned());
        numbers
    }

    fn add(&mut self, name: String) -> usize {
        self.columns.push(NumberColumn { name, words: vec![0; self.rows.saturating_mul(2)] });
        self.columns.len().saturating_sub(1)
    }

    /// The column of an event's measure that is in this position.
    fn measure(&mut self, position: usize, name: &str) -> usize {
        find(&self.columns, 1, position, MEASURE, name, |column| &column.name)
            .unwrap_or_else(|| self.add(format!("{MEASURE}{name}")))
    }

    fn set(&mut self, row: usize, column: usize, words: [u64; 2]) {
        let start = row.saturating_mul(2);
        let place = self.columns.get_mut(column);
        if let Some(place) = place.and_then(|column| column.words.get_mut(start..start.saturating_add(2))) {
            place.copy_from_slice(&words);
        }
    }
}

/// Of the columns from `first` on, the one called `prefix` + `name`. Every event names its facts in nearly the same
/// order, so the position tried first is nearly always right.
fn find<C>(
    columns: &[C],
    first: usize,
    position: usize,
    prefix: &str,
    name: &str,
    name_of: fn(&C) -> &str,
) -> Option<usize> {
    let is_it = |column: &C| name_of(column).get(prefix.len()..) == Some(name);
    let named = columns.get(first..)?;
    let place = Some(position).filter(|position| named.get(*position).is_some_and(is_it));
    Some(place.or_else(|| named.iter().position(is_it))?.saturating_add(first))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::rating::tests::{candidate, event};

    #[test]
    fn strings_are_interned_and_missing_values_are_empty_or_zero() {
        let mut first = event("a", "c1");
        first.feature = "review".into();
        first.attributes = vec![("department".into(), "legal".into())];
        let mut second = event("b", "c2");
        second.feature = "review".into();
        second.measures = vec![("pages".into(), crate::quantity::Quantity::from(7))];
        let (parties, candidates) = candidate(&[first, second]);
        let frame = pack(&candidates.iter().collect::<Vec<_>>(), &parties);

        assert_eq!(frame.rows, 2);
        assert_eq!(frame.strings, ["", "c1", "review", "legal", "c2"]);
        let texts = frame.texts.iter().map(|column| (column.name.as_str(), column.ids.clone()));
        assert_eq!(
            texts.collect::<Vec<_>>(),
            [("customer", vec![1, 4]), ("feature", vec![2, 2]), ("attribute:department", vec![3, 0])]
        );
        let numbers = frame.numbers.iter().map(|column| (column.name.as_str(), column.words.clone()));
        assert_eq!(
            numbers.collect::<Vec<_>>(),
            [("network-cost", vec![0, 9 << 32, 0, 9 << 32]), ("measure:pages", vec![0, 0, 7, 0])]
        );
        assert_eq!(Arc::strong_count(&candidates[0].event), 1);
    }
}
