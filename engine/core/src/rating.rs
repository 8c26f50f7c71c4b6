//! Rates a batch: meter, counters, rate, checks, split. Whatever a plugin does, its neighbours are priced.
//!
//! # One poisonous event
//! A run over many events either answers for all of them or for none. When it does not, the batch is cut
//! in two and each half is run again, the earlier half first so that the counters advance in order, until
//! the event that cannot be priced stands alone and is held. An event therefore gets the same charge
//! whatever batch it arrives in. Where the run that failed burnt much fuel, as an endless loop does, its
//! events are run one by one instead: then each such event burns a budget once, not once for each halving.

pub mod answer;
pub mod columns;
pub mod counters;
pub mod parties;
pub mod replay;
pub mod terms;

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::charge::{Charge, Line, Refused, Split, UsageRow};
use crate::event::Event;
use crate::frame::{Fault, Frame, Rated};
use crate::money::Amount;
use crate::period::Period;
use crate::pricer::{Pricer, PricerError, Pricing};
use crate::store::{HoldCause, HoldReason, Outcome, StoreError};
use answer::{BadAnswer, LineRow};
use counters::{Count, CountError, Counters};
use parties::{Parties, PartyId};
use terms::Terms;

/// How many times a batch's fuel budget failing runs may burn before the rest of it is held.
const WASTE_BUDGETS_MAX: u64 = 64;

/// An event with everything but its price.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The event.
    pub event: Arc<Event>,
    /// Its customer.
    pub party: PartyId,
    /// Where it is counted.
    pub period: Period,
    /// Its own period was closed.
    pub late: bool,
    /// What it cost the network.
    pub network_cost: Amount,
}

impl Candidate {
    /// An event as it was when it got this charge; `None` when its app is not defined.
    pub fn charged(
        event: Arc<Event>,
        charge: &Charge,
        catalog: &Catalog,
        parties: &mut Parties,
    ) -> Option<Self> {
        let party = parties.charged(catalog, &event.key.app, &event.customer, charge.parent.as_ref())?;
        let (period, late, network_cost) = (charge.period, charge.late, charge.split.network_cost);
        Some(Self { event, party, period, late, network_cost })
    }
}

/// The outcome of each of `candidates`, which share `terms`, in their order.
///
/// # Errors
/// When the store cannot be read. What a plugin does is never an error here but a held event.
pub fn rate(
    pricer: &dyn Pricer,
    terms: &Terms,
    parties: &Parties,
    counters: &mut Counters<'_>,
    candidates: &[&Candidate],
) -> Result<Vec<Outcome>, StoreError> {
    let waste_left = pricer.fuel_budget(candidates.len()).saturating_mul(WASTE_BUDGETS_MAX);
    let mut rater =
        Rater { pricer, terms, parties, counters, waste_left, last_was_costly: false, given_up: None };
    rater.rate(candidates, false)
}

struct Rater<'a, 'b> {
    pricer: &'a dyn Pricer,
    terms: &'a Terms,
    parties: &'a Parties,
    counters: &'a mut Counters<'b>,
    waste_left: u64,
    /// Whether the run that failed last burnt half of its budget or more.
    last_was_costly: bool,
    /// Why the rest of the batch is held without a further run.
    given_up: Option<HoldReason>,
}

/// Why a run over some events gave no outcomes.
enum Failure {
    /// The plugin would not price these rows.
    Faults(Vec<Fault>),
    /// All of the run failed; on other rows it may not.
    Run(HoldReason),
    /// All of the run failed, and would on any rows.
    Hopeless(HoldReason),
    Store(StoreError),
}

impl Rater<'_, '_> {
    /// `sifted`: rows that the plugin faulted have been taken out once already.
    fn rate(&mut self, rows: &[&Candidate], sifted: bool) -> Result<Vec<Outcome>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(reason) = &self.given_up {
            return Ok(hold_all(rows, reason));
        }
        let reason = match self.attempt(rows) {
            Ok(outcomes) => return Ok(outcomes),
            Err(Failure::Store(error)) => return Err(error),
            Err(Failure::Hopeless(reason)) => return Ok(hold_all(rows, &reason)),
            Err(Failure::Faults(faults)) if !sifted && rows.len() > 1 => return self.sift(rows, &faults),
            Err(Failure::Faults(faults)) => {
                let message = faults.into_iter().next().map_or_else(String::new, |fault| fault.message);
                HoldReason { cause: HoldCause::Fault, message: format!("{}: {message}", self.terms.plugin) }
            }
            Err(Failure::Run(reason)) => reason,
        };
        if self.waste_left == 0 {
            let message = format!(
                "{} failed on too many events of one batch, last: {}",
                self.terms.plugin, reason.message
            );
            self.given_up = Some(HoldReason { message, ..reason.clone() });
        }
        if rows.len() == 1 {
            return Ok(vec![Outcome::Held(reason)]);
        }
        let piece = if self.last_was_costly { 1 } else { rows.len().div_ceil(2) };
        let mut outcomes = Vec::with_capacity(rows.len());
        for piece in rows.chunks(piece) {
            outcomes.extend(self.rate(piece, sifted)?);
        }
        Ok(outcomes)
    }

    /// Holds the events that `meter` faulted, before anything was counted, and rates the others.
    fn sift(&mut self, rows: &[&Candidate], faults: &[Fault]) -> Result<Vec<Outcome>, StoreError> {
        let mut messages: Vec<Option<&str>> = vec![None; rows.len()];
        for fault in faults {
            if let Some(message) = messages.get_mut(fault.event as usize) {
                *message = Some(&fault.message);
            }
        }
        let unfaulted = rows.iter().zip(&messages).filter(|(_, message)| message.is_none());
        let unfaulted: Vec<&Candidate> = unfaulted.map(|(row, _)| *row).collect();
        let mut rated = self.rate(&unfaulted, true)?.into_iter();
        let outcomes = messages.into_iter().map(|message| match message {
            None => rated.next(),
            Some(message) => Some(Outcome::Held(HoldReason {
                cause: HoldCause::Fault,
                message: format!("{}: {message}", self.terms.plugin),
            })),
        });
        Ok(outcomes.flatten().collect())
    }

    /// One run, in a fresh instance. After an error the counters are as before.
    fn attempt(&mut self, rows: &[&Candidate]) -> Result<Vec<Outcome>, Failure> {
        let tariff = &self.terms.tariff;
        let mut pricing =
            self.pricer.open(&tariff.plugin, &tariff.settings).map_err(|error| hopeless(&error))?;
        let result = self.run(&mut *pricing, rows);
        if result.is_err() {
            let spent = pricing.fuel_spent();
            self.waste_left = self.waste_left.saturating_sub(spent);
            self.last_was_costly = spent >= self.pricer.fuel_budget(rows.len()) / 2;
        }
        result
    }

    fn run(&mut self, pricing: &mut dyn Pricing, rows: &[&Candidate]) -> Result<Vec<Outcome>, Failure> {
        let frame = columns::pack(rows, self.parties);
        let metered = pricing.meter(&frame).map_err(failed)?;
        let usage = answer::usage(self.terms, &frame, &metered).map_err(|error| self.bad_answer(&error))?;
        if !metered.faults.is_empty() {
            return Err(Failure::Faults(metered.faults));
        }
        let count = self.counters.count(self.terms, self.parties, rows, &frame, &metered, &usage)?;
        let result = self.charge(pricing, rows, &frame, &count);
        if result.is_ok() {
            self.counters.keep(&count);
        } else {
            self.counters.roll_back();
        }
        result
    }

    fn charge(
        &self,
        pricing: &mut dyn Pricing,
        rows: &[&Candidate],
        frame: &Frame,
        count: &Count,
    ) -> Result<Vec<Outcome>, Failure> {
        let rated = pricing.rate(frame, &count.counted).map_err(failed)?;
        let lines = answer::lines(self.terms, frame.rows, &rated).map_err(|error| self.bad_answer(&error))?;
        if let Some(fault) = rated.faults.first() {
            // Its usage has been counted for its neighbours: they must be rated again without it.
            let message = format!("{}: {}", self.terms.plugin, fault.message);
            return Err(Failure::Run(HoldReason { cause: HoldCause::Fault, message }));
        }
        let mut usage = self.usage_rows(count);
        let mut lines = lines.into_iter();
        let mut refused = refusals(self.terms, &rated, rows.len());
        let counts = count.counted.counts.iter().zip(&rated.counts);
        let outcomes = rows.iter().zip(counts).zip(refused.drain(..));
        outcomes
            .map(|((row, (usage_rows, line_rows)), refused)| {
                let usage = usage.by_ref().take(*usage_rows as usize).collect();
                let lines = lines.by_ref().take(*line_rows as usize);
                self.charge_one(row, usage, lines, refused).map(Outcome::Rated)
            })
            .collect()
    }

    fn usage_rows<'c>(&'c self, count: &'c Count) -> impl Iterator<Item = UsageRow> + 'c {
        let none: Arc<str> = "".into();
        count.steps.iter().map(move |step| {
            let key = self.counters.key_of(step);
            UsageRow {
                unit: key.map_or_else(|| Arc::clone(&none), |key| Arc::clone(&key.unit)),
                group: key.map_or_else(|| Arc::clone(&none), |key| Arc::clone(&key.group)),
                key: Arc::clone(&step.key),
                quantity: step.quantity,
                before: step.before,
                after: step.after,
            }
        })
    }

    fn charge_one(
        &self,
        row: &Candidate,
        usage: Vec<UsageRow>,
        rows: impl Iterator<Item = LineRow>,
        refused: Vec<Refused>,
    ) -> Result<Charge, Failure> {
        let lines = priced_lines(self.terms, rows);
        split_of(self.terms, row.network_cost, &lines)
            .map(|(total, split)| Charge {
                tariff: Arc::clone(&self.terms.tariff_id),
                parent: self.parties.parent(row.party).map(Arc::clone),
                period: row.period,
                late: row.late,
                total,
                split,
                usage,
                lines,
                refused,
                draws: Vec::new(),
            })
            .map_err(Failure::Run)
    }

    fn bad_answer(&self, error: &BadAnswer) -> Failure {
        let message = format!("{} gave a wrong answer: {}", self.terms.plugin, error.0);
        Failure::Run(HoldReason { cause: HoldCause::Plugin, message })
    }
}

/// The lines of an answer as a charge keeps them.
pub(crate) fn priced_lines(terms: &Terms, rows: impl Iterator<Item = LineRow>) -> Vec<Line> {
    rows.filter_map(|row| {
        let code = Arc::clone(&terms.lines.get(row.line)?.code);
        Some(Line { code, quantity: row.quantity, unit_price: row.unit_price, amount: row.amount })
    })
    .collect()
}

/// The sum of the lines; `None` when it does not fit.
pub(crate) fn total_of(lines: &[Line]) -> Option<Amount> {
    lines.iter().try_fold(Amount::ZERO, |sum, line| sum.checked_add(line.amount))
}

/// Adds the lines up and splits the total, within the app's cap.
pub(crate) fn split_of(
    terms: &Terms,
    network_cost: Amount,
    lines: &[Line],
) -> Result<(Amount, Split), HoldReason> {
    let out_of_range = || HoldReason {
        cause: HoldCause::OutOfRange,
        message: format!("{} charged more than an amount can hold", terms.plugin),
    };
    let total = total_of(lines).ok_or_else(out_of_range)?;
    let surcharge = total.checked_sub(network_cost).ok_or_else(out_of_range)?;
    if surcharge > terms.app.terms.surcharge_max {
        let (plugin, cap) = (&terms.plugin, terms.app.terms.surcharge_max);
        let message = format!(
            "{plugin} charged {surcharge} {} above the network cost; the app's cap is {cap}",
            terms.app.currency
        );
        return Err(HoldReason { cause: HoldCause::Plugin, message });
    }
    let split = Split::of(total, network_cost, terms.app.terms.platform_share).ok_or_else(out_of_range)?;
    Ok((total, split))
}

/// The refusals of an answer, by event.
pub(crate) fn refusals(terms: &Terms, rated: &Rated, rows: usize) -> Vec<Vec<Refused>> {
    let mut refused = vec![Vec::new(); rows];
    for refusal in &rated.refusals {
        let code = terms.refusals.get(refusal.code as usize).map(Arc::clone);
        if let (Some(event), Some(code)) = (refused.get_mut(refusal.event as usize), code) {
            event.push(Refused { code, detail: refusal.detail.clone() });
        }
    }
    refused
}

fn hold_all(rows: &[&Candidate], reason: &HoldReason) -> Vec<Outcome> {
    rows.iter().map(|_| Outcome::Held(reason.clone())).collect()
}

fn failed(error: PricerError) -> Failure {
    match error {
        PricerError::Failed { reason } => {
            Failure::Run(HoldReason { cause: HoldCause::Plugin, message: reason })
        }
        other => hopeless(&other),
    }
}

fn hopeless(error: &PricerError) -> Failure {
    let cause = match error {
        PricerError::Infrastructure(_) => HoldCause::Infrastructure,
        _ => HoldCause::Plugin,
    };
    Failure::Hopeless(HoldReason { cause, message: error.to_string() })
}

impl From<CountError> for Failure {
    fn from(error: CountError) -> Self {
        match error {
            CountError::Store(error) => Self::Store(error),
            CountError::OutOfRange { .. } => {
                Self::Run(HoldReason { cause: HoldCause::OutOfRange, message: error.to_string() })
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::event::EventKey;

    /// An event of customer `customer` that says nothing else.
    pub(crate) fn event(id: &str, customer: &str) -> Event {
        Event {
            key: EventKey { app: "acme".into(), id: id.into() },
            customer: customer.into(),
            time: 0,
            feature: String::new(),
            route: String::new(),
            model: String::new(),
            provider: String::new(),
            measures: Vec::new(),
            attributes: Vec::new(),
            reported_cost: None,
            fingerprint: [0; 16],
            received: "{}".into(),
        }
    }

    /// Candidates for these events, of no cost, in one app.
    pub(crate) fn candidate(events: &[Event]) -> (Parties, Vec<Candidate>) {
        let catalog = crate::catalog::tests::catalog();
        let mut parties = Parties::default();
        let candidates = events.iter().map(|event| Candidate {
            party: parties.intern(&catalog, &event.key.app, &event.customer).unwrap(),
            event: Arc::new(event.clone()),
            period: "1970-01".parse().unwrap(),
            late: false,
            network_cost: Amount::ZERO,
        });
        let candidates = candidates.collect();
        (parties, candidates)
    }
}
