//! The laws: what is run twice, and what must agree.

use std::sync::Arc;

use proptest::sample::Index;
use tollgate_core::{event::Event, store::HoldCause};

use super::{
    made::{self, CUSTOMERS, Made},
    violation::{Side, Violation},
    vocabulary::Vocabulary,
};
use crate::trial::{Answers, PeriodRun, Priced, Trial, TrialError};

/// What must hold for every plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// Every event gets an answer.
    Answers,
    /// Same input, same output.
    Repeatable,
    /// Batches do not matter.
    Splits,
    /// Other customers do not matter.
    Neighbours,
    /// More is not cheaper.
    MoreCostsNoLess,
    /// No undeclared credit.
    Signs,
    /// Twice the events take twice the fuel.
    LinearFuel,
}

/// Events, where to cut them, and what to add to them.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) events: Vec<Made>,
    /// Whether a batch ends after each event.
    pub(super) cuts: Vec<bool>,
    pub(super) more: More,
}

/// More usage.
#[derive(Debug, Clone)]
pub(super) enum More {
    /// One more event in the end.
    Event(Made),
    /// A larger quantity, in thousandths, of one event.
    Measure { event: Index, measure: Index, by: u64 },
}

/// The core's words for an amount below zero where none may be.
const NEGATIVE: &str = "is a charge but its amount is negative";

impl Law {
    /// All of them, in the order in which they are tried.
    pub const ALL: [Self; 7] = [
        Self::Answers,
        Self::Repeatable,
        Self::Splits,
        Self::Neighbours,
        Self::MoreCostsNoLess,
        Self::Signs,
        Self::LinearFuel,
    ];

    /// The law.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Answers => "every event gets an answer that the host accepts",
            Self::Repeatable => "the same input gives the same output, also in a fresh instance",
            Self::Splits => "any split into batches gives the same charges",
            Self::Neighbours => "other customers' events do not change an event's price",
            Self::MoreCostsNoLess => "more usage never lowers the period's total",
            Self::Signs => "nothing is negative but declared credits",
            Self::LinearFuel => "fuel grows linearly with the events",
        }
    }

    /// How a plugin comes to break it, and what to do.
    pub fn fix(self) -> &'static str {
        match self {
            Self::Answers => {
                "answer an event that cannot be priced with a fault (Rust: return Err(Fault::new(...)), \
                 JavaScript: throw new Fault(...), Python: raise Fault(...)): a panic, another exception or a \
                 wrong answer holds the event without a word that its app's owner can act on"
            }
            Self::Repeatable => {
                "keep nothing between calls: no static, no cell, no variable outside of the functions; what must be \
                 remembered is a unit, which the host counts"
            }
            Self::Splits => {
                "work from counted.of(UNIT), the counter before and after each event: a plugin cannot know \
                 where a batch begins, and rounding belongs into count.cumulative(...)"
            }
            Self::Neighbours => {
                "price an event from its own columns and its own customer's counters alone; what customers \
                 share is a unit that is `pooled`"
            }
            Self::MoreCostsNoLess => {
                "look where the price falls in one step, as at a tier's edge. If these settings mean it, say \
                 why in a file laws.json beside them: {\"more_usage_may_cost_less\": \"...\"}"
            }
            Self::Signs => {
                "declare the line with kind = credit, or adjustment if it may have either sign, and never \
                 credit more than was charged"
            }
            Self::LinearFuel => {
                "do not look through all events, or all rows, for each event: whatever an event needs is in \
                 its own columns and counters"
            }
        }
    }

    /// Runs a case; two runs that disagree, if any do.
    pub(super) fn examine(
        self,
        trial: &Trial<'_>,
        vocabulary: &Vocabulary,
        case: &Case,
        priced: &mut (u64, u64),
    ) -> Result<Option<Violation>, TrialError> {
        let events = made::events(&case.events, vocabulary);
        let mut bench = Bench { law: self, trial, priced };
        match self {
            Self::Answers => bench.answers(&events),
            Self::Repeatable => bench.repeatable(&events),
            Self::Splits => bench.splits(&events, &case.cuts),
            Self::Neighbours => bench.neighbours(&events),
            Self::MoreCostsNoLess => bench.more(&events, &with_more(case, vocabulary)),
            Self::Signs => bench.signs(&events),
            Self::LinearFuel => Ok(None),
        }
    }
}

/// The events with more usage in them.
fn with_more(case: &Case, vocabulary: &Vocabulary) -> Vec<Arc<Event>> {
    let mut made = case.events.clone();
    match &case.more {
        More::Event(event) => {
            let mut event = event.clone();
            event.customer = 0;
            made.push(event);
        }
        More::Measure { event, measure, by } => {
            if let Some(event) = made.get_mut(event.index(case.events.len()))
                && !event.measures.is_empty()
            {
                let position = measure.index(event.measures.len());
                if let Some(quantity) = event.measures.get_mut(position) {
                    *quantity = Some(quantity.unwrap_or(0).saturating_add(*by));
                }
            }
        }
    }
    made::events(&made, vocabulary)
}

struct Bench<'a, 'p> {
    law: Law,
    trial: &'a Trial<'p>,
    /// How many events could be priced, of how many.
    priced: &'a mut (u64, u64),
}

impl Bench<'_, '_> {
    /// A run, or why its period could not be closed.
    fn run(
        &mut self,
        batches: &[&[Arc<Event>]],
        answers: Answers,
    ) -> Result<Result<PeriodRun, String>, TrialError> {
        match self.trial.period(batches, answers) {
            Ok(run) => {
                let rated = run.outcomes.iter().filter(|outcome| outcome.charge().is_some()).count();
                self.priced.0 += rated as u64;
                self.priced.1 += run.outcomes.len() as u64;
                Ok(Ok(run))
            }
            Err(TrialError::Close { reason, .. }) => Ok(Err(reason)),
            Err(other) => Err(other),
        }
    }

    fn side(&self, title: &str, run: &PeriodRun) -> Side {
        Side::of(title, run, &self.trial.plugin().label())
    }

    /// The runs side by side, if they disagree about the events they share.
    fn compared(&self, left: (&str, &PeriodRun), right: (&str, &PeriodRun)) -> Option<Violation> {
        let differs = left.1.outcomes.iter().any(|priced| {
            let id = &priced.event.key.id;
            let other = right.1.outcomes.iter().find(|other| other.event.key.id == *id);
            other.is_some_and(|other| what_counts(other) != what_counts(priced))
        });
        let shared = |customer: &str| {
            let is_theirs = |priced: &Priced| priced.event.customer == customer;
            left.1.outcomes.iter().any(is_theirs) && right.1.outcomes.iter().any(is_theirs)
        };
        let closes_otherwise = CUSTOMERS.into_iter().filter(|customer| shared(customer)).any(|customer| {
            let of =
                |run: &PeriodRun| run.closing.iter().find(|closing| closing.customer == customer).cloned();
            of(left.1).map(|closing| closing.charge.lines) != of(right.1).map(|closing| closing.charge.lines)
        });
        (differs || closes_otherwise)
            .then(|| Violation::new(self.law, vec![self.side(left.0, left.1), self.side(right.0, right.1)]))
    }

    fn answers(&mut self, events: &[Arc<Event>]) -> Result<Option<Violation>, TrialError> {
        match self.run(&[events], Answers::First)? {
            Err(reason) if reason.contains(NEGATIVE) => Ok(None),
            Err(reason) => Ok(Some(self.without_close(events, &reason)?)),
            Ok(run) => {
                let failed = |priced: &Priced| {
                    let reason = priced.held().filter(|reason| !reason.message.contains(NEGATIVE));
                    reason.is_some_and(|reason| {
                        matches!(reason.cause, HoldCause::Plugin | HoldCause::Suspended)
                    })
                };
                Ok(run
                    .outcomes
                    .iter()
                    .any(failed)
                    .then(|| Violation::new(self.law, vec![self.side("one batch", &run)])))
            }
        }
    }

    fn without_close(&self, events: &[Arc<Event>], reason: &str) -> Result<Violation, TrialError> {
        let run = self.trial.events(&[events], Answers::First)?;
        let side = self.side("one batch", &run);
        Ok(Violation::new(self.law, vec![side]).with_note(format!("the close gives no answer: {reason}")))
    }

    fn repeatable(&mut self, events: &[Arc<Event>]) -> Result<Option<Violation>, TrialError> {
        let Ok(once) = self.run(&[events], Answers::First)? else { return Ok(None) };
        let others = [
            (Answers::Second, "the second of two same calls"),
            (Answers::Fresh, "a fresh instance for each call"),
        ];
        for (answers, title) in others {
            if let Ok(again) = self.run(&[events], answers)?
                && let Some(violation) = self.compared(("the first call", &once), (title, &again))
            {
                return Ok(Some(violation));
            }
        }
        Ok(None)
    }

    fn splits(&mut self, events: &[Arc<Event>], cuts: &[bool]) -> Result<Option<Violation>, TrialError> {
        let mut batches = Vec::new();
        let mut rest = events;
        let mut length = 0;
        for cut in cuts.iter().take(events.len()) {
            length += 1;
            if *cut && let Some((batch, remaining)) = rest.split_at_checked(length) {
                batches.push(batch);
                (rest, length) = (remaining, 0);
            }
        }
        batches.push(rest);
        batches.retain(|batch| !batch.is_empty());
        let sizes: Vec<String> = batches.iter().map(|batch| batch.len().to_string()).collect();
        let title = format!("batches of {}", sizes.join(", "));
        match (self.run(&[events], Answers::First)?, self.run(&batches, Answers::First)?) {
            (Ok(one), Ok(several)) => Ok(self.compared(("one batch", &one), (&title, &several))),
            _ => Ok(None),
        }
    }

    fn neighbours(&mut self, events: &[Arc<Event>]) -> Result<Option<Violation>, TrialError> {
        let [first, neighbour, _] = CUSTOMERS;
        let alone: Vec<Arc<Event>> =
            events.iter().filter(|event| event.customer != neighbour).map(Arc::clone).collect();
        match (self.run(&[events], Answers::First)?, self.run(&[&alone], Answers::First)?) {
            (Ok(all), Ok(alone)) => {
                Ok(self.compared(("with other customers", &all), (&format!("{first} alone"), &alone)))
            }
            _ => Ok(None),
        }
    }

    fn more(&mut self, events: &[Arc<Event>], more: &[Arc<Event>]) -> Result<Option<Violation>, TrialError> {
        let (Ok(less), Ok(more)) = (self.run(&[events], Answers::First)?, self.run(&[more], Answers::First)?)
        else {
            return Ok(None);
        };
        // An event that is held charges nothing for now, which says nothing about its price.
        let held = less.outcomes.iter().chain(&more.outcomes).any(|priced| priced.charge().is_none());
        if held || more.total(None) >= less.total(None) {
            return Ok(None);
        }
        Ok(Some(Violation::new(self.law, vec![self.side("less", &less), self.side("more", &more)])))
    }

    fn signs(&mut self, events: &[Arc<Event>]) -> Result<Option<Violation>, TrialError> {
        let run = match self.run(&[events], Answers::First)? {
            Ok(run) => run,
            Err(reason) if reason.contains(NEGATIVE) => {
                return Ok(Some(self.without_close(events, &reason)?));
            }
            Err(_) => return Ok(None),
        };
        let refused = |priced: &Priced| priced.held().is_some_and(|held| held.message.contains(NEGATIVE));
        let broken = run.outcomes.iter().any(refused)
            || CUSTOMERS.into_iter().any(|customer| run.total(Some(customer)) < 0);
        Ok(broken.then(|| Violation::new(self.law, vec![self.side("one batch", &run)])))
    }
}

/// What two runs of an event must agree on. The words of a reason may name the batch's own limits.
fn what_counts(
    priced: &Priced,
) -> Option<(&[tollgate_core::charge::UsageRow], &[tollgate_core::charge::Line])> {
    priced.charge().map(|charge| (charge.usage.as_slice(), charge.lines.as_slice()))
}
