//! `percentage` against Lago's test suite, its numbers typed again: getlago/lago-api,
//! `spec/services/charge_models/percentage_service_spec.rb`. Rates there are in per cent.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // What cannot be is a failed test.

use percentage::Percentage;
use tollgate_sdk::prelude::*;

/// What a period with these transactions costs.
fn costs(settings: serde_json::Value, amounts: &[&str]) -> Decimal {
    let mut settings = settings;
    settings["amount"] = json!("amount");
    let events = amounts.iter().map(|amount| TestEvent::new().measure("amount", amount));
    TestBench::<Percentage>::new(&settings).unwrap().period(events).unwrap()
}

/// Four transactions of 800 in all, whose first three add up to 50, 150 and 400.
const FOUR: [&str; 4] = ["50", "100", "250", "400"];

#[test]
fn free_events_and_a_free_amount() {
    let plan = |free_events: Option<&str>, free_amount: Option<&str>| json!({ "rate": "0.013", "fixed_fee": "2.0", "free_events": free_events, "free_amount": free_amount });
    let cases = [
        // The amount is used up first, within the third: 550 × 1.3 % and two fixed fees.
        (Some("3"), Some("250"), "11.15"),
        (None, Some("250"), "11.15"),
        // The number is used up first: 400 × 1.3 % and one fixed fee.
        (Some("3"), None, "7.2"),
        (Some("3"), Some("500"), "7.2"),
        (None, None, "18.4"),
    ];
    for (free_events, free_amount, expected) in cases {
        let expected: Decimal = expected.parse().unwrap();
        assert_eq!(costs(plan(free_events, free_amount), &FOUR), expected, "{free_events:?} {free_amount:?}");
    }
    assert_eq!(costs(plan(Some("5"), None), &FOUR), Decimal::ZERO);
    assert_eq!(costs(plan(None, None), &["0"]), Decimal::ZERO);
}

#[test]
fn a_rate_or_a_fixed_fee_alone() {
    assert_eq!(costs(json!({ "rate": "0.029" }), &["1", "1", "1", "1"]), decimal!("0.116"));
    assert_eq!(costs(json!({ "rate": "0", "fixed_fee": "2.0" }), &FOUR), decimal!("8"));
}

#[test]
fn a_least_and_a_most_for_each_transaction() {
    let transactions = ["10", "80", "10000"];
    let bounded = |more: serde_json::Value| {
        let mut plan = json!({ "rate": "0.0299", "minimum": "1.75", "maximum": "12" });
        for (name, value) in more.as_object().unwrap() {
            plan[name] = value.clone();
        }
        costs(plan, &transactions)
    };
    assert_eq!(costs(json!({ "rate": "0.0299" }), &transactions), decimal!("301.691"));
    assert_eq!(bounded(json!({})), decimal!("16.142"));
    assert_eq!(bounded(json!({ "fixed_fee": "2.0" })), decimal!("18.691"));
    assert_eq!(bounded(json!({ "free_events": "2" })), decimal!("12"));
    assert_eq!(bounded(json!({ "free_amount": "30" })), decimal!("13.794"));
    assert_eq!(bounded(json!({ "free_events": "3", "free_amount": "10000" })), decimal!("2.691"));
}
