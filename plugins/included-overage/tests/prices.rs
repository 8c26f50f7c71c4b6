//! What `included-overage` charges, case by case.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // What cannot be is a failed test.

use included_overage::IncludedOverage;
use tollgate_sdk::{native, prelude::*};

fn requests() -> TestBench<IncludedOverage> {
    TestBench::new(json!({
        "unit": "request", "count": "events", "included": "2", "overage_price": "0.02",
        "premium_routes": ["premium"], "premium_surcharge": "0.05",
    }))
    .unwrap()
}

fn documents() -> TestBench<IncludedOverage> {
    let settings =
        json!({ "unit": "document", "count": "documents", "included": "10", "overage_price": "0.5" });
    TestBench::new(settings).unwrap()
}

fn review(documents: &str) -> TestEvent {
    TestEvent::new().measure("documents", documents)
}

#[test]
fn events_are_free_until_the_included_ones_are_used() {
    let mut bench = requests();
    let plain = TestEvent::new;
    let cases = [
        (plain(), "included: 1 = 0"),
        (plain().route("premium"), "included: 1 = 0\npremium: 1 at 0.05 = 0.05"),
        (plain(), "overage: 1 at 0.02 = 0.02"),
        (plain().route("premium"), "overage: 1 at 0.02 = 0.02\npremium: 1 at 0.05 = 0.05"),
        (plain().customer("another"), "included: 1 = 0"),
    ];
    for (event, expected) in cases {
        assert_eq!(bench.event(event).unwrap().to_string(), expected);
    }
}

#[test]
fn an_event_that_straddles_the_limit_is_split_exactly() {
    let mut bench = documents();
    let cases = [
        ("7.5", "included: 7.5 = 0"),
        ("0", "nothing"),
        ("4", "included: 2.5 = 0\noverage: 1.5 at 0.5 = 0.75"),
        ("1", "overage: 1.0 at 0.5 = 0.50"),
    ];
    for (quantity, expected) in cases {
        assert_eq!(bench.event(review(quantity)).unwrap().to_string(), expected, "{quantity}");
    }
}

#[test]
fn the_limit_itself_is_included() {
    let mut bench = documents();
    assert_eq!(bench.event(review("10")).unwrap().to_string(), "included: 10 = 0");
    assert_eq!(
        bench.event(review("0.000000000001")).unwrap().to_string(),
        "overage: 0.000000000001 at 0.5 = 0.0"
    );
}

#[test]
fn a_batch_costs_what_its_events_cost_one_by_one() {
    let quantities = ["3", "4.25", "0", "6", "0.125", "9"];
    let together = documents().batch(quantities.map(review));
    let mut bench = documents();
    let apart: Vec<_> = quantities.into_iter().map(|quantity| bench.event(review(quantity))).collect();
    assert_eq!(together, apart);
}

#[test]
fn a_premium_feature_on_a_premium_route_costs_its_surcharge_once() {
    let settings = json!({ "overage_price": "1", "premium_routes": ["premium"],
        "premium_features": ["research"], "premium_surcharge": "0.05" });
    let mut bench = TestBench::<IncludedOverage>::new(settings).unwrap();
    let event = TestEvent::new().route("premium").feature("research");
    let expected = "overage: 1 at 1 = 1\npremium: 1 at 0.05 = 0.05";
    assert_eq!(bench.event(event).unwrap().to_string(), expected);
    assert_eq!(bench.event(TestEvent::new().feature("research")).unwrap().to_string(), expected);
}

#[test]
fn only_the_overage_price_has_to_be_set() {
    let mut bench = TestBench::<IncludedOverage>::new(json!({ "overage_price": "1" })).unwrap();
    assert_eq!(bench.event(TestEvent::new()).unwrap().to_string(), "overage: 1 at 1 = 1");
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let settings = r#"{"unit":"","count":"","included":"-1","overage_price":"-1","premium_surcharge":"-1"}"#;
    let problems = native::check::<IncludedOverage>(settings);
    let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(pointers, ["/unit", "/count", "/included", "/overage_price", "/premium_surcharge"]);
}
