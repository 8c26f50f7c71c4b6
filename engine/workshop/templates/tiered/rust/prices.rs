//! Prices, natively: the plugin's own functions, with counters as the host keeps them.
#![allow(clippy::unwrap_used)] // What cannot be is a failed test.

use tollgate_sdk::prelude::*;
use {{crate}}::{{Type}};

#[test]
fn an_event_across_an_edge_pays_both_prices() {
    let tiers = json!({ "tiers": [{ "up_to": "10", "price": "0.50" }, { "price": "0.20" }] });
    let mut bench = TestBench::<{{Type}}>::new(tiers).unwrap();
    let mut documents = |number: &str| bench.event(TestEvent::new().measure("documents", number)).unwrap();
    assert_eq!(documents("8").to_string(), "documents: 8 = 4.00");
    assert_eq!(documents("5").to_string(), "documents: 5 = 1.60");
}

#[test]
fn tiers_rise_and_the_last_is_open() {
    let tiers = json!({ "tiers": [{ "up_to": "10", "price": "1" }, { "up_to": "5", "price": "1" }] });
    let problems = TestBench::<{{Type}}>::new(tiers).err().unwrap();
    assert_eq!(problems.first().unwrap().pointer, "/tiers/1/up_to");
}
