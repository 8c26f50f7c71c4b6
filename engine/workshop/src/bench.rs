//! `plugin bench`: how long events take in the sandbox, how much fuel they burn, and how far the limits are.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tollgate_core::event::Event;

use crate::{
    columns::{table, thousands},
    trial::{Answers, BatchCost, Trial, TrialError},
};

/// Batch sizes, from a quote to a full batch.
const SIZES: [usize; 5] = [1, 16, 256, 1_000, 4_000];
/// How long one size is measured, and how many batches at least and at most.
const TIME: Duration = Duration::from_millis(700);
const BATCHES: std::ops::RangeInclusive<usize> = 10..=400;

/// What is not to be exceeded, besides the sandbox's own limits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ceilings {
    /// Fuel of one event, in batches of 1,000.
    pub fuel_max: Option<u64>,
    /// Nanoseconds of one event, the median in batches of 1,000.
    pub nanoseconds_max: Option<u64>,
}

/// What one batch size took.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Events of a batch.
    pub events: usize,
    /// Nanoseconds an event: the median over the batches.
    pub p50: u64,
    /// The same, of the slowest batch in a hundred.
    pub p99: u64,
    /// Fuel an event.
    pub fuel: u64,
    /// The part of its fuel that the costliest call burnt, in hundredths.
    pub fuel_percent: u64,
    /// Bytes of the instance's memory.
    pub memory_bytes: usize,
}

/// All that was measured.
#[derive(Debug)]
pub struct Measured {
    /// One for each batch size.
    pub sizes: Vec<Size>,
    /// Events that were held, each reason once, with how many.
    pub held: Vec<(String, usize)>,
    memory_max: usize,
}

/// Measures a plugin on these events, over and over.
///
/// # Errors
/// When the engine fails.
pub fn measure(trial: &Trial<'_>, examples: &[Arc<Event>]) -> Result<Measured, TrialError> {
    let mut measured =
        Measured { sizes: Vec::new(), held: Vec::new(), memory_max: trial.plugin().limits().memory_bytes };
    for size in SIZES {
        let events = repeated(examples, size);
        let mut batches = Vec::new();
        let start = Instant::now();
        while batches.len() < *BATCHES.start() || (batches.len() < *BATCHES.end() && start.elapsed() < TIME) {
            let run = trial.events(&[&events], Answers::First)?;
            if batches.is_empty() && size == 1_000 {
                measured.held = held(&run, &trial.plugin().label());
            }
            batches.extend(run.batches);
        }
        measured.sizes.push(summary(size, &batches));
    }
    Ok(measured)
}

/// The events again and again, each with an id of its own.
fn repeated(examples: &[Arc<Event>], count: usize) -> Vec<Arc<Event>> {
    let copies = examples.iter().cycle().take(count).enumerate();
    copies
        .map(|(number, example)| {
            let mut event = Event::clone(example);
            event.key.id = number.to_string();
            Arc::new(event)
        })
        .collect()
}

fn held(run: &crate::trial::PeriodRun, plugin: &str) -> Vec<(String, usize)> {
    let mut held: Vec<(String, usize)> = Vec::new();
    for reason in run.outcomes.iter().filter_map(|priced| priced.reason(plugin)) {
        match held.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => held.push((reason, 1)),
        }
    }
    held
}

fn summary(events: usize, batches: &[BatchCost]) -> Size {
    let each = u64::try_from(events.max(1)).unwrap_or(1);
    let mut times: Vec<u64> = batches.iter().map(|batch| batch.nanoseconds / each).collect();
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len().saturating_sub(1) * percent / 100).copied().unwrap_or(0);
    let first = batches.first();
    Size {
        events,
        p50: at(50),
        p99: at(99),
        fuel: first.map_or(0, |batch| batch.fuel / each),
        fuel_percent: batches.iter().map(|batch| batch.fuel_percent).max().unwrap_or(0),
        memory_bytes: first.map_or(0, |batch| batch.memory_bytes),
    }
}

impl Measured {
    /// What is exceeded, each as a sentence with its remedy.
    pub fn exceeded(&self, ceilings: Ceilings) -> Vec<String> {
        let mut exceeded = Vec::new();
        let Some(thousand) = self.sizes.iter().find(|size| size.events == 1_000) else { return exceeded };
        let mut compare = |what: &str, value: u64, max: Option<u64>| {
            if let Some(max) = max.filter(|max| value > *max) {
                let (value, max) = (thousands(value), thousands(max));
                exceeded.push(format!(
                    "an event takes {value} {what}, more than the {max} you allow: make it do less, or allow more"
                ));
            }
        };
        compare("fuel", thousand.fuel, ceilings.fuel_max);
        compare("ns", thousand.p50, ceilings.nanoseconds_max);
        exceeded.extend(self.held.iter().map(|(reason, count)| {
            format!("{count} of 1,000 events are held: {reason}; bench events that can be priced")
        }));
        exceeded
    }
}

impl std::fmt::Display for Measured {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows: Vec<Vec<String>> = (self.sizes.iter())
            .map(|size| {
                let memory = size.memory_bytes * 100 / self.memory_max.max(1);
                vec![
                    thousands(size.events as u64),
                    thousands(size.p50),
                    thousands(size.p99),
                    thousands(size.fuel),
                    format!("{} %", 100_u64.saturating_sub(size.fuel_percent)),
                    format!("{} %", 100_usize.saturating_sub(memory)),
                ]
            })
            .collect();
        let header = ["batch", "ns/event p50", "p99", "fuel/event", "fuel left", "memory left"];
        out.write_str(&table(&header, 0, &rows))
    }
}
