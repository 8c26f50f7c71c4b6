//! Prices, natively: the plugin's own functions, with counters as the host keeps them.
#![allow(clippy::unwrap_used)] // What cannot be is a failed test.

use tollgate_sdk::prelude::*;
use {{crate}}::{{Type}};

#[test]
fn documents_beyond_the_included_ones_are_charged() {
    let mut bench = TestBench::<{{Type}}>::new(json!({ "price": "0.50", "included": "10" })).unwrap();
    let mut documents = |number: &str| bench.event(TestEvent::new().measure("documents", number)).unwrap();
    assert!(documents("8").lines.is_empty());
    assert_eq!(documents("5").to_string(), "documents: 3 at 0.50 = 1.50");
}

#[test]
fn a_negative_price_is_refused() {
    let problems = TestBench::<{{Type}}>::new(json!({ "price": "-1" })).err().unwrap();
    assert_eq!(problems.first().unwrap().pointer, "/price");
}
