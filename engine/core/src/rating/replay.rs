//! Executes charges again, from what they keep, and compares.
//!
//! The counters come from the charge itself, so charges may be replayed in any order and any company.

use crate::charge::{Charge, UsageRow};
use crate::frame::{Counted, Frame, Metered};
use crate::pricer::{Pricer, PricerError, Pricing};
use crate::rating::answer::{self, BadAnswer, Usage};
use crate::rating::parties::Parties;
use crate::rating::terms::Terms;
use crate::rating::{Candidate, columns, priced_lines, split_of};
use crate::words;

/// Of each charge, how the same event under the same tariff comes out differently now; `None` when it is
/// identical. All rows share `terms`.
pub fn differences(
    pricer: &dyn Pricer,
    terms: &Terms,
    parties: &Parties,
    rows: &[(&Candidate, &Charge)],
) -> Vec<Option<String>> {
    let replay = Replay { pricer, terms, parties };
    replay.rows(rows)
}

struct Replay<'a> {
    pricer: &'a dyn Pricer,
    terms: &'a Terms,
    parties: &'a Parties,
}

impl Replay<'_> {
    /// Cuts a batch that differs in two until the charges that do stand alone.
    fn rows(&self, rows: &[(&Candidate, &Charge)]) -> Vec<Option<String>> {
        match self.run(rows) {
            Ok(()) => vec![None; rows.len()],
            Err(difference) if rows.len() <= 1 => rows.iter().map(|_| Some(difference.clone())).collect(),
            Err(_) => {
                let (earlier, later) = rows.split_at(rows.len() / 2);
                let mut differences = self.rows(earlier);
                differences.extend(self.rows(later));
                differences
            }
        }
    }

    fn run(&self, rows: &[(&Candidate, &Charge)]) -> Result<(), String> {
        let failed = |error: PricerError| error.to_string();
        let wrong = |error: BadAnswer| error.0;
        let candidates: Vec<&Candidate> = rows.iter().map(|(candidate, _)| *candidate).collect();
        let tariff = &self.terms.tariff;
        let mut pricing = self.pricer.open(&tariff.plugin, &tariff.settings).map_err(failed)?;
        let frame = columns::pack(&candidates, self.parties);
        let metered = pricing.meter(&frame).map_err(failed)?;
        let usage = answer::usage(self.terms, &frame, &metered).map_err(wrong)?;
        let counted = self.counted(rows, &frame, &metered, &usage)?;
        self.compare_lines(&mut *pricing, rows, &frame, &counted)
    }

    /// The kept counters, given that the plugin meters the same units as it did.
    fn counted(
        &self,
        rows: &[(&Candidate, &Charge)],
        frame: &Frame,
        metered: &Metered,
        usage: &[Usage],
    ) -> Result<Counted, String> {
        let mut counted =
            Counted { counts: metered.counts.clone(), units: metered.units.clone(), ..Counted::default() };
        let mut usage = usage.iter();
        for ((_, charge), count) in rows.iter().zip(&metered.counts) {
            if charge.usage.len() != *count as usize {
                return Err(format!("it is metered as {count} units rows, was {}", charge.usage.len()));
            }
            for (kept, now) in charge.usage.iter().zip(usage.by_ref()) {
                self.compare_usage(kept, now, columns::text(frame, metered, now.key))?;
                counted.quantities.extend(words::encode(kept.quantity.decimal()));
                counted.before.extend(words::encode(kept.before.decimal()));
                counted.after.extend(words::encode(kept.after.decimal()));
            }
        }
        Ok(counted)
    }

    fn compare_usage(&self, kept: &UsageRow, now: &Usage, key: &str) -> Result<(), String> {
        let unit = self.terms.units.get(now.unit).map_or("", |unit| &unit.name);
        if (&*kept.unit, kept.quantity, &*kept.key) == (unit, now.quantity, key) {
            return Ok(());
        }
        Err(format!(
            "it is metered as {} {unit} {key:?}, was {} {} {:?}",
            now.quantity, kept.quantity, kept.unit, kept.key
        ))
    }

    fn compare_lines(
        &self,
        pricing: &mut dyn Pricing,
        rows: &[(&Candidate, &Charge)],
        frame: &Frame,
        counted: &Counted,
    ) -> Result<(), String> {
        let rated = pricing.rate(frame, counted).map_err(|error| error.to_string())?;
        let lines = answer::lines(self.terms, frame.rows, &rated).map_err(|error| error.0)?;
        if let Some(fault) = rated.faults.first() {
            return Err(fault.message.clone());
        }
        let mut lines = lines.into_iter();
        for ((candidate, charge), count) in rows.iter().zip(&rated.counts) {
            let now = priced_lines(self.terms, lines.by_ref().take(*count as usize));
            if now != charge.lines {
                return Err(format!("its lines are {now:?}, were {:?}", charge.lines));
            }
            let (total, split) =
                split_of(self.terms, candidate.network_cost, &now).map_err(|reason| reason.message)?;
            if (total, split) != (charge.total, charge.split) {
                return Err(format!("its split is {split:?}, was {:?}", charge.split));
            }
        }
        Ok(())
    }
}
