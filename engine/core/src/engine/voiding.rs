//! Takes an event back: an opposite entry is made, nothing is erased.
//!
//! # What a void is worth
//! An event is worth what the period would cost less without it, now: for the counter's total T and its own
//! quantity q, f(T) − f(T − q). The event is executed once more with the counter from T − q to T, and the
//! opposite of that is posted. Voiding the last event of a period therefore undoes its charge exactly, and
//! the period's total stays f(T) of what is left, whichever event goes. The network cost and the platform
//! fee go back as they were taken, and the Builder bears what is left: once everything is voided, everybody
//! is where they were. Where the event's period is closed,
//! its statement stays as it is and the opposite entry goes to the next open period, marked late.

use std::sync::Arc;

use super::ahead::Ahead;
use super::batch::first_open;
use super::funding::Funding;
use super::refunding::Refunds;
use super::{Engine, EngineError, Rulebook, Settling};
use crate::charge::{Charge, UsageRow};
use crate::event::{Event, EventKey};
use crate::money::Amount;
use crate::period::Period;
use crate::plugin::Aggregation;
use crate::quantity::{Quantity, QuantityError};
use crate::rating::Candidate;
use crate::rating::parties::Parties;
use crate::rating::replay::{self, Executed};
use crate::rating::terms::{Terms, UnitTerms};
use crate::store::record;
use crate::store::{
    Commit, CounterChange, CounterKey, Outcome, SeenKey, Sequence, StoredEvent, Voided, each_event_of,
};

/// What the engine answers when asked to void an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VoidReceipt {
    /// It is taken back now.
    Voided(Voided),
    /// It had been taken back before; that stands.
    Already(Voided),
    /// There is no such event.
    Unknown,
}

impl Engine {
    /// Takes an event back, for a reason, at a moment in milliseconds since 1970. A held event is given up
    /// without a charge. Its id stays taken: a correction is a new event with an id of its own, which may be
    /// named here.
    ///
    /// # Errors
    /// When the plugin does not price the event any more (nothing is changed), or the store fails.
    pub fn void(
        &self,
        key: &EventKey,
        reason: &str,
        replacement: Option<&str>,
        at: i64,
    ) -> Result<VoidReceipt, EngineError> {
        let why = |reversal| Voided {
            reversal,
            reason: reason.to_owned(),
            at,
            replacement: replacement.map(str::to_owned),
        };
        self.alone(|rules| self.try_void(rules, key, why))
    }

    fn try_void(
        &self,
        rules: &Rulebook,
        key: &EventKey,
        voided: impl Fn(Option<Charge>) -> Voided,
    ) -> Result<(VoidReceipt, Option<Commit>), EngineError> {
        let Some(stored) = self.store.stored_one(key)? else {
            return Ok((VoidReceipt::Unknown, None));
        };
        if let Some(voided) = stored.voided {
            return Ok((VoidReceipt::Already(voided), None));
        }
        if let Some(refunded) = record::read::<Refunds>(&*self.store, &key.app, &key.id)? {
            let message = format!(
                "event {} cannot be voided: {} of it was refunded, refund the rest instead",
                key.id, refunded.value.total
            );
            return Err(EngineError::NotVoidable(message));
        }
        let (voided, mut commit) = match &stored.outcome {
            Outcome::Held(_) => (voided(None), Commit::default()),
            Outcome::Rated(charge) => {
                let (reversal, commit) = Voiding::new(self, rules, &stored, charge)?.reverse()?;
                (voided(Some(reversal)), commit)
            }
        };
        commit.voids = vec![(stored.sequence, voided.clone())];
        Ok((VoidReceipt::Voided(voided), Some(commit)))
    }
}

/// A charged event on its way back.
struct Voiding<'a> {
    engine: &'a Engine,
    rules: &'a Rulebook,
    terms: Arc<Terms>,
    parties: Parties,
    candidate: Candidate,
    charge: &'a Charge,
    sequence: Sequence,
    closed: Vec<Period>,
}

impl<'a> Voiding<'a> {
    fn new(
        engine: &'a Engine,
        rules: &'a Rulebook,
        stored: &StoredEvent,
        charge: &'a Charge,
    ) -> Result<Self, EngineError> {
        let app = &stored.key.app;
        let event = Arc::new(stored.event()?);
        let mut parties = Parties::default();
        let candidate = Candidate::charged(Arc::clone(&event), charge, rules.catalog(), &mut parties);
        let candidate = candidate.ok_or_else(|| EngineError::UndefinedApp(app.clone()))?;
        let terms = rules.terms(&charge.tariff).map(Arc::clone);
        let terms = terms.ok_or_else(|| not_voidable(&event, "its tariff cannot be used any more"))?;
        Ok(Self {
            engine,
            rules,
            terms,
            parties,
            candidate,
            charge,
            sequence: stored.sequence,
            closed: engine.store.closed_periods(app)?,
        })
    }

    /// The opposite entry, and the commit that posts it (without naming the event).
    fn reverse(&self) -> Result<(Charge, Commit), EngineError> {
        let event = &self.candidate.event;
        let period = first_open(self.charge.period, &self.closed)
            .ok_or_else(|| not_voidable(event, "no later period is open"))?;
        let (usage, unseen) = self.usage_without()?;
        let rows = [(&self.candidate, &*usage)];
        let executed = replay::execute(&*self.engine.pricer, &self.terms, &self.parties, &rows);
        let (executed, _) = executed.map_err(|reason| not_voidable(event, &reason))?;
        let executed = executed.into_iter().next();
        let Executed { lines, total, .. } =
            executed.ok_or_else(|| not_voidable(event, "its plugin gave no answer"))?;
        let split = self.charge.split.with_total(total).ok_or(EngineError::LedgerFull)?;
        let now = Charge { total, split, usage, lines, ..self.charge.clone() };
        let reversal = now.reversed(period, period != self.charge.period).ok_or(EngineError::LedgerFull)?;
        let (reversal, funding) = self.give_back(reversal)?;
        let mut settling = Settling::of_entries(&self.parties);
        settling.add(self.candidate.party, &event.provider, &reversal).ok_or(EngineError::LedgerFull)?;
        let (statements, balances) = settling.finish().ok_or(EngineError::LedgerFull)?;
        // The counters of a closed period are frozen with its statements.
        let (counters, unseen) =
            if reversal.late { Default::default() } else { (self.counter_changes(&reversal), unseen) };
        let commit = Commit { counters, unseen, statements, balances, ..Commit::default() };
        let (commit, _) = funding.finish()?.add_to(commit)?;
        Ok((reversal, commit))
    }

    /// Gives what was charged back to where it came from, where the customer has a wallet.
    fn give_back(&self, mut reversal: Charge) -> Result<(Charge, Funding), EngineError> {
        let party = self.parties.get(self.candidate.party);
        let event = &self.candidate.event;
        let mut funding = Funding::load(&Ahead::default(), &*self.engine.store, &[(party, None)])?;
        let grants = self.engine.grants_of(party, &self.charge.draws)?;
        funding.cover(party, event.time, &event.feature, &mut reversal, |wallet, total| {
            if total > Amount::ZERO {
                return wallet.draw(total, event.time);
            }
            wallet.give_back(&self.charge.draws, total.checked_neg()?, &grants)
        })?;
        Ok((reversal, funding))
    }

    /// The event's usage rows with the counters of now, from without the event to with it; and the keys of
    /// distinct units that nothing else counts.
    fn usage_without(&self) -> Result<(Vec<UsageRow>, Vec<SeenKey>), EngineError> {
        let mut rows = self.charge.usage.clone();
        let mut unseen = Vec::new();
        let mut tops: Vec<(CounterKey, Quantity)> = Vec::new();
        // Backwards: a later row of the same counter stands on top of an earlier one.
        for row in rows.iter_mut().rev() {
            let unit = self.terms.units.iter().find(|unit| unit.name == row.unit);
            let unit = unit.ok_or_else(|| {
                not_voidable(&self.candidate.event, &format!("its plugin counts no {} any more", row.unit))
            })?;
            let key = self.counter_key(unit, row);
            let known = tops.iter().position(|(known, _)| *known == key);
            let position = known.unwrap_or(tops.len());
            if known.is_none() {
                tops.push((key.clone(), self.total_now(&key, unit)?));
            }
            let Some((_, top)) = tops.get_mut(position) else { continue };
            row.after = *top;
            row.before = self.total_without(unit, row, &key, &mut unseen)?;
            *top = row.before;
        }
        Ok((rows, unseen))
    }

    fn counter_key(&self, unit: &UnitTerms, row: &UsageRow) -> CounterKey {
        let owner = self.parties.get(self.parties.owner(self.candidate.party, unit.pooled));
        CounterKey {
            app: Arc::clone(&owner.app_id),
            owner: Arc::clone(&owner.customer),
            unit: Arc::clone(&row.unit),
            group: Arc::clone(&row.group),
            period: self.charge.period,
        }
    }

    /// What a counter stands at, less what voids took from it after its period was closed.
    fn total_now(&self, key: &CounterKey, unit: &UnitTerms) -> Result<Quantity, EngineError> {
        let stored = self.engine.store.counters(std::slice::from_ref(key))?.first().copied();
        let mut total = stored.unwrap_or_default();
        if !self.closed.contains(&key.period) {
            return Ok(total);
        }
        self.each_other(unit, key, &mut |_, voided| {
            let late = voided.and_then(|voided| voided.reversal.as_ref()).filter(|reversal| reversal.late);
            for row in late.iter().flat_map(|reversal| &reversal.usage).filter(|row| is_of(row, key)) {
                total = total.plus(step(row))?;
            }
            Ok(())
        })?;
        Ok(total)
    }

    /// What the counter would stand at had the row never been counted.
    fn total_without(
        &self,
        unit: &UnitTerms,
        row: &UsageRow,
        key: &CounterKey,
        unseen: &mut Vec<SeenKey>,
    ) -> Result<Quantity, EngineError> {
        match unit.aggregation {
            Aggregation::Sum => row.after.plus(row.quantity.opposite()).map_err(|_| EngineError::LedgerFull),
            Aggregation::Max => {
                let mut largest = Quantity::ZERO;
                self.each_other(unit, key, &mut |charge, voided| {
                    for other in charge.usage.iter().filter(|other| voided.is_none() && is_of(other, key)) {
                        largest = largest.max(other.quantity);
                    }
                    Ok(())
                })?;
                Ok(largest)
            }
            Aggregation::Distinct => self.total_without_key(unit, row, key, unseen),
        }
    }

    /// As above, for a distinct unit: a key goes with the last event that has it.
    fn total_without_key(
        &self,
        unit: &UnitTerms,
        row: &UsageRow,
        key: &CounterKey,
        unseen: &mut Vec<SeenKey>,
    ) -> Result<Quantity, EngineError> {
        let mut is_counted_again = unseen.iter().any(|seen| seen.counter == *key && seen.key == row.key);
        let is_same = |other: &&UsageRow| is_of(other, key) && other.key == row.key;
        // What the key added when it was counted: the quantity of the row that came first with it.
        let mut added = self.charge.usage.iter().filter(is_same).map(step).find(|step| !step.is_zero());
        self.each_other(unit, key, &mut |charge, voided| {
            for other in charge.usage.iter().filter(is_same) {
                is_counted_again |= voided.is_none();
                added = added.or(Some(step(other)).filter(|step| !step.is_zero()));
            }
            Ok(())
        })?;
        if is_counted_again {
            return Ok(row.after);
        }
        unseen.push(SeenKey { counter: key.clone(), key: Arc::clone(&row.key) });
        row.after.plus(added.unwrap_or_default().opposite()).map_err(|_| EngineError::LedgerFull)
    }

    /// Goes through the charges of every other event that a counter may count.
    fn each_other(
        &self,
        unit: &UnitTerms,
        key: &CounterKey,
        visit: &mut Visit<'_>,
    ) -> Result<(), EngineError> {
        let owner = &*key.owner;
        let children = self.rules.catalog().children_ever(&key.app, owner).map(String::as_str);
        for customer in std::iter::once(owner).chain(children.filter(|_| unit.pooled)) {
            // Of a customer that has had several parents, each charge says for whom it was counted.
            let counts =
                |charge: &Charge| !unit.pooled || charge.parent.as_deref().unwrap_or(customer) == owner;
            each_event_of(&*self.engine.store, &key.app, customer, key.period, &mut |stored| match &stored
                .outcome
            {
                Outcome::Rated(charge) if stored.sequence != self.sequence && counts(charge) => {
                    visit(charge, stored.voided.as_ref()).map_err(|_| EngineError::LedgerFull)
                }
                _ => Ok(()),
            })?;
        }
        Ok(())
    }

    /// How the counters step back.
    fn counter_changes(&self, reversal: &Charge) -> Vec<CounterChange> {
        let mut changes: Vec<CounterChange> = Vec::new();
        for row in reversal.usage.iter().rev() {
            let Some(unit) = self.terms.units.iter().find(|unit| unit.name == row.unit) else { continue };
            let key = self.counter_key(unit, row);
            match changes.iter_mut().find(|change| change.key == key) {
                Some(change) => change.after = row.after,
                None => changes.push(CounterChange { key, before: row.before, after: row.after }),
            }
        }
        changes
    }
}

/// What looks at another event's charge, and at how that event was taken back, if it was.
type Visit<'v> = dyn FnMut(&Charge, Option<&Voided>) -> Result<(), QuantityError> + 'v;

/// How far a row moved its counter.
fn step(row: &UsageRow) -> Quantity {
    row.after.plus(row.before.opposite()).unwrap_or_default()
}

fn is_of(row: &UsageRow, counter: &CounterKey) -> bool {
    (&row.unit, &row.group) == (&counter.unit, &counter.group)
}

fn not_voidable(event: &Event, reason: &str) -> EngineError {
    EngineError::NotVoidable(format!("event {} cannot be voided: {reason}", event.key.id))
}
