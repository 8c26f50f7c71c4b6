//! The program against the oracle, to the last digit; and the same events by every way in, byte for byte.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

use serde_json::Value;
use tollgate_tests::events::{PRICES, generate, trace};
use tollgate_tests::oracle::{Terms, expected};
use tollgate_tests::tollgate::{Folder, committed, say};

/// What a tariff of each plugin is tried with, besides the settings in `examples/rate`: plugin, platform
/// share, and settings.
const TARIFFS: [(&str, &str, &str); 10] = [
    ("cost-plus", "0.20", r#"{"margin": "0.07", "minimum_surcharge": "0.000123456"}"#),
    (
        "cost-plus",
        "0.333",
        r#"{"margin": "0", "route_margins": {"premium": "0.3333333333", "batch": "1.5"}}"#,
    ),
    (
        "included-overage",
        "0.20",
        r#"{"unit": "page", "count": "pages", "included": "77.7", "overage_price": "0.0375"}"#,
    ),
    (
        "included-overage",
        "1",
        r#"{"unit": "token", "count": "output_tokens", "included": "10000", "overage_price": "0.00000033333", "premium_routes": ["premium", "batch"], "premium_surcharge": "0.000000001"}"#,
    ),
    (
        "included-overage",
        "0.5",
        r#"{"unit": "request", "count": "events", "included": "0.5", "overage_price": "0.0000000005"}"#,
    ),
    (
        "tiered",
        "0.20",
        r#"{"unit": "1k tokens", "measures": ["input_tokens", "cache_read_tokens", "output_tokens"], "divide_by": "1000", "tiers": [{"up_to": "33.3", "unit_price": "0.03", "flat": "0.5"}, {"up_to": "100.000000001", "unit_price": "0.0333333333", "flat": "0"}, {"up_to": "200", "unit_price": "0", "flat": "2.5"}, {"up_to": null, "unit_price": "0.0123456789", "flat": "1.00"}]}"#,
    ),
    (
        "tiered",
        "0",
        r#"{"unit": "page", "measures": ["pages"], "divide_by": "8", "tiers": [{"up_to": "0.000000001", "unit_price": "1000", "flat": "1"}, {"up_to": null, "unit_price": "0.0000000037", "flat": "0"}]}"#,
    ),
    (
        "tiered",
        "0.1",
        r#"{"unit": "unit", "measures": ["output_tokens"], "tiers": [{"up_to": null, "unit_price": "0.0000000001"}]}"#,
    ),
    ("conversation", "0.20", r#"{"attribute": "conversation", "included": "3", "price": "0.0375"}"#),
    ("conversation", "0.15", r#"{"attribute": "conversation", "included": "0", "price": "0.000000003"}"#),
];

const PLUGINS: [&str; 4] = ["cost-plus", "included-overage", "tiered", "conversation"];

/// What is rated, and how the program is told.
struct Case<'a> {
    terms: Terms<'a>,
    time_zone: &'a str,
}

impl Case<'_> {
    fn folder(&self, events: &str) -> Folder {
        let folder = Folder::new();
        folder.write("settings.json", self.terms.settings);
        folder.write("prices.json", self.terms.prices);
        folder.write("events.jsonl", events);
        folder
    }

    fn arguments(&self) -> String {
        let Terms { plugin, platform_share, .. } = &self.terms;
        let zone = self.time_zone;
        format!(
            "--plugin {plugin} --settings settings.json --prices prices.json --platform-share {platform_share} \
             --time-zone {zone} --format json"
        )
    }

    /// Rates, and compares everything with the oracle.
    fn agrees(&self, events: &str) {
        let answer = self.folder(events).run(&format!("rate {} events.jsonl", self.arguments())).json();
        let expected = expected(events, &self.terms);
        let what = format!("{} with {}", self.terms.plugin, self.terms.settings);
        assert_eq!(answer["problems"], Value::Array(Vec::new()), "{what}");
        assert_eq!(answer["events"], expected["events"], "{what}");
        let customers = |report: &Value| report["customers"].as_array().unwrap().clone();
        for (answered, expected) in customers(&answer).into_iter().zip(customers(&expected)) {
            assert_eq!(answered, expected, "{what}");
        }
        assert_eq!(customers(&answer).len(), customers(&expected).len(), "{what}");
        assert_eq!(answer["totals"], expected["totals"], "{what}");
        assert_eq!(answer["currency"], "USD");
    }
}

fn issue_terms<'a>(plugin: &'a str, settings: &'a str, prices: &'a str) -> Case<'a> {
    let terms = Terms { plugin, settings, prices, platform_share: "0.20", minutes_ahead: 0 };
    Case { terms, time_zone: "UTC" }
}

#[test]
fn every_plugin_agrees_on_made_up_events() {
    let events = generate(1_500);
    for (plugin, platform_share, settings) in TARIFFS {
        let terms = Terms { plugin, settings, prices: PRICES, platform_share, minutes_ahead: 0 };
        Case { terms, time_zone: "UTC" }.agrees(&events);
    }
}

#[test]
fn months_are_those_of_the_apps_time_zone() {
    let events = generate(1_000);
    let settings = r#"{"unit": "page", "count": "pages", "included": "20", "overage_price": "0.1"}"#;
    let terms = Terms {
        plugin: "included-overage",
        settings,
        prices: PRICES,
        platform_share: "0.2",
        minutes_ahead: 5 * 60 + 30,
    };
    Case { terms, time_zone: "Asia/Kolkata" }.agrees(&events);
}

#[test]
fn every_plugin_agrees_on_the_trace() {
    let Some(events) = trace() else { return };
    let prices = committed("examples/rate/prices.json");
    for plugin in PLUGINS {
        let settings = committed(&format!("examples/rate/{plugin}.json"));
        issue_terms(plugin, &settings, &prices).agrees(&events);
    }
    let odd = prices.replace("0.15", "0.0375").replace("\"0.60\", \"per\": 1000000", "\"0.001\", \"per\": 3");
    assert_ne!(odd, prices);
    for (plugin, platform_share, settings) in TARIFFS {
        if !settings.contains("page") {
            let terms = Terms { plugin, settings, prices: &odd, platform_share, minutes_ahead: 0 };
            Case { terms, time_zone: "UTC" }.agrees(&events);
        }
    }
}

#[test]
fn every_way_in_gives_the_same_bytes() {
    let (events, prices) = match trace() {
        Some(events) => (events, committed("examples/rate/prices.json")),
        None => (generate(8_819), PRICES.to_owned()),
    };
    for plugin in PLUGINS {
        let settings = committed(&format!("examples/rate/{plugin}.json"));
        let case = issue_terms(plugin, &settings, &prices);
        let (folder, arguments) = (case.folder(&events), case.arguments());
        let run = |how: &str| folder.run(&format!("{how} {arguments} events.jsonl")).done();
        let rated = run("rate");
        // A fresh instance for every event takes its time: one plugin shows it.
        let batches: &[u32] = if plugin == "included-overage" { &[1, 7, 1_000, 8_819] } else { &[7, 8_819] };
        for batch in batches {
            assert_eq!(run(&format!("rate --batch {batch}")), rated, "{plugin}, batches of {batch}");
        }
        assert_eq!(run("record --data data --batch 100"), rated, "{plugin}, recorded");
        recorded_again(&folder, &run("record --data data"), &rated);
        say(&format!("{plugin}: batches of {batches:?} and `record` gave the same {} bytes", rated.len()));
    }
}

/// Recorded again, every event is a duplicate and nothing else has changed; a statement is the customer's
/// part of the report.
fn recorded_again(folder: &Folder, again: &str, rated: &str) {
    let (again, rated): (Value, Value) =
        (serde_json::from_str(again).unwrap(), serde_json::from_str(rated).unwrap());
    let read = &rated["events"]["read"];
    let all = serde_json::json!({"read": read, "rated": 0, "held": 0, "duplicate": read, "invalid": 0});
    assert_eq!(again["events"], all);
    for part in ["currency", "customers", "totals", "problems"] {
        assert_eq!(again[part], rated[part]);
    }
    let customer = &rated["customers"][0];
    let (name, period) = (customer["customer"].as_str().unwrap(), customer["period"].as_str().unwrap());
    let statement = format!("statement --data data --customer {name} --period {period} --format json");
    let statement = folder.run(&statement).done();
    let first = statement.lines().next().unwrap();
    assert_eq!(serde_json::from_str::<Value>(first).unwrap(), *customer);
}
