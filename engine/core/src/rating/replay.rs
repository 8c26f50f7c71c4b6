//! Executes charges again, from what they keep.
//!
//! The counters come from the usage rows that are given, not from a store, so charges may be replayed in
//! any order and any company. It is how a ledger is proven, how a charge is explained, and how a void finds
//! out what an event is worth now.
//!
//! What is executed is the price. Who gets what of it followed the app's terms of that day, which the charge
//! keeps.

use crate::charge::{Charge, Line, UsageRow};
use crate::frame::{Counted, Frame, Metered};
use crate::money::Amount;
use crate::pricer::{Pricer, PricerError, Pricing};
use crate::rating::answer::{self, BadAnswer, Usage};
use crate::rating::parties::Parties;
use crate::rating::terms::Terms;
use crate::rating::{Candidate, columns, priced_lines, total_of};
use crate::words;

/// What an event costs, given the counters of its usage rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// What is charged for.
    pub lines: Vec<Line>,
    /// The sum of the lines.
    pub total: Amount,
}

impl Executed {
    /// How this differs from what was charged, as a clause; `None` when it is identical.
    pub fn difference(&self, charge: &Charge) -> Option<String> {
        if self.total != charge.total {
            return Some(format!("its total is {}, was {}", self.total, charge.total));
        }
        let other = |(now, was): &(&Line, &Line)| now != was;
        let differs = self.lines.iter().zip(&charge.lines).find(other).map(|(now, _)| &now.code);
        if let Some(code) = differs {
            return Some(format!("its line {code} says something else"));
        }
        let (now, was) = (self.lines.len(), charge.lines.len());
        (now != was).then(|| format!("it has {now} lines, had {was}"))
    }
}

/// Runs events in a fresh instance with the usage rows and counters given for each. All share `terms`.
/// Gives back what each costs, and the fuel burnt.
///
/// # Errors
/// Why there is no answer, as a sentence: the plugin failed, or meters other units than those given.
pub fn execute(
    pricer: &dyn Pricer,
    terms: &Terms,
    parties: &Parties,
    rows: &[(&Candidate, &[UsageRow])],
) -> Result<(Vec<Executed>, u64), String> {
    let failed = |error: PricerError| error.to_string();
    let wrong = |error: BadAnswer| error.0;
    let candidates: Vec<&Candidate> = rows.iter().map(|(candidate, _)| *candidate).collect();
    let mut pricing = pricer.open(&terms.tariff.plugin, &terms.tariff.settings).map_err(failed)?;
    let frame = columns::pack(&candidates, parties);
    let metered = pricing.meter(&frame).map_err(failed)?;
    let usage = answer::usage(terms, &frame, &metered).map_err(wrong)?;
    let counted = given_counters(terms, rows, &frame, &metered, &usage)?;
    let executed = price(&mut *pricing, terms, &frame, &counted)?;
    Ok((executed, pricing.fuel_spent()))
}

/// Of each charge, how the same event under the same tariff comes out differently now; `None` when it is
/// identical. All rows share `terms`.
pub fn differences(
    pricer: &dyn Pricer,
    terms: &Terms,
    parties: &Parties,
    rows: &[(&Candidate, &Charge)],
) -> Vec<Option<String>> {
    match compare(pricer, terms, parties, rows) {
        Ok(()) => vec![None; rows.len()],
        Err(difference) if rows.len() <= 1 => rows.iter().map(|_| Some(difference.clone())).collect(),
        // Cut in two until the charges that differ stand alone.
        Err(_) => {
            let (earlier, later) = rows.split_at(rows.len() / 2);
            let mut found = differences(pricer, terms, parties, earlier);
            found.extend(differences(pricer, terms, parties, later));
            found
        }
    }
}

fn compare(
    pricer: &dyn Pricer,
    terms: &Terms,
    parties: &Parties,
    rows: &[(&Candidate, &Charge)],
) -> Result<(), String> {
    let given: Vec<_> = rows.iter().map(|(candidate, charge)| (*candidate, &*charge.usage)).collect();
    let (executed, _) = execute(pricer, terms, parties, &given)?;
    let differences = rows.iter().zip(executed).filter_map(|((_, charge), now)| now.difference(charge));
    differences.map(Err).next().unwrap_or(Ok(()))
}

/// The given counters, provided that the plugin meters the units they are of.
fn given_counters(
    terms: &Terms,
    rows: &[(&Candidate, &[UsageRow])],
    frame: &Frame,
    metered: &Metered,
    usage: &[Usage],
) -> Result<Counted, String> {
    let mut counted =
        Counted { counts: metered.counts.clone(), units: metered.units.clone(), ..Counted::default() };
    let mut usage = usage.iter();
    for ((_, given), count) in rows.iter().zip(&metered.counts) {
        if given.len() != *count as usize {
            return Err(format!("it is metered as {count} units rows, was {}", given.len()));
        }
        for (kept, now) in given.iter().zip(usage.by_ref()) {
            compare_usage(terms, kept, now, columns::text(frame, metered, now.key))?;
            counted.quantities.extend(words::encode(kept.quantity.decimal()));
            counted.before.extend(words::encode(kept.before.decimal()));
            counted.after.extend(words::encode(kept.after.decimal()));
        }
    }
    Ok(counted)
}

fn compare_usage(terms: &Terms, kept: &UsageRow, now: &Usage, key: &str) -> Result<(), String> {
    let unit = terms.units.get(now.unit).map_or("", |unit| &unit.name);
    if (&*kept.unit, kept.quantity, &*kept.key) == (unit, now.quantity, key) {
        return Ok(());
    }
    Err(format!(
        "it is metered as {} {unit} {key:?}, was {} {} {:?}",
        now.quantity, kept.quantity, kept.unit, kept.key
    ))
}

fn price(
    pricing: &mut dyn Pricing,
    terms: &Terms,
    frame: &Frame,
    counted: &Counted,
) -> Result<Vec<Executed>, String> {
    let rated = pricing.rate(frame, counted).map_err(|error| error.to_string())?;
    let lines = answer::lines(terms, frame.rows, &rated).map_err(|error| error.0)?;
    if let Some(fault) = rated.faults.first() {
        return Err(fault.message.clone());
    }
    let mut lines = lines.into_iter();
    let executed = rated.counts.iter().map(|count| {
        let lines = priced_lines(terms, lines.by_ref().take(*count as usize));
        let total = total_of(&lines).ok_or("its total is more than an amount can hold")?;
        Ok(Executed { lines, total })
    });
    executed.collect()
}
