//! Receipts: which event of a batch is new, which is known, and which contradicts what is known.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may stop where it stands

use std::sync::Arc;

use tollgate_core::catalog::{App, AppTerms, Builder, CostAuthority, Definition};
use tollgate_core::door;
use tollgate_core::engine::{Engine, Receipt};
use tollgate_core::event::Event;
use tollgate_core::price_book::PriceBook;
use tollgate_sandbox::{Sandbox, SandboxConfig};
use tollgate_store::MemoryStore;

/// An engine with an app and no tariff: every new event is held.
fn engine() -> Engine {
    let sandbox = Arc::new(Sandbox::new(SandboxConfig::default()).unwrap());
    let engine = Engine::open(Arc::new(MemoryStore::new()), sandbox).unwrap();
    let book = PriceBook::parse(r#"{"currency":"USD","entries":[]}"#).unwrap();
    let terms = AppTerms {
        platform_share: "0.2".parse().unwrap(),
        surcharge_max: "100".parse().unwrap(),
        price_book: "none".into(),
        cost_authority: CostAuthority::Reported,
    };
    for definition in [
        Definition::Builder(Builder {
            id: "b".into(),
            name: "B".into(),
            app_terms: None,
            publishers: Vec::new(),
            payouts: tollgate_core::payout::PayoutTerms::default(),
        }),
        Definition::PriceBook("none".into(), book),
        Definition::App(App {
            id: "acme".into(),
            name: "Acme".into(),
            builder: "b".into(),
            currency: "USD".into(),
            time_zone: "UTC".into(),
            terms,
        }),
    ] {
        engine.define(&definition).unwrap();
    }
    engine
}

fn event(app: &str, id: &str, documents: u32) -> Arc<Event> {
    let event = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"{app}","type":"t","subject":"c","time":"2026-10-01T00:00:00Z","data":{{"measures":{{"documents":{documents}}}}}}}"#
    );
    Arc::new(door::parse(event.as_bytes()).unwrap())
}

fn words(receipts: &[Receipt]) -> Vec<&'static str> {
    let word = |receipt: &Receipt| match receipt {
        Receipt::Accepted(_) => "new",
        Receipt::Duplicate { conflict: false } => "duplicate",
        Receipt::Duplicate { conflict: true } => "conflict",
        Receipt::Undefined => "undefined",
    };
    receipts.iter().map(word).collect()
}

#[test]
fn every_event_is_compared_with_the_first_of_its_key_wherever_that_is() {
    let engine = engine();
    let batch = [event("acme", "a", 1), event("acme", "a", 1), event("acme", "a", 2), event("other", "a", 1)];
    assert_eq!(words(&engine.record(&batch).unwrap()), ["new", "duplicate", "conflict", "undefined"]);
    // In the store by now: a repeat in the batch is compared with that, not with its neighbour.
    let batch = [event("acme", "a", 2), event("acme", "a", 1), event("acme", "a", 2), event("acme", "b", 1)];
    assert_eq!(words(&engine.record(&batch).unwrap()), ["conflict", "duplicate", "conflict", "new"]);
    // On its way: the same, and the answer waits for the first to arrive.
    let first = engine.submit(&[event("acme", "c", 1)]).unwrap();
    let second = engine.submit(&[event("acme", "c", 2), event("acme", "c", 1)]).unwrap();
    assert_eq!(words(&first.wait().unwrap()), ["new"]);
    assert_eq!(words(&second.wait().unwrap()), ["conflict", "duplicate"]);
}
