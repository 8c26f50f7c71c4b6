//! Money that moves, against a model that says the same as simply as possible: grants, top-ups, authorisations,
//! captures, voids, expiries, refunds, chargebacks, closes, payouts, clock jumps and crashes, in random order.
//! After every step the wallets are the model's and the whole ledger is proven.
//!
//! `TOLLGATE_PROPERTY_CASES` says how many sequences are tried on the in-memory store (200 unless told).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // a test may stop where it stands
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // of small numbers

#[path = "money/model.rs"]
mod model;
#[path = "money/paying.rs"]
mod paying;
#[path = "money/spending.rs"]
mod spending;
#[path = "money/steps.rs"]
mod steps;
#[path = "money/world.rs"]
mod world;

use std::sync::Arc;

use proptest::test_runner::{Config, TestRunner};
use tollgate_core::store::Store;
use tollgate_store::{MemoryStore, Options, SqliteStore};

use steps::Step;
use world::World;

fn cases(default: u32) -> u32 {
    std::env::var("TOLLGATE_PROPERTY_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(default)
}

#[test]
fn money_moves_as_the_model_says_in_memory() {
    let cases = cases(200);
    println!("{cases} random sequences on the in-memory store");
    let config = Config { cases, max_shrink_iters: 4_000, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&steps::steps(), |steps| {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            World::new(Box::new(move || Arc::clone(&store))).run(&steps)
        })
        .unwrap();
}

#[test]
fn money_moves_as_the_model_says_on_sqlite() {
    let cases = cases(200) / 100 + 10;
    println!("{cases} random sequences on SQLite");
    let config = Config { cases, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    let directory = tempfile::tempdir().unwrap();
    let next = std::sync::atomic::AtomicU32::new(0);
    TestRunner::new(config)
        .run(&steps::steps(), |steps| {
            let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let path = directory.path().join(format!("{number}.db"));
            let open = move || Arc::new(SqliteStore::open(&path, &Options::default()).unwrap());
            World::new(Box::new(move || open() as Arc<dyn Store>)).run(&steps)
        })
        .unwrap();
}

/// A limit that is lowered under a hold leaves a part uncovered; agreed on again after the hold has expired, it
/// covers that part.
#[test]
fn the_same_limit_again_covers_what_has_come_within_it() {
    let steps = [
        Step::Authorize { customer: 1, id: 0, tokens: 9, hours: 1 },
        Step::Ingest { customer: 1, id: 1, tokens: 16 },
        Step::Limit { customer: 1, cents: Some(49) },
        Step::Pass { hours: 1 },
        Step::Limit { customer: 1, cents: Some(49) },
    ];
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    World::new(Box::new(move || Arc::clone(&store))).run(&steps).unwrap();
}
