//! A period's total at any usage, as the engine charges it, the close included.

use std::{cell::RefCell, collections::BTreeMap, fmt, sync::Arc};

use rust_decimal::Decimal;
use tollgate_core::{
    event::Event,
    plugin::Aggregation,
    quantity::{Quantity, QuantityError},
};

use super::Range;
use crate::{
    laws,
    trial::{Answers, Trial, TrialError},
};

/// How far a curve goes where neither the author nor the settings say.
const UP_TO: u64 = 100;
/// The farthest that the settings alone make a curve go: in units, and in events, which cost a run each.
const UP_TO_MAX: u64 = 1_000_000;
const EVENTS_MAX: u64 = 400;

/// What is used more and more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Over {
    /// The number of events.
    Events,
    /// A measure.
    Measure(String),
}

impl Over {
    /// The name of one: `document`.
    pub(super) fn singular(&self) -> String {
        let many = self.to_string();
        many.strip_suffix('s').map_or(many.clone(), str::to_owned)
    }
}

/// The name of many: `documents`.
impl fmt::Display for Over {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Events => out.write_str("events"),
            Self::Measure(name) => out.write_str(&name.replace('_', " ")),
        }
    }
}

/// Why nothing can be drawn.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // The messages say what each field is.
pub enum PlotError {
    #[error("the example event is held: {0}; give one that can be priced, with --event FILE.json")]
    Held(String),
    #[error(transparent)]
    Trial(#[from] TrialError),
    #[error("--up-to: {0}")]
    TooFar(#[from] QuantityError),
    #[error("the PNG cannot be written: {0}")]
    Png(String),
}

/// Asks the engine.
pub(super) struct Meter<'a, 'p> {
    trial: &'a Trial<'p>,
    example: Event,
    over: Over,
    up_to: u64,
    per_event: Option<u64>,
    /// Attributes that tell things apart: each event gets a value of its own.
    keys: Vec<String>,
    /// The measures that make a difference.
    measures: Vec<String>,
    known: RefCell<BTreeMap<u64, i128>>,
}

impl<'a, 'p> Meter<'a, 'p> {
    pub(super) fn new(trial: &'a Trial<'p>, example: &Arc<Event>, range: &Range) -> Result<Self, PlotError> {
        let (measures, numbers) = laws::measures_and_numbers(trial, std::slice::from_ref(example))?;
        let of_example =
            || example.measures.iter().map(|(name, _)| name).find(|name| measures.contains(name)).cloned();
        let over = match range.over.as_deref() {
            Some("events") => Over::Events,
            Some(measure) => Over::Measure(measure.to_owned()),
            None => of_example().or_else(|| measures.first().cloned()).map_or(Over::Events, Over::Measure),
        };
        let largest = numbers.into_iter().max().unwrap_or(UP_TO);
        let far = largest.saturating_add(largest / 4).clamp(20, UP_TO_MAX);
        let far = if over == Over::Events { far.min(EVENTS_MAX) } else { far };
        let up_to = range.up_to.unwrap_or(far).max(2);
        let mut meter = Self {
            trial,
            example: Event::clone(example),
            over,
            up_to,
            per_event: range.per_event.filter(|units| *units > 0),
            keys: Vec::new(),
            measures,
            known: RefCell::default(),
        };
        meter.keys = meter.keys()?;
        Ok(meter)
    }

    pub(super) fn over(&self) -> &Over {
        &self.over
    }

    pub(super) fn up_to(&self) -> u64 {
        self.up_to
    }

    /// How many events it takes to use so much, which is what an answer costs.
    pub(super) fn events_at(&self, units: u64) -> u64 {
        match (&self.over, self.per_event) {
            (Over::Events, _) => units,
            (Over::Measure(_), None) => 1,
            (Over::Measure(_), Some(each)) => units.div_ceil(each).max(1),
        }
    }

    /// What so much usage costs in a period.
    pub(super) fn total(&self, units: u64) -> Result<i128, PlotError> {
        if let Some(total) = self.known.borrow().get(&units) {
            return Ok(*total);
        }
        let total = self.priced(units, self.per_event)?;
        self.known.borrow_mut().insert(units, total);
        Ok(total)
    }

    fn priced(&self, units: u64, per_event: Option<u64>) -> Result<i128, PlotError> {
        let events = self.events(units, per_event)?;
        let run = self.trial.period(&[&events], Answers::First)?;
        let plugin = self.trial.plugin().label();
        match run.outcomes.iter().find_map(|priced| priced.reason(&plugin)) {
            Some(reason) => Err(PlotError::Held(reason)),
            None => Ok(run.total(None)),
        }
    }

    fn events(&self, units: u64, per_event: Option<u64>) -> Result<Vec<Arc<Event>>, PlotError> {
        let quantities: Vec<Option<u64>> = match (&self.over, per_event) {
            (Over::Events, _) => (0..units).map(|_| None).collect(),
            (Over::Measure(_), None) => vec![Some(units)],
            (Over::Measure(_), Some(each)) => {
                let whole = (0..units / each).map(|_| Some(each));
                let rest = units % each;
                let mut all: Vec<Option<u64>> = whole.collect();
                if rest > 0 || all.is_empty() {
                    all.push(Some(rest));
                }
                all
            }
        };
        let numbered = quantities.into_iter().enumerate();
        numbered.map(|(number, quantity)| self.event(number, quantity).map(Arc::new)).collect()
    }

    fn event(&self, number: usize, quantity: Option<u64>) -> Result<Event, PlotError> {
        let mut event = self.example.clone();
        event.key.id = number.to_string();
        if let (Over::Measure(name), Some(quantity)) = (&self.over, quantity) {
            let quantity = Quantity::new(Decimal::from(quantity))?;
            event.measures = vec![(name.clone(), quantity)];
        }
        for (name, value) in &mut event.attributes {
            if self.keys.contains(name) {
                *value = format!("{value}-{number}");
            }
        }
        Ok(event)
    }

    /// Attributes whose value is a key of a distinct unit.
    fn keys(&self) -> Result<Vec<String>, PlotError> {
        let units = &self.trial.plugin().descriptor().units;
        if units.iter().all(|unit| unit.aggregation != Aggregation::Distinct) {
            return Ok(Vec::new());
        }
        let event = [Arc::new(self.example.clone())];
        let run = self.trial.events(&[&event], Answers::First)?;
        let charges = run.outcomes.iter().filter_map(|priced| priced.charge());
        let keys: Vec<Arc<str>> =
            charges.flat_map(|charge| &charge.usage).map(|row| Arc::clone(&row.key)).collect();
        let is_key = |value: &str| !value.is_empty() && keys.iter().any(|key| **key == *value);
        let attributes = self.example.attributes.iter().filter(|(_, value)| is_key(value));
        Ok(attributes.map(|(name, _)| name.clone()).collect())
    }

    /// What is to be known about how totals were worked out.
    pub(super) fn notes(&self) -> Result<Vec<String>, PlotError> {
        let mut notes = Vec::new();
        if let Over::Measure(name) = &self.over
            && !self.measures.contains(name)
        {
            let others = if self.measures.is_empty() { "events" } else { &self.measures.join(", ") };
            notes.push(format!("{name} makes no difference with these settings; --over {others} does"));
            return Ok(notes);
        }
        if matches!(self.over, Over::Measure(_)) && self.per_event.is_none() && self.up_to >= 4 {
            let once = self.total(self.up_to)?;
            let twice = self.priced(self.up_to, Some(self.up_to.div_ceil(2)))?;
            if once != twice {
                notes.push(
                    "one event brings all; the total depends on how many events it takes: see --per-event"
                        .to_owned(),
                );
            }
        }
        Ok(notes)
    }
}
