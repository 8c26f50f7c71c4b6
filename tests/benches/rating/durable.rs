//! How many events a second are parsed, rated and kept for good in SQLite, on this machine.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tollgate_core::catalog::{Definition, Tariff};
use tollgate_core::door;
use tollgate_core::engine::Engine;
use tollgate_core::event::Event;
use tollgate_sandbox::{Sandbox, SandboxConfig};
use tollgate_store::{MemoryStore, Options, SqliteStore};

/// How many events one measurement takes in.
const EVENTS: u32 = 200_000;

/// How many batches may be on their way, as in `tollgate record`.
const IN_FLIGHT_MAX: usize = 4;

/// Prints events a second for several batch sizes, beside the same walk without a database.
pub fn print_throughput() {
    println!(
        "\nRecording {EVENTS} events (parse, dedupe, price, rate in the sandbox, commit), events a second"
    );
    println!("{:>7}{:>16}{:>16}{:>24}", "batch", "in memory", "durable", "durable, parse apart");
    let texts: Vec<String> = (0..EVENTS).map(super::event_text).collect();
    for batch in [100, 1_000, 4_000] {
        let in_memory = record(&engine(Arc::new(MemoryStore::new())), &texts, batch);
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = SqliteStore::open(&directory.path().join("bench.db"), &Options::default());
        let durable = record(&engine(Arc::new(store.expect("the database opens"))), &texts, batch);
        println!(
            "{batch:>7}{:>16.0}{:>16.0}{:>24.0}",
            rate(in_memory.total),
            rate(durable.total),
            rate(durable.total.saturating_sub(durable.parsing))
        );
    }
}

struct Times {
    total: Duration,
    parsing: Duration,
}

fn rate(elapsed: Duration) -> f64 {
    f64::from(EVENTS) / elapsed.as_secs_f64()
}

fn engine(store: Arc<dyn tollgate_core::store::Store>) -> Engine {
    let sandbox = Sandbox::new(SandboxConfig::default()).expect("the sandbox starts");
    let engine = Engine::open(store, Arc::new(sandbox)).expect("the engine opens");
    let component = include_bytes!("../../../plugins/prebuilt/included-overage.wasm");
    let (plugin, _) = engine.add_plugin(component, None).expect("a bundled plugin is admitted");
    for definition in super::definitions() {
        engine.define(&definition).expect("the definitions agree");
    }
    let tariff = Tariff {
        id: "tariff".into(),
        app: "acme-code".into(),
        customer: None,
        plugin,
        settings: r#"{"overage_price":"0.02","included":"100"}"#.into(),
        effective_from: 0,
    };
    engine.define(&Definition::Tariff(tariff)).expect("the settings are right");
    engine
}

fn record(engine: &Engine, texts: &[String], batch: usize) -> Times {
    let started = Instant::now();
    let mut parsing = Duration::ZERO;
    let mut on_their_way = VecDeque::new();
    for texts in texts.chunks(batch) {
        let parse_started = Instant::now();
        let events =
            texts.iter().map(|text| Arc::new(door::parse(text.as_bytes()).expect("the event is right")));
        let events: Vec<Arc<Event>> = events.collect();
        parsing += parse_started.elapsed();
        if on_their_way.len() >= IN_FLIGHT_MAX {
            wait(on_their_way.pop_front());
        }
        on_their_way.push_back(engine.submit(&events).expect("the batch is rated"));
    }
    while !on_their_way.is_empty() {
        wait(on_their_way.pop_front());
    }
    let counts = engine.store().counts().expect("the store counts");
    assert_eq!((counts.rated, counts.held), (u64::from(EVENTS), 0));
    Times { total: started.elapsed(), parsing }
}

fn wait(pending: Option<tollgate_core::engine::Pending<'_>>) {
    if let Some(pending) = pending {
        drop(pending.wait().expect("the batch is durable"));
    }
}
