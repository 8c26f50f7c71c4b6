//! A period's fee, minimum and cap, seen through a plugin that has them.
#![allow(clippy::unwrap_used)] // What cannot be is a failed test.

use tollgate_sdk::{native, prelude::*};

/// What a tariff sets.
#[settings]
pub struct Settings {
    /// The period's terms.
    #[serde(default)]
    period: PeriodTerms,
}

const LINES: PeriodLines = PeriodLines { fee: FEE, minimum: MINIMUM, cap: CAP };

/// Charges what is spent, and the period's terms.
#[plugin(
    unit(UNIT, name = "unit", aggregation = sum),
    line(SPENT, code = "spent", title = "Spent", unit = "unit"),
    line(FEE, code = "fee", title = "Fee", unit = "unit"),
    line(MINIMUM, code = "minimum", title = "Up to the minimum", unit = "unit"),
    line(CAP, code = "cap", title = "Beyond the cap", unit = "unit", kind = credit)
)]
impl Pricing for Spender {
    type Settings = Settings;

    fn check(settings: &Settings, problems: &mut Problems) {
        settings.period.check("/period", problems);
    }

    fn meter(_: &Settings, event: &Event, usage: &mut Usage) -> Outcome {
        usage.add(UNIT, event.measure("spent"))
    }

    fn rate(settings: &Settings, _: &Event, counted: &Counted, bill: &mut Bill) -> Outcome {
        let Some(count) = counted.of(UNIT) else { return Ok(()) };
        let amount = count.cumulative(|total| settings.period.capped(total))?;
        bill.add(Line { code: SPENT, quantity: count.grown()?, unit_price: Decimal::ZERO, amount })
    }

    fn close(settings: &Settings, customer: &Closing, _: &Totals, bill: &mut Bill) -> Outcome {
        settings.period.close(LINES, customer.charged(), bill)
    }
}

fn bench(period: &serde_json::Value) -> TestBench<Spender> {
    TestBench::new(json!({ "period": period })).unwrap()
}

#[test]
fn a_period_costs_the_fee_and_the_usage_within_the_minimum_and_the_cap() {
    let cases = [
        (json!({}), "7", "7"),
        (json!({ "fee": "5" }), "7", "12"),
        (json!({ "fee": "5", "minimum": "20" }), "7", "20"),
        (json!({ "fee": "5", "minimum": "12" }), "7", "12"),
        (json!({ "minimum": "6" }), "7", "7"),
        (json!({ "fee": "5", "cap": "10" }), "7", "10"),
        (json!({ "fee": "5", "cap": "5" }), "7", "5"),
        (json!({ "minimum": "20", "cap": "20" }), "30", "20"),
        (json!({ "minimum": "0.5", "cap": null }), "0", "0.5"),
    ];
    for (period, spent, expected) in cases {
        let expected: Decimal = expected.parse().unwrap();
        let halves = || {
            let half = spent.parse::<Decimal>().unwrap().times(decimal!("0.5")).unwrap().to_string();
            [TestEvent::new().measure("spent", &half), TestEvent::new().measure("spent", &half)]
        };
        assert_eq!(bench(&period).period(halves()).unwrap(), expected, "{period} {spent}");
    }
}

#[test]
fn what_was_charged_beyond_the_cap_is_credited() {
    let closing = TestEvent::new().charged("", "30");
    let mut bench = bench(&json!({ "fee": "5", "minimum": "20", "cap": "25" }));
    assert_eq!(bench.close(&closing).unwrap().to_string(), "fee: 1 = 5\ncap: 1 = -10");
}

#[test]
fn terms_that_make_no_sense_are_named() {
    let problems = native::check::<Spender>(r#"{"period":{"fee":"-1","minimum":"-2","cap":"-3"}}"#);
    let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(pointers, ["/period/fee", "/period/minimum", "/period/cap"]);
    let problems = native::check::<Spender>(r#"{"period":{"fees":"1"}}"#);
    assert!(problems.iter().any(|problem| problem.message.contains("unknown field `fees`")));
}

#[test]
fn a_folder_of_fixtures_is_run() {
    run_fixtures::<Spender>(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/right"));
}

#[test]
#[should_panic(expected = "\"amount\":\"2.5\"")]
fn a_fixture_that_costs_something_else_shows_both() {
    run_fixtures::<Spender>(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/wrong"));
}

#[test]
#[should_panic(expected = "events.ndjson:1: spent: 2.5 is not a decimal")]
fn a_fraction_that_went_through_a_float_is_refused() {
    run_fixtures::<Spender>(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/unreadable"));
}
