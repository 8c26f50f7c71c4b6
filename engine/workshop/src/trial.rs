//! A plugin on the workbench: the sandbox and the engine that price for customers price here, over a store in
//! memory, and every call is measured. What is tried is what runs.

mod events;
mod pricer;
mod world;

pub use events::{EventsError, read_events};
pub use pricer::Answers;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tollgate_core::{
    charge::Charge,
    engine::{Engine, EngineError, Receipt},
    event::Event,
    period::Period,
    plugin::{Descriptor, Digest, Problem},
    price_book::PriceBook,
    pricer::{Pricer, PricerError},
    store::{ClosingCharge, HoldCause, HoldReason, Outcome},
};
use tollgate_sandbox::{Call, Compiler, Limits, LogLine, Sandbox, SandboxConfig};

/// The currency where no price book says one.
const CURRENCY: &str = "USD";

/// How plugins are compiled here, and where compiled code is kept.
#[derive(Clone, Default)]
pub struct Workbench {
    /// Who compiles; this process, unless told otherwise: an author's own plugin is trusted.
    pub compiler: Option<Compiler>,
    /// Where compiled code is kept between runs.
    pub cache_directory: Option<PathBuf>,
}

/// A plugin that the sandbox has admitted.
pub struct Plugin {
    sandbox: Arc<Sandbox>,
    heard: Arc<Heard>,
    digest: Digest,
    descriptor: Descriptor,
}

/// What the sandbox told of the calls since it was last asked.
#[derive(Default)]
struct Heard {
    calls: Mutex<Vec<Call>>,
    lines: Mutex<Vec<LogLine>>,
    /// Time in the sandbox so far.
    nanoseconds: AtomicU64,
}

impl Workbench {
    /// Takes a plugin in.
    ///
    /// # Errors
    /// When the sandbox refuses it, or cannot start.
    pub fn load(&self, component: &[u8]) -> Result<Plugin, PricerError> {
        let heard = Arc::new(Heard::default());
        let (calls, lines) = (Arc::clone(&heard), Arc::clone(&heard));
        let sandbox = Sandbox::new(SandboxConfig {
            compiler: self.compiler.clone().unwrap_or(Compiler::InProcess),
            cache_directory: self.cache_directory.clone(),
            on_call: Some(Arc::new(move |call| locked(&calls.calls).push(call.clone()))),
            on_log: Some(Arc::new(move |line| locked(&lines.lines).push(line.clone()))),
            ..SandboxConfig::default()
        })?;
        let (digest, descriptor) = sandbox.admit(component)?;
        Ok(Plugin { sandbox: Arc::new(sandbox), heard, digest, descriptor })
    }
}

impl Plugin {
    /// What it says of itself.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// `name version`, as messages carry it.
    pub fn label(&self) -> String {
        format!("{} {}", self.descriptor.name, self.descriptor.version)
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// The limits it runs within.
    pub fn limits(&self) -> Limits {
        Limits::default()
    }

    /// Settings for it, which it has accepted.
    ///
    /// # Errors
    /// The problems that the schema or the plugin's own check finds.
    pub fn with_settings(&self, settings: &str) -> Result<Trial<'_>, TrialError> {
        let problems = self.sandbox.check(&self.digest, settings).map_err(TrialError::Plugin)?;
        if problems.is_empty() {
            return Ok(Trial {
                plugin: self,
                settings: settings.to_owned(),
                prices: None,
                parents: Parents::new(),
            });
        }
        Err(TrialError::Settings(problems))
    }

    /// The calls since this was last asked.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *locked(&self.heard.calls))
    }

    /// The lines it logged since this was last asked.
    pub fn take_log(&self) -> Vec<LogLine> {
        std::mem::take(&mut *locked(&self.heard.lines))
    }
}

/// A plugin with settings, ready to price.
#[derive(Clone)]
pub struct Trial<'p> {
    plugin: &'p Plugin,
    settings: String,
    prices: Option<PriceBook>,
    parents: Parents,
}

/// Customers and the parents that their pooled units are counted for.
pub type Parents = BTreeMap<String, String>;

/// What came of a period of events.
#[derive(Debug, Clone)]
pub struct PeriodRun {
    /// One for each event, in their order.
    pub outcomes: Vec<Priced>,
    /// One for each batch.
    pub batches: Vec<BatchCost>,
    /// What closing the periods charged; empty when nothing was due or they were left open.
    pub closing: Vec<ClosingCharge>,
    /// What closing took.
    pub close_fuel: u64,
}

/// One event with what it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    /// The event.
    pub event: Arc<Event>,
    /// Its charge, or why it waits.
    pub outcome: Arc<Outcome>,
}

/// What one batch took.
#[derive(Debug, Clone, Copy)]
pub struct BatchCost {
    /// How many events it had.
    pub events: usize,
    /// Time in the sandbox: making the instance and calling it.
    pub nanoseconds: u64,
    /// Fuel of all its calls.
    pub fuel: u64,
    /// The part of its budget that the costliest call burnt, in hundredths.
    pub fuel_percent: u64,
    /// Bytes of memory that its instance had in the end.
    pub memory_bytes: usize,
}

/// Why something could not be tried.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // The messages say what each is.
pub enum TrialError {
    #[error("{}", listed(.0))]
    Settings(Vec<Problem>),
    #[error("{0}")]
    Plugin(PricerError),
    #[error("two events have the id {0:?}; an event is known by its id, so give each one of its own")]
    SameId(String),
    #[error("the period {period} cannot be closed: {reason}")]
    Close { period: Period, reason: String },
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Trial<'_> {
    /// The same with a price book: events that report no cost of their own then cost what it says, or wait.
    /// Without one they cost the network nothing.
    #[must_use]
    pub fn with_prices(self, prices: PriceBook) -> Self {
        Self { prices: Some(prices), ..self }
    }

    /// The same where these customers have parents, and no others.
    #[must_use]
    pub fn with_parents(self, parents: Parents) -> Self {
        Self { parents, ..self }
    }

    /// Whether events that report no cost of their own cost what a price book says.
    pub(crate) fn has_prices(&self) -> bool {
        self.prices.is_some()
    }

    /// The currency of what it charges: the price book's, or US dollars.
    pub fn currency(&self) -> &str {
        self.prices.as_ref().map_or(CURRENCY, PriceBook::currency)
    }

    /// The settings.
    pub fn settings(&self) -> &str {
        &self.settings
    }

    /// The plugin.
    pub fn plugin(&self) -> &Plugin {
        self.plugin
    }

    /// Prices events, batch by batch, in a world where nothing has happened before; then closes their periods.
    ///
    /// # Errors
    /// When an id occurs twice, the close gets no answer, or the engine fails.
    pub fn period(&self, batches: &[&[Arc<Event>]], answers: Answers) -> Result<PeriodRun, TrialError> {
        let (engine, mut run) = self.open_period(batches, answers)?;
        self.plugin.take_calls();
        for (app, period) in periods(&run.outcomes) {
            let closed = engine.close(&app, period).map_err(|error| TrialError::Close {
                period,
                reason: match error {
                    EngineError::NotClosable(reason) => reason,
                    other => other.to_string(),
                },
            })?;
            run.closing.extend(closed.charges);
        }
        run.close_fuel = self.plugin.take_calls().iter().map(|call| call.fuel).sum();
        Ok(run)
    }

    /// The same, but leaves the periods open.
    ///
    /// # Errors
    /// When an id occurs twice or the engine fails.
    pub fn events(&self, batches: &[&[Arc<Event>]], answers: Answers) -> Result<PeriodRun, TrialError> {
        self.open_period(batches, answers).map(|(_, run)| run)
    }

    fn open_period(
        &self,
        batches: &[&[Arc<Event>]],
        answers: Answers,
    ) -> Result<(Engine, PeriodRun), TrialError> {
        let engine = self.engine(batches, answers)?;
        let mut run =
            PeriodRun { outcomes: Vec::new(), batches: Vec::new(), closing: Vec::new(), close_fuel: 0 };
        for batch in batches {
            self.plugin.take_calls();
            let before = self.plugin.heard.nanoseconds.load(Ordering::Relaxed);
            let receipts = engine.record(batch)?;
            let after = self.plugin.heard.nanoseconds.load(Ordering::Relaxed);
            let calls = self.plugin.take_calls();
            let part = |call: &Call| call.fuel.saturating_mul(100) / call.fuel_max.max(1);
            run.batches.push(BatchCost {
                events: batch.len(),
                nanoseconds: after.saturating_sub(before),
                fuel: calls.iter().map(|call| call.fuel).sum(),
                fuel_percent: calls.iter().map(part).max().unwrap_or(0),
                memory_bytes: calls.iter().map(|call| call.memory_bytes).max().unwrap_or(0),
            });
            for (event, receipt) in batch.iter().zip(receipts) {
                let outcome = match receipt {
                    Receipt::Accepted(outcome) => outcome,
                    Receipt::Duplicate { .. } => return Err(TrialError::SameId(event.key.id.clone())),
                    Receipt::Undefined => return Err(EngineError::UndefinedApp(event.key.app.clone()).into()),
                };
                run.outcomes.push(Priced { event: Arc::clone(event), outcome });
            }
        }
        Ok((engine, run))
    }
}

impl Priced {
    /// Its charge, unless it waits.
    pub fn charge(&self) -> Option<&Charge> {
        match &*self.outcome {
            Outcome::Rated(charge) => Some(charge),
            Outcome::Held(_) => None,
        }
    }

    /// Why it waits, if it does.
    pub fn held(&self) -> Option<&HoldReason> {
        match &*self.outcome {
            Outcome::Rated(_) => None,
            Outcome::Held(reason) => Some(reason),
        }
    }

    /// Why it waits, in the plugin's own words where it said so itself.
    pub fn reason(&self, plugin: &str) -> Option<String> {
        self.held().map(|reason| match reason.cause {
            HoldCause::Fault => {
                let said = reason.message.strip_prefix(plugin).and_then(|rest| rest.strip_prefix(": "));
                said.unwrap_or(&reason.message).to_owned()
            }
            _ => reason.message.clone(),
        })
    }
}

impl PeriodRun {
    /// What one customer is charged in all, or all customers together, in nano-units.
    pub fn total(&self, customer: Option<&str>) -> i128 {
        let is_meant = |name: &str| customer.is_none_or(|customer| customer == name);
        let events = self.outcomes.iter().filter(|priced| is_meant(&priced.event.customer));
        let charged = events.filter_map(Priced::charge).map(|charge| i128::from(charge.total.nano()));
        let closed = self.closing.iter().filter(|closing| is_meant(&closing.customer));
        charged.sum::<i128>() + closed.map(|closing| i128::from(closing.charge.total.nano())).sum::<i128>()
    }
}

/// The app and period of every event that was charged, each once, in order.
fn periods(outcomes: &[Priced]) -> Vec<(String, Period)> {
    let charged = outcomes
        .iter()
        .filter_map(|priced| priced.charge().map(|charge| (priced.event.key.app.clone(), charge.period)));
    let mut periods: Vec<_> = charged.collect();
    periods.sort_unstable();
    periods.dedup();
    periods
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Locks; what a panic in another thread left is a list of finished calls.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
