//! Prices, natively: the plugin's own functions, with counters as the host keeps them.
#![allow(clippy::unwrap_used)] // What cannot be is a failed test.

use tollgate_sdk::prelude::*;
use {{crate}}::{{Type}};

#[test]
fn a_conversation_is_charged_once() {
    let mut bench = TestBench::<{{Type}}>::new(json!({ "price": "0.25" })).unwrap();
    let mut said = |id: &str| bench.event(TestEvent::new().attribute("conversation", id)).unwrap();
    assert_eq!(said("a").to_string(), "conversations: 1 at 0.25 = 0.25");
    assert!(said("a").lines.is_empty());
    assert_eq!(said("b").to_string(), "conversations: 1 at 0.25 = 0.25");
}

#[test]
fn an_event_without_a_conversation_is_held() {
    let mut bench = TestBench::<{{Type}}>::new(json!({ "price": "0.25" })).unwrap();
    let fault = bench.event(TestEvent::new()).err().unwrap();
    assert_eq!(fault.message(), "the event has no attribute `conversation`; send it with each event");
}
