//! One batch on its way through the engine: placed, rated tariff by tariff, settled into a commit.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{EngineError, State};
use crate::catalog::{Catalog, Timeline};
use crate::event::Event;
use crate::period::{Calendar, Period};
use crate::price_book::PriceBook;
use crate::pricer::Pricer;
use crate::rating::counters::Counters;
use crate::rating::parties::{Parties, PartyId};
use crate::rating::terms::Terms;
use crate::rating::{self, Candidate};
use crate::store::{Commit, HoldCause, HoldReason, Outcome, Store};

use super::ahead::Latest;
use super::settling::Settling;

/// The outcomes of a batch, in order, and the commit that makes them so (without its events).
pub(super) struct Decided {
    pub(super) outcomes: Vec<Outcome>,
    pub(super) commit: Commit,
}

/// Decides what becomes of `events`, whose apps are all defined.
pub(super) fn decide(
    state: &mut State,
    store: &dyn Store,
    pricer: &dyn Pricer,
    events: &[Arc<Event>],
) -> Result<Decided, EngineError> {
    let mut placing = Placing::default();
    let placed: Vec<Result<Candidate, HoldReason>> =
        events.iter().map(|event| placing.place(state, store, event)).collect::<Result<_, _>>()?;
    let Placing { parties, runs, .. } = placing;

    let source = Latest { ahead: &state.ahead, store };
    let mut counters = Counters::new(&source);
    let mut outcomes: Vec<Option<Outcome>> = vec![None; placed.len()];
    for run in runs.in_order() {
        let candidates = run.rows.iter().filter_map(|row| placed.get(*row)?.as_ref().ok());
        let candidates: Vec<&Candidate> = candidates.collect();
        let rated = rating::rate(pricer, &run.terms, &parties, &mut counters, &candidates)?;
        for (row, outcome) in run.rows.iter().zip(rated) {
            if let Some(place) = outcomes.get_mut(*row) {
                *place = Some(outcome);
            }
        }
    }
    let outcomes = outcomes.into_iter().zip(&placed).map(|(outcome, placed)| match (outcome, placed) {
        (Some(outcome), _) => outcome,
        (None, Err(reason)) => Outcome::Held(reason.clone()),
        (None, Ok(_)) => Outcome::Held(HoldReason {
            cause: HoldCause::Infrastructure,
            message: "the event was not answered".to_owned(),
        }),
    });
    let outcomes: Vec<Outcome> = outcomes.collect();
    let (counters, seen) = counters.changes();
    let mut settling = Settling::new(&parties);
    for (outcome, placed) in outcomes.iter().zip(&placed) {
        if let (Outcome::Rated(charge), Ok(candidate)) = (outcome, placed) {
            settling
                .add(candidate.party, &candidate.event.provider, charge)
                .ok_or(EngineError::LedgerFull)?;
        }
    }
    let (statements, balances) = settling.finish().ok_or(EngineError::LedgerFull)?;
    Ok(Decided { outcomes, commit: Commit { counters, seen, statements, balances, ..Commit::default() } })
}

/// What an event of an app needs, looked up once a batch.
struct AppContext {
    calendar: Calendar,
    closed: Arc<[Period]>,
    prices: Arc<PriceBook>,
}

/// Finds each event's customer, period, network cost and tariff.
#[derive(Default)]
struct Placing {
    parties: Parties,
    apps: FxHashMap<String, AppContext>,
    runs: Runs,
    rows: usize,
}

impl Placing {
    fn place(
        &mut self,
        state: &mut State,
        store: &dyn Store,
        event: &Arc<Event>,
    ) -> Result<Result<Candidate, HoldReason>, EngineError> {
        let row = self.rows;
        self.rows = row.saturating_add(1);
        let app = &event.key.app;
        let undefined = || EngineError::UndefinedApp(app.clone());
        if !self.apps.contains_key(app) {
            self.apps.insert(app.clone(), app_context(state, store, app)?);
        }
        let context = self.apps.get_mut(app).ok_or_else(undefined)?;
        let party = self.parties.intern(&state.catalog, app, &event.customer).ok_or_else(undefined)?;
        let own_period = match context.calendar.period(event.time) {
            Ok(period) => period,
            Err(error) => return Ok(hold(HoldCause::OutOfRange, error.to_string())),
        };
        let Some(period) = first_open(own_period, &context.closed) else {
            return Ok(hold(HoldCause::OutOfRange, format!("no period after {own_period} is open")));
        };
        let network_cost = match event.reported_cost.map_or_else(|| context.prices.network_cost(event), Ok) {
            Ok(cost) => cost,
            Err(unpriced) => return Ok(hold(HoldCause::NoPrice, unpriced.to_string())),
        };
        let State { catalog, terms, .. } = state;
        let terms = match tariff_terms(terms, catalog.timeline(app, &event.customer), event) {
            Ok(terms) => terms,
            Err(reason) => return Ok(Err(reason)),
        };
        self.runs.add(row, self.parties.owner(party, true), terms);
        Ok(Ok(Candidate {
            event: Arc::clone(event),
            party,
            period,
            late: period != own_period,
            network_cost,
        }))
    }
}

fn app_context(state: &mut State, store: &dyn Store, app: &str) -> Result<AppContext, EngineError> {
    let closed = state.ahead.closed(store, app)?;
    context_of(&state.catalog, app, closed).ok_or_else(|| EngineError::UndefinedApp(app.to_owned()))
}

fn context_of(catalog: &Catalog, app: &str, closed: Arc<[Period]>) -> Option<AppContext> {
    let app = catalog.app(app)?;
    let calendar = Calendar::new(&app.time_zone).ok()?;
    Some(AppContext { calendar, closed, prices: Arc::clone(catalog.price_book(&app.price_book)?) })
}

fn tariff_terms(
    terms: &FxHashMap<String, Result<Arc<Terms>, String>>,
    timeline: Timeline<'_>,
    event: &Event,
) -> Result<Arc<Terms>, HoldReason> {
    let Some(tariff) = timeline.in_force(event.time) else {
        let (app, customer) = (&event.key.app, &event.customer);
        let message =
            format!("no tariff of app {app} or of its customer {customer} is in force at that time");
        return Err(HoldReason { cause: HoldCause::NoTariff, message });
    };
    match terms.get(&tariff.id) {
        Some(Ok(terms)) => Ok(Arc::clone(terms)),
        Some(Err(message)) => Err(HoldReason { cause: HoldCause::Plugin, message: message.clone() }),
        None => Err(HoldReason {
            cause: HoldCause::Plugin,
            message: format!("tariff {}: its plugin {} is not loaded", tariff.id, tariff.plugin),
        }),
    }
}

fn hold(cause: HoldCause, message: String) -> Result<Candidate, HoldReason> {
    Err(HoldReason { cause, message })
}

fn first_open(period: Period, closed: &[Period]) -> Option<Period> {
    let mut period = period;
    while closed.contains(&period) {
        period = period.next()?;
    }
    Some(period)
}

/// The rows that one tariff prices in one go.
struct Run {
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
    fn add(&mut self, row: usize, owner: PartyId, terms: Arc<Terms>) {
        let last = self.last.entry(owner).or_insert_with(|| (0, Arc::clone(&terms.tariff_id)));
        if last.1 != terms.tariff_id {
            *last = (last.0.saturating_add(1), Arc::clone(&terms.tariff_id));
        }
        let run = self.runs.entry(last.clone()).or_insert_with(|| Run { terms, rows: Vec::new() });
        run.rows.push(row);
    }

    fn in_order(self) -> Vec<Run> {
        let mut runs: Vec<_> = self.runs.into_iter().collect();
        runs.sort_by(|(one, _), (other, _)| one.cmp(other));
        runs.into_iter().map(|(_, run)| run).collect()
    }
}
