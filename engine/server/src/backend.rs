//! What every route can reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SetOnce};
use tollgate_core::access::AccessStore;
use tollgate_core::engine::{Engine, Rulebook};
use tollgate_core::store::StoreError;

use crate::authorizer::Authorizer;
use crate::body::{BodyLimits, Rooms};
use crate::config::Config;
use crate::idempotency::Underway;
use crate::keys::Keyring;
use crate::limits::RateLimits;
use crate::money::Money;
use crate::problem::Problem;
use crate::recorder::Recorder;
use crate::server::ServerError;
use crate::telemetry::Telemetry;
use crate::webhooks::Webhooks;

/// Calls into the engine, beside recording and authorising, that run at once. The rest wait their turn.
const CALLS_MAX: usize = 16;
/// Walks among them that run at once, beside the calls: each may take as long as a request may.
const WALKS_MAX: usize = 2;

/// The state of all routes: `Router<Arc<Backend>>`.
#[derive(Debug)]
pub struct Backend {
    /// Takes events in.
    pub recorder: Recorder,
    /// Authorises events.
    pub(crate) authorizer: Authorizer,
    /// The server's settings.
    pub config: Config,
    /// Who may ask.
    pub keys: Keyring,
    /// Metrics and request ids.
    pub telemetry: Telemetry,
    pub(crate) rates: RateLimits,
    pub(crate) bodies: Rooms,
    pub(crate) underway: Underway,
    pub(crate) webhooks: Webhooks,
    pub(crate) money: Money,
    engine: Shared<Engine>,
    access: Shared<dyn AccessStore>,
    calls: Arc<Semaphore>,
    walks: Arc<Semaphore>,
    stopping: AtomicBool,
    /// Why the store can write nothing more, once it cannot.
    store_ended: SetOnce<String>,
}

/// What has nothing to show for debugging.
struct Shared<T: ?Sized>(Arc<T>);

impl<T: ?Sized> std::fmt::Debug for Shared<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(std::any::type_name::<T>())
    }
}

impl Backend {
    /// Starts the recorder over an engine, and reads the keys.
    ///
    /// # Errors
    /// When the operating system gives no thread, or the keys cannot be read.
    pub fn start(
        engine: Arc<Engine>,
        access: Arc<dyn AccessStore>,
        config: Config,
    ) -> Result<Self, ServerError> {
        for (tariff, reason) in engine.rules().unusable() {
            tracing::error!(tariff, reason, "the tariff cannot be used: its events are held");
        }
        let telemetry = Telemetry::new();
        Ok(Self {
            recorder: Recorder::start(Arc::clone(&engine), &config, telemetry.pipeline())?,
            authorizer: Authorizer::start(Arc::clone(&engine), telemetry.authorizations())?,
            keys: Keyring::open(Arc::clone(&access))?,
            rates: RateLimits::new(&config),
            bodies: Rooms::new(config.bodies_bytes_max),
            underway: Underway::default(),
            webhooks: Webhooks::new(&config, &telemetry),
            money: Money::new(),
            telemetry,
            config,
            engine: Shared(engine),
            access: Shared(access),
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
            walks: Arc::new(Semaphore::new(WALKS_MAX)),
            stopping: AtomicBool::new(false),
            store_ended: SetOnce::new(),
        })
    }

    /// The definitions in force. Costs nothing; what changes them goes through [`Self::call`].
    pub fn rules(&self) -> Arc<Rulebook> {
        self.engine.0.rules()
    }

    /// The engine, for where blocking is allowed; routes go through [`Self::call`].
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine.0
    }

    /// Calls the store of keys and answers where blocking is allowed.
    ///
    /// # Errors
    /// 503 when the store fails.
    pub(crate) async fn access<T, F>(&self, call: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&dyn AccessStore) -> Result<T, StoreError> + Send + 'static,
    {
        let (turn, access) = (turn(&self.calls).await?, Arc::clone(&self.access.0));
        blocking(turn, move || call(&*access).map_err(Problem::from)).await
    }

    /// Calls the engine where blocking is allowed, a few calls at a time. Everything but recording and
    /// authorising events goes through here: a store blocks, and an async thread must not. A call goes on to
    /// its end even when its request is given up.
    ///
    /// # Errors
    /// What the call fails with, as a problem; 500 when it panics.
    pub async fn call<T, E, F>(&self, call: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
        F: FnOnce(&Engine) -> Result<T, E> + Send + 'static,
    {
        let (turn, engine) = (turn(&self.calls).await?, Arc::clone(&self.engine.0));
        blocking(turn, move || call(&engine).map_err(Into::into)).await
    }

    /// As [`Self::call`], for what goes through more the more there is: a history, everything that is held. Walks
    /// have few turns, of their own, so that no quote and no read waits for them; and they are shown whether anybody
    /// waits for them.
    ///
    /// # Errors
    /// Likewise.
    pub async fn walk<T, E, F>(&self, walk: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
        F: FnOnce(&Engine, &Awaited) -> Result<T, E> + Send + 'static,
    {
        let (turn, engine) = (turn(&self.walks).await?, Arc::clone(&self.engine.0));
        let awaited = Awaited::default();
        let _until_dropped = GivesUp(awaited.clone());
        blocking(turn, move || walk(&engine, &awaited).map_err(Into::into)).await
    }

    /// Asks the engine something small without a turn: whether it answers at all.
    ///
    /// # Errors
    /// Likewise.
    pub(crate) async fn peek<T, F>(&self, call: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Engine) -> Result<T, StoreError> + Send + 'static,
    {
        let engine = Arc::clone(&self.engine.0);
        blocking((), move || call(&engine).map_err(Problem::from)).await
    }

    /// The limits of an ordinary body.
    pub fn body_limits(&self) -> BodyLimits {
        let Config { body_bytes_max, body_unpacked_bytes_max, .. } = self.config;
        BodyLimits { received_max: body_bytes_max, unpacked_max: body_unpacked_bytes_max }
    }

    /// The limits of an uploaded plugin.
    pub fn plugin_limits(&self) -> BodyLimits {
        let max = self.config.plugin_bytes_max;
        BodyLimits { received_max: max, unpacked_max: max }
    }

    /// From now on the server says that it is not ready.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// The store can write nothing more; the server ends. Why is said once.
    pub(crate) fn end_store(&self, reason: &str) {
        if self.store_ended.set(reason.to_owned()).is_ok() {
            tracing::error!(
                reason,
                "nothing more can be recorded: the server ends, and must be started again"
            );
        }
    }

    /// Completes when the store can write nothing more.
    pub(crate) async fn store_ended(&self) {
        self.store_ended.wait().await;
    }

    /// Why it cannot, if so.
    pub(crate) fn end_of_store(&self) -> Option<&str> {
        self.store_ended.get().map(String::as_str)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// Whether somebody still waits for an answer.
#[derive(Clone, Debug, Default)]
pub struct Awaited(Arc<AtomicBool>);

impl Awaited {
    /// Asked now and then by who has much to do.
    ///
    /// # Errors
    /// When nobody waits any more: then it is done for nothing.
    pub fn check(&self) -> Result<(), Problem> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Problem::unavailable("nobody waits for the answer any more"));
        }
        Ok(())
    }
}

/// Dropped when the answer is there, or when the request has been given up.
struct GivesUp(Awaited);

impl Drop for GivesUp {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

async fn turn(turns: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(turns).acquire_owned().await.map_err(|_| Problem::internal())
}

/// Does what blocks on a thread that may, and keeps its turn until it is done.
async fn blocking<T: Send + 'static>(
    turn: impl Send + 'static,
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let span = tracing::Span::current();
    let work = move || {
        let _turn = turn;
        span.in_scope(work)
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Problem::internal()))
}
