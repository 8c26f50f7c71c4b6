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
        texts.set(row, 0, "", "customer", &event.customer, &mut strings);
        texts.set(row, 1, "", "parent", parties.parent_name(candidate.party), &mut strings);
        texts.set(row, 2, "", "feature", &event.feature, &mut strings);
        texts.set(row, 3, "", "route", &event.route, &mut strings);
        texts.set(row, 4, "", "model", &event.model, &mut strings);
        texts.set(row, 5, "", "provider", &event.provider, &mut strings);
        for (position, (name, value)) in event.attributes.iter().enumerate() {
            texts.set(row, position.saturating_add(6), "attribute:", name, value, &mut strings);
        }
        numbers.set(row, 0, "", "network-cost", words::encode(candidate.network_cost.decimal()));
        for (position, (name, quantity)) in event.measures.iter().enumerate() {
            let words = words::encode(quantity.decimal());
            numbers.set(row, position.saturating_add(1), "measure:", name, words);
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

/// Text columns under construction. Every event names its facts in nearly the same order, so the position
/// tried first is nearly always right.
struct Texts<'a> {
    rows: usize,
    columns: Vec<TextColumn>,
    /// Of each column, the text set last and its id: neighbours mostly agree.
    last: Vec<(&'a str, u32)>,
}

impl<'a> Texts<'a> {
    fn new(rows: usize) -> Self {
        Self { rows, columns: Vec::with_capacity(8), last: Vec::with_capacity(8) }
    }

    fn set(
        &mut self,
        row: usize,
        position: usize,
        prefix: &str,
        name: &str,
        text: &'a str,
        strings: &mut Strings<'a>,
    ) {
        let position = find(&self.columns, position, prefix, name, |column| &column.name);
        let position = position.unwrap_or_else(|| {
            self.columns.push(TextColumn { name: format!("{prefix}{name}"), ids: vec![0; self.rows] });
            self.last.push(("", 0));
            self.columns.len().saturating_sub(1)
        });
        let (Some(column), Some(last)) = (self.columns.get_mut(position), self.last.get_mut(position)) else {
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
        Self { rows, columns: Vec::with_capacity(4) }
    }

    fn set(&mut self, row: usize, position: usize, prefix: &str, name: &str, words: [u64; 2]) {
        let position = find(&self.columns, position, prefix, name, |column| &column.name);
        let position = position.unwrap_or_else(|| {
            let words = vec![0; self.rows.saturating_mul(2)];
            self.columns.push(NumberColumn { name: format!("{prefix}{name}"), words });
            self.columns.len().saturating_sub(1)
        });
        let start = row.saturating_mul(2);
        let place = self.columns.get_mut(position);
        if let Some(place) = place.and_then(|column| column.words.get_mut(start..start.saturating_add(2))) {
            place.copy_from_slice(&words);
        }
    }
}

/// The column called `prefix` + `name`: at the position given, or else wherever it is.
fn find<C>(
    columns: &[C],
    position: usize,
    prefix: &str,
    name: &str,
    name_of: fn(&C) -> &str,
) -> Option<usize> {
    let is_it = |column: &C| name_of(column).strip_prefix(prefix) == Some(name);
    if columns.get(position).is_some_and(is_it) {
        return Some(position);
    }
    columns.iter().position(is_it)
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
