//! What `percentage` charges, case by case.
#![allow(clippy::unwrap_used)] // What cannot be is a failed test.

use percentage::Percentage;
use tollgate_sdk::{native, prelude::*};

fn sale(amount: &str) -> TestEvent {
    TestEvent::new().measure("sales", amount)
}

#[test]
fn a_transaction_that_straddles_the_free_amount_is_split_exactly() {
    let settings = json!({ "amount": "sales", "rate": "0.01", "fixed_fee": "0.10", "free_amount": "100" });
    let mut bench = TestBench::<Percentage>::new(settings).unwrap();
    let cases = [
        ("60", "nothing"),
        ("0", "nothing"),
        ("40", "nothing"),
        ("0.000000001", "transaction: 1 = 0.10000000001"),
        ("60", "transaction: 1 = 0.70000000000"),
    ];
    for (amount, expected) in cases {
        assert_eq!(bench.event(sale(amount)).unwrap().to_string(), expected, "{amount}");
    }
}

#[test]
fn a_transaction_of_no_amount_is_free_unless_set_otherwise() {
    let plan = |fee_at_zero: bool| {
        json!({ "amount": "sales", "rate": "0.01", "fixed_fee": "0.10", "minimum": "0.15", "free_events": "1",
            "fee_at_zero": fee_at_zero })
    };
    for (fee_at_zero, expected) in
        [(false, ["nothing", "nothing"]), (true, ["nothing", "transaction: 1 = 0.15"])]
    {
        let mut bench = TestBench::<Percentage>::new(plan(fee_at_zero)).unwrap();
        for expected in expected {
            assert_eq!(bench.event(sale("0")).unwrap().to_string(), expected);
        }
    }
}

#[test]
fn a_batch_costs_what_its_events_cost_one_by_one() {
    let bench = || {
        let settings = json!({ "amount": "sales", "rate": "0.029", "free_amount": "9", "free_events": "4" });
        TestBench::<Percentage>::new(settings).unwrap()
    };
    let amounts = ["3", "4.25", "0", "6", "0.125", "9"];
    let mut apart = bench();
    let apart: Vec<_> = amounts.into_iter().map(|amount| apart.event(sale(amount))).collect();
    assert_eq!(bench().batch(amounts.map(sale)), apart);
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let settings = r#"{"amount":"","unit":"","rate":"-1","fixed_fee":"-1","minimum":"2","maximum":"1",
        "free_events":"-1","free_amount":"-1","period":{"fee":"-1","minimum":"3","cap":"2"}}"#;
    let problems = native::check::<Percentage>(settings);
    let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
    let expected = [
        "/amount",
        "/unit",
        "/rate",
        "/fixed_fee",
        "/free_events",
        "/free_amount",
        "/maximum",
        "/period/fee",
        "/period/cap",
    ];
    assert_eq!(pointers, expected);
    let problems = native::check::<Percentage>(r#"{"amount":"sales","unit":"transaction"}"#);
    assert!(problems.iter().all(|problem| problem.pointer == "/unit") && problems.len() == 1);
}
