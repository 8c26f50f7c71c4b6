//! The counters that a host keeps between `meter` and `rate`.

use super::{CountedUsage, TestEvent, event::intern};
use crate::{
    Aggregation, Decimal, Declared, Fault, UnitDeclaration,
    columns::decimal_at,
    native::{Counted, Frame, Metered, Totals, count},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Whose counter it is, of which unit, and for which group.
type CounterName = (String, String, Vec<String>);

#[derive(Default)]
pub(super) struct Counters {
    totals: BTreeMap<CounterName, Decimal>,
    keys_seen: BTreeSet<(CounterName, String)>,
}

impl Counters {
    /// Counts every usage row of a batch, and leaves out events without any that were faulted. The rows of
    /// each event come a second time in words.
    pub(super) fn count<P: Declared>(
        &mut self,
        settings: &Value,
        events: &[TestEvent],
        frame: &Frame,
        metered: &Metered,
    ) -> Result<(Counted, Vec<Vec<CountedUsage>>), Fault> {
        let mut counted = Counted::default();
        let mut told = Vec::new();
        let mut row = 0;
        for ((position, event), count) in (0_u32..).zip(events).zip(&metered.counts) {
            if metered.faults.iter().any(|fault| fault.event == position) {
                continue;
            }
            counted.counts.push(*count);
            let mut usage = Vec::new();
            for _ in 0..*count {
                let unit_position = metered.units.get(row).copied().unwrap_or(u32::MAX);
                let Some(unit) = P::UNITS.get(unit_position as usize) else {
                    return Err(Fault::new("the plugin counts a unit that it does not declare"));
                };
                let quantity = decimal_at(&metered.quantities, row);
                let key = key_of(frame, metered, row);
                let name = name_of(unit, settings, event);
                let (unit_name, group) = (name.1.clone(), group_label(&name.2));
                let (before, after) = self.advance(name, unit.aggregation, &key, quantity)?;
                usage.push(CountedUsage { unit: unit_name, group, key, quantity, before, after });
                counted.units.push(unit_position);
                counted.quantities.extend(quantity.to_words());
                counted.before.extend(before.to_words());
                counted.after.extend(after.to_words());
                row += 1;
            }
            told.push(usage);
        }
        Ok((counted, told))
    }

    /// The counters of one customer, as the host hands them to `close`.
    pub(super) fn totals<P: Declared>(
        &self,
        settings: &Value,
        customer: &TestEvent,
        strings: &mut Vec<String>,
    ) -> Totals {
        let mut totals = Totals::default();
        for (position, unit) in (0_u32..).zip(P::UNITS) {
            let (owner, name, _) = name_of(unit, settings, customer);
            let ours = self.totals.iter().filter(|((of, unit, _), _)| *of == owner && *unit == name);
            for ((_, _, groups), total) in ours {
                totals.units.push(position);
                totals.groups.push(intern(strings, &group_label(groups)));
                totals.totals.extend(total.to_words());
            }
        }
        totals.counts.push(count(totals.units.len()));
        totals
    }

    fn advance(
        &mut self,
        name: CounterName,
        aggregation: Aggregation,
        key: &str,
        quantity: Decimal,
    ) -> Result<(Decimal, Decimal), Fault> {
        let before = self.totals.get(&name).copied().unwrap_or_default();
        let after = match aggregation {
            Aggregation::Sum => before.plus(quantity)?,
            Aggregation::Max => before.max(quantity),
            Aggregation::Distinct if self.keys_seen.insert((name.clone(), key.to_owned())) => {
                before.plus(quantity)?
            }
            Aggregation::Distinct => before,
        };
        self.totals.insert(name, after);
        Ok((before, after))
    }
}

fn group_label(groups: &[String]) -> String {
    groups.join(", ")
}

fn key_of(frame: &Frame, metered: &Metered, row: usize) -> String {
    let id = metered.keys.get(row).copied().unwrap_or_default() as usize;
    let new = id.checked_sub(frame.strings.len());
    let key = new.map_or_else(|| frame.strings.get(id), |new| metered.strings.get(new));
    key.cloned().unwrap_or_default()
}

fn name_of(unit: &UnitDeclaration, settings: &Value, event: &TestEvent) -> CounterName {
    let owner = match event.text_of("parent") {
        parent if unit.pooled && !parent.is_empty() => parent,
        _ => event.text_of("customer"),
    };
    let groups = unit.group_by.iter().map(|column| event.text_of(&resolved(column, settings)).to_owned());
    (owner.to_owned(), resolved(unit.name, settings), groups.collect())
}

/// A name, or the setting that a JSON pointer names.
fn resolved(name: &str, settings: &Value) -> String {
    if name.starts_with('/') {
        settings.pointer(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    } else {
        name.to_owned()
    }
}
