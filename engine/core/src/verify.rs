//! Proves a ledger: goes through everything a store holds and computes it again.
//!
//! It reads only. What it checks is listed in DESIGN terms: conservation, every event once, counters,
//! statements and balances as sums of charges, re-execution.

mod money;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use sha2::{Digest as _, Sha256};

use crate::charge::Charge;
use crate::engine::{Engine, EngineError, Rulebook, Settling};
use crate::event::{Event, EventKey};
use crate::ledger::{Account, Balance};
use crate::quantity::QuantitySum;
use crate::rating::Candidate;
use crate::rating::parties::{Parties, PartyId};
use crate::rating::replay;
use crate::store::{
    CounterKey, Outcome, Sequence, StatementFilter, StatementKey, StatementTotals, StoredEvent,
};

/// How many events are gone through at a time.
const BATCH: usize = 1_000;

/// Of each check, at most so many problems are told in full.
const TOLD_MAX: usize = 20;

/// One invariant and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What must hold, as a sentence.
    pub invariant: &'static str,
    /// What was counted, as a sentence.
    pub counted: String,
    /// How many times it does not hold.
    pub violations: u64,
    /// The first of them.
    pub told: Vec<String>,
}

impl Check {
    fn new(invariant: &'static str) -> Self {
        Self { invariant, counted: String::new(), violations: 0, told: Vec::new() }
    }

    fn require(&mut self, holds: bool, tell: impl FnOnce() -> String) {
        if !holds {
            self.violations = self.violations.saturating_add(1);
            if self.told.len() < TOLD_MAX {
                self.told.push(tell());
            }
        }
    }
}

/// Checks every invariant of a store's ledger. `progress` is told how many events have been gone through.
///
/// # Errors
/// When the store cannot be read. A violated invariant is not an error but a finding.
pub fn verify(engine: &Engine, progress: &mut dyn FnMut(u64)) -> Result<Vec<Check>, EngineError> {
    let mut audit = Audit::new(engine);
    let mut after: Sequence = 0;
    loop {
        let events = engine.store().scan(after, BATCH)?;
        let Some(last) = events.last() else { break };
        after = last.sequence;
        audit.events(&events)?;
        progress(audit.rated.saturating_add(audit.held));
    }
    audit.closings()?;
    audit.finish()
}

/// An event that was taken back.
struct Reversed<'a> {
    event: Arc<Event>,
    charge: &'a Charge,
    reversal: &'a Charge,
}

/// Sums under construction, to be compared with what the store says.
struct Audit<'a> {
    engine: &'a Engine,
    rules: Arc<Rulebook>,
    once: Check,
    conserved: Check,
    counters: Check,
    replayed: Check,
    rated: u64,
    held: u64,
    voided: u64,
    /// Held events that were voided.
    given_up: u64,
    closings: u64,
    last: Sequence,
    keys: FxHashSet<[u8; 16]>,
    statements: BTreeMap<StatementKey, StatementTotals>,
    balances: BTreeMap<Account, Balance>,
    /// Of each counter, the sum of its steps.
    steps: FxHashMap<CounterKey, QuantitySum>,
}

impl<'a> Audit<'a> {
    fn new(engine: &'a Engine) -> Self {
        Self {
            engine,
            rules: engine.rules(),
            once: Check::new("Every accepted event is there once, with one outcome: charged or held"),
            conserved: Check::new(
                "Every charge balances: total = lines = network cost + platform fee + earnings = what covers it",
            ),
            counters: Check::new("Every usage counter is the sum of the steps its charges were rated from"),
            replayed: Check::new("Every charge, executed again in the sandbox, comes out identical"),
            rated: 0,
            held: 0,
            voided: 0,
            given_up: 0,
            closings: 0,
            last: 0,
            keys: FxHashSet::default(),
            statements: BTreeMap::new(),
            balances: BTreeMap::new(),
            steps: FxHashMap::default(),
        }
    }

    fn events(&mut self, events: &[StoredEvent]) -> Result<(), EngineError> {
        let mut parties = Parties::default();
        let mut charged: Vec<(Candidate, &Charge)> = Vec::with_capacity(events.len());
        let mut reversed: Vec<Reversed<'_>> = Vec::new();
        for stored in events {
            let event = Arc::new(stored.event()?);
            let (app, id) = (&stored.key.app, &stored.key.id);
            let in_order = stored.sequence > self.last;
            self.last = stored.sequence;
            let unique = self.keys.insert(key_digest(&stored.key));
            let same = event.key == stored.key;
            self.once.require(in_order && unique && same, || {
                format!("event {id} of {app} is there twice or altered")
            });
            if let Some(voided) = &stored.voided {
                self.voided = self.voided.saturating_add(1);
                if let (Outcome::Rated(charge), Some(reversal)) = (&stored.outcome, &voided.reversal) {
                    reversed.push(Reversed { event: Arc::clone(&event), charge, reversal });
                }
            }
            match &stored.outcome {
                Outcome::Held(_) if stored.voided.is_some() => {
                    self.given_up = self.given_up.saturating_add(1);
                }
                Outcome::Held(_) => self.held = self.held.saturating_add(1),
                Outcome::Rated(charge) => {
                    self.rated = self.rated.saturating_add(1);
                    let candidate = Candidate::charged(event, charge, self.rules.catalog(), &mut parties);
                    charged.push((candidate.ok_or_else(|| EngineError::UndefinedApp(app.clone()))?, charge));
                }
            }
        }
        let mut settling = Settling::of_events(&parties);
        for (candidate, charge) in &charged {
            self.conservation(&candidate.event.key.id, charge);
            self.split(&candidate.event.key.app, &candidate.event.key.id, charge);
            self.count_steps(&parties, candidate.party, charge)?;
            let provider = &candidate.event.provider;
            settling.add(candidate.party, provider, charge).ok_or(EngineError::LedgerFull)?;
        }
        self.add(settling)?;
        self.replay(&parties, &charged);
        self.reversals(&mut parties, &reversed)
    }

    /// A reversal is a charge the other way round: turned back, it must come out again when executed.
    fn reversals(&mut self, parties: &mut Parties, reversed: &[Reversed<'_>]) -> Result<(), EngineError> {
        let rules = Arc::clone(&self.rules);
        for Reversed { event, charge, reversal } in reversed {
            let candidate = Candidate::charged(Arc::clone(event), charge, rules.catalog(), parties);
            let candidate = candidate.ok_or_else(|| EngineError::UndefinedApp(event.key.app.clone()))?;
            let party = candidate.party;
            let name = format!("the void of {}", event.key.id);
            self.conservation(&name, reversal);
            if !reversal.late {
                self.count_steps(parties, party, reversal)?;
            }
            let mut settling = Settling::of_entries(parties);
            settling.add(party, &event.provider, reversal).ok_or(EngineError::LedgerFull)?;
            self.add(settling)?;
            let back = Charge::clone(reversal)
                .reversed(charge.period, charge.late)
                .ok_or(EngineError::LedgerFull)?;
            let split = charge.split.with_total(back.total);
            self.conserved.require(split == Some(back.split), || format!("{name} returns another split"));
            let executed = match rules.terms(&charge.tariff) {
                Some(terms) => {
                    let rows = [(&candidate, &*back.usage)];
                    let executed = replay::execute(self.engine.pricer(), terms, parties, &rows);
                    executed.map(|(executed, _)| executed.first().map(|one| (one.lines.clone(), one.total)))
                }
                None => Err(format!("its tariff {} cannot be used", charge.tariff)),
            };
            let expected = Ok(Some((back.lines, back.total)));
            self.replayed.require(executed == expected, || format!("{name}: {executed:?} now"));
        }
        Ok(())
    }

    fn conservation(&mut self, id: &str, charge: &Charge) {
        let lines = charge.lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.amount.nano()));
        let drawn = charge.draws.iter().try_fold(0_i64, |sum, draw| sum.checked_add(draw.amount.nano()));
        let is_covered = charge.draws.is_empty() || drawn == Some(charge.total.nano());
        let balances = charge.split.total() == Some(charge.total) && lines == Some(charge.total.nano());
        let balances = balances && is_covered;
        self.conserved.require(balances, || format!("the charge of {id} does not balance"));
    }

    /// The terms of an app change; a charge keeps the split by those of its day.
    fn split(&mut self, app: &str, id: &str, charge: &Charge) {
        let is_split = charge.is_split_by(self.rules.catalog().platform_shares(app));
        self.conserved.require(is_split, || format!("the charge of {id} is split by no share of {app}'s"));
    }

    fn count_steps(&mut self, parties: &Parties, party: PartyId, charge: &Charge) -> Result<(), EngineError> {
        let terms = self.rules.terms(&charge.tariff).map(Arc::clone);
        for row in &charge.usage {
            let unit = terms.as_ref().and_then(|terms| terms.units.iter().find(|unit| unit.name == row.unit));
            let owner = parties.get(parties.owner(party, unit.is_some_and(|unit| unit.pooled)));
            let key = CounterKey {
                app: Arc::clone(&owner.app_id),
                owner: Arc::clone(&owner.customer),
                unit: Arc::clone(&row.unit),
                group: Arc::clone(&row.group),
                period: charge.period,
            };
            let sum = self.steps.entry(key).or_default();
            let before = QuantitySum::from(row.before).pico();
            let step = QuantitySum::from(row.after).pico().checked_sub(before);
            let grown = step.and_then(|step| sum.checked_add(QuantitySum::from_pico(step)));
            *sum = grown.ok_or(EngineError::LedgerFull)?;
        }
        Ok(())
    }

    fn replay(&mut self, parties: &Parties, charged: &[(Candidate, &Charge)]) {
        let mut by_tariff: BTreeMap<&str, Vec<(&Candidate, &Charge)>> = BTreeMap::new();
        for (candidate, charge) in charged {
            by_tariff.entry(&charge.tariff).or_default().push((candidate, charge));
        }
        for (tariff, rows) in by_tariff {
            let differences = match self.rules.terms(tariff) {
                Some(terms) => replay::differences(self.engine.pricer(), terms, parties, &rows),
                None => vec![Some(format!("its tariff {tariff} cannot be used")); rows.len()],
            };
            for ((candidate, _), difference) in rows.iter().zip(differences) {
                let id = &candidate.event.key.id;
                self.replayed
                    .require(difference.is_none(), || format!("{id}: {}", difference.unwrap_or_default()));
            }
        }
    }

    fn closings(&mut self) -> Result<(), EngineError> {
        let closings = self.engine.store().closing_charges(None, None)?;
        let mut parties = Parties::default();
        let mut charged = Vec::with_capacity(closings.len());
        for closing in &closings {
            let party = parties.intern(self.rules.catalog(), &closing.app, &closing.customer);
            charged.push((
                party.ok_or_else(|| EngineError::UndefinedApp(closing.app.clone()))?,
                &closing.charge,
            ));
            let name = format!("the close for {}", closing.customer);
            self.conservation(&name, &closing.charge);
            self.split(&closing.app, &name, &closing.charge);
            self.closings = self.closings.saturating_add(1);
        }
        let mut settling = Settling::of_entries(&parties);
        for (party, charge) in charged {
            settling.add(party, "", charge).ok_or(EngineError::LedgerFull)?;
        }
        self.add(settling)
    }

    fn add(&mut self, settling: Settling<'_>) -> Result<(), EngineError> {
        let (statements, balances) = settling.finish().ok_or(EngineError::LedgerFull)?;
        for (key, totals) in statements {
            self.statements.entry(key).or_default().add(&totals).ok_or(EngineError::LedgerFull)?;
        }
        for (account, balance) in balances {
            let sum = self.balances.entry(account).or_default();
            *sum = sum.plus(balance).ok_or(EngineError::LedgerFull)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Check>, EngineError> {
        let store = self.engine.store();
        let reversals = self.voided.saturating_sub(self.given_up);
        let executed = self.rated.saturating_add(reversals);
        let counts = store.counts()?;
        let told = (counts.rated, counts.held, counts.voided);
        self.once
            .require(told == (self.rated, self.held, self.voided), || format!("the store says {counts:?}"));
        let voided = if self.voided > 0 { format!(", {} voided", self.voided) } else { String::new() };
        let events = self.keys.len();
        self.once.counted = format!("{events} events: {} charged, {} held{voided}", self.rated, self.held);
        self.conserved.counted = format!("{} charges", executed.saturating_add(self.closings));
        self.replayed.counted = format!("{executed} charges");
        self.compare_counters()?;
        let statements = self.compare_statements()?;
        let money = money::checks(self.engine, &mut self.balances)?;
        let (balances, zero) = self.compare_balances()?;
        let mut checks =
            vec![self.once, self.conserved, zero, balances, statements, self.counters, self.replayed];
        checks.extend(money);
        Ok(checks)
    }

    fn compare_counters(&mut self) -> Result<(), EngineError> {
        let mut compared = 0_u64;
        let mut steps = std::mem::take(&mut self.steps);
        for app in self.rules.catalog().apps() {
            for (key, value) in self.engine.store().usage(&app.id, None, None)? {
                compared = compared.saturating_add(1);
                let sum = steps.remove(&key).unwrap_or_default();
                let holds = sum == QuantitySum::from(value);
                self.counters.require(holds, || format!("{key:?} is {value}, its charges say {sum}"));
            }
        }
        for (key, sum) in steps {
            self.counters.require(sum == QuantitySum::default(), || format!("{key:?} is missing: {sum}"));
        }
        self.counters.counted = format!("{compared} counters");
        Ok(())
    }

    fn compare_statements(&self) -> Result<Check, EngineError> {
        let mut check = Check::new("Every statement is the sum of its charges");
        let kept = self.engine.store().statements(&StatementFilter::default())?;
        for (key, totals) in &kept {
            let holds = self.statements.get(key) == Some(totals);
            check.require(holds, || format!("{} of {} in {}", key.customer, key.app, key.period));
        }
        check
            .require(kept.len() == self.statements.len(), || "there are more or fewer statements".to_owned());
        check.counted = format!("{} statements", kept.len());
        Ok(check)
    }

    fn compare_balances(&self) -> Result<(Check, Check), EngineError> {
        let mut check = Check::new("Every balance is the sum of its postings");
        let mut zero = Check::new("All accounts together are zero, in every currency");
        let kept = self.engine.store().balances()?;
        let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
        for (account, balance) in &kept {
            let computed = self.balances.get(account).copied().unwrap_or_default();
            check.require(computed == *balance, || format!("{account}"));
            let sum = sums.entry(&account.currency).or_default();
            let net = balance.net().ok_or(EngineError::LedgerFull)?;
            *sum = sum.checked_add(net).ok_or(EngineError::LedgerFull)?;
        }
        let known: BTreeSet<&Account> = kept.iter().map(|(account, _)| account).collect();
        for (account, balance) in &self.balances {
            let is_there = *balance == Balance::default() || known.contains(account);
            check.require(is_there, || format!("{account} is missing"));
        }
        for (currency, sum) in &sums {
            zero.require(*sum == 0, || format!("{currency}: {}", crate::money::format_nano(*sum)));
        }
        check.counted = format!("{} accounts", kept.len());
        let currencies: Vec<&str> = sums.keys().copied().collect();
        zero.counted = format!("{} accounts in {}", kept.len(), currencies.join(", "));
        Ok((check, zero))
    }
}

fn key_digest(key: &EventKey) -> [u8; 16] {
    let mut hasher = Sha256::new();
    hasher.update(key.app.len().to_le_bytes());
    hasher.update(&key.app);
    hasher.update(&key.id);
    let digest: [u8; 32] = hasher.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(digest.first_chunk::<16>().unwrap_or(&[0; 16]));
    half
}
