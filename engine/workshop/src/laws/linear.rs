//! Whether twice the events take twice the fuel.

use std::sync::Arc;

use proptest::strategy::{Strategy as _, ValueTree as _};
use tollgate_core::event::Event;

use super::{Effort, law::Law, made, runner, violation::Violation, vocabulary::Vocabulary};
use crate::{
    columns::{table, thousands},
    trial::{Answers, Trial, TrialError},
};

/// Sizes of the batches: each twice the last.
const SIZES: [usize; 3] = [200, 400, 800];
/// By how many hundredths the fuel of a further event may be more in the larger batches.
const GROWTH_PERCENT: u64 = 150;
/// Fuel of an event that is too little to compare.
const NOISE: u64 = 50;

/// Measures batches of growing size, made of the same kinds of events.
pub(super) fn examine(
    trial: &Trial<'_>,
    vocabulary: &Vocabulary,
    effort: Effort,
) -> Result<Option<Violation>, TrialError> {
    let [small, middle, large] = SIZES;
    let mut runner = runner(effort);
    let strategy = made::event(vocabulary);
    // A hundred kinds, over and over, so that the batches differ in nothing but their size.
    let kinds: Vec<_> =
        (0..100).filter_map(|_| strategy.new_tree(&mut runner).ok().map(|tree| tree.current())).collect();
    let made: Vec<_> = kinds.iter().cycle().take(large).cloned().collect();
    let events: Vec<Arc<Event>> = made::events(&made, vocabulary);
    let mut fuels = Vec::new();
    for size in SIZES {
        let Some(batch) = events.get(..size) else { return Ok(None) };
        let run = trial.events(&[batch], Answers::First)?;
        let priced = run.outcomes.iter().filter(|priced| priced.charge().is_some()).count();
        // Events that fault are run apart, which is the engine's doing and not the plugin's.
        if priced < size {
            return linear_anyway(trial, &events);
        }
        fuels.push(run.batches.iter().map(|batch| batch.fuel).sum());
    }
    let [first, second, third] = fuels.as_slice() else { return Ok(None) };
    Ok(judge([(small, *first), (middle, *second), (large, *third)]))
}

/// The same, of those events alone that can be priced.
fn linear_anyway(trial: &Trial<'_>, events: &[Arc<Event>]) -> Result<Option<Violation>, TrialError> {
    let run = trial.events(&events.chunks(1).collect::<Vec<_>>(), Answers::First)?;
    let priced: Vec<Arc<Event>> = (run.outcomes.iter())
        .filter(|priced| priced.charge().is_some())
        .map(|priced| Arc::clone(&priced.event))
        .collect();
    let quarter = priced.len() / 4;
    if quarter < 10 {
        return Ok(None);
    }
    let mut measured = [(quarter, 0), (2 * quarter, 0), (4 * quarter, 0)];
    for (size, fuel) in &mut measured {
        let Some(batch) = priced.get(..*size) else { return Ok(None) };
        *fuel = trial.events(&[batch], Answers::First)?.batches.iter().map(|batch| batch.fuel).sum();
    }
    Ok(judge(measured))
}

fn judge(measured: [(usize, u64); 3]) -> Option<Violation> {
    let [(small, first), (middle, second), (large, third)] = measured;
    let each = |more: u64, less: u64, events: usize| {
        more.saturating_sub(less) / u64::try_from(events).unwrap_or(u64::MAX).max(1)
    };
    let (early, late) = (each(second, first, middle - small), each(third, second, large - middle));
    if late <= (early * GROWTH_PERCENT / 100).max(NOISE) {
        return None;
    }
    let row = |events: usize, fuel: u64, further: String| vec![events.to_string(), thousands(fuel), further];
    let rows = [
        row(small, first, String::new()),
        row(middle, second, thousands(early)),
        row(large, third, thousands(late)),
    ];
    let table = table(&["events in a batch", "fuel", "fuel of each further event"], 0, &rows);
    Some(Violation::of_table(Law::LinearFuel, table))
}
