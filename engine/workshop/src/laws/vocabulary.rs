//! The words that make a difference to a plugin: which measures, columns, values and attributes it looks at.
//!
//! Candidates come from the settings, their schema, the declared units and the events of the fixtures. Each is
//! tried on an event; what changes nothing is left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use serde_json::{Map, Value, json};
use tollgate_core::{
    event::Event,
    store::{HoldCause, Outcome},
};

use super::made::CUSTOMERS;
use crate::trial::{Answers, Trial, TrialError, read_events};

/// Measures that providers report.
const COMMON: [&str; 6] =
    ["input_tokens", "output_tokens", "cache_read_tokens", "images", "documents", "pages"];
/// The text columns of an event, besides attributes.
pub(super) const COLUMNS: [&str; 4] = ["feature", "route", "model", "provider"];
/// A word that no plugin looks for.
const NONSENSE: &str = "anything-else";
/// How many candidates are tried, and how many values of one column are used.
const CANDIDATES_MAX: usize = 200;
const VALUES_MAX: usize = 12;
/// How many of the fixtures' events candidates are tried on.
const EXAMPLES_MAX: usize = 3;
/// How many events are priced at once.
const BATCH: usize = 1_000;

/// What events are made of.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    pub(super) measures: Vec<String>,
    /// Values that make a difference, for each of [`COLUMNS`].
    pub(super) texts: [Vec<String>; 4],
    /// Attributes that make a difference, with values to give them.
    pub(super) attributes: Vec<(String, Vec<String>)>,
    /// Numbers of the settings, in thousandths: where something may change.
    pub(super) numbers: Vec<u64>,
    /// The source of the events.
    pub(super) app: String,
    /// How many of the customers there are.
    pub(super) customers: usize,
}

impl Vocabulary {
    /// The words of a plugin with settings.
    pub(super) fn of(trial: &Trial<'_>, examples: &[Arc<Event>]) -> Result<Self, TrialError> {
        let descriptor = trial.plugin().descriptor();
        let mut found = Candidates::default();
        let settings = serde_json::from_str(trial.settings()).unwrap_or(Value::Null);
        found.add(&settings);
        found.schema(&serde_json::from_str(&descriptor.settings_schema).unwrap_or(Value::Null));
        for unit in &descriptor.units {
            found.word(&unit.name);
            found.word(&format!("{}s", unit.name));
            unit.group_by.iter().for_each(|column| found.word(column));
        }
        for measure in COMMON {
            found.word(measure);
        }
        for event in examples {
            found.event(event);
        }
        let app = examples.first().map_or("laws", |event| &event.key.app).to_owned();
        let words: Vec<&String> = found.words.iter().take(CANDIDATES_MAX).collect();
        let changes = probe(trial, &app, &words, examples)?;
        let is_value = |word: &&&String| !word.is_empty() && word.len() <= 64;
        let values = |name: &str| {
            let of_examples = found.values.get(name).into_iter().flatten().cloned();
            let plain = ["a".to_owned(), "b".to_owned()].into_iter();
            let words = words.iter().filter(is_value).map(|word| (*word).clone());
            let mut values: Vec<String> = Vec::new();
            for value in of_examples.chain(plain).chain(words) {
                if !values.contains(&value) && values.len() < VALUES_MAX {
                    values.push(value);
                }
            }
            values
        };
        Ok(Self {
            measures: changes.measures,
            attributes: changes.attributes.iter().map(|name| (name.clone(), values(name))).collect(),
            texts: changes.texts.map(|values| values.into_iter().take(VALUES_MAX).collect()),
            numbers: found.numbers.into_iter().collect(),
            app,
            // The last one is for units that are pooled.
            customers: CUSTOMERS.len() - usize::from(!descriptor.units.iter().any(|unit| unit.pooled)),
        })
    }
}

impl fmt::Display for Vocabulary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.measures.clone();
        for (column, values) in COLUMNS.iter().zip(&self.texts) {
            if !values.is_empty() {
                parts.push(format!("{column} ({})", values.join(", ")));
            }
        }
        parts.extend(self.attributes.iter().map(|(name, _)| format!("attribute {name}")));
        if parts.is_empty() {
            return out.write_str("nothing but the number of events");
        }
        out.write_str(&parts.join(", "))
    }
}

/// Words and numbers that may mean something to the plugin.
#[derive(Default)]
struct Candidates {
    words: BTreeSet<String>,
    numbers: BTreeSet<u64>,
    /// Values of attributes in the fixtures.
    values: BTreeMap<String, BTreeSet<String>>,
}

impl Candidates {
    fn word(&mut self, word: &str) {
        let word = word.strip_prefix("attribute:").unwrap_or(word);
        if !word.is_empty() && !word.starts_with('/') {
            self.words.insert(word.to_owned());
        }
    }

    fn number(&mut self, text: &str) {
        let Ok(number) = rust_decimal::Decimal::from_str_exact(text) else { return };
        let thousandths = number.checked_mul(rust_decimal::Decimal::ONE_THOUSAND);
        let whole = thousandths.filter(|number| number.fract().is_zero() && !number.is_sign_negative());
        if let Some(number) = whole.and_then(|number| u64::try_from(number).ok())
            && number <= 10_000_000_000
        {
            self.numbers.insert(number);
        }
    }

    /// Everything a JSON value says.
    fn add(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                self.number(text);
                self.word(text);
            }
            Value::Number(number) => self.number(&number.to_string()),
            Value::Array(values) => values.iter().for_each(|value| self.add(value)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.word(name);
                    self.add(value);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// What a schema suggests: defaults, constants, examples.
    fn schema(&mut self, schema: &Value) {
        match schema {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match name.as_str() {
                        "default" | "const" | "enum" | "examples" => self.add(value),
                        "description" | "title" | "pattern" | "$ref" | "$schema" => {}
                        _ => self.schema(value),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.schema(value)),
            _ => {}
        }
    }

    fn event(&mut self, event: &Event) {
        let texts = [&event.feature, &event.route, &event.model, &event.provider];
        for text in texts {
            self.word(text);
        }
        event.measures.iter().for_each(|(name, _)| self.word(name));
        for (name, value) in &event.attributes {
            self.word(name);
            self.values.entry(name.clone()).or_default().insert(value.clone());
        }
    }
}

/// What was found to make a difference.
#[derive(Default)]
struct Changes {
    measures: Vec<String>,
    texts: [Vec<String>; 4],
    attributes: Vec<String>,
}

/// What one probing event tries.
enum Probe<'w> {
    /// Nothing, which measures and attributes are compared with.
    Base,
    /// The same again.
    Again,
    /// A word that can mean nothing in a column, which other words are compared with.
    Nonsense(usize),
    Measure(&'w str),
    Text(usize, &'w str),
    Attribute(&'w str),
}

/// Tries every word in every role on some events, each for a customer of its own.
fn probe(
    trial: &Trial<'_>,
    app: &str,
    words: &[&String],
    examples: &[Arc<Event>],
) -> Result<Changes, TrialError> {
    let data = |event: &Arc<Event>| serde_json::from_str::<Value>(&event.received).ok()?.get("data").cloned();
    let mut bases = vec![json!({})];
    bases.extend(examples.iter().take(EXAMPLES_MAX).filter_map(data));
    let mut probes = Vec::new();
    for (base, data) in bases.iter().enumerate() {
        probes.push((base, Probe::Base, data.clone()));
        // Once more: if it differs, the plugin remembers, and every event has to be tried alone.
        probes.push((base, Probe::Again, data.clone()));
        for (column, name) in COLUMNS.iter().enumerate() {
            probes.push((base, Probe::Nonsense(column), with(data, None, name, json!(NONSENSE))));
        }
        for word in words {
            // A number is no route, and no model.
            let is_name = rust_decimal::Decimal::from_str_exact(word).is_err();
            for (column, name) in COLUMNS.iter().enumerate().filter(|_| is_name) {
                probes.push((base, Probe::Text(column, word), with(data, None, name, json!(word))));
            }
            probes.push((base, Probe::Measure(word), with(data, Some("measures"), word, json!("7"))));
            probes.push((base, Probe::Attribute(word), with(data, Some("attributes"), word, json!("a"))));
        }
    }
    let mut changes = Changes::default();
    let mut outcomes = outcomes(trial, app, &probes, BATCH)?;
    let remembers = |outcomes: &[Option<String>]| {
        let of = |wanted: fn(&Probe<'_>) -> bool| {
            let pairs = probes.iter().zip(outcomes).filter(move |((_, probe, _), _)| wanted(probe));
            pairs.map(|(_, told)| told.clone()).collect::<Vec<_>>()
        };
        of(|probe| matches!(probe, Probe::Base)) != of(|probe| matches!(probe, Probe::Again))
    };
    if remembers(&outcomes) {
        outcomes = self::outcomes(trial, app, &probes, 1)?;
    }
    let compared_with = |base: usize, probe: &Probe<'_>| {
        let is_it = |other: &Probe<'_>| match (probe, other) {
            (Probe::Text(column, _), Probe::Nonsense(of)) => column == of,
            (Probe::Text(..), _) => false,
            (_, other) => matches!(other, Probe::Base),
        };
        let mut pairs = probes.iter().zip(&outcomes);
        pairs.find(|((of, other, _), _)| *of == base && is_it(other)).map(|(_, told)| told)
    };
    for ((base, probe, _), outcome) in probes.iter().zip(&outcomes) {
        if compared_with(*base, probe) == Some(outcome) || outcome.is_none() {
            continue;
        }
        let (list, word) = match probe {
            Probe::Base | Probe::Again => continue,
            Probe::Nonsense(column) => (changes.texts.get_mut(*column), &NONSENSE),
            Probe::Measure(word) => (Some(&mut changes.measures), word),
            Probe::Text(column, word) => (changes.texts.get_mut(*column), word),
            Probe::Attribute(word) => (Some(&mut changes.attributes), word),
        };
        if let Some(list) = list
            && !list.iter().any(|known| known == word)
        {
            list.push((*word).to_owned());
        }
    }
    Ok(changes)
}

/// An event's data with one more word in it.
fn with(data: &Value, part: Option<&str>, name: &str, value: Value) -> Value {
    let mut data = data.as_object().cloned().unwrap_or_default();
    match part {
        None => drop(data.insert(name.to_owned(), value)),
        Some(part) => {
            let inner = data.entry(part).or_insert_with(|| Value::Object(Map::new()));
            if let Some(inner) = inner.as_object_mut() {
                inner.insert(name.to_owned(), value);
            }
        }
    }
    Value::Object(data)
}

/// What each probing event came to, without what differs anyway; nothing for what is no event.
fn outcomes(
    trial: &Trial<'_>,
    app: &str,
    probes: &[(usize, Probe<'_>, Value)],
    batch: usize,
) -> Result<Vec<Option<String>>, TrialError> {
    let mut told = vec![None; probes.len()];
    let events = probes.iter().enumerate().filter_map(|(position, (_, _, data))| {
        let event = json!({ "specversion": "1.0", "id": position.to_string(), "source": app,
            "type": "ai.usage", "subject": format!("customer-{position}"),
            "time": "2026-10-01T09:00:00Z", "data": data });
        Some((position, read_events(&event.to_string(), trial.has_prices()).ok()?.pop()?))
    });
    let (places, events): (Vec<usize>, Vec<Arc<Event>>) = events.unzip();
    let batches: Vec<&[Arc<Event>]> = events.chunks(batch).collect();
    let run = trial.events(&batches, Answers::First)?;
    for (place, priced) in places.into_iter().zip(&run.outcomes) {
        let outcome = match &*priced.outcome {
            Outcome::Rated(charge) => {
                format!("{:?} {:?} {:?}", charge.usage, charge.lines, charge.refused)
            }
            // The price book lacks it: the plugin was not asked.
            Outcome::Held(reason) if reason.cause == HoldCause::NoPrice => continue,
            Outcome::Held(_) => "held".to_owned(),
        };
        if let Some(cell) = told.get_mut(place) {
            *cell = Some(outcome);
        }
    }
    Ok(told)
}
