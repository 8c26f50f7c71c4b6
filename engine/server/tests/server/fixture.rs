//! An engine whose app has no tariff (so every event is held), a server on a port of its own, and a client
//! that writes bytes.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tollgate_core::catalog::Definition;
use tollgate_core::door;
use tollgate_core::engine::Engine;
use tollgate_core::event::Event;
use tollgate_core::plugin::{Descriptor, Digest, Problem as SettingsProblem};
use tollgate_core::pricer::{Pricer, PricerError, Pricing};
use tollgate_core::store::Store;
use tollgate_server::accept;
use tollgate_server::backend::Backend;
use tollgate_server::body::{Body, Received};
use tollgate_server::config::Config;
use tollgate_server::extract::{Path as PathOf, Query};
use tollgate_server::limits::{self, KeyId};
use tollgate_server::problem::Problem;
use tollgate_server::server::{Server, ServerError};
use tollgate_store::{MemoryStore, Options, SqliteStore};

pub const APP: &str = "acme-docs";

/// Has no plugins, and needs none: nothing is ever priced here.
struct NoPlugins;

impl Pricer for NoPlugins {
    fn admit(&self, _: &[u8]) -> Result<(Digest, Descriptor), PricerError> {
        Err(PricerError::NotAPlugin("no plugins here".to_owned()))
    }

    fn check(&self, plugin: &Digest, _: &str) -> Result<Vec<SettingsProblem>, PricerError> {
        Err(PricerError::Unknown(*plugin))
    }

    fn open<'a>(&'a self, plugin: &Digest, _: &'a str) -> Result<Box<dyn Pricing + 'a>, PricerError> {
        Err(PricerError::Unknown(*plugin))
    }

    fn fuel_budget(&self, _: usize) -> u64 {
        0
    }
}

pub fn engine_over(store: Arc<dyn Store>) -> Arc<Engine> {
    engine_with(store, Arc::new(NoPlugins))
}

pub fn engine_with(store: Arc<dyn Store>, pricer: Arc<dyn Pricer>) -> Arc<Engine> {
    let engine = Engine::open(store, pricer).unwrap();
    let definitions = json!([
        {"builder": {"id": "acme", "name": "Acme"}},
        {"price_book": ["network", {"currency": "USD", "entries": []}]},
        {"app": {"id": APP, "name": "Docs", "builder": "acme", "currency": "USD", "time_zone": "UTC",
            "platform_share": "0.2", "surcharge_max": "10", "price_book": "network"}},
    ]);
    // As text, because a price book is read from its own words.
    let definitions: Vec<Definition> = serde_json::from_str(&definitions.to_string()).unwrap();
    for definition in definitions {
        engine.define(&definition).unwrap();
    }
    Arc::new(engine)
}

pub fn engine() -> Arc<Engine> {
    engine_over(Arc::new(MemoryStore::new()))
}

pub fn engine_in(directory: &Path, options: &Options) -> Arc<Engine> {
    engine_over(Arc::new(SqliteStore::open(&directory.join("tollgate.db"), options).unwrap()))
}

pub fn event_of(app: &str, id: &str, pages: u32) -> Arc<Event> {
    let event = json!({"specversion": "1.0", "id": id, "source": app, "type": "ai.usage", "subject": "legal",
        "time": "2026-03-01T12:00:00Z", "data": {"measures": {"pages": pages}}});
    Arc::new(door::parse(event.to_string().as_bytes()).unwrap())
}

pub fn event(id: &str) -> Arc<Event> {
    event_of(APP, id, 1)
}

/// Routes as a colleague would write them.
fn routes(backend: &Arc<Backend>) -> Router<Arc<Backend>> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        count: u32,
    }
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        year: Option<u16>,
    }
    async fn slow(PathOf(millis): PathOf<u64>) -> &'static str {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        "done"
    }
    async fn record(
        State(backend): State<Arc<Backend>>,
        PathOf(id): PathOf<String>,
    ) -> Result<String, Problem> {
        let receipts = backend.recorder.record(vec![event(&id)], None).await?;
        Ok(receipts.len().to_string())
    }
    async fn panic() -> &'static str {
        panic!("a secret")
    }
    async fn panic_in_call(State(backend): State<Arc<Backend>>) -> Result<(), Problem> {
        backend.call(|_| -> Result<(), Problem> { panic!("a secret") }).await
    }
    // The key as it came; a real check would look it up.
    async fn identify(mut request: Request, next: Next) -> Response {
        let key = request.headers().get("authorization").and_then(|key| key.to_str().ok()).map(Arc::from);
        if let Some(key) = key {
            request.extensions_mut().insert(KeyId(key));
        }
        next.run(request).await
    }
    Router::new()
        .route("/limited", get(|| async { "let through" }))
        .route_layer(from_fn_with_state(Arc::clone(backend), limits::rate))
        .route_layer(from_fn(identify))
        .route("/length", post(|body: Received| async move { body.bytes.len().to_string() }))
        .route("/order", post(|Body(order): Body<Order>| async move { order.count.to_string() }))
        .route("/list", get(|Query(filter): Query<Filter>| async move { format!("{:?}", filter.year) }))
        .route("/slow/{millis}", get(slow))
        .route("/record/{id}", post(record))
        .route("/panic", get(panic))
        .route("/panic-in-call", get(panic_in_call))
}

/// A server that runs until told to stop.
pub struct Running {
    pub address: SocketAddr,
    /// Where whoever runs it asks.
    pub admin: SocketAddr,
    pub backend: Arc<Backend>,
    stop: Arc<Notify>,
    ended: JoinHandle<Result<(), ServerError>>,
}

impl Running {
    pub async fn start(config: Config) -> Self {
        Self::over(engine(), config).await
    }

    pub async fn over(engine: Arc<Engine>, config: Config) -> Self {
        Self::serving(Server::new(engine, Arc::new(MemoryStore::new()), config).unwrap()).await
    }

    #[expect(clippy::unused_async, reason = "it spawns, and must not be called outside of a runtime")]
    pub async fn serving(server: Server) -> Self {
        let backend = Arc::clone(server.backend());
        let server = server.mount(routes(&backend));
        let listener = accept::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let admin_listener = accept::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let admin = admin_listener.local_addr().unwrap();
        let server = server.administer(admin_listener);
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let ended = tokio::spawn(server.run(listener, async move { stopped.notified().await }));
        Self { address, admin, backend, stop, ended }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// One request on a connection of its own.
    pub async fn ask(&self, head: &str, body: &[u8]) -> Answer {
        Self::ask_at(self.address, head, body).await
    }

    /// What whoever runs it sees.
    pub async fn administer(&self, path: &str) -> Answer {
        Self::ask_at(self.admin, &format!("GET {path} HTTP/1.1"), b"").await
    }

    /// All figures.
    pub async fn metrics(&self) -> String {
        self.administer("/metrics").await.body
    }

    async fn ask_at(address: SocketAddr, head: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let length = body.len();
        let head = format!("{head}\r\nhost: here\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // A server that refuses early may close before it has read everything.
        drop(stream.write_all(body).await);
        Answer::read(&mut stream).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1"), b"").await
    }

    /// Tells the server to stop, without waiting until it has.
    pub fn tell_to_stop(&self) {
        self.stop.notify_one();
    }

    /// How the server ended.
    pub async fn ended(self) -> Result<(), ServerError> {
        self.ended.await.unwrap()
    }
}

/// What came back before the connection was closed.
pub struct Answer {
    pub head: String,
    pub body: String,
}

impl Answer {
    pub async fn read(stream: &mut (impl AsyncReadExt + Unpin)) -> Self {
        let mut bytes = Vec::new();
        // After an early refusal the rest of the body is met by a reset; what was said before counts.
        drop(stream.read_to_end(&mut bytes).await);
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        Self { head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    pub fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The body as a problem: every refusal must be one.
    pub fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.head);
        let problem: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["status"], self.status());
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"));
        problem
    }
}
