//! What must always hold, on random sequences through the real sandbox: conservation, batch-split
//! invariance, re-execution, and that the sandbox agrees with the same code run natively.
//!
//! `TOLLGATE_PROPERTY_CASES` says how many sequences are tried on the in-memory store (200 unless told).

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may stop where it stands

use std::path::Path;
use std::sync::{Arc, OnceLock};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tollgate_core::catalog::{Definition, Tariff};
use tollgate_core::door;
use tollgate_core::engine::{Engine, Receipt};
use tollgate_core::event::{Event, EventKey};
use tollgate_core::price_book::PriceBook;
use tollgate_core::pricer::Pricer;
use tollgate_core::store::{Store, StoredEvent};
use tollgate_core::{statement, verify};
use tollgate_sandbox::{Sandbox, SandboxConfig};
use tollgate_store::{MemoryStore, Options, SqliteStore};
use tollgate_tests::definitions;

const PRICES: &str = r#"{"currency":"USD","entries":[
    {"model":"small","effective_from":"2026-01-01","prices":[{"measure":"input_tokens","price":"0.0375","per":1000000}]},
    {"model":"large","effective_from":"2026-01-01","prices":[{"measure":"input_tokens","price":"7","per":3000}]}]}"#;

const MORE_PRICES: &str = r#"{"currency":"USD","entries":[
    {"model":"small","effective_from":"2026-01-01","prices":[{"measure":"input_tokens","price":"0.0375","per":1000000}]},
    {"model":"large","effective_from":"2026-01-01","prices":[{"measure":"input_tokens","price":"7","per":3000}]},
    {"model":"unknown","effective_from":"2026-01-01","prices":[{"measure":"input_tokens","price":"1","per":1000}]}]}"#;

/// What may happen.
#[derive(Clone, Debug)]
enum Step {
    Event(Value),
    /// The period of an earlier month is closed.
    Close(&'static str),
    /// Prices are added and held events are rated again.
    Retry,
    /// The event of this number is taken back, if it is there.
    Void(u32),
    /// The app gets other terms: the platform's share and the cap on surcharges.
    Terms(&'static str, &'static str),
    /// The customer of this number gets another parent, or none.
    Parent(u32, Option<u32>),
}

/// The settings of each bundled plugin that tariffs draw from.
fn tariffs() -> impl Strategy<Value = (&'static str, Value)> {
    prop_oneof![
        Just((
            "cost-plus",
            json!({"margin":"0.20","route_margins":{"premium":"0.35"},"minimum_surcharge":"0.003"})
        )),
        Just(("cost-plus", json!({"margin":"0.3333333"}))),
        Just((
            "included-overage",
            json!({"unit":"document","count":"documents","included":"5.5","overage_price":"0.0200000007",
            "premium_routes":["premium"],"premium_surcharge":"0.05"})
        )),
        Just((
            "included-overage",
            json!({"unit":"request","count":"events","included":"3","overage_price":"0.02"})
        )),
        Just((
            "tiered",
            json!({"unit":"1k tokens","measures":["input_tokens"],"divide_by":"1000",
            "tiers":[{"up_to":"2.5","unit_price":"0.03","flat":"0.10"},{"up_to":null,"unit_price":"0.0212345678","flat":"1"}]})
        )),
        Just(("conversation", json!({"attribute":"conversation","included":"1","price":"0.25"}))),
    ]
}

fn events() -> impl Strategy<Value = Value> {
    let moment = (9_u32..=10, 1_u32..=28, 0_u32..24, 0_u32..60);
    let words = (0_u32..25, 0_u32..4, prop::bool::weighted(0.3), 0_u32..20);
    let numbers = (0_u32..4_000, 0_u32..90_000, prop::option::weighted(0.9, 0_u32..4));
    (moment, words, numbers).prop_map(|((month, day, hour, minute), (id, customer, premium, model), numbers)| {
        let (tokens, documents, conversation) = numbers;
        let mut data = json!({
            "route": if premium { "premium" } else { "default" },
            "model": match model { 0 => "unknown", 1..=4 => "large", _ => "small" },
            "measures": {"input_tokens": tokens, "documents": format!("{}.{:04}", documents / 10_000, documents % 10_000)},
        });
        if let Some(conversation) = conversation {
            data["attributes"] = json!({"conversation": format!("c{conversation}")});
        }
        json!({"specversion":"1.0","id":format!("e{id}"),"source":"acme","type":"ai.usage",
            "subject":format!("customer-{customer}"),"time":format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z"),
            "data":data})
    })
}

/// A sequence: the app's tariff, one that replaces it in mid-September, one customer's own, and the steps.
fn sequences() -> impl Strategy<Value = ([(&'static str, Value); 3], Vec<Step>)> {
    let step = prop_oneof![
        30 => events().prop_map(Step::Event),
        1 => Just(Step::Close("2026-09")),
        1 => Just(Step::Retry),
        4 => (0_u32..25).prop_map(Step::Void),
        1 => (prop::sample::select(&["0", "0.5", "1"][..]), prop::sample::select(&["0.1", "1000"][..]))
            .prop_map(|(share, cap)| Step::Terms(share, cap)),
        1 => (2_u32..4, prop::option::of(0_u32..2)).prop_map(|(child, parent)| Step::Parent(child, parent)),
    ];
    ([tariffs(), tariffs(), tariffs()], prop::collection::vec(step, 1..50))
}

fn sandbox() -> Arc<dyn Pricer> {
    static SANDBOX: OnceLock<Arc<Sandbox>> = OnceLock::new();
    let sandbox = SANDBOX.get_or_init(|| Arc::new(Sandbox::new(SandboxConfig::default()).unwrap()));
    Arc::clone(sandbox) as Arc<dyn Pricer>
}

fn component(plugin: &str) -> &'static [u8] {
    static COMPONENTS: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    let read = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../plugins/prebuilt/{name}.wasm"));
        (name.to_owned(), std::fs::read(path).unwrap())
    };
    let names = ["cost-plus", "included-overage", "tiered", "conversation"];
    let components = COMPONENTS.get_or_init(|| names.map(read).to_vec());
    &components.iter().find(|(name, _)| name == plugin).unwrap().1
}

fn customer(number: u32, parent: Option<u32>) -> Definition {
    let name = |number: u32| format!("customer-{number}");
    definitions::customer(&name(number), parent.map(name).as_deref())
}

/// An engine with an app, a customer family that pools, and the tariffs.
fn engine(store: Arc<dyn Store>, tariffs: &[(&'static str, Value); 3]) -> Engine {
    let engine = Engine::open(store, sandbox()).unwrap();
    let mut definitions = vec![
        definitions::builder(),
        Definition::PriceBook("network".into(), PriceBook::parse(PRICES).unwrap()),
        definitions::app("acme", "0.123456789", "1000"),
        customer(3, Some(2)),
    ];
    let mid_september = 1_789_430_400_000;
    let bindings = [(None, 0), (None, mid_september), (Some("customer-1"), mid_september)];
    for (position, ((plugin, settings), (customer, effective_from))) in
        tariffs.iter().zip(bindings).enumerate()
    {
        let (plugin, _) = engine.add_plugin(component(plugin), None).unwrap();
        definitions.push(Definition::Tariff(Tariff {
            id: format!("tariff-{position}"),
            app: "acme".into(),
            customer: customer.map(str::to_owned),
            plugin,
            settings: settings.to_string(),
            effective_from,
        }));
    }
    for definition in definitions {
        engine.define(&definition).unwrap();
    }
    engine
}

/// Carries the steps out, with events in batches of these sizes, over and over; gives back the receipts.
fn run(engine: &Engine, steps: &[Step], sizes: &[usize]) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    let mut batch: Vec<Arc<Event>> = Vec::new();
    let mut sizes = sizes.iter().cycle();
    let mut size = *sizes.next().unwrap();
    for step in steps {
        if let Step::Event(event) = step {
            batch.push(Arc::new(door::parse(event.to_string().as_bytes()).unwrap()));
        } else {
            receipts.extend(engine.record(&batch).unwrap());
            batch.clear();
        }
        match step {
            Step::Event(_) if batch.len() >= size => {
                receipts.extend(engine.record(&batch).unwrap());
                batch.clear();
                size = *sizes.next().unwrap();
            }
            Step::Event(_) => {}
            Step::Void(id) => {
                let key = EventKey { app: "acme".into(), id: format!("e{id}") };
                engine.void(&key, "a mistake", None, 0).unwrap();
            }
            Step::Terms(share, cap) => drop(engine.define(&definitions::app("acme", share, cap)).unwrap()),
            Step::Parent(child, parent) => drop(engine.define(&customer(*child, *parent)).unwrap()),
            // Closing twice is refused; the refusal is the same in every run.
            Step::Close(period) => drop(engine.close("acme", period.parse().unwrap())),
            Step::Retry => {
                let more = PriceBook::parse(MORE_PRICES).unwrap();
                engine.define(&Definition::PriceBook("network".into(), more)).unwrap();
                engine.retry_held(None, 0, 10_000).unwrap();
            }
        }
    }
    receipts.extend(engine.record(&batch).unwrap());
    receipts
}

/// Everything an engine has decided.
fn decisions(engine: &Engine) -> (Vec<StoredEvent>, Vec<statement::Statement>, String) {
    let events = engine.store().scan(0, 10_000).unwrap();
    let statements =
        statement::statements(engine, &tollgate_core::store::StatementFilter::default()).unwrap();
    let balances = format!("{:?}", engine.store().balances().unwrap());
    (events, statements, balances)
}

fn check(
    open: impl Fn() -> Arc<dyn Store>,
    (tariffs, steps): ([(&'static str, Value); 3], Vec<Step>),
    sizes: &[usize],
) -> Result<(), TestCaseError> {
    let one_by_one = engine(open(), &tariffs);
    let receipts_one_by_one = run(&one_by_one, &steps, &[1]);
    let batched = engine(open(), &tariffs);
    let receipts_batched = run(&batched, &steps, sizes);
    prop_assert_eq!(receipts_one_by_one, receipts_batched);
    prop_assert_eq!(decisions(&one_by_one), decisions(&batched));
    for check in verify::verify(&batched, &mut |_| {}).unwrap() {
        prop_assert_eq!(check.violations, 0, "{}: {:?}", check.invariant, check.told);
    }
    Ok(())
}

fn cases(default: u32) -> u32 {
    std::env::var("TOLLGATE_PROPERTY_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(default)
}

#[test]
fn splits_conserve_and_replay_in_memory() {
    let cases = cases(200);
    println!("{cases} random sequences on the in-memory store");
    let config = Config { cases, max_shrink_iters: 2_000, failure_persistence: None, ..Config::default() };
    let strategy = (sequences(), prop::collection::vec(1_usize..20, 1..6));
    TestRunner::new(config)
        .run(&strategy, |(sequence, sizes)| {
            check(|| Arc::new(MemoryStore::new()) as Arc<dyn Store>, sequence, &sizes)
        })
        .unwrap();
}

#[test]
fn splits_conserve_and_replay_on_sqlite() {
    let cases = cases(200) / 100 + 10;
    println!("{cases} random sequences on SQLite");
    let config = Config { cases, max_shrink_iters: 100, failure_persistence: None, ..Config::default() };
    let strategy = (sequences(), prop::collection::vec(1_usize..20, 1..6));
    let directory = tempfile::tempdir().unwrap();
    let next = std::sync::atomic::AtomicU32::new(0);
    let open = || {
        let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = directory.path().join(format!("{number}.db"));
        Arc::new(SqliteStore::open(&path, &Options::default()).unwrap()) as Arc<dyn Store>
    };
    TestRunner::new(config).run(&strategy, |(sequence, sizes)| check(open, sequence, &sizes)).unwrap();
}

/// Voiding everything of an open period brings everybody back to where they were, in whatever order.
#[test]
fn voiding_everything_leaves_nothing() {
    let config = Config { cases: cases(200) / 4, failure_persistence: None, ..Config::default() };
    let steps = prop::collection::vec(events(), 1..30);
    let strategy = ([tariffs(), tariffs(), tariffs()], steps, any::<u64>());
    TestRunner::new(config)
        .run(&strategy, |(tariffs, events, order)| {
            let engine = engine(Arc::new(MemoryStore::new()), &tariffs);
            // One tariff only: under another one the same counter is worth something else.
            let early = |event: &Value| event["time"].as_str().unwrap() < "2026-09-15";
            let steps = events.into_iter().filter(early).map(Step::Event);
            let steps: Vec<Step> = steps.collect();
            run(&engine, &steps, &[7]);
            let mut stored = engine.store().scan(0, 100).unwrap();
            stored.sort_by_key(|event| event.sequence.wrapping_mul(order | 1));
            for event in &stored {
                engine.void(&event.key, "a mistake", None, 0).unwrap();
            }
            for (account, balance) in engine.store().balances().unwrap() {
                prop_assert_eq!(balance.net(), Some(0), "{}", account);
            }
            for check in verify::verify(&engine, &mut |_| {}).unwrap() {
                prop_assert_eq!(check.violations, 0, "{}: {:?}", check.invariant, check.told);
            }
            Ok(())
        })
        .unwrap();
}
