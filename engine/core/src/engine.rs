//! The control flow: an event comes in, a charge goes out, and nothing in between is lost or done twice.
//!
//! Read [`Engine::submit`] from top to bottom. It must not know who calls it, where things are kept or how
//! plugins run.

mod ahead;
mod batch;
mod closing;
mod holding;
mod settling;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use crate::catalog::{Catalog, CatalogError, Definition, Tariff};
use crate::event::{Event, EventKey};
use crate::plugin::{Descriptor, Digest, Problem};
use crate::pricer::{Pricer, PricerError};
use crate::rating::terms::Terms;
use crate::store::{Commit, Outcome, Store, StoreError, Ticket};

use ahead::{Ahead, Remembered};
pub use closing::Closed;
pub use holding::Retried;
pub(crate) use holding::parse_again;
pub(crate) use settling::Settling;

/// How often a batch is rated again because another writer came first.
const ATTEMPTS_MAX: usize = 100;

/// Why the engine could not do something.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store is full, failed, or is unreadable.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A plugin was refused, or could not be run where its answer was needed.
    #[error(transparent)]
    Pricer(#[from] PricerError),
    /// A definition was refused.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A tariff's settings are wrong.
    #[error("the settings of tariff {tariff:?} are wrong: {}", list(.problems))]
    Settings {
        /// The tariff's id.
        tariff: String,
        /// What is wrong.
        problems: Vec<Problem>,
    },
    /// No app of this name is defined.
    #[error("no app {0:?} is defined")]
    UndefinedApp(String),
    /// A sum in the ledger does not fit.
    #[error("a sum of the ledger is out of range")]
    LedgerFull,
    /// A period cannot be closed.
    #[error("{0}")]
    NotClosable(String),
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What the engine answers for one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// New, and now durable.
    Accepted(Arc<Outcome>),
    /// Known already; the first one stands.
    Duplicate {
        /// The first one said something else.
        conflict: bool,
    },
    /// Its app is not defined; nothing was kept.
    Undefined,
}

/// Prices events, keeps the counters and the ledger, closes periods.
pub struct Engine {
    store: Arc<dyn Store>,
    pricer: Arc<dyn Pricer>,
    state: Mutex<State>,
}

/// What one batch after the other is decided from. Decisions are made one at a time; commits overlap.
#[derive(Default)]
struct State {
    catalog: Catalog,
    plugins: FxHashMap<Digest, Arc<Descriptor>>,
    /// By tariff id; or why the tariff cannot be used.
    terms: FxHashMap<String, Result<Arc<Terms>, String>>,
    ahead: Ahead,
}

impl Engine {
    /// An engine over what a store holds.
    ///
    /// # Errors
    /// When the store cannot be read or its definitions contradict each other.
    pub fn open(store: Arc<dyn Store>, pricer: Arc<dyn Pricer>) -> Result<Self, EngineError> {
        let mut state = State::default();
        for definition in store.definitions()? {
            state.catalog.define(&definition)?;
        }
        let engine = Self { store, pricer, state: Mutex::new(state) };
        let mut state = engine.lock();
        let tariffs: Vec<Arc<Tariff>> = state.catalog.tariffs().map(Arc::clone).collect();
        for tariff in tariffs {
            engine.use_tariff(&mut state, &tariff)?;
        }
        drop(state);
        Ok(engine)
    }

    /// Takes a plugin in and keeps it: any charge it makes can be executed again.
    ///
    /// # Errors
    /// When the component is no pricing plugin, or the store fails.
    pub fn add_plugin(&self, component: &[u8]) -> Result<(Digest, Arc<Descriptor>), EngineError> {
        let (digest, descriptor) = self.pricer.admit(component)?;
        self.store.keep_plugin(&digest, component)?;
        let descriptor = Arc::new(descriptor);
        self.lock().plugins.insert(digest, Arc::clone(&descriptor));
        Ok((digest, descriptor))
    }

    /// Defines something. Defining the same again changes nothing.
    ///
    /// # Errors
    /// When it refers to what is not defined, contradicts a tariff, or has wrong settings.
    pub fn define(&self, definition: &Definition) -> Result<(), EngineError> {
        let mut state = self.lock();
        state.catalog.check(definition)?;
        if let Definition::Tariff(tariff) = definition {
            let problems = self.pricer.check(&tariff.plugin, &tariff.settings)?;
            if !problems.is_empty() {
                return Err(EngineError::Settings { tariff: tariff.id.clone(), problems });
            }
        }
        self.store.define(std::slice::from_ref(definition))?;
        state.catalog.define(definition)?;
        match definition {
            Definition::Tariff(tariff) => self.use_tariff(&mut state, &Arc::new(tariff.clone())),
            Definition::App(app) => self.use_tariffs_of(&mut state, &app.id),
            _ => Ok(()),
        }
    }

    /// The definitions in force.
    pub fn catalog(&self) -> Catalog {
        self.lock().catalog.clone()
    }

    /// The terms of a tariff, if it can be used.
    pub fn terms(&self, tariff: &str) -> Option<Arc<Terms>> {
        self.lock().terms.get(tariff)?.as_ref().ok().map(Arc::clone)
    }

    /// Where everything is kept.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// What runs the plugins.
    pub fn pricer(&self) -> &dyn Pricer {
        &*self.pricer
    }

    /// Rates a batch of events, in order, and answers once all of it is durable.
    ///
    /// # Errors
    /// When the store fails: then nothing of the batch is kept, and sending it again is safe.
    pub fn record(&self, events: &[Arc<Event>]) -> Result<Vec<Receipt>, EngineError> {
        self.submit(events)?.wait()
    }

    /// Rates a batch of events, in order, and hands it over to be written. The next batch may be submitted
    /// before this one is durable: it is rated from this one's counters.
    ///
    /// # Errors
    /// When the store fails or has too much waiting; then nothing of the batch is kept.
    pub fn submit(&self, events: &[Arc<Event>]) -> Result<Pending<'_>, EngineError> {
        let mut state = self.lock();
        let mut sorted = self.tell_apart(&state, events)?;
        let decided = batch::decide(&mut state, &*self.store, &*self.pricer, &sorted.fresh)?;
        let outcomes: Vec<Arc<Outcome>> = decided.outcomes.into_iter().map(Arc::new).collect();
        let mut accepted = outcomes.iter();
        let receipts = sorted.receipts.drain(..).map(|receipt| match receipt {
            Some(receipt) => receipt,
            None => {
                accepted.next().map_or(Receipt::Undefined, |outcome| Receipt::Accepted(Arc::clone(outcome)))
            }
        });
        let receipts = receipts.collect();
        let events_and_outcomes = sorted.fresh.iter().cloned().zip(outcomes).collect();
        let commit = Commit { events: events_and_outcomes, ..decided.commit };
        let remembered = Remembered::of(&commit);
        let ticket = self.store.submit(commit)?;
        state.ahead.remember(remembered);
        drop(state);
        let Sorted { fresh, leans_on, .. } = sorted;
        Ok(Pending { engine: self, ticket, events: events.to_vec(), receipts, fresh, leans_on })
    }

    /// Tells new events from known ones. The first of a key wins.
    fn tell_apart(&self, state: &State, events: &[Arc<Event>]) -> Result<Sorted, EngineError> {
        let mut sorted = Sorted::default();
        let mut in_batch: FxHashMap<&EventKey, &Event> = FxHashMap::default();
        let mut asked: Vec<&Arc<Event>> = Vec::with_capacity(events.len());
        for event in events {
            let on_its_way = state.ahead.in_flight(&event.key);
            let earlier = on_its_way.or_else(|| in_batch.get(&event.key).map(|earlier| earlier.fingerprint));
            let receipt = match earlier {
                Some(fingerprint) => {
                    if on_its_way.is_some() {
                        sorted.leans_on.push(event.key.clone());
                    }
                    Some(Receipt::Duplicate { conflict: fingerprint != event.fingerprint })
                }
                None if state.catalog.app(&event.key.app).is_none() => Some(Receipt::Undefined),
                None => {
                    in_batch.insert(&event.key, event);
                    asked.push(event);
                    None
                }
            };
            sorted.receipts.push(receipt);
        }
        let keys: Vec<&EventKey> = asked.iter().map(|event| &event.key).collect();
        let mut found = self.store.find(&keys)?.into_iter().zip(asked);
        for receipt in sorted.receipts.iter_mut().filter(|receipt| receipt.is_none()) {
            match found.next() {
                Some((Some(known), event)) => {
                    let conflict = known.fingerprint != event.fingerprint;
                    *receipt = Some(Receipt::Duplicate { conflict });
                }
                Some((None, event)) => sorted.fresh.push(Arc::clone(event)),
                None => return Err(StoreError::Corrupt("it answered fewer events than asked".into()).into()),
            }
        }
        Ok(sorted)
    }

    /// Commits what was decided while `state` was held, and waits.
    fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        self.store.submit(commit)?.wait()
    }

    fn use_tariffs_of(&self, state: &mut State, app: &str) -> Result<(), EngineError> {
        let of_app = state.catalog.tariffs().filter(|tariff| tariff.app == app);
        let tariffs: Vec<Arc<Tariff>> = of_app.map(Arc::clone).collect();
        tariffs.iter().try_for_each(|tariff| self.use_tariff(state, tariff))
    }

    /// Makes a tariff ready. One whose plugin does not load any more is kept with the reason: its events
    /// are held, and everybody else's go on.
    fn use_tariff(&self, state: &mut State, tariff: &Arc<Tariff>) -> Result<(), EngineError> {
        let descriptor = match state.plugins.get(&tariff.plugin) {
            Some(descriptor) => Ok(Arc::clone(descriptor)),
            None => self.load_plugin(&tariff.plugin)?,
        };
        let app = state.catalog.app(&tariff.app).map(Arc::clone);
        let app = app.ok_or_else(|| EngineError::UndefinedApp(tariff.app.clone()))?;
        let terms = descriptor.and_then(|descriptor| {
            state.plugins.insert(tariff.plugin, Arc::clone(&descriptor));
            Terms::new(&app, tariff, &descriptor).map(Arc::new).map_err(|error| error.to_string())
        });
        state.terms.insert(tariff.id.clone(), terms);
        Ok(())
    }

    fn load_plugin(&self, digest: &Digest) -> Result<Result<Arc<Descriptor>, String>, StoreError> {
        let Some(component) = self.store.plugin(digest)? else {
            return Ok(Err(format!("plugin {digest} is not in the store")));
        };
        let admitted = self.pricer.admit(&component);
        Ok(admitted.map(|(_, descriptor)| Arc::new(descriptor)).map_err(|error| error.to_string()))
    }

    /// The state, also after a panic in another thread: what it remembers is only a hint (see `ahead`).
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A batch told apart.
#[derive(Default)]
struct Sorted {
    /// Of each event; `None` for a new one.
    receipts: Vec<Option<Receipt>>,
    /// The new ones, in order.
    fresh: Vec<Arc<Event>>,
    /// Duplicates of events that are on their way: their answer depends on those arriving.
    leans_on: Vec<EventKey>,
}

/// A batch that has been rated and is being written.
#[must_use = "nothing is acknowledged before `wait` returns"]
pub struct Pending<'e> {
    engine: &'e Engine,
    ticket: Box<dyn Ticket>,
    events: Vec<Arc<Event>>,
    receipts: Vec<Receipt>,
    fresh: Vec<Arc<Event>>,
    leans_on: Vec<EventKey>,
}

impl Pending<'_> {
    /// Waits until the batch is durable. Should another writer have come first, it is rated again.
    ///
    /// # Errors
    /// When the store fails: then nothing of the batch is kept, and sending it again is safe.
    pub fn wait(self) -> Result<Vec<Receipt>, EngineError> {
        let mut pending = self;
        for _ in 0..ATTEMPTS_MAX {
            let Self { engine, ticket, events, receipts, fresh, leans_on } = pending;
            match ticket.wait() {
                Ok(()) => {
                    engine.lock().ahead.landed(fresh.iter());
                    if engine.all_there(&leans_on)? {
                        return Ok(receipts);
                    }
                }
                Err(StoreError::Stale(_)) => engine.lock().ahead.forget(),
                Err(error) => {
                    engine.lock().ahead.forget();
                    return Err(error.into());
                }
            }
            pending = engine.submit(&events)?;
        }
        Err(StoreError::Stale("other writers came first too often".to_owned()).into())
    }
}

impl Engine {
    fn all_there(&self, keys: &[EventKey]) -> Result<bool, StoreError> {
        let keys: Vec<&EventKey> = keys.iter().collect();
        Ok(keys.is_empty() || self.store.find(&keys)?.iter().all(Option::is_some))
    }
}
