//! What `conversation` charges, case by case.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // What cannot be is a failed test.

use conversation::Conversation;
use tollgate_sdk::{native, prelude::*};

fn call(conversation: &str) -> TestEvent {
    TestEvent::new().attribute("conversation", conversation)
}

fn bench() -> TestBench<Conversation> {
    TestBench::new(json!({ "attribute": "conversation", "included": "2", "price": "0.25" })).unwrap()
}

const CALLS: [(&str, &str); 7] = [
    ("first", "nothing"),
    ("second", "nothing"),
    ("first", "nothing"),
    ("third", "conversation: 1 at 0.25 = 0.25"),
    ("third", "nothing"),
    ("fourth", "conversation: 1 at 0.25 = 0.25"),
    ("second", "nothing"),
];

#[test]
fn a_conversation_is_charged_once_and_beyond_the_included_ones() {
    let mut bench = bench();
    for (conversation, expected) in CALLS {
        assert_eq!(bench.event(call(conversation)).unwrap().to_string(), expected, "{conversation}");
    }
    assert_eq!(bench.event(call("fifth").customer("another")).unwrap().to_string(), "nothing");
}

#[test]
fn a_batch_costs_what_its_events_cost_one_by_one() {
    let answers = bench().batch(CALLS.map(|(conversation, _)| call(conversation)));
    for (answer, (conversation, expected)) in answers.iter().zip(CALLS) {
        assert_eq!(answer.as_ref().unwrap().to_string(), expected, "{conversation}");
    }
}

#[test]
fn an_event_that_belongs_to_no_conversation_is_a_fault() {
    let fault = bench().event(TestEvent::new().attribute("thread", "first")).unwrap_err();
    let expected = "the event has no attribute `conversation`, which says which conversation it belongs to";
    assert_eq!(fault.message(), expected);
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let problems = native::check::<Conversation>(r#"{"attribute":"","included":"-1","price":"-0.5"}"#);
    let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(pointers, ["/attribute", "/included", "/price"]);
}
