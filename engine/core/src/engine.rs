//! The control flow: an event comes in, a charge goes out, and nothing in between is lost or done twice.
//!
//! Read [`Engine::submit`] from top to bottom. It must not know who calls it, where things are kept or how
//! plugins run.

mod ahead;
mod authorizing;
mod batch;
mod breaker;
mod closing;
mod dedupe;
mod defining;
mod desk;
mod error;
mod expiring;
mod explaining;
mod funding;
mod holding;
mod paying;
mod paying_out;
mod pending;
mod posting;
mod publishing;
mod quoting;
mod reconciling;
mod refunding;
mod rulebook;
mod settling;
mod telling;
mod voiding;
mod wallets;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::event::Event;
use crate::plugin::{Descriptor, Digest};
use crate::pricer::Pricer;
use crate::store::{Commit, Outcome, Store, StoreError, Ticket};

use ahead::Remembered;
pub use authorizing::{Authorization, AuthorizationRequest, PendingAuthorizations, Remaining};
use breaker::Breakers;
pub use breaker::{FAILURES_MAX, Suspended};
pub use closing::Closed;
use dedupe::Sorted;
pub use defining::Defined;
use desk::Desk;
pub use error::{EngineError, MoneyRefusal};
pub use expiring::Expired;
pub use explaining::{Explained, Reproduced};
pub use holding::Retried;
pub use paying::PaymentRequest;
pub use paying_out::{BANK, PayoutKey, Planned, PlannedPayout, Skipped};
pub use pending::Pending;
pub use quoting::{Denial, Quote};
pub use reconciling::{Difference, Reconciliation};
pub(crate) use refunding::Refunds;
pub use refunding::{RefundRequest, Refunded};
pub use rulebook::Rulebook;
pub(crate) use settling::Settling;
pub use voiding::VoidReceipt;
pub use wallets::Granted;

/// How often something is worked out again because another writer came first.
const ATTEMPTS_MAX: usize = 100;

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
    /// What batches are rated by.
    rules: RwLock<Arc<Rulebook>>,
    /// How many definitions the store has, or is about to have, as far as this engine knows.
    defined: AtomicU64,
    /// Held while a definition is made, which rating need not wait for.
    defining: Mutex<()>,
    /// Where one decision after the other is made; commits overlap.
    desk: Desk,
    breakers: Mutex<Breakers>,
}

impl Engine {
    /// An engine over what a store holds.
    ///
    /// # Errors
    /// When the store cannot be read or its definitions contradict each other.
    pub fn open(store: Arc<dyn Store>, pricer: Arc<dyn Pricer>) -> Result<Self, EngineError> {
        let (rules, defined, defining, desk, breakers) = Default::default();
        let engine = Self { store, pricer, rules, defined, defining, desk, breakers };
        engine.catch_up()?;
        Ok(engine)
    }

    /// What a plugin says of itself; `None` when there is none of this digest.
    ///
    /// # Errors
    /// When the plugin does not load any more or the store fails.
    pub fn descriptor(&self, plugin: &Digest) -> Result<Option<Arc<Descriptor>>, EngineError> {
        if let Some(descriptor) = self.rules().descriptor(plugin) {
            return Ok(Some(Arc::clone(descriptor)));
        }
        let Some(component) = self.store.plugin(plugin)? else { return Ok(None) };
        let (digest, descriptor) = self.pricer.admit(&component)?;
        // What was damaged may still be some plugin.
        if digest != *plugin {
            let reason = format!("the component of plugin {plugin} is not the one that was kept");
            return Err(StoreError::Corrupt(reason).into());
        }
        let descriptor = Arc::new(descriptor);
        self.change_rules(|rules| rules.load(digest, Arc::clone(&descriptor)));
        Ok(Some(descriptor))
    }

    /// The definitions in force, as of now.
    pub fn rules(&self) -> Arc<Rulebook> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the rules for whoever asks from now on. What batches are being rated by stays as it is.
    fn change_rules<T>(&self, change: impl FnOnce(&mut Rulebook) -> T) -> T {
        let mut rules = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut rules))
    }

    /// The tariffs whose plugins are not run for now, each with the reason.
    pub fn suspended(&self) -> Suspended {
        lock(&self.breakers).suspended()
    }

    /// Lets those suspended tariffs be tried again that are meant: on the next event of each that is recorded or
    /// retried.
    pub fn try_suspended(&self, is_meant: impl Fn(&str) -> bool) {
        lock(&self.breakers).try_again(is_meant);
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
    /// When the store fails: nothing of the batch is kept, or, as the error then says, that is not known. Sending it
    /// again is safe.
    pub fn record(&self, events: &[Arc<Event>]) -> Result<Vec<Receipt>, EngineError> {
        self.submit(events)?.wait()
    }

    /// Rates a batch of events, in order, and hands it over to be written. The next batch may be submitted
    /// before this one is durable: it is rated from this one's counters.
    ///
    /// # Errors
    /// When the store fails or has too much waiting; then nothing of the batch is kept.
    pub fn submit(&self, events: &[Arc<Event>]) -> Result<Pending<'_>, EngineError> {
        let rules = self.rules();
        let suspended = self.suspended();
        let (store, desk) = (&*self.store, &self.desk);
        let turn = desk.turn();
        let mut ahead = desk.ahead();
        if ahead.is_large() {
            // What is forgotten must be in the store, where it is read from next.
            self.flush()?;
            ahead.forget();
        }
        drop(ahead);
        let mut sorted = self.tell_apart(&rules, events)?;
        let closed = &mut |app: &str| desk.ahead().closed(store, app);
        let mut placed = batch::place(&rules, &suspended, closed, &sorted.fresh)?;
        let source = desk.latest(store);
        let (decided, funding, mut ahead) =
            placed.decide_covered(&*self.pricer, &source, store, || desk.ahead())?;
        placed.teach(&self.breakers, &decided.outcomes);
        let (statements, balances) = placed.settle(&decided.outcomes).ok_or(EngineError::LedgerFull)?;
        let notices = self.troubles(&rules, &sorted.fresh, &decided.outcomes);
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
        let commit = Commit { events: events_and_outcomes, statements, balances, notices, ..decided.commit };
        let (commit, books) = funding.finish()?.add_to(commit)?;
        let remembered = Remembered::of(&commit, books);
        let ticket = self.hand_over(commit)?;
        ahead.remember(remembered);
        drop((ahead, turn));
        let Sorted { fresh, leans_on, .. } = sorted;
        Ok(Pending { engine: self, ticket, events: events.to_vec(), receipts, fresh, leans_on })
    }

    /// Hands over what was decided; refused once others have defined something that this engine does not know.
    fn hand_over(&self, commit: Commit) -> Result<Box<dyn Ticket>, StoreError> {
        let defined = Some(self.defined.load(Ordering::Acquire));
        self.store.submit(Commit { defined, ..commit })
    }

    /// Commits what was decided while `ahead` was held, and waits.
    fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        self.hand_over(commit)?.wait()
    }

    /// Waits until everything handed over so far has arrived.
    fn flush(&self) -> Result<(), StoreError> {
        self.store.submit(Commit::default())?.wait()
    }

    /// Decides with everything durable and nothing else on its way, and commits what was decided, if anything
    /// is to be. Decides again when another writer came first.
    fn alone<T>(
        &self,
        mut decide: impl FnMut(&Rulebook) -> Result<(T, Option<Commit>), EngineError>,
    ) -> Result<T, EngineError> {
        for _ in 0..ATTEMPTS_MAX {
            let rules = self.rules();
            let mut ahead = self.desk.alone();
            // Everything on its way arrives before this.
            self.flush()?;
            ahead.forget();
            let (answer, commit) = decide(&rules)?;
            let Some(commit) = commit else { return Ok(answer) };
            let committed = self.commit(commit);
            ahead.forget();
            match committed {
                Err(StoreError::Stale(_)) => self.catch_up()?,
                committed => return Ok(committed.map(|()| answer)?),
            }
        }
        Err(outrun())
    }
}

/// Other writers came first, every time.
fn outrun() -> EngineError {
    StoreError::Stale("other writers came first too often".to_owned()).into()
}

/// Locks, also after a panic in another thread: what the engine remembers is only a hint (see `ahead`).
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
