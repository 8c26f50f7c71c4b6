//! What an operator sees and relies on: figures of every kind, keys revoked elsewhere, tariffs suspended and
//! tried again, traffic led away before the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tollgate_core::access::Scope;
use tollgate_core::catalog::Definition;
use tollgate_core::engine::{Engine, FAILURES_MAX};
use tollgate_core::frame::{Counted, Frame, Metered, Rated, Totals};
use tollgate_core::plugin::{Descriptor, Digest, LineDeclaration, LineKind, Problem};
use tollgate_core::pricer::{Pricer, PricerError, Pricing};
use tollgate_server::config::Config;
use tollgate_server::keys::{Keyring, Refused};
use tollgate_server::observed::Observed;
use tollgate_server::server::Server;
use tollgate_server::telemetry::PluginFigures;
use tollgate_store::{MemoryStore, Options, SqliteStore};

use crate::fixture::{APP, Running, engine_with, event};

/// Charges 1 for every event and burns 10, unless it is broken: then it traps.
struct OneEach(Arc<AtomicBool>);

struct OneEachRun {
    broken: bool,
    fuel: u64,
}

impl Pricer for OneEach {
    fn admit(&self, component: &[u8]) -> Result<(Digest, Descriptor), PricerError> {
        let line = LineDeclaration {
            code: "event".to_owned(),
            title: "Events".to_owned(),
            unit: "event".to_owned(),
            kind: LineKind::Charge,
        };
        let descriptor = Descriptor {
            name: "one-each".to_owned(),
            version: "1.0.0".to_owned(),
            summary: "Charges 1 for every event.".to_owned(),
            units: Vec::new(),
            lines: vec![line],
            refusals: Vec::new(),
            settings_schema: "{}".to_owned(),
        };
        Ok((Digest::of(component), descriptor))
    }

    fn check(&self, _: &Digest, _: &str) -> Result<Vec<Problem>, PricerError> {
        Ok(Vec::new())
    }

    fn open<'a>(&'a self, _: &Digest, _: &'a str) -> Result<Box<dyn Pricing + 'a>, PricerError> {
        Ok(Box::new(OneEachRun { broken: self.0.load(Ordering::Relaxed), fuel: 0 }))
    }

    fn fuel_budget(&self, rows: usize) -> u64 {
        1_000_000 * rows as u64
    }
}

impl Pricing for OneEachRun {
    fn meter(&mut self, frame: &Frame) -> Result<Metered, PricerError> {
        self.fuel += 10 * u64::from(frame.rows);
        if self.broken {
            return Err(PricerError::Failed { reason: "it trapped".to_owned() });
        }
        Ok(Metered { counts: vec![0; frame.rows as usize], ..Metered::default() })
    }

    fn rate(&mut self, frame: &Frame, _: &Counted) -> Result<Rated, PricerError> {
        let rows = frame.rows as usize;
        let ones = || [1, 0].repeat(rows);
        Ok(Rated {
            counts: vec![1; rows],
            lines: vec![0; rows],
            quantities: ones(),
            unit_prices: ones(),
            amounts: ones(),
            ..Rated::default()
        })
    }

    fn close(&mut self, _: &Frame, _: &Totals) -> Result<Rated, PricerError> {
        Ok(Rated::default())
    }

    fn fuel_spent(&self) -> u64 {
        self.fuel
    }
}

/// A server as `tollgate serve` composes it, with a plugin that can be broken.
struct Composed {
    running: Running,
    engine: Arc<Engine>,
    broken: Arc<AtomicBool>,
}

/// Keeps house so often that a test need not wait.
fn hurried() -> Config {
    let soon = Duration::from_millis(20);
    Config { keys_interval: soon, ledger_interval: soon, ..Config::default() }
}

impl Composed {
    async fn start(config: Config) -> Self {
        let (figures, broken) = (PluginFigures::new(), Arc::new(AtomicBool::new(false)));
        let pricer = Observed::new(Arc::new(OneEach(Arc::clone(&broken))), &figures);
        let engine = engine_with(Arc::new(MemoryStore::new()), Arc::new(pricer));
        let (plugin, _) = engine.add_plugin(b"one-each", None).unwrap();
        let tariff = json!({"tariff": {"id": "one", "app": APP, "plugin": plugin, "settings": "{}",
            "effective_from": 0}});
        let tariff: Definition = serde_json::from_value(tariff).unwrap();
        engine.define(&tariff).unwrap();
        let server = Server::new(Arc::clone(&engine), Arc::new(MemoryStore::new()), config).unwrap();
        let running = Running::serving(server.show(&figures)).await;
        Self { running, engine, broken }
    }

    async fn send(&self, ids: std::ops::Range<u32>) {
        let events = ids.map(|id| event(&id.to_string())).collect();
        self.running.backend.recorder.record(events, None).await.unwrap();
    }

    async fn metrics(&self) -> String {
        self.running.metrics().await
    }

    /// Waits until housekeeping has come by.
    async fn shows(&self, line: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let metrics = self.metrics().await;
            if metrics.lines().any(|other| other == line) {
                return;
            }
            assert!(Instant::now() < deadline, "{line} is not in\n{metrics}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn every_figure_is_there_and_right() {
    let composed = Composed::start(hurried()).await;
    composed.send(0..30).await;
    composed.broken.store(true, Ordering::Relaxed);
    composed.send(30..31).await;
    composed.running.backend.keys.make("laptop", Scope::Platform, None, 0).unwrap();
    let (gone, _) = composed.running.backend.keys.make("phone", Scope::Platform, None, 0).unwrap();
    composed.running.backend.keys.revoke(&gone.id, 1).unwrap();
    composed.running.backend.keys.make("guest", Scope::Platform, Some(1), 0).unwrap();
    composed.shows("tollgate_stored_rated_events 30").await;
    let build = format!(r#"tollgate_build_info{{version="{}"}} 1"#, env!("CARGO_PKG_VERSION"));
    for line in [
        r#"tollgate_events_total{receipt="rated"} 30"#,
        r#"tollgate_events_held_total{cause="plugin"} 1"#,
        r#"tollgate_plugin_run_seconds_count{plugin="one-each@1.0.0",digest="DIGEST"} 2"#,
        r#"tollgate_plugin_events_total{plugin="one-each@1.0.0",digest="DIGEST"} 31"#,
        r#"tollgate_plugin_fuel_total{plugin="one-each@1.0.0",digest="DIGEST"} 310"#,
        r#"tollgate_plugin_failures_total{plugin="one-each@1.0.0",digest="DIGEST",cause="plugin"} 1"#,
        "tollgate_queue_events 0",
        "tollgate_commit_seconds_count 2",
        "tollgate_tariffs_suspended 0",
        "tollgate_stored_held_events 1",
        "tollgate_stored_voided_events 0",
        r#"tollgate_ledger_imbalance_nano{currency="USD"} 0"#,
        r#"tollgate_keys{state="valid"} 1"#,
        r#"tollgate_keys{state="revoked"} 1"#,
        r#"tollgate_keys{state="expired"} 1"#,
        &build,
    ] {
        let digest = Digest::of(b"one-each").to_string();
        composed.shows(&line.replace("DIGEST", &digest["sha256:".len()..][..8])).await;
    }
    let metrics = composed.metrics().await;
    let value = |name: &str| -> i64 {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
    };
    let started = value("process_start_time_seconds");
    assert!(started <= value("tollgate_ledger_checked_timestamp_seconds"));
    if cfg!(target_os = "linux") {
        assert!((1 << 20..1 << 34).contains(&value("process_resident_memory_bytes")));
    }
    let described = |name: &str| metrics.lines().any(|line| line.starts_with(&format!("# HELP {name} ")));
    for line in metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap();
        assert!(described(name), "{name} says nothing of itself");
    }
}

#[tokio::test]
async fn a_suspended_tariff_shows() {
    let composed = Composed::start(hurried()).await;
    composed.broken.store(true, Ordering::Relaxed);
    composed.send(0..FAILURES_MAX).await;
    assert_eq!(composed.engine.suspended().keys().map(|id| &**id).collect::<Vec<_>>(), ["one"]);
    assert!(composed.metrics().await.contains("\ntollgate_tariffs_suspended 1\n"));
    // Even when it works again, until it is tried.
    composed.broken.store(false, Ordering::Relaxed);
    composed.send(200..201).await;
    let metrics = composed.metrics().await;
    assert!(metrics.contains("\ntollgate_events_held_total{cause=\"suspended\"} 1\n"), "{metrics}");
}

#[tokio::test]
async fn a_suspended_tariff_is_tried_again() {
    let retry = Duration::from_millis(200);
    let composed = Composed::start(Config { suspended_retry_interval: retry, ..hurried() }).await;
    composed.broken.store(true, Ordering::Relaxed);
    composed.send(0..FAILURES_MAX).await;
    composed.broken.store(false, Ordering::Relaxed);
    composed.shows("tollgate_tariffs_suspended 0").await;
    composed.send(200..201).await;
    composed.shows(r#"tollgate_events_total{receipt="rated"} 1"#).await;
}

#[tokio::test]
async fn a_key_revoked_by_another_process_is_refused_soon_and_its_use_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let open = || Arc::new(SqliteStore::open(&directory.path().join("t.db"), &Options::default()).unwrap());
    let elsewhere = Keyring::open(open()).unwrap();
    let (key, text) = elsewhere.make("laptop", Scope::Platform, None, 0).unwrap();
    let store = open();
    let engine = engine_with(Arc::clone(&store) as _, Arc::new(OneEach(Arc::default())));
    let running = Running::serving(Server::new(engine, store, hurried()).unwrap()).await;
    let keys = &running.backend.keys;
    assert_eq!(keys.recognise(&text, 100_000).unwrap().id, key.id);
    elsewhere.revoke(&key.id, 150_000).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while keys.recognise(&text, 160_000).is_ok() {
        assert!(Instant::now() < deadline, "the key still opens");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(keys.recognise(&text, 160_000), Err(Refused::Revoked));
    running.tell_to_stop();
    running.ended().await.unwrap();
    elsewhere.reload().unwrap();
    // At least the first use; that of a minute later was written down at the end if it had been accepted.
    assert!(elsewhere.list()[0].last_used_at >= Some(100_000));
}

#[tokio::test]
async fn a_use_shortly_before_the_end_is_written_down() {
    let store = Arc::new(MemoryStore::new());
    let config = Config { keys_interval: Duration::from_hours(1), ..Config::default() };
    let engine = engine_with(Arc::new(MemoryStore::new()), Arc::new(OneEach(Arc::default())));
    let running = Running::serving(Server::new(engine, Arc::clone(&store) as _, config).unwrap()).await;
    assert_eq!(running.get("/healthz").await.status(), 200);
    let (_, text) = running.backend.keys.make("laptop", Scope::Platform, None, 0).unwrap();
    running.backend.keys.recognise(&text, 100_000).unwrap();
    assert_eq!(Keyring::open(Arc::clone(&store) as _).unwrap().list()[0].last_used_at, None);
    running.tell_to_stop();
    running.ended().await.unwrap();
    assert_eq!(Keyring::open(store).unwrap().list()[0].last_used_at, Some(100_000));
}

#[tokio::test]
async fn a_server_told_to_stop_serves_on_unready_until_the_wait_is_over() {
    let config = Config { drain_wait: Duration::from_millis(400), ..Config::default() };
    let running = Running::start(config).await;
    assert_eq!(running.get("/readyz").await.status(), 200);
    let told = Instant::now();
    running.tell_to_stop();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let unready = running.get("/readyz").await;
    assert_eq!(
        (unready.status(), &unready.problem()["detail"]),
        (503, &Value::from("the server is stopping"))
    );
    assert_eq!(running.ask("POST /record/late HTTP/1.1", b"").await.body, "1");
    running.ended().await.unwrap();
    assert!(told.elapsed() >= Duration::from_millis(400));
}
