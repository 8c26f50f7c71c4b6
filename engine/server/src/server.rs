//! Composes the server: routes inside layers inside connections, and the order in which it all stops.

use std::any::Any;
use std::convert::Infallible;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::TcpListener;
use tollgate_core::access::AccessStore;
use tollgate_core::engine::Engine;
use tollgate_core::payment::PaymentProvider;
use tollgate_core::store::StoreError;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::accept::Acceptor;
use crate::backend::Backend;
use crate::config::{Config, ConfigError};
use crate::money::PrintRemittance;
use crate::problem::{Kind, Problem};
use crate::telemetry::PluginFigures;
use crate::tls::{Tls, TlsError};
use crate::webhooks::dispatcher::{self, Sends};
use crate::{health, housekeeping, limits, money, rest, routes, telemetry};

/// Connections served at once for whoever runs the server.
const ADMIN_CONNECTIONS_MAX: NonZeroU32 = NonZeroU32::MIN.saturating_add(63);

/// Why the server cannot start, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The settings contradict themselves.
    #[error("the server's settings cannot be used: {0}")]
    Config(#[from] ConfigError),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The keys cannot be read.
    #[error("the keys cannot be read: {0}")]
    Keys(#[from] StoreError),
    /// The store wrote to a disk that failed, and cannot tell what is on it until it is opened again.
    #[error("nothing more can be recorded until the server is started again: {0}")]
    StoreEnded(String),
    /// The operating system refused something.
    #[error("the server cannot run: {0}")]
    System(#[from] std::io::Error),
}

/// The HTTP server over one engine.
#[derive(Debug)]
pub struct Server {
    backend: Arc<Backend>,
    routes: Router<Arc<Backend>>,
    admin: Option<TcpListener>,
    tls: Option<Arc<Tls>>,
}

impl Server {
    /// A server with its recorder running; it listens to nobody yet.
    ///
    /// # Errors
    /// When the settings contradict themselves, the certificate or its key cannot be used, or no thread can be
    /// started.
    pub fn new(
        engine: Arc<Engine>,
        access: Arc<dyn AccessStore>,
        config: Config,
    ) -> Result<Self, ServerError> {
        config.check()?;
        let tls = match (&config.tls_certificate, &config.tls_key) {
            (Some(certificate), Some(key)) => Some(Arc::new(Tls::read(certificate, key)?)),
            _ => None,
        };
        let backend = Arc::new(Backend::start(engine, access, config)?);
        let routes = health::router().merge(routes::router(&backend));
        Ok(Self { backend, routes, admin: None, tls })
    }

    /// Serves these routes as well.
    #[must_use]
    pub fn mount(mut self, routes: Router<Arc<Backend>>) -> Self {
        self.routes = self.routes.merge(routes);
        self
    }

    /// Shows the figures of an [`Observed`](crate::observed::Observed) pricer as well.
    #[must_use]
    pub fn show(self, figures: &PluginFigures) -> Self {
        self.backend.telemetry.register(|registry| figures.register(registry));
        self
    }

    /// Answers whoever runs it here as well: `/healthz`, `/readyz` and `/metrics`, without keys and TLS, until the
    /// very end, and however many connections there are.
    #[must_use]
    pub fn administer(mut self, listener: TcpListener) -> Self {
        self.admin = Some(listener);
        self
    }

    /// Money moves through these providers, each under its own name. May be said once.
    #[must_use]
    pub fn pay_through(self, providers: Vec<Arc<dyn PaymentProvider>>) -> Self {
        self.backend.money.pay_through(providers);
        self
    }

    /// Remittance advices are printed like this; without it there are none. May be said once.
    #[must_use]
    pub fn print_remittances(self, print: Arc<PrintRemittance>) -> Self {
        self.backend.money.print_remittances(print);
        self
    }

    /// What TLS is spoken with, if it is.
    pub fn tls(&self) -> Option<&Arc<Tls>> {
        self.tls.as_ref()
    }

    /// What the routes reach.
    pub fn backend(&self) -> &Arc<Backend> {
        &self.backend
    }

    /// All routes in all layers, without connections.
    pub fn router(&self) -> Router {
        self.in_layers(self.routes.clone())
    }

    fn in_layers(&self, routes: Router<Arc<Backend>>) -> Router {
        let backend = &self.backend;
        // The last layer is the outermost.
        routes
            .fallback(nothing_here)
            .method_not_allowed_fallback(not_this_method)
            .layer(from_fn(rest::read))
            .layer(from_fn_with_state(Arc::clone(backend), limits::time))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(CompressionLayer::new())
            .layer(from_fn_with_state(Arc::clone(backend), telemetry::observe))
            .with_state(Arc::clone(backend))
    }

    /// Serves until `stop` completes. Then says that it is not ready, goes on for as long as whoever sends
    /// requests needs to see that, takes no new connections, lets running requests finish within the
    /// shutdown timeout, records what waits, and returns. It does the same by itself when the store can write
    /// nothing more before it is opened again.
    ///
    /// # Errors
    /// When it has ended by itself.
    pub async fn run(
        mut self,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServerError> {
        let admin = self.admin.take();
        tokio::select! {
            ended = self.serve(listener, stop) => ended,
            never = self.serve_admin(admin) => match never {},
        }
    }

    async fn serve_admin(&self, listener: Option<TcpListener>) -> Infallible {
        if let Some(listener) = listener {
            let config = Config {
                connections_max: ADMIN_CONNECTIONS_MAX,
                connections_per_peer_max: None,
                ..self.backend.config.clone()
            };
            let router = self.in_layers(health::admin_router());
            let acceptor = Acceptor::new(router, None, &config, Gauge::default());
            acceptor.run(listener, std::future::pending(), Duration::ZERO).await;
        }
        std::future::pending().await
    }

    async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) -> Result<(), ServerError> {
        let config = &self.backend.config;
        let connections = self.backend.telemetry.connections().clone();
        let acceptor = Acceptor::new(self.router(), self.tls.clone(), config, connections);
        let backend = Arc::clone(&self.backend);
        let stop = async move {
            tokio::select! {
                () = stop => {}
                () = backend.store_ended() => {}
            }
            backend.stop();
            tracing::info!("stopping: not ready for more");
            tokio::time::sleep(backend.config.drain_wait).await;
            tracing::info!("stopping: running requests may finish");
        };
        let mut sends = Sends::default();
        let cut = tokio::select! {
            cut = acceptor.run(listener, stop, config.shutdown_timeout) => cut,
            never = housekeeping::keep(&self.backend) => match never {},
            never = money::keep_moving(&self.backend) => match never {},
            never = dispatcher::dispatch(&self.backend, &mut sends) => match never {},
        };
        if cut > 0 {
            tracing::warn!(cut, "connections were cut at the shutdown timeout");
        }
        sends.finish(config.shutdown_timeout).await;
        let backend = Arc::clone(&self.backend);
        let finish = move || {
            backend.authorizer.shutdown();
            backend.recorder.shutdown();
        };
        if tokio::task::spawn_blocking(finish).await.is_err() {
            tracing::error!("what was taken in could not be finished in order");
        }
        housekeeping::finish(&self.backend).await;
        match self.backend.end_of_store() {
            Some(reason) => Err(ServerError::StoreEnded(reason.to_owned())),
            None => Ok(()),
        }
    }
}

async fn nothing_here(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at {}", uri.path()))
}

async fn not_this_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} has no {method}; the header allow says what it has", uri.path());
    Problem::new(Kind::MethodNotAllowed, detail)
}

/// What a panic said stays in the log: it may quote what no client should see.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    tracing::error!(said, "a request panicked");
    Problem::internal().into_response()
}
