//! What every route can reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Semaphore;
use tollgate_core::engine::Engine;

use crate::body::{BodyLimits, Rooms};
use crate::config::Config;
use crate::limits::RateLimits;
use crate::problem::Problem;
use crate::recorder::Recorder;
use crate::telemetry::Telemetry;

/// Calls into the engine, beside recording, that run at once. The rest wait their turn.
const CALLS_MAX: usize = 16;

/// The state of all routes: `Router<Arc<Backend>>`.
#[derive(Debug)]
pub struct Backend {
    /// Takes events in.
    pub recorder: Recorder,
    /// The server's settings.
    pub config: Config,
    /// Metrics and request ids.
    pub telemetry: Telemetry,
    pub(crate) rates: RateLimits,
    pub(crate) bodies: Rooms,
    engine: Shared,
    calls: Arc<Semaphore>,
    stopping: AtomicBool,
}

/// The engine, which has nothing to show for debugging.
struct Shared(Arc<Engine>);

impl std::fmt::Debug for Shared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Engine")
    }
}

impl Backend {
    /// Starts the recorder over an engine.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(engine: Arc<Engine>, config: Config) -> std::io::Result<Self> {
        let telemetry = Telemetry::new();
        Ok(Self {
            recorder: Recorder::start(Arc::clone(&engine), &config, telemetry.pipeline())?,
            rates: RateLimits::new(&config),
            bodies: Rooms::new(config.bodies_bytes_max),
            telemetry,
            config,
            engine: Shared(engine),
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
            stopping: AtomicBool::new(false),
        })
    }

    /// Calls the engine where blocking is allowed, a few calls at a time. Everything but recording events
    /// goes through here: a store blocks, and an async thread must not. A call goes on to its end even when
    /// its request is given up.
    ///
    /// # Errors
    /// What the call fails with, as a problem; 500 when it panics.
    pub async fn call<T, E, F>(&self, call: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
        F: FnOnce(&Engine) -> Result<T, E> + Send + 'static,
    {
        let turn = Arc::clone(&self.calls).acquire_owned().await.map_err(|_| Problem::internal())?;
        let engine = Arc::clone(&self.engine.0);
        let span = tracing::Span::current();
        let work = move || {
            let _turn = turn;
            span.in_scope(|| call(&engine).map_err(Into::into))
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Problem::internal()))
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

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
