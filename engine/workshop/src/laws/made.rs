//! Events that are made up, and how they are written down.

use std::{fmt::Write as _, sync::Arc};

use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
    strategy::ValueTree as _,
    test_runner::TestRunner,
};
use serde_json::{Map, Value, json};
use tollgate_core::event::Event;

use super::{
    law::{Case, More},
    vocabulary::{COLUMNS, Vocabulary},
};
use crate::trial::read_events;

/// The most events of a sequence.
const EVENTS_MAX: usize = 12;
/// The customers: one, a neighbour, and one whose pooled units are counted for the first.
pub(super) const CUSTOMERS: [&str; 3] = ["north", "south", "north-annex"];
/// Minutes of a month that every period has.
const MINUTES_MAX: u32 = 28 * 24 * 60;

/// An event, by positions in the vocabulary.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) customer: usize,
    /// In thousandths, one for each measure of the vocabulary.
    pub(super) measures: Vec<Option<u64>>,
    texts: Vec<Option<Index>>,
    attributes: Vec<Option<Index>>,
    /// What it cost the network, in millionths.
    cost: Option<u32>,
    minute: u32,
}

/// Sequences of events, with what else the laws need.
pub(super) fn cases(vocabulary: &Vocabulary) -> BoxedStrategy<Case> {
    let more = prop_oneof![
        event(vocabulary).prop_map(More::Event),
        (any::<Index>(), any::<Index>(), 1..5_000_u64).prop_map(|(event, measure, by)| More::Measure {
            event,
            measure,
            by
        }),
    ];
    (vec(event(vocabulary), 1..EVENTS_MAX), vec(any::<bool>(), EVENTS_MAX), more)
        .prop_map(|(events, cuts, more)| Case { events, cuts, more })
        .boxed()
}

/// One event that brings exactly a number of the settings, and a little more of it: where a price may fall.
pub(super) fn at_numbers(vocabulary: &Vocabulary, runner: &mut TestRunner) -> Vec<Case> {
    const KINDS: usize = 3;
    let strategy = event(vocabulary);
    let kinds: Vec<Made> =
        (0..KINDS).filter_map(|_| strategy.new_tree(runner).ok().map(|tree| tree.current())).collect();
    let mut cases = Vec::new();
    for kind in &kinds {
        for measure in 0..vocabulary.measures.len() {
            for number in vocabulary.numbers.iter().filter(|number| **number > 0) {
                for by in [1_000, number / 20 + 1] {
                    let with = |quantity: u64| {
                        let mut made =
                            Made { customer: 0, measures: vec![None; kind.measures.len()], ..kind.clone() };
                        if let Some(place) = made.measures.get_mut(measure) {
                            *place = Some(quantity);
                        }
                        made
                    };
                    let more = More::Event(with(by));
                    cases.push(Case { events: vec![with(*number)], cuts: Vec::new(), more });
                }
            }
        }
    }
    cases
}

/// One event.
pub(super) fn event(vocabulary: &Vocabulary) -> BoxedStrategy<Made> {
    let measures: Vec<_> =
        (vocabulary.measures.iter()).map(|_| option::weighted(0.8, quantity(&vocabulary.numbers))).collect();
    let texts: Vec<_> = vocabulary.texts.iter().map(|_| option::weighted(0.7, any::<Index>())).collect();
    let attributes: Vec<_> =
        vocabulary.attributes.iter().map(|_| option::weighted(0.9, any::<Index>())).collect();
    let cost = option::weighted(0.5, 0..3_000_000_u32);
    (0..vocabulary.customers, measures, texts, attributes, cost, 0..MINUTES_MAX)
        .prop_map(|(customer, measures, texts, attributes, cost, minute)| Made {
            customer,
            measures,
            texts,
            attributes,
            cost,
            minute,
        })
        .boxed()
}

/// Small whole numbers, those around the numbers of the settings, fractions, and some large ones.
fn quantity(numbers: &[u64]) -> BoxedStrategy<u64> {
    let small = (0..20_u64).prop_map(|whole| whole * 1_000);
    let fraction = 0..5_000_u64;
    let large = (0..100_000_u64).prop_map(|whole| whole * 1_000);
    if numbers.is_empty() {
        return prop_oneof![4 => small, 1 => fraction, 1 => large].boxed();
    }
    let around = (select(numbers.to_vec()), select(vec![0_i64, 1_000, -1_000, 500]))
        .prop_map(|(number, by)| number.saturating_add_signed(by));
    prop_oneof![4 => small, 3 => around, 1 => fraction, 1 => large].boxed()
}

impl Made {
    /// The event as one line of JSON. What is not among the words of the vocabulary is not in it.
    pub(super) fn line(&self, id: usize, vocabulary: &Vocabulary) -> String {
        let mut data = Map::new();
        for ((column, values), chosen) in COLUMNS.iter().zip(&vocabulary.texts).zip(&self.texts) {
            if let Some(value) = pick(values, chosen.as_ref()) {
                data.insert((*column).to_owned(), json!(value));
            }
        }
        let measures: Map<String, Value> = (vocabulary.measures.iter().zip(&self.measures))
            .filter_map(|(name, quantity)| Some((name.clone(), json!(thousandths((*quantity)?)))))
            .collect();
        if !measures.is_empty() {
            data.insert("measures".to_owned(), Value::Object(measures));
        }
        let attributes: Map<String, Value> = (vocabulary.attributes.iter().zip(&self.attributes))
            .filter_map(|((name, values), chosen)| {
                Some((name.clone(), json!(pick(values, chosen.as_ref())?)))
            })
            .collect();
        if !attributes.is_empty() {
            data.insert("attributes".to_owned(), Value::Object(attributes));
        }
        if let Some(cost) = self.cost.filter(|cost| *cost > 0) {
            let cost = format!("{}.{:06}", cost / 1_000_000, cost % 1_000_000);
            data.insert("network_cost".to_owned(), json!(cost.trim_end_matches('0').trim_end_matches('.')));
        }
        let (day, hour, minute) = (self.minute / 1_440 + 1, self.minute / 60 % 24, self.minute % 60);
        let customer = CUSTOMERS.get(self.customer).copied().unwrap_or_default();
        json!({ "specversion": "1.0", "id": id.to_string(), "source": vocabulary.app, "type": "ai.usage",
            "subject": customer, "time": format!("2026-10-{day:02}T{hour:02}:{minute:02}:00Z"),
            "data": data })
        .to_string()
    }
}

/// The events as the engine takes them; one that the door refuses is left out.
pub(super) fn events(made: &[Made], vocabulary: &Vocabulary) -> Vec<Arc<Event>> {
    let mut lines = String::new();
    for (id, event) in (1..).zip(made) {
        let _ = writeln!(lines, "{}", event.line(id, vocabulary));
    }
    lines.lines().filter_map(|line| read_events(line, false).ok()?.pop()).collect()
}

fn pick<'v>(values: &'v [String], chosen: Option<&Index>) -> Option<&'v str> {
    let chosen = chosen.filter(|_| !values.is_empty())?;
    values.get(chosen.index(values.len())).map(String::as_str)
}

fn thousandths(number: u64) -> String {
    if number.is_multiple_of(1_000) {
        return (number / 1_000).to_string();
    }
    format!("{}.{:03}", number / 1_000, number % 1_000).trim_end_matches('0').to_owned()
}
