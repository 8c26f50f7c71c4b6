//! One batch on its way through the engine: placed, rated tariff by tariff, settled into a commit.

use std::num::NonZero;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use rustc_hash::FxHashMap;

use super::ahead::Ahead;
use super::breaker::{Breakers, Suspended};
use super::funding::Funding;
use super::rulebook::Rulebook;
use super::settling::{Settling, Sums};
use super::{EngineError, lock};
use crate::catalog::{Catalog, CostAuthority};
use crate::charge::Charge;
use crate::event::Event;
use crate::money::Amount;
use crate::period::{Calendar, Period};
use crate::price_book::{PriceBook, Unpriced};
use crate::pricer::Pricer;
use crate::rating::counters::{CounterSource, Counters};
use crate::rating::parties::{Parties, PartyId};
use crate::rating::terms::Terms;
use crate::rating::{self, Candidate};
use crate::store::{Commit, HoldCause, HoldReason, Outcome, Store, StoreError};

/// Below so many rows a thread costs more than it saves.
const PARALLEL_ROWS_MIN: usize = 256;

/// How many threads make sense. Asked once: Linux answers from half a dozen files.
static CORES: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZero::get));

/// The outcomes of a batch, in order, and what they change of counters.
pub(super) struct Decided {
    pub(super) outcomes: Vec<Outcome>,
    pub(super) commit: Commit,
}

/// A batch whose events have each their customer, period, network cost and tariff, or wait without.
pub(super) struct Placed {
    candidates: Vec<Result<Candidate, HoldReason>>,
    parties: Parties,
    runs: Vec<Run>,
}

/// Places `events`, whose apps are all defined. `closed` tells an app's closed periods.
pub(super) fn place(
    rules: &Rulebook,
    suspended: &Suspended,
    closed: &mut ClosedPeriods<'_>,
    events: &[Arc<Event>],
) -> Result<Placed, EngineError> {
    let (parties, apps, runs) = Default::default();
    let mut placing = Placing { rules, suspended, parties, apps, runs };
    let candidates = events.iter().enumerate().map(|(row, event)| placing.place(row, closed, event));
    let candidates = candidates.collect::<Result<_, _>>()?;
    let Placing { parties, runs, .. } = placing;
    Ok(Placed { candidates, parties, runs: runs.in_order() })
}

/// Tells the closed periods of an app.
pub(super) type ClosedPeriods<'a> = dyn FnMut(&str) -> Result<Arc<[Period]>, StoreError> + 'a;

impl Placed {
    /// Decides what becomes of the events, given the counters.
    pub(super) fn decide(
        &self,
        pricer: &dyn Pricer,
        source: &dyn CounterSource,
    ) -> Result<Decided, EngineError> {
        let (rated, counters) = self.rate(pricer, source)?;
        let mut outcomes: Vec<Option<Outcome>> = vec![None; self.candidates.len()];
        for (run, rated) in self.runs.iter().zip(rated) {
            for (row, outcome) in run.rows.iter().zip(rated) {
                if let Some(place) = outcomes.get_mut(*row) {
                    *place = Some(outcome);
                }
            }
        }
        let outcomes =
            outcomes.into_iter().zip(&self.candidates).map(|(outcome, placed)| match (outcome, placed) {
                (Some(outcome), _) => outcome,
                (None, Err(reason)) => Outcome::Held(reason.clone()),
                (None, Ok(_)) => Outcome::Held(HoldReason {
                    cause: HoldCause::Infrastructure,
                    message: "the event was not answered".to_owned(),
                }),
            });
        let outcomes: Vec<Outcome> = outcomes.collect();
        let (counters, seen) = counters.changes();
        Ok(Decided { outcomes, commit: Commit { counters, seen, ..Commit::default() } })
    }

    /// Decides, and covers the charges, in order, from the wallets of those who have one. What a wallet cannot
    /// hold is held, and the others are decided without it. `ahead` is asked for once all is rated.
    pub(super) fn decide_covered<A: Deref<Target = Ahead>>(
        &mut self,
        pricer: &dyn Pricer,
        source: &dyn CounterSource,
        store: &dyn Store,
        ahead: impl Fn() -> A,
    ) -> Result<(Decided, Funding, A), EngineError> {
        loop {
            let mut decided = self.decide(pricer, source)?;
            let ahead = ahead();
            let (funding, overflowing) = self.cover(&mut decided.outcomes, &ahead, store)?;
            if overflowing.is_empty() {
                return Ok((decided, funding, ahead));
            }
            self.hold(&overflowing);
        }
    }

    /// What covers the charges, and the rows that a wallet cannot hold.
    fn cover(
        &self,
        outcomes: &mut [Outcome],
        ahead: &Ahead,
        store: &dyn Store,
    ) -> Result<(Funding, Vec<usize>), EngineError> {
        let charged = outcomes.iter_mut().zip(&self.candidates).enumerate();
        let charged = charged.filter_map(|(row, (outcome, placed))| match (outcome, placed) {
            (Outcome::Rated(charge), Ok(candidate)) => Some((row, candidate, charge)),
            _ => None,
        });
        let charged: Vec<(usize, &Candidate, &mut Charge)> = charged.collect();
        let asked = charged
            .iter()
            .map(|(_, candidate, _)| (self.parties.get(candidate.party), Some(&candidate.event.key)));
        let asked: Vec<_> = asked.collect();
        let mut funding = Funding::load(ahead, store, &asked)?;
        let mut overflowing = Vec::new();
        if funding.has_any_wallet() {
            // Of a customer whose wallet is full, nothing that follows is charged before what came first.
            let mut full = Vec::new();
            for (row, candidate, charge) in charged {
                let party = self.parties.get(candidate.party);
                if full.contains(&candidate.party) {
                    overflowing.push(row);
                } else if let Err(error) = funding.cover_event(party, &candidate.event, charge) {
                    let EngineError::LedgerFull = error else { return Err(error) };
                    full.push(candidate.party);
                    overflowing.push(row);
                }
            }
        }
        Ok((funding, overflowing))
    }

    /// Takes these rows out of what is rated.
    fn hold(&mut self, rows: &[usize]) {
        for row in rows {
            let Some(placed) = self.candidates.get_mut(*row) else { continue };
            if let Ok(candidate) = placed {
                let customer = &self.parties.get(candidate.party).customer;
                let message =
                    format!("the wallet of customer {customer} would be beyond what an amount can hold");
                *placed = Err(HoldReason { cause: HoldCause::OutOfRange, message });
            }
        }
        for run in &mut self.runs {
            run.rows.retain(|row| self.candidates.get(*row).is_some_and(Result::is_ok));
        }
    }

    /// Teaches the breakers what became of events whose plugins were run.
    pub(super) fn teach(&self, breakers: &Mutex<Breakers>, outcomes: &[Outcome]) {
        let mut breakers = lock(breakers);
        for run in &self.runs {
            let outcomes = run.rows.iter().filter_map(|row| outcomes.get(*row));
            breakers.learn(&run.terms.tariff_id, outcomes);
        }
    }

    /// Rates every run. The runs of a wave share no counter, so the first wave, which is nearly always the
    /// only one, is spread over the processor's cores when there is enough to do.
    fn rate<'s>(
        &self,
        pricer: &dyn Pricer,
        source: &'s dyn CounterSource,
    ) -> Result<(Vec<Vec<Outcome>>, Counters<'s>), StoreError> {
        let first_wave = self.runs.iter().take_while(|run| run.wave == 0).count();
        let (together, in_turn) = self.runs.split_at_checked(first_wave).unwrap_or_default();
        let mut counters = Counters::new(source);
        let mut outcomes = Vec::with_capacity(self.runs.len());
        for result in side_by_side(together, |run| {
            let mut own = Counters::new(source);
            self.rate_run(pricer, run, &mut own).map(|outcomes| (outcomes, own))
        }) {
            let (rated, own) = result?;
            counters.absorb(own);
            outcomes.push(rated);
        }
        for run in in_turn {
            outcomes.push(self.rate_run(pricer, run, &mut counters)?);
        }
        Ok((outcomes, counters))
    }

    fn rate_run(
        &self,
        pricer: &dyn Pricer,
        run: &Run,
        counters: &mut Counters<'_>,
    ) -> Result<Vec<Outcome>, StoreError> {
        let candidates = run.rows.iter().filter_map(|row| self.candidates.get(*row)?.as_ref().ok());
        let candidates: Vec<&Candidate> = candidates.collect();
        rating::rate(pricer, &run.terms, &self.parties, counters, &candidates)
    }

    /// What the charges add to statements and balances; `None` when a sum does not fit.
    pub(super) fn settle(&self, outcomes: &[Outcome]) -> Option<Sums> {
        let mut settling = Settling::of_events(&self.parties);
        for (outcome, placed) in outcomes.iter().zip(&self.candidates) {
            if let (Outcome::Rated(charge), Ok(candidate)) = (outcome, placed) {
                settling.add(candidate.party, &candidate.event.provider, charge)?;
            }
        }
        settling.finish()
    }
}

/// What an event of an app needs, looked up once a batch.
struct AppContext {
    calendar: Calendar,
    closed: Arc<[Period]>,
    prices: Arc<PriceBook>,
    authority: CostAuthority,
}

/// Finds each event's customer, period, network cost and tariff.
struct Placing<'a> {
    rules: &'a Rulebook,
    suspended: &'a Suspended,
    parties: Parties,
    apps: FxHashMap<String, AppContext>,
    runs: Runs,
}

impl Placing<'_> {
    fn place(
        &mut self,
        row: usize,
        closed: &mut ClosedPeriods<'_>,
        event: &Arc<Event>,
    ) -> Result<Result<Candidate, HoldReason>, EngineError> {
        let app = &event.key.app;
        let undefined = || EngineError::UndefinedApp(app.clone());
        let catalog = self.rules.catalog();
        if !self.apps.contains_key(app) {
            let context = app_context(catalog, app, closed(app)?).ok_or_else(undefined)?;
            self.apps.insert(app.clone(), context);
        }
        let context = self.apps.get_mut(app).ok_or_else(undefined)?;
        let party = self.parties.intern(catalog, app, &event.customer).ok_or_else(undefined)?;
        let own_period = match context.calendar.period(event.time) {
            Ok(period) => period,
            Err(error) => return Ok(hold(HoldCause::OutOfRange, error.to_string())),
        };
        let Some(period) = first_open(own_period, &context.closed) else {
            return Ok(hold(HoldCause::OutOfRange, format!("no period after {own_period} is open")));
        };
        let network_cost = match context.network_cost(event) {
            Ok(cost) => cost,
            Err(unpriced) => return Ok(hold(HoldCause::NoPrice, unpriced.to_string())),
        };
        let terms = match self.terms(event) {
            Ok(terms) => terms,
            Err(reason) => return Ok(Err(reason)),
        };
        self.runs.add(row, self.parties.owner(party, true), &terms);
        let late = period != own_period;
        Ok(Ok(Candidate { event: Arc::clone(event), party, period, late, network_cost }))
    }

    fn terms(&self, event: &Event) -> Result<Arc<Terms>, HoldReason> {
        let (app, customer) = (&event.key.app, &event.customer);
        let timeline = self.rules.catalog().timeline(app, customer);
        let Some(tariff) = timeline.in_force(event.time) else {
            let message =
                format!("no tariff of app {app} or of its customer {customer} is in force at that time");
            return Err(HoldReason { cause: HoldCause::NoTariff, message });
        };
        let terms = Arc::clone(self.rules.usable(tariff)?);
        self.suspended.get(&*tariff.id).cloned().map_or(Ok(terms), Err)
    }
}

impl AppContext {
    fn network_cost(&self, event: &Event) -> Result<Amount, Unpriced> {
        match event.reported_cost {
            Some(cost) if self.authority == CostAuthority::Reported => Ok(cost),
            _ => self.prices.network_cost(event),
        }
    }
}

fn app_context(catalog: &Catalog, app: &str, closed: Arc<[Period]>) -> Option<AppContext> {
    let app = catalog.app(app)?;
    let calendar = Calendar::new(&app.time_zone).ok()?;
    let prices = Arc::clone(catalog.price_book(&app.terms.price_book)?);
    Some(AppContext { calendar, closed, prices, authority: app.terms.cost_authority })
}

fn hold(cause: HoldCause, message: String) -> Result<Candidate, HoldReason> {
    Err(HoldReason { cause, message })
}

/// The first period from this one on that is not closed.
pub(super) fn first_open(period: Period, closed: &[Period]) -> Option<Period> {
    let mut period = period;
    while closed.contains(&period) {
        period = period.next()?;
    }
    Some(period)
}

/// The rows that one tariff prices in one go.
struct Run {
    wave: u32,
    terms: Arc<Terms>,
    rows: Vec<usize>,
}

/// Groups a batch by tariff without changing the order in which any one counter is advanced.
///
/// Events of one owner (a customer, or the parent it pools with) that two tariffs price must stay in
/// order, so an owner that changes tariff goes on in a later wave; within a wave no owner has two tariffs.
#[derive(Default)]
struct Runs {
    runs: FxHashMap<(u32, Arc<str>), Run>,
    /// Of each owner, its wave and the tariff it last had.
    last: FxHashMap<PartyId, (u32, Arc<str>)>,
}

impl Runs {
    fn add(&mut self, row: usize, owner: PartyId, terms: &Arc<Terms>) {
        let last = self.last.entry(owner).or_insert_with(|| (0, Arc::clone(&terms.tariff_id)));
        if last.1 != terms.tariff_id {
            *last = (last.0.saturating_add(1), Arc::clone(&terms.tariff_id));
        }
        let new = || Run { wave: last.0, terms: Arc::clone(terms), rows: Vec::new() };
        self.runs.entry(last.clone()).or_insert_with(new).rows.push(row);
    }

    fn in_order(self) -> Vec<Run> {
        let mut runs: Vec<Run> = self.runs.into_values().collect();
        runs.sort_by(|one, other| {
            (one.wave, &one.terms.tariff_id).cmp(&(other.wave, &other.terms.tariff_id))
        });
        runs
    }
}

/// Does `work` for every run, on several threads if it is worth their start; answers in order.
fn side_by_side<T: Send>(runs: &[Run], work: impl Fn(&Run) -> T + Sync) -> Vec<T> {
    let rows: usize = runs.iter().map(|run| run.rows.len()).sum();
    let threads = CORES.min(runs.len());
    if threads < 2 || rows < PARALLEL_ROWS_MIN {
        return runs.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some(run) = runs.get(position) else { return done };
            done.push((position, work(run)));
        }
    };
    let mut done: Vec<(usize, T)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut done = take();
        for other in others {
            match other.join() {
                Ok(theirs) => done.extend(theirs),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_by_key(|(position, _)| *position);
    done.into_iter().map(|(_, result)| result).collect()
}
