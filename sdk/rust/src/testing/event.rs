//! Events for tests, and how they become a frame.

use crate::{
    Decimal,
    native::{Frame, NumberColumn, TextColumn, count},
};
use std::collections::BTreeSet;

/// An event for a test. What is not set is absent, but for the customer: that is `customer`.
#[derive(Debug, Clone)]
pub struct TestEvent {
    pub(super) time: i64,
    /// By column name, without the empty string.
    pub(super) texts: Vec<(String, String)>,
    numbers: Vec<(String, Decimal)>,
}

impl Default for TestEvent {
    fn default() -> Self {
        Self::new()
    }
}

impl TestEvent {
    /// An event with nothing on it but a customer.
    pub fn new() -> Self {
        Self { time: 0, texts: vec![("customer".into(), "customer".into())], numbers: Vec::new() }
    }

    /// Who pays.
    #[must_use]
    pub fn customer(self, name: &str) -> Self {
        self.text("customer", name)
    }

    /// The customer's parent.
    #[must_use]
    pub fn parent(self, name: &str) -> Self {
        self.text("parent", name)
    }

    /// What the application was doing.
    #[must_use]
    pub fn feature(self, name: &str) -> Self {
        self.text("feature", name)
    }

    /// The route that the request took.
    #[must_use]
    pub fn route(self, name: &str) -> Self {
        self.text("route", name)
    }

    /// The model that answered.
    #[must_use]
    pub fn model(self, name: &str) -> Self {
        self.text("model", name)
    }

    /// Who ran the model.
    #[must_use]
    pub fn provider(self, name: &str) -> Self {
        self.text("provider", name)
    }

    /// One of the application's own words.
    #[must_use]
    pub fn attribute(self, name: &str, value: &str) -> Self {
        self.text(&format!("attribute:{name}"), value)
    }

    /// When it happened, in milliseconds since 1970.
    #[must_use]
    pub fn time(self, time: i64) -> Self {
        Self { time, ..self }
    }

    /// What the inference cost the network, as a decimal text.
    #[must_use]
    pub fn network_cost(self, cost: &str) -> Self {
        self.number("network-cost", cost)
    }

    /// For [`TestBench::close`](crate::TestBench::close): what the lines of a code have charged in the
    /// period, as a decimal text; of all lines, when the code is empty.
    #[must_use]
    pub fn charged(self, code: &str, amount: &str) -> Self {
        let column = if code.is_empty() { "charged".to_owned() } else { format!("charged:{code}") };
        self.number(&column, amount)
    }

    /// A raw number, as a decimal text.
    #[must_use]
    pub fn measure(self, name: &str, value: &str) -> Self {
        self.number(&format!("measure:{name}"), value)
    }

    pub(super) fn text_of(&self, column: &str) -> &str {
        self.texts.iter().find(|(name, _)| name == column).map_or("", |(_, value)| value)
    }

    pub(super) fn number_of(&self, column: &str) -> Decimal {
        self.numbers.iter().find(|(name, _)| name == column).map_or(Decimal::ZERO, |(_, value)| *value)
    }

    pub(super) fn text(mut self, column: &str, value: &str) -> Self {
        self.texts.retain(|(name, _)| name != column);
        self.texts.push((column.into(), value.into()));
        self
    }

    fn number(mut self, column: &str, value: &str) -> Self {
        let value = match Decimal::parse(value) {
            Ok(value) => value,
            Err(error) => panic!("`{value}` in a test event: {error}"),
        };
        self.numbers.retain(|(name, _)| name != column);
        self.numbers.push((column.into(), value));
        self
    }
}

/// A batch as the host would pack it: each string once, and only columns that some event has a value for.
pub(super) fn frame(events: &[TestEvent]) -> Frame {
    let mut strings = vec![String::new()];
    let text_names: BTreeSet<&String> =
        events.iter().flat_map(|event| event.texts.iter().map(|(name, _)| name)).collect();
    let number_names: BTreeSet<&String> =
        events.iter().flat_map(|event| event.numbers.iter().map(|(name, _)| name)).collect();
    let texts = text_names.into_iter().map(|name| TextColumn {
        name: name.clone(),
        ids: events.iter().map(|event| intern(&mut strings, event.text_of(name))).collect(),
    });
    let texts = texts.collect();
    let numbers = number_names.into_iter().map(|name| NumberColumn {
        name: name.clone(),
        words: events.iter().flat_map(|event| event.number_of(name).to_words()).collect(),
    });
    let (rows, times) = (count(events.len()), events.iter().map(|event| event.time).collect());
    Frame { rows, times, texts, numbers: numbers.collect(), strings }
}

pub(super) fn intern(strings: &mut Vec<String>, text: &str) -> u32 {
    let known = strings.iter().position(|string| string == text);
    count(known.unwrap_or_else(|| {
        strings.push(text.to_owned());
        strings.len() - 1
    }))
}
