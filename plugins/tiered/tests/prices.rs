//! What `tiered` charges, case by case.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // What cannot be is a failed test.

use tiered::Tiered;
use tollgate_sdk::{native, prelude::*};

fn settings() -> serde_json::Value {
    json!({
        "unit": "1k tokens", "measures": ["input_tokens", "output_tokens"], "divide_by": "1000",
        "tiers": [
            { "up_to": "500", "unit_price": "0.03", "flat": "0" },
            { "up_to": null, "unit_price": "0.02", "flat": "1.00" },
        ],
    })
}

fn tokens(input: &str, output: &str) -> TestEvent {
    TestEvent::new().measure("input_tokens", input).measure("output_tokens", output)
}

#[test]
fn each_tier_covers_what_lies_up_to_its_bound_and_its_flat_amount_comes_once() {
    let mut bench = TestBench::<Tiered>::new(settings()).unwrap();
    let cases = [
        (tokens("1000", "500"), "1.500", "0.04500"),
        (tokens("0", "0"), "", ""),
        // Up to the bound, exactly: the second tier has not begun.
        (tokens("498500", "0"), "498.500", "14.95500"),
        // Its first fraction brings its flat amount.
        (tokens("0", "1"), "0.001", "1.00002"),
        (tokens("0", "1000"), "1.000", "0.02000"),
    ];
    for (event, quantity, amount) in cases {
        let expected =
            if quantity.is_empty() { "nothing".to_owned() } else { format!("tiered: {quantity} = {amount}") };
        assert_eq!(bench.event(event).unwrap().to_string(), expected);
    }
}

#[test]
fn one_event_may_cross_several_tiers() {
    let settings = json!({
        "measures": ["pages"],
        "tiers": [
            { "up_to": "10", "unit_price": "1", "flat": "5" },
            { "up_to": "20", "flat": "7" },
            { "up_to": null, "unit_price": "0.1" },
        ],
    });
    let pages = |count: &str| TestEvent::new().measure("pages", count);
    let mut at_once = TestBench::<Tiered>::new(&settings).unwrap();
    assert_eq!(at_once.event(pages("25")).unwrap().to_string(), "tiered: 25 = 22.5");
    let mut step_by_step = TestBench::<Tiered>::new(&settings).unwrap();
    let mut total = Decimal::ZERO;
    for answer in step_by_step.batch(["9", "1", "1", "9", "4", "1"].map(pages)) {
        total = total.plus(answer.unwrap().lines[0].amount).unwrap();
    }
    assert_eq!(total, decimal!("22.5"));
}

#[test]
fn by_volume_each_event_costs_the_price_reached_and_the_close_settles_the_rest() {
    let settings = json!({
        "measures": ["pages"], "mode": "volume",
        "tiers": [{ "up_to": "100", "unit_price": "0.10", "flat": "5" }, { "unit_price": "0.08" }],
    });
    let mut bench = TestBench::<Tiered>::new(settings).unwrap();
    let pages = |count: &str| TestEvent::new().measure("pages", count);
    assert_eq!(bench.event(pages("60")).unwrap().to_string(), "tiered: 60 at 0.10 = 6.00");
    let closing = TestEvent::new().charged("", "6").charged("tiered", "6");
    assert_eq!(bench.close(&closing).unwrap().to_string(), "true_up: 0 = 5.00");
    assert_eq!(bench.event(pages("60")).unwrap().to_string(), "tiered: 60 at 0.08 = 4.80");
    let closing = TestEvent::new().charged("", "10.8").charged("tiered", "10.8");
    assert_eq!(bench.close(&closing).unwrap().to_string(), "true_up: 0 = -1.20");
}

#[test]
fn the_unit_at_a_bound_belongs_to_the_tier_that_the_bounds_say() {
    let settings = |bounds: &str, fractions: &str| {
        json!({
            "measures": ["pages"], "bounds": bounds, "fractions": fractions,
            "tiers": [{ "up_to": "10", "unit_price": "1" }, { "unit_price": "1", "flat": "7" }],
        })
    };
    let pages = |count: &str| TestEvent::new().measure("pages", count);
    for (bounds, fractions, total, expected) in [
        ("inclusive", "exact", "10", "10"),
        ("exclusive", "exact", "10", "17"),
        ("exclusive", "exact", "9.999", "9.999"),
        ("inclusive", "exact", "10.5", "17.5"),
        ("inclusive", "up", "10.5", "18"),
        ("inclusive", "down", "10.5", "10"),
        ("exclusive", "up", "9.5", "17"),
    ] {
        let bench = TestBench::<Tiered>::new(settings(bounds, fractions)).unwrap();
        let total_price = bench.period([pages(total)]).unwrap();
        assert_eq!(total_price, expected.parse().unwrap(), "{bounds} {fractions} {total}");
    }
}

#[test]
fn each_group_has_tiers_of_its_own_and_the_cap_holds_for_all_together() {
    let settings = json!({
        "measures": ["events"], "group": "feature", "stop_at_cap": true, "period": { "cap": "5" },
        "tiers": [{ "up_to": "1" }, { "unit_price": "2" }],
    });
    let mut bench = TestBench::<Tiered>::new(settings).unwrap();
    let event = |feature: &str| TestEvent::new().feature(feature);
    let cases = [
        ("chat", "tiered: 1 = 0"),
        ("draft", "tiered: 1 = 0"),
        ("chat", "tiered: 1 = 2"),
        ("chat", "tiered: 1 = 2"),
        ("draft", "tiered: 1 = 2"),
        ("chat", "tiered: 1 = 1"),
        ("chat", "tiered: 1 = 0\nrefused: cap_reached "),
    ];
    for (feature, expected) in cases {
        assert_eq!(bench.event(event(feature)).unwrap().to_string(), expected, "{feature}");
    }
    let closing = TestEvent::new().charged("", "7").charged("tiered", "7");
    assert_eq!(bench.close(&closing).unwrap().to_string(), "cap: 1 = -2");
}

#[test]
fn a_quantity_of_more_than_twelve_places_is_a_fault() {
    let mut bench = TestBench::<Tiered>::new(settings()).unwrap();
    let fault = bench.event(tokens("0.0000000001", "0")).unwrap_err();
    assert_eq!(fault.message(), "the quantity 0.0000000000001 has more than 12 digits after the point");
}

#[test]
fn settings_that_make_no_sense_are_named_with_the_fix() {
    let one = |field: &str, value: serde_json::Value| {
        let mut settings = settings();
        settings[field] = value;
        settings
    };
    let cases = [
        (
            one("unit", json!("")),
            "/unit: the unit has no name; write what the customer sees, such as \"1k tokens\"",
        ),
        (
            one("measures", json!([])),
            "/measures: name at least one measure to count, such as \"output_tokens\"",
        ),
        (
            one("divide_by", json!("60")),
            "/divide_by: dividing by 60 does not end within 12 digits after the point, so quantities would not \
             be exact; use a product of twos and fives, such as 1000 or 1000000",
        ),
        (
            one("divide_by", json!("10000000000000")),
            "/divide_by: dividing by 10000000000000 does not end within 12 digits after the point, so \
             quantities would not be exact; use a product of twos and fives, such as 1000 or 1000000",
        ),
        (one("divide_by", json!("0")), "/divide_by: 0 cannot divide a quantity; use a number above zero"),
        (one("divide_by", json!("-2")), "/divide_by: -2 cannot divide a quantity; use a number above zero"),
        (
            one("tiers", json!([])),
            "/tiers: there is no tier; a single price is one tier with \"up_to\": null",
        ),
        (
            one("tiers", json!([{ "up_to": "5" }])),
            "/tiers/0/up_to: nothing says what a unit beyond 5 costs; set the last tier's up_to to null",
        ),
        (
            one("tiers", json!([{ "up_to": "5" }, { "up_to": "5.0" }, { "up_to": null }])),
            "/tiers/1/up_to: 5.0 does not lie above the tier before, which ends at 5; sort the tiers",
        ),
        (
            one("tiers", json!([{ "up_to": "0" }, { "up_to": null }])),
            "/tiers/0/up_to: 0 is not above zero, so nothing would lie in the tier; raise it or leave the tier out",
        ),
        (
            one("tiers", json!([{ "up_to": null }, { "up_to": null }])),
            "/tiers/0/up_to: only the last tier is open; say where this one ends",
        ),
        (
            one("tiers", json!([{ "up_to": "9999999999999999.1", "unit_price": "0.12345678901234567" }, {}])),
            "/tiers: the price of a whole tier cannot be held exactly: the product 9999999999999999.1 × \
             0.12345678901234567 has more digits than an exact decimal can hold",
        ),
        (
            one("tiers", json!([{ "up_to": null, "unit_price": "-1" }])),
            "/tiers/0/unit_price: -1 is negative; use zero or more",
        ),
        (one("tiers", json!([{ "flat": "-1" }])), "/tiers/0/flat: -1 is negative; use zero or more"),
        (
            one("tiers", json!([{ "package": "0" }])),
            "/tiers/0/package: a package of 0 holds nothing; use a number above zero",
        ),
        (
            one("group", json!("department")),
            "/group: there is no such column; use one of none, customer, parent, feature, route, model, provider, \
             or attribute:NAME",
        ),
        (
            one("stop_at_cap", json!(true)),
            "/stop_at_cap: there is no cap to stop at; set /period/cap as well",
        ),
        (
            one("period", json!({ "fee": "2", "cap": "1" })),
            "/period/cap: 1 is less than the 2 that a period costs at least; raise the cap",
        ),
    ];
    for (settings, expected) in cases {
        let problems = native::check::<Tiered>(&settings.to_string());
        let shown: Vec<_> =
            problems.iter().map(|found| format!("{}: {}", found.pointer, found.message)).collect();
        assert_eq!(shown, [expected]);
    }
}

#[test]
fn divisors_that_end_are_exact() {
    for (divide_by, measured, quantity) in
        [("1", "7", "7"), ("8", "1", "0.125"), ("0.5", "3", "6"), ("1000000000000", "1", "0.000000000001")]
    {
        let settings = json!({ "measures": ["pages"], "divide_by": divide_by, "tiers": [{ "up_to": null }] });
        let mut bench = TestBench::<Tiered>::new(settings).unwrap();
        let priced = bench.event(TestEvent::new().measure("pages", measured)).unwrap();
        assert_eq!(priced.lines[0].quantity, quantity.parse().unwrap(), "{divide_by}");
    }
}
