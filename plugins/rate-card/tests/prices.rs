//! What `rate-card` charges, case by case.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // What cannot be is a failed test.

use rate_card::RateCard;
use tollgate_sdk::{native, prelude::*};

fn bench(settings: &serde_json::Value) -> TestBench<RateCard> {
    TestBench::new(settings).unwrap()
}

#[test]
fn the_first_rate_that_fits_is_taken_and_every_adjustment_counts() {
    let settings = json!({
        "rates": [
            { "when": { "feature": ["research"], "model": ["gpt-4*"] }, "prices": { "events": "1" } },
            { "when": { "feature": ["research", "review"] }, "prices": { "events": "0.50", "documents": "0.10" } },
            { "prices": { "output_tokens": "3" }, "per": "1000000" },
        ],
        "adjustments": [
            { "when": { "attributes": { "department": ["legal", "tax"] } }, "times": "2" },
            { "when": { "route": ["batch"] }, "times": "0.5" },
        ],
    });
    let event = |feature: &str, model: &str| TestEvent::new().feature(feature).model(model);
    let cases = [
        (event("research", "gpt-4o"), "usage: 1 = 1"),
        (event("research", "o3"), "usage: 1 = 0.50"),
        (event("review", "gpt-4o").measure("documents", "3"), "usage: 1 = 0.80"),
        (event("review", "gpt-4o").attribute("department", "tax"), "usage: 1 = 1.00"),
        (event("review", "gpt-4o").attribute("department", "tax").route("batch"), "usage: 1 = 0.500"),
        (event("review", "gpt-4o").attribute("department", "sales"), "usage: 1 = 0.50"),
        (event("chat", "").measure("output_tokens", "1234"), "usage: 1 = 0.003702"),
    ];
    for (event, expected) in cases {
        assert_eq!(bench(&settings).event(event).unwrap().to_string(), expected);
    }
}

#[test]
fn days_and_hours_are_those_of_the_offset() {
    // Saturday, 3 October 2026, 21:59 and 22:00 UTC: Sunday has begun at +02:00.
    let saturday = 1_791_064_740_000;
    let settings = |offset: &str| {
        json!({ "utc_offset": offset, "rates": [
            { "when": { "days": ["sun"] }, "prices": { "events": "1" } },
            { "when": { "hours": ["23:00-24:00"] }, "prices": { "events": "2" } },
            { "prices": { "events": "3" } },
        ] })
    };
    for (offset, time, expected) in [
        ("+02:00", saturday, "usage: 1 = 2"),
        ("+02:00", saturday + 60_000, "usage: 1 = 1"),
        ("+00:00", saturday + 60_000, "usage: 1 = 3"),
        ("-05:30", saturday + 60_000, "usage: 1 = 3"),
    ] {
        let priced = bench(&settings(offset)).event(TestEvent::new().time(time)).unwrap();
        assert_eq!(priced.to_string(), expected, "{offset} {time}");
    }
}

#[test]
fn what_is_not_listed_is_held_or_free() {
    let settings = |unlisted: &str| {
        json!({ "unlisted": unlisted,
            "rates": [{ "when": { "route": ["premium"] }, "prices": { "events": "1" } }] })
    };
    let fault = bench(&settings("held")).event(TestEvent::new().feature("chat")).unwrap_err();
    assert_eq!(
        fault.message(),
        "no rate fits the event (feature `chat`, route ``, model ``); add one without `when` for all others"
    );
    assert_eq!(bench(&settings("free")).event(TestEvent::new()).unwrap().to_string(), "usage: 1 = 0");
}

#[test]
fn a_cap_holds_event_by_event() {
    let settings = json!({ "rates": [{ "prices": { "pages": "0.3" } }], "stop_at_cap": true,
        "period": { "fee": "9", "cap": "10" } });
    let mut bench = bench(&settings);
    let cases = [
        ("3", "usage: 1 = 0.9"),
        ("3", "usage: 1 = 0.1"),
        ("0", "usage: 1 = 0.0"),
        ("1", "usage: 1 = 0\nrefused: cap_reached "),
    ];
    for (pages, expected) in cases {
        assert_eq!(bench.event(TestEvent::new().measure("pages", pages)).unwrap().to_string(), expected);
    }
    let closing = TestEvent::new().charged("", "1");
    assert_eq!(bench.close(&closing).unwrap().to_string(), "fee: 1 = 9");
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let settings = r#"{"unit":"","count":"","utc_offset":"2","rates":[
        {"when":{"hours":["9-17","25:00-26:00","00:60-01:00","09:00-17:00"]},"prices":{"a/b":"-1"},"per":"0"}],
        "adjustments":[{"when":{"hours":["x"]},"times":"-1"}],"period":{"minimum":"-1"}}"#;
    let problems = native::check::<RateCard>(settings);
    let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
    let expected = [
        "/unit",
        "/count",
        "/utc_offset",
        "/rates/0/when/hours/0",
        "/rates/0/when/hours/1",
        "/rates/0/when/hours/2",
        "/rates/0/prices/a~1b",
        "/rates/0/per",
        "/adjustments/0/when/hours/0",
        "/adjustments/0/times",
        "/period/minimum",
    ];
    assert_eq!(pointers, expected);
    let one = |settings: &str| native::check::<RateCard>(settings)[0].pointer.clone();
    assert_eq!(one(r#"{"rates":[]}"#), "/rates");
    assert_eq!(one(r#"{"unit":"spend","rates":[{"prices":{}}]}"#), "/unit");
    assert_eq!(one(r#"{"stop_at_cap":true,"rates":[{"prices":{}}]}"#), "/stop_at_cap");
}
