//! A host small enough for `cargo test`: it runs a plugin natively and keeps its counters.
//!
//! Events go through the same functions as in the sandbox ([`native`](crate::native)), one batch at a time.

mod counters;
mod event;
mod fixtures;

pub use event::TestEvent;
pub use fixtures::run_fixtures;

use crate::{
    Decimal, Fault, Pricing,
    columns::decimal_at,
    native::{self, Problem},
};
use counters::Counters;
use serde::Serialize;
use std::{collections::BTreeMap, fmt, marker::PhantomData, slice};

/// Runs a plugin as the host would, in one period that goes on until the bench is dropped.
pub struct TestBench<P> {
    settings: String,
    /// The settings, with the schema's defaults where they say nothing: what pointers point into.
    names: serde_json::Value,
    counters: Counters,
    plugin: PhantomData<P>,
}

impl<P: Pricing> TestBench<P> {
    /// A bench for a tariff with these settings, which `check` has accepted.
    ///
    /// # Errors
    /// The problems that `check` found.
    pub fn new(settings: impl Serialize) -> Result<Self, Vec<Problem>> {
        let settings = serde_json::to_string(&settings)
            .map_err(|error| vec![Problem { pointer: String::new(), message: error.to_string() }])?;
        let problems = native::check::<P>(&settings);
        if problems.is_empty() {
            let names = with_defaults::<P>(&settings);
            Ok(Self { settings, names, counters: Counters::default(), plugin: PhantomData })
        } else {
            Err(problems)
        }
    }

    /// Meters, counts and rates one event.
    ///
    /// # Errors
    /// When the plugin faults the event.
    pub fn event(&mut self, event: TestEvent) -> Result<Priced, Fault> {
        let mut answers = self.batch([event]);
        answers.pop().unwrap_or_else(|| Err(Fault::new("the batch gave no answer")))
    }

    /// Meters, counts and rates several events as one batch; an answer for each.
    pub fn batch(&mut self, events: impl IntoIterator<Item = TestEvent>) -> Vec<Result<Priced, Fault>> {
        let events: Vec<TestEvent> = events.into_iter().collect();
        let answers = self.price(&events);
        answers.unwrap_or_else(|fault| events.iter().map(|_| Err(fault.clone())).collect())
    }

    /// What a customer is charged as the period ends.
    ///
    /// The event says who it is, when the period ends, and what was charged so far: see
    /// [`TestEvent::charged`].
    ///
    /// # Errors
    /// When the plugin faults the customer.
    pub fn close(&mut self, customer: &TestEvent) -> Result<Priced, Fault> {
        let mut frame = event::frame(slice::from_ref(customer));
        let totals = self.counters.totals::<P>(&self.names, customer, &mut frame.strings);
        let rated = native::close::<P>(&self.settings, &frame, &totals).map_err(unreadable)?;
        if let Some(fault) = rated.faults.first() {
            return Err(Fault::new(fault.message.clone()));
        }
        Ok(priced::<P>(&rated).pop().unwrap_or_default())
    }

    /// What one customer is charged for a whole period: these events, and the close after them.
    ///
    /// # Errors
    /// When the plugin faults an event or the close.
    pub fn period(mut self, events: impl IntoIterator<Item = TestEvent>) -> Result<Decimal, Fault> {
        let mut charged: BTreeMap<&str, Decimal> = BTreeMap::new();
        let mut total = Decimal::ZERO;
        for event in events {
            for line in self.event(event)?.lines {
                let amount = line.amount.rounded_to_nano();
                let of_code = charged.entry(line.code).or_default();
                *of_code = of_code.plus(amount)?;
                total = total.plus(amount)?;
            }
        }
        let customer = TestEvent::new().charged("", &total.to_string());
        let customer = charged
            .into_iter()
            .fold(customer, |customer, (code, amount)| customer.charged(code, &amount.to_string()));
        let lines = self.close(&customer)?.lines;
        lines.iter().try_fold(total, |total, line| total.plus(line.amount.rounded_to_nano()))
    }

    fn price(&mut self, events: &[TestEvent]) -> Result<Vec<Result<Priced, Fault>>, Fault> {
        let frame = event::frame(events);
        let metered = native::meter::<P>(&self.settings, &frame).map_err(unreadable)?;
        let mut faults = faults_by_row(&metered.faults);
        let (counted, mut usage) = self.counters.count::<P>(&self.names, events, &frame, &metered)?;
        // The host leaves faulted events out of what it hands to `rate`.
        let (rows, kept): (Vec<u32>, Vec<TestEvent>) = (0..)
            .zip(events)
            .filter(|(row, _)| !faults.contains_key(row))
            .map(|(row, e)| (row, e.clone()))
            .unzip();
        let rated = native::rate::<P>(&self.settings, &event::frame(&kept), &counted).map_err(unreadable)?;
        let late = faults_by_row(&rated.faults);
        let mut answers = BTreeMap::new();
        for ((row, place), mut priced) in rows.iter().zip(0_u32..).zip(priced::<P>(&rated)) {
            priced.usage = usage.get_mut(place as usize).map(std::mem::take).unwrap_or_default();
            match late.get(&place) {
                Some(fault) => drop(faults.insert(*row, fault.clone())),
                None => drop(answers.insert(*row, Ok(priced))),
            }
        }
        answers.extend(faults.into_iter().map(|(row, fault)| (row, Err(fault))));
        Ok(answers.into_values().collect())
    }
}

fn with_defaults<P: Pricing>(settings: &str) -> serde_json::Value {
    let parse = |text: &str| serde_json::from_str(text).unwrap_or(serde_json::Value::Null);
    let (mut settings, schema) = (parse(settings), parse(&native::describe::<P>().settings_schema));
    let fields = schema.get("properties").and_then(serde_json::Value::as_object).into_iter().flatten();
    for (name, field) in fields {
        if let (Some(settings), Some(default)) = (settings.as_object_mut(), field.get("default")) {
            settings.entry(name).or_insert_with(|| default.clone());
        }
    }
    settings
}

/// The bench checks its settings when it is made, so this tells of a plugin whose settings cannot be written back.
fn unreadable(Problem { pointer, message }: Problem) -> Fault {
    Fault::new(format!("the settings cannot be read: {pointer}: {message}"))
}

fn faults_by_row(faults: &[native::EventFault]) -> BTreeMap<u32, Fault> {
    faults.iter().map(|fault| (fault.event, Fault::new(fault.message.clone()))).collect()
}

/// What one event costs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Priced {
    /// The usage rows, in the order in which the plugin added them.
    pub usage: Vec<CountedUsage>,
    /// The lines, in the order in which the plugin added them.
    pub lines: Vec<PricedLine>,
    /// The codes of the refusals, each with its detail.
    pub refusals: Vec<(&'static str, String)>,
}

/// One usage row of a priced event, with the counter around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedUsage {
    /// The unit's name, as the customer sees it.
    pub unit: String,
    /// The values of the unit's group, separated by commas; empty when it is not grouped.
    pub group: String,
    /// What makes it distinct; empty for units of other kinds.
    pub key: String,
    /// How many.
    pub quantity: Decimal,
    /// The counter just before.
    pub before: Decimal,
    /// The counter just after.
    pub after: Decimal,
}

/// One line of a priced event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedLine {
    /// The line's code.
    pub code: &'static str,
    /// How many of the line's unit.
    pub quantity: Decimal,
    /// The price of one, or zero.
    pub unit_price: Decimal,
    /// What is charged, in units of the currency, before the host's rounding.
    pub amount: Decimal,
}

/// One line a row: `overage: 2 at 0.50 = 1.00`; `nothing` when the event is free.
impl fmt::Display for Priced {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: Vec<String> = self.lines.iter().map(ToString::to_string).collect();
        rows.extend(self.refusals.iter().map(|(code, detail)| format!("refused: {code} {detail}")));
        formatter.write_str(if rows.is_empty() { "nothing" } else { "" })?;
        formatter.write_str(&rows.join("\n"))
    }
}

impl fmt::Display for PricedLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, quantity, unit_price, amount } = self;
        if unit_price.is_zero() {
            write!(formatter, "{code}: {quantity} = {amount}")
        } else {
            write!(formatter, "{code}: {quantity} at {unit_price} = {amount}")
        }
    }
}

/// Takes the columns apart again, an entry for each row of the frame.
fn priced<P: Pricing>(rated: &native::Rated) -> Vec<Priced> {
    let mut next = 0;
    let mut events = Vec::new();
    for (event, count) in (0_u32..).zip(&rated.counts) {
        let rows = next..next + *count as usize;
        next = rows.end;
        let lines = rows.map(|row| PricedLine {
            code: (rated.lines.get(row))
                .and_then(|line| P::LINES.get(*line as usize))
                .map_or("a line that is not declared", |line| line.code),
            quantity: decimal_at(&rated.quantities, row),
            unit_price: decimal_at(&rated.unit_prices, row),
            amount: decimal_at(&rated.amounts, row),
        });
        let refusals = rated.refusals.iter().filter(|refusal| refusal.event == event).map(|refusal| {
            let code = P::REFUSALS.get(refusal.code as usize);
            (code.map_or("a refusal that is not declared", |code| code.code), refusal.detail.clone())
        });
        events.push(Priced { usage: Vec::new(), lines: lines.collect(), refusals: refusals.collect() });
    }
    events
}
