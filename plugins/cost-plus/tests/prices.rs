//! What `cost-plus` charges, case by case.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // What cannot be is a failed test.

use cost_plus::CostPlus;
use tollgate_sdk::{native, prelude::*};

fn event(route: &str, cost: &str) -> TestEvent {
    TestEvent::new().route(route).network_cost(cost)
}

#[test]
fn the_surcharge_follows_the_route_and_the_minimum() {
    let full = json!({
        "margin": "0.20", "route_margins": { "premium": "0.35" }, "minimum_surcharge": "0.001",
    });
    let cases = [
        (full.clone(), event("standard", "0.01"), "usage: 1 = 0.01\nsurcharge: 1 = 0.0020"),
        (full.clone(), event("premium", "0.01"), "usage: 1 = 0.01\nsurcharge: 1 = 0.0035"),
        (full.clone(), event("", "0.01"), "usage: 1 = 0.01\nsurcharge: 1 = 0.0020"),
        (full.clone(), event("standard", "0.004"), "usage: 1 = 0.004\nsurcharge: 1 = 0.001"),
        (full, event("standard", "0"), "usage: 1 = 0\nsurcharge: 1 = 0.001"),
        (json!({ "margin": "0.5" }), event("premium", "2"), "usage: 1 = 2\nsurcharge: 1 = 1.0"),
        (json!({}), event("premium", "2"), "usage: 1 = 2\nsurcharge: 1 = 0"),
    ];
    for (settings, event, expected) in cases {
        let mut bench = TestBench::<CostPlus>::new(&settings).unwrap();
        assert_eq!(bench.event(event).unwrap().to_string(), expected, "{settings}");
    }
}

#[test]
fn the_margin_of_a_model_comes_before_that_of_its_route() {
    let settings = json!({
        "margin": "0.1", "route_margins": { "premium": "0.2" }, "model_margins": { "o3": "0.5" },
    });
    let mut bench = TestBench::<CostPlus>::new(settings).unwrap();
    for (route, model, surcharge) in
        [("premium", "o3", "0.5"), ("premium", "gpt-4o", "0.2"), ("", "o3", "0.5"), ("", "", "0.1")]
    {
        let priced = bench.event(event(route, "1").model(model)).unwrap();
        assert_eq!(priced.to_string(), format!("usage: 1 = 1\nsurcharge: 1 = {surcharge}"));
    }
}

#[test]
fn a_missing_price_is_never_taken_for_zero() {
    let mut bench = TestBench::<CostPlus>::new(json!({ "cost": "price" })).unwrap();
    let priced = bench.event(event("", "5").measure("price", "0.04")).unwrap();
    assert_eq!(priced.to_string(), "usage: 1 = 0.04\nsurcharge: 1 = 0");
    let fault = bench.event(event("", "5")).unwrap_err();
    assert_eq!(fault.message(), "the app has put no price on the event, as its measure `price`");
    let mut bench = TestBench::<CostPlus>::new(json!({ "cost": "price", "unpriced": "free" })).unwrap();
    assert_eq!(bench.event(event("", "5")).unwrap().to_string(), "usage: 1 = 0\nsurcharge: 1 = 0");
}

#[test]
fn a_margin_too_fine_to_be_exact_is_a_fault() {
    let mut bench = TestBench::<CostPlus>::new(json!({ "margin": "0.00000000000000000001" })).unwrap();
    let fault = bench.event(event("", "0.000000001")).unwrap_err();
    assert!(fault.message().contains("more digits than an exact decimal can hold"), "{fault}");
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let settings = r#"{"margin":"-0.1","route_margins":{"a/b":"-1"},"minimum_surcharge":"-2"}"#;
    let problems = native::check::<CostPlus>(settings);
    let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(pointers, ["/margin", "/minimum_surcharge", "/route_margins/a~1b"]);
    assert_eq!(problems[0].message, "-0.1 is negative; use zero or more");
}
