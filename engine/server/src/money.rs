//! Moves money on: asks payment providers for what is due, and takes in what they say.
//!
//! Which step comes next and what is booked is the core's affair. Here providers are known by name, and their
//! calls, which may take long, are kept off the async threads, a few at a time. A step may be made twice, by the
//! clock and by a message at once: nothing is booked or sent twice.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tollgate_core::engine::{Engine, EngineError, PayoutKey};
use tollgate_core::payment::{
    Intent, Nudge, Payment, PaymentProvider, ProviderError, RefundIntent, Reported, Seen, SeenTransfer,
    Started, TransferIntent,
};
use tollgate_core::payout::{Destination, Payout, PayoutState};

use crate::backend::Backend;
use crate::problem::Problem;

/// Steps that wait for a provider at once. The rest wait their turn.
const STEPS_MAX: usize = 16;
/// Payments, and payouts, that are looked at in one round.
const DUE_MAX: usize = 256;
/// How long a request waits for a provider. The step goes on without it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Prints what a payout is made of: a page of HTML that needs nothing else.
pub type PrintRemittance = dyn Fn(&Engine, &PayoutKey, &Payout) -> Result<String, EngineError> + Send + Sync;

/// Who moves money, and who tells of it on paper.
pub(crate) struct Money {
    providers: OnceLock<BTreeMap<String, Arc<dyn PaymentProvider>>>,
    remittance: OnceLock<Arc<PrintRemittance>>,
    steps: Arc<Semaphore>,
}

impl fmt::Debug for Money {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Money").field(&self.names()).finish()
    }
}

/// What can be taken a step on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A payment: the app and the id.
    Payment(String, String),
    /// A payout.
    Payout(PayoutKey),
}

/// How far a step has taken it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stepped {
    Payment(Box<Payment>),
    Payout(Box<Payout>),
}

impl Money {
    pub(crate) fn new() -> Self {
        let (providers, remittance) = (OnceLock::new(), OnceLock::new());
        Self { providers, remittance, steps: Arc::new(Semaphore::new(STEPS_MAX)) }
    }

    /// Whoever is given first stays.
    pub(crate) fn pay_through(&self, providers: Vec<Arc<dyn PaymentProvider>>) {
        let by_name = providers.into_iter().map(|provider| (provider.name().to_owned(), provider));
        let _ = self.providers.set(by_name.collect());
    }

    pub(crate) fn print_remittances(&self, print: Arc<PrintRemittance>) {
        let _ = self.remittance.set(print);
    }

    pub(crate) fn remittance(&self) -> Option<Arc<PrintRemittance>> {
        self.remittance.get().map(Arc::clone)
    }

    pub(crate) fn provider(&self, name: &str) -> Option<Arc<dyn PaymentProvider>> {
        self.providers.get().and_then(|providers| providers.get(name)).map(Arc::clone)
    }

    /// The names of the providers, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.providers.get().map(|providers| providers.keys().cloned().collect()).unwrap_or_default()
    }

    fn step(&self, engine: &Engine, subject: &Subject, now: i64) -> Result<Stepped, EngineError> {
        match subject {
            Subject::Payment(app, id) => {
                let name = engine.payment(app, id)?.map(|payment| payment.provider).unwrap_or_default();
                let provider = self.provider_or_none(&name);
                let payment = engine.advance_payment(app, id, &*provider, now)?;
                Ok(Stepped::Payment(Box::new(payment)))
            }
            Subject::Payout(key) => {
                let payout = engine.payout(key)?;
                let name = payout.and_then(|payout| match payout.destination {
                    Some(Destination::Account { provider, .. }) => Some(provider),
                    _ => None,
                });
                let provider = self.provider_or_none(&name.unwrap_or_default());
                let payout = engine.advance_payout(key, &*provider, now)?;
                Ok(Stepped::Payout(Box::new(payout)))
            }
        }
    }

    fn provider_or_none(&self, name: &str) -> Arc<dyn PaymentProvider> {
        self.provider(name).unwrap_or_else(|| Arc::new(Absent(name.to_owned())))
    }
}

impl Backend {
    /// Takes a payment or a payout a step on, and waits until that is done.
    ///
    /// # Errors
    /// 404 when it is not there, 503 when the store fails.
    pub(crate) async fn advance(self: &Arc<Self>, subject: Subject) -> Result<Stepped, Problem> {
        let turn = Arc::clone(&self.money.steps).acquire_owned().await.map_err(|_| Problem::internal())?;
        let backend = Arc::clone(self);
        let work = move || {
            let _turn = turn;
            let now = jiff::Timestamp::now().as_millisecond();
            backend.money.step(backend.engine(), &subject, now)
        };
        let stepped = tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())??;
        self.telemetry.money().stepped(&stepped);
        Ok(stepped)
    }

    /// The same, as far as a request can wait for it: `None` when it goes on without the request.
    pub(crate) async fn advance_soon(self: &Arc<Self>, subject: Subject) -> Result<Option<Stepped>, Problem> {
        let backend = Arc::clone(self);
        let step = tokio::spawn(async move { backend.advance(subject).await });
        match tokio::time::timeout(PATIENCE, step).await {
            Ok(done) => done.unwrap_or_else(|_| Err(Problem::internal())).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// What a provider's message, as received, is about. Reading it may ask the provider.
    ///
    /// # Errors
    /// As the provider says.
    pub(crate) async fn read_message(
        &self,
        provider: Arc<dyn PaymentProvider>,
        signature: String,
        body: Vec<u8>,
    ) -> Result<Nudge, ProviderError> {
        let lost = || ProviderError::Unavailable("the message could not be read".to_owned());
        let turn = Arc::clone(&self.money.steps).acquire_owned().await.map_err(|_| lost())?;
        let work = move || {
            let _turn = turn;
            provider.read_message(&signature, &body, jiff::Timestamp::now().as_millisecond())
        };
        let read = tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await;
        read.map_err(|_| lost())?.unwrap_or_else(|_| Err(lost()))
    }
}

/// Advances what is due, again and again, until it is dropped. Steps that have begun go on to their end.
pub(crate) async fn keep_moving(backend: &Arc<Backend>) -> Infallible {
    let mut ticks = interval(backend.config.money_interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mut steps = JoinSet::new();
        for subject in due(backend).await {
            let backend = Arc::clone(backend);
            steps.spawn(async move {
                if let Err(problem) = backend.advance(subject.clone()).await {
                    tracing::error!(
                        ?subject,
                        ?problem,
                        "it could not be taken a step on; it will be tried again"
                    );
                }
            });
        }
        while steps.join_next().await.is_some() {}
    }
}

async fn due(backend: &Arc<Backend>) -> Vec<Subject> {
    let at_work = Arc::clone(backend);
    let found = tokio::task::spawn_blocking(move || {
        let (engine, now) = (at_work.engine(), jiff::Timestamp::now().as_millisecond());
        let payments =
            engine.payments_due(now, DUE_MAX)?.into_iter().map(|(app, id)| Subject::Payment(app, id));
        let payouts = engine.payouts_due(now, DUE_MAX)?.into_iter().map(Subject::Payout);
        Ok::<Vec<Subject>, EngineError>(payments.chain(payouts).collect())
    });
    let why = match found.await {
        Ok(Ok(due)) => return due,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it panicked".to_owned(),
    };
    tracing::error!(why, "what is due to payment providers could not be told, and will be tried again");
    backend.telemetry.standing().housekeeping_failed("money");
    Vec::new()
}

/// The name of a payout's provider transfer, as a provider's message gives it back.
pub(crate) fn payout_of(transfer: &str) -> Option<PayoutKey> {
    let (builder, period, currency) = serde_json::from_str(transfer).ok()?;
    Some(PayoutKey { builder, period, currency })
}

impl Stepped {
    /// A stable word for how far it has come.
    pub(crate) fn state(&self) -> &'static str {
        use tollgate_core::payment::PaymentState;
        match self {
            Self::Payment(payment) => match payment.state {
                PaymentState::Requested => "requested",
                PaymentState::Pending => "pending",
                PaymentState::Succeeded { .. } => "succeeded",
                PaymentState::Failed { .. } => "failed",
            },
            Self::Payout(payout) => PayoutState::code(&payout.state),
        }
    }

    /// What was taken on.
    pub(crate) fn what(&self) -> &'static str {
        match self {
            Self::Payment(_) => "payment",
            Self::Payout(_) => "payout",
        }
    }
}

/// A provider that this server does not have: what is due to it waits, less and less often asked for.
struct Absent(String);

impl Absent {
    fn refusal<T>(&self) -> Result<T, ProviderError> {
        Err(ProviderError::Unavailable(format!("this server has no payment provider {:?}", self.0)))
    }
}

impl PaymentProvider for Absent {
    fn name(&self) -> &str {
        &self.0
    }

    fn start(&self, _: &Intent) -> Result<Started, ProviderError> {
        self.refusal()
    }

    fn look_up(&self, _: &Intent, _: Option<&str>) -> Result<Option<Seen>, ProviderError> {
        self.refusal()
    }

    fn refund(&self, _: &RefundIntent) -> Result<(), ProviderError> {
        self.refusal()
    }

    fn transfer(&self, _: &TransferIntent) -> Result<SeenTransfer, ProviderError> {
        self.refusal()
    }

    fn look_up_transfer(&self, _: &TransferIntent) -> Result<Option<SeenTransfer>, ProviderError> {
        self.refusal()
    }

    fn read_message(&self, _: &str, _: &[u8], _: i64) -> Result<Nudge, ProviderError> {
        self.refusal()
    }

    fn report(&self, _: i64, _: i64) -> Result<Vec<Reported>, ProviderError> {
        self.refusal()
    }
}
