//! What is changed later, or goes wrong beside it, leaves every other charge as it is.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may stop where it stands

use std::sync::Arc;

use tollgate_core::catalog::{Definition, Tariff};
use tollgate_core::door;
use tollgate_core::engine::{Engine, EngineError, Receipt, VoidReceipt};
use tollgate_core::event::{Event, EventKey};
use tollgate_core::plugin::{Descriptor, Digest, Problem};
use tollgate_core::price_book::PriceBook;
use tollgate_core::pricer::{Pricer, PricerError, Pricing};
use tollgate_core::store::{HoldCause, Outcome, Store};
use tollgate_core::verify::verify;
use tollgate_core::wallet::WalletTerms;
use tollgate_sdk::prelude::{
    Bill, Closing, Counted, Decimal, Event as Priced, Line, Outcome as Done, Totals, Usage,
};
use tollgate_sdk::prelude::{plugin, settings};
use tollgate_store::{MemoryStore, Options, SqliteStore};
use tollgate_tests::definitions::{app, builder, customer};
use tollgate_tests::native::NativePricer;

/// What a tariff sets.
#[settings]
pub struct Settings {
    /// Documents that cost nothing, of all who share.
    included: Decimal,
}

/// Charges one unit of money for each document beyond those that a whole family shares, and the cost.
#[plugin(
    unit(DOCUMENT, name = "document", aggregation = sum, pooled),
    line(BEYOND, code = "beyond", title = "Documents", unit = "document"),
    line(FEE, code = "fee", title = "Fee", unit = "document")
)]
impl tollgate_sdk::Pricing for Shared {
    type Settings = Settings;

    fn meter(_: &Settings, event: &Priced, usage: &mut Usage) -> Done {
        usage.add(DOCUMENT, event.measure("documents"))
    }

    fn rate(settings: &Settings, event: &Priced, counted: &Counted, bill: &mut Bill) -> Done {
        let Some(documents) = counted.of(DOCUMENT) else { return Ok(()) };
        let beyond = documents.cumulative(|total| total.beyond(settings.included))?;
        let amount = beyond.plus(event.network_cost())?;
        bill.add(Line { code: BEYOND, quantity: beyond, unit_price: Decimal::ZERO, amount })
    }

    fn close(_: &Settings, _: &Closing, _: &Totals, bill: &mut Bill) -> Done {
        bill.add(Line { code: FEE, quantity: Decimal::ONE, unit_price: Decimal::ONE, amount: Decimal::ONE })
    }
}

/// The plugin, if it loads.
struct Maybe {
    loads: bool,
    plugin: NativePricer<Shared>,
}

fn maybe(loads: bool) -> Arc<dyn Pricer> {
    Arc::new(Maybe { loads, plugin: NativePricer::new() })
}

impl Pricer for Maybe {
    fn admit(&self, component: &[u8]) -> Result<(Digest, Descriptor), PricerError> {
        let not = || PricerError::NotAPlugin("it does not load today".to_owned());
        if self.loads { self.plugin.admit(component) } else { Err(not()) }
    }

    fn check(&self, plugin: &Digest, settings: &str) -> Result<Vec<Problem>, PricerError> {
        self.plugin.check(plugin, settings)
    }

    fn open<'a>(&'a self, plugin: &Digest, settings: &'a str) -> Result<Box<dyn Pricing + 'a>, PricerError> {
        self.plugin.open(plugin, settings)
    }

    fn fuel_budget(&self, rows: usize) -> u64 {
        self.plugin.fuel_budget(rows)
    }
}

const APPS: [&str; 2] = ["acme", "other"];

/// An engine with two apps, whose customers have three documents included.
fn engine(store: Arc<dyn Store>) -> Engine {
    let engine = Engine::open(store, maybe(true)).unwrap();
    engine.define(&builder()).unwrap();
    let prices = PriceBook::parse(r#"{"currency":"USD","entries":[]}"#).unwrap();
    engine.define(&Definition::PriceBook("network".into(), prices)).unwrap();
    let (plugin, _) = engine.add_plugin(b"", None).unwrap();
    for id in APPS {
        engine.define(&app(id, "0.2", "1000")).unwrap();
        let tariff = Tariff {
            id: format!("{id}-tariff"),
            app: id.to_owned(),
            customer: None,
            plugin,
            settings: r#"{"included":"3"}"#.to_owned(),
            // The first moment of year 0: in New York it is still the year before.
            effective_from: -62_167_219_200_000,
        };
        engine.define(&Definition::Tariff(tariff)).unwrap();
    }
    engine
}

fn event(app: &str, id: &str, customer: &str, documents: &str, cost: &str, time: &str) -> Arc<Event> {
    let text = serde_json::json!({
        "specversion": "1.0", "id": id, "source": app, "type": "ai.usage", "subject": customer, "time": time,
        "data": { "measures": { "documents": documents }, "network_cost": cost },
    });
    Arc::new(door::parse(text.to_string().as_bytes()).unwrap())
}

fn documents(id: &str, customer: &str, documents: &str) -> Arc<Event> {
    event("acme", id, customer, documents, "0", "2026-09-15T12:00:00Z")
}

fn proven(engine: &Engine) {
    for check in verify(engine, &mut |_| {}).unwrap() {
        assert_eq!(check.violations, 0, "{}: {:?}", check.invariant, check.told);
    }
}

fn key(id: &str) -> EventKey {
    EventKey { app: "acme".into(), id: id.into() }
}

/// What was charged, or why it is held.
fn outcomes(receipts: &[Receipt]) -> Vec<Result<String, HoldCause>> {
    let outcome = |receipt: &Receipt| match receipt {
        Receipt::Accepted(outcome) => match &**outcome {
            Outcome::Rated(charge) => Ok(charge.total.to_string()),
            Outcome::Held(reason) => Err(reason.cause),
        },
        other => panic!("{other:?}"),
    };
    receipts.iter().map(outcome).collect()
}

fn voided(engine: &Engine, id: &str) -> String {
    match engine.void(&key(id), "a mistake", None, 0).unwrap() {
        VoidReceipt::Voided(voided) => voided.reversal.unwrap().total.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn charges_keep_the_terms_they_were_made_by() {
    let engine = engine(Arc::new(MemoryStore::new()));
    engine.record(&[documents("e1", "c", "13")]).unwrap();
    engine.define(&app("acme", "0.7", "2")).unwrap();
    proven(&engine);
    let explained = engine.explain(&key("e1")).unwrap().unwrap();
    assert_eq!(explained.reproduced.unwrap().difference, None);
    let before = engine.store().stored_one(&key("e1")).unwrap().unwrap();
    let Outcome::Rated(charge) = before.outcome else { panic!("it is charged") };
    assert_eq!((charge.total.to_string(), charge.split.platform_fee.to_string()), ("10".into(), "2".into()));
    // More than the cap is now, and the fee goes back as it was taken.
    assert_eq!(voided(&engine, "e1"), "-10");
    proven(&engine);
    assert!(engine.store().balances().unwrap().iter().all(|(_, balance)| balance.net() == Some(0)));
}

#[test]
fn a_split_by_terms_that_never_were_is_found() {
    let engine = engine(Arc::new(MemoryStore::new()));
    engine.record(&[documents("e1", "c", "13")]).unwrap();
    let stored = engine.store().stored_one(&key("e1")).unwrap().unwrap();
    let Outcome::Rated(charge) = stored.outcome else { panic!("it is charged") };
    let catalog = engine.rules();
    assert!(charge.is_split_by(catalog.catalog().platform_shares("acme")));
    assert!(!charge.is_split_by(&["0.21".parse().unwrap()]));
}

#[test]
fn pooled_units_stay_with_the_parent_for_whom_they_were_counted() {
    let engine = engine(Arc::new(MemoryStore::new()));
    engine.define(&customer("child", Some("first"))).unwrap();
    let made = engine.record(&[documents("e1", "child", "2"), documents("e2", "child", "2")]).unwrap();
    assert_eq!(outcomes(&made), [Ok("0".into()), Ok("1".into())]);
    engine.define(&customer("child", Some("second"))).unwrap();
    engine.define(&customer("sibling", Some("first"))).unwrap();
    let made = engine.record(&[documents("e3", "child", "4"), documents("e4", "sibling", "1")]).unwrap();
    assert_eq!(outcomes(&made), [Ok("1".into()), Ok("1".into())], "each family counts for itself");
    proven(&engine);
    // Without it the first family has used 3 documents and not 5; the second knows nothing of it.
    assert_eq!(voided(&engine, "e1"), "-2");
    let usage = engine.store().usage("acme", None, None).unwrap();
    let usage: Vec<_> = usage.iter().map(|(key, value)| (&*key.owner, value.to_string())).collect();
    assert_eq!(usage, [("first", "3".to_owned()), ("second", "4".to_owned())]);
    proven(&engine);
}

#[test]
fn an_event_that_cannot_be_kept_is_held_and_its_neighbours_are_charged() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&directory.path().join("tollgate.db"), &Options::default()).unwrap();
    let engine = engine(Arc::new(store));
    let rich = |id| event("acme", id, "rich", "1", "9000000000", "2026-09-15T12:00:00Z");
    engine.agree("acme", "rich", &WalletTerms::default()).unwrap();
    let batch = [
        event("acme", "early", "c", "1", "0", "0000-01-01T00:00:00Z"),
        rich("r1"),
        documents("e1", "c", "5"),
        rich("r2"),
        rich("r3"),
        documents("e2", "c", "5"),
    ];
    let full = || Err(HoldCause::OutOfRange);
    let made = outcomes(&engine.record(&batch).unwrap());
    assert_eq!(made, [full(), Ok("9000000000".into()), Ok("2".into()), full(), full(), Ok("5".into())]);
    proven(&engine);
    // They are held as long as it is so.
    let retried = engine.retry_held(None, 0, 1_000).unwrap();
    assert_eq!((retried.rated, retried.held, retried.next), (0, 3, None));
    proven(&engine);
}

#[test]
fn a_period_stays_open_when_a_plugin_does_not_load() {
    let store = Arc::new(MemoryStore::new());
    engine(Arc::clone(&store) as _).record(&[documents("e1", "c", "5")]).unwrap();
    let period = "2026-09".parse().unwrap();
    let unable = Engine::open(Arc::clone(&store) as _, maybe(false)).unwrap();
    match unable.close("acme", period) {
        Err(EngineError::NotClosable(reason)) => assert_eq!(reason, "it does not load today"),
        other => panic!("{other:?}"),
    }
    let able = Engine::open(store, maybe(true)).unwrap();
    let closed = able.close("acme", period).unwrap();
    assert_eq!(closed.charges.len(), 1, "the fee is not lost");
    assert_eq!(closed.charges[0].charge.total.to_string(), "1");
}

#[test]
fn questions_suspend_nobody_and_a_retry_lifts_only_its_own_suspension() {
    let engine = engine(Arc::new(MemoryStore::new()));
    for id in APPS {
        engine.define(&app(id, "0.2", "10")).unwrap();
    }
    // More than the cap: the plugin's fault.
    let costly =
        |app: &str, number: usize| event(app, &format!("e{number}"), "c", "100", "0", "2026-09-15T12:00:00Z");
    let many: Vec<_> = (0..200).map(|number| costly("acme", number)).collect();
    assert!(engine.quote(&many).unwrap().iter().all(|quote| !quote.denials.is_empty()));
    assert_eq!(engine.suspended().len(), 0, "nothing is counted of what is only asked");
    for id in APPS {
        let many: Vec<_> = (0..100).map(|number| costly(id, number)).collect();
        engine.record(&many).unwrap();
    }
    let suspended = || engine.suspended().keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(suspended(), ["acme-tariff", "other-tariff"]);
    let event = |app: &str, id: &str| event(app, id, "d", "1", "0", "2026-09-15T12:00:00Z");
    engine.void(&EventKey { app: "acme".into(), id: "e0".into() }, "to have one less", None, 0).unwrap();
    let retried = engine.retry_held(Some(&["acme".to_owned()]), 0, 1_000).unwrap();
    assert_eq!((retried.rated, retried.held), (0, 99));
    engine.try_suspended(|tariff| tariff == "acme-tariff");
    let made = engine.record(&[event("acme", "fine"), event("other", "fine")]).unwrap();
    assert_eq!(outcomes(&made), [Ok("0".into()), Err(HoldCause::Suspended)]);
    assert_eq!(suspended(), ["other-tariff"]);
}

#[test]
fn engines_that_share_a_store_price_by_what_any_of_them_defined() {
    let directory = tempfile::tempdir().unwrap();
    let open =
        || Arc::new(SqliteStore::open(&directory.path().join("tollgate.db"), &Options::default()).unwrap());
    let one = engine(open());
    let other = Engine::open(open(), maybe(true)).unwrap();
    let tariff = |id: &str, included: &str| {
        Definition::Tariff(Tariff {
            id: id.to_owned(),
            app: "acme".into(),
            customer: None,
            plugin: NativePricer::<Shared>::digest(),
            settings: serde_json::json!({ "included": included }).to_string(),
            effective_from: 0,
        })
    };
    assert_eq!(outcomes(&other.record(&[documents("e1", "c", "4")]).unwrap()), [Ok("1".into())]);
    one.define(&tariff("generous", "100")).unwrap();
    // It was opened before, and learns of it by being refused.
    assert_eq!(outcomes(&other.record(&[documents("e2", "c", "4")]).unwrap()), [Ok("0".into())]);
    other.define(&tariff("dear", "0")).unwrap();
    assert_eq!(outcomes(&one.record(&[documents("e3", "c", "2")]).unwrap()), [Ok("2".into())]);
    // What one has defined is checked against by the other, or nobody could open the store again.
    one.define(&tariff("same", "1")).unwrap();
    assert!(!other.define(&tariff("same", "1")).unwrap());
    let conflict = other.define(&tariff("same", "2")).unwrap_err();
    assert!(conflict.to_string().contains("a tariff never changes"), "{conflict}");
    let asked = |engine: &Engine| engine.quote(&[documents("q", "c", "1")]).unwrap()[0].outcome.clone();
    assert_eq!(asked(&one), asked(&other));
    one.define(&tariff("last", "1000")).unwrap();
    other.catch_up().unwrap();
    assert_eq!(asked(&one), asked(&other));
    proven(&Engine::open(open(), maybe(true)).unwrap());
}

/// Defining beside recording makes nothing fail and charges nothing twice.
#[test]
fn two_engines_define_and_record_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let open =
        || Arc::new(SqliteStore::open(&directory.path().join("tollgate.db"), &Options::default()).unwrap());
    let engines = [engine(open()), Engine::open(open(), maybe(true)).unwrap()];
    std::thread::scope(|scope| {
        for (number, engine) in engines.iter().enumerate() {
            scope.spawn(move || {
                for round in 0..25 {
                    engine.define(&customer(&format!("c{number}-{round}"), None)).unwrap();
                }
            });
            scope.spawn(move || {
                for round in 0..25 {
                    let id = format!("e{number}-{round}");
                    let made = engine.record(&[documents(&id, "shared", "1")]).unwrap();
                    assert!(outcomes(&made)[0].is_ok(), "{made:?}");
                }
            });
        }
    });
    for engine in &engines {
        engine.catch_up().unwrap();
    }
    let customers = |engine: &Engine| engine.rules().catalog().customers("acme").count();
    assert_eq!((customers(&engines[0]), customers(&engines[1])), (50, 50));
    let usage = engines[0].store().usage("acme", None, None).unwrap();
    assert_eq!(usage[0].1.to_string(), "50");
    proven(&Engine::open(open(), maybe(true)).unwrap());
}
