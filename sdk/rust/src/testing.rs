//! A host small enough for `cargo test`: it runs a plugin natively and keeps its counters.
//!
//! Events go through the same functions as in the sandbox ([`native`](crate::native)), one batch at a time.

mod counters;
mod event;

pub use event::TestEvent;

use crate::{
    Decimal, Fault, Pricing,
    columns::decimal_at,
    native::{self, Problem},
};
use counters::Counters;
use serde::Serialize;
use std::{fmt, marker::PhantomData};

/// Runs a plugin as the host would, in one period that goes on until the bench is dropped.
pub struct TestBench<P> {
    settings: String,
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
            Ok(Self { settings, counters: Counters::default(), plugin: PhantomData })
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
        let frame = event::frame(&events);
        let metered = match native::meter::<P>(&self.settings, &frame) {
            Ok(metered) => metered,
            Err(problem) => return vec![Err(Fault::new(problem.message)); events.len()],
        };
        let mut faults: Vec<Option<Fault>> = vec![None; events.len()];
        note_faults(&mut faults, &metered.faults, |row| Some(row as usize));
        let settings = serde_json::from_str(&self.settings).unwrap_or_default();
        let counted = match self.counters.count::<P>(&settings, &events, &frame, &metered) {
            Ok(counted) => counted,
            Err(fault) => return vec![Err(fault); events.len()],
        };
        // The host leaves faulted events out of what it hands to `rate`.
        let kept: Vec<usize> = (0..events.len()).filter(|row| !faults.iter().nth(*row).is_some_and(Option::is_some)).collect();
        let rated_frame = event::frame(&kept.iter().filter_map(|row| events.get(*row).cloned()).collect::<Vec<_>>());
        let rated = match native::rate::<P>(&self.settings, &rated_frame, &counted) {
            Ok(rated) => rated,
            Err(problem) => return vec![Err(Fault::new(problem.message)); events.len()],
        };
        note_faults(&mut faults, &rated.faults, |row| kept.get(row as usize).copied());
        let mut priced = priced::<P>(&rated).into_iter();
        faults
            .into_iter()
            .enumerate()
            .map(|(row, fault)| {
                let priced = if kept.contains(&row) { priced.next() } else { None };
                fault.map_or_else(|| Ok(priced.unwrap_or_default()), Err)
            })
            .collect()
    }
}

fn note_faults(faults: &mut [Option<Fault>], found: &[native::EventFault], row_of: impl Fn(u32) -> Option<usize>) {
    for fault in found {
        if let Some(place) = row_of(fault.event).and_then(|row| faults.get_mut(row)) {
            *place = Some(Fault::new(fault.message.clone()));
        }
    }
}

/// What one event costs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Priced {
    /// The lines, in the order in which the plugin added them.
    pub lines: Vec<PricedLine>,
    /// The codes of the refusals, each with its detail.
    pub refusals: Vec<(&'static str, String)>,
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
        events.push(Priced { lines: lines.collect(), refusals: refusals.collect() });
    }
    events
}
