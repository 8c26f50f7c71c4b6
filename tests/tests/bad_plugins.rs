//! Plugins that are none, and plugins that do harm: each with its message, and the other events are rated.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tollgate_tests::tollgate::{Folder, committed, repository};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Far more than any run here takes; a plugin's own budget is a matter of milliseconds.
const LONG: Duration = Duration::from_secs(30);

const RATE: &str =
    "rate --plugin plugin.wasm --settings settings.json --prices prices.json --format json events.jsonl";

/// A folder with a plugin, its settings, prices, and events of these features.
fn folder<'a>(plugin: &[u8], settings: &str, features: impl IntoIterator<Item = &'a str>) -> Folder {
    let folder = Folder::new();
    folder.write("plugin.wasm", plugin);
    folder.write("settings.json", settings);
    folder.write("prices.json", committed("examples/rate/prices.json"));
    let events = features.into_iter().enumerate().map(|(number, feature)| event("acme", number, feature));
    folder.write("events.jsonl", events.collect::<String>());
    folder
}

fn event(app: &str, number: usize, feature: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"event-{number:04}","source":"{app}","type":"ai.usage","subject":"north","time":"2023-11-16T18:17:03Z","data":{{"feature":"{feature}","model":"gpt-4o-mini","measures":{{"input_tokens":0}}}}}}"#
    ) + "\n"
}

fn hostile() -> Vec<u8> {
    std::fs::read(repository().join("tests/guests/hostile.wasm")).unwrap()
}

fn crime(crime: &str, when: &str, phase: &str) -> String {
    format!(r#"{{"crime":"{crime}","when":"{when}","phase":"{phase}"}}"#)
}

#[test]
fn what_is_no_plugin_is_told_why() {
    let wasi = component(
        r#"(module (import "wasi:clocks/wall-clock@0.2.0" "now" (func (result i64))))"#,
        "package wasi:clocks@0.2.0; interface wall-clock { now: func() -> u64; } world clock { import wall-clock; }",
        "clock",
    );
    let hostile = hostile();
    let cases: [(&str, Vec<u8>); 7] = [
        ("an empty file", Vec::new()),
        ("a text", b"#!/bin/sh\necho hello\n".to_vec()),
        ("a core module", wat::parse_str("(module)").unwrap()),
        ("a component that imports WASI", wasi),
        ("a component that exports nothing", component("(module)", "package a:b; world empty {}", "empty")),
        ("a component cut short", hostile[..hostile.len() / 2].to_vec()),
        ("another version of the contract", of_version(&hostile, "0.2.0")),
    ];
    let mut table = String::new();
    for (what, bytes) in cases {
        let answer = folder(&bytes, "{}", ["fine"]).run(RATE);
        assert_eq!((answer.code, answer.output.as_str()), (3, ""), "{what}: {}", answer.errors);
        let _ = writeln!(table, "{what}\n    {}", answer.errors.trim_end());
    }
    insta::assert_snapshot!(table);
}

/// A component of a module and a world.
fn component(module: &str, wit: &str, world: &str) -> Vec<u8> {
    let mut module = wat::parse_str(module).unwrap();
    let mut resolve = Resolve::default();
    let package = resolve.push_str("test.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

/// The plugin with another version in the names of what it exports.
fn of_version(component: &[u8], version: &str) -> Vec<u8> {
    let (from, to) = ("tollgate:pricing/plugin@0.1.0", format!("tollgate:pricing/plugin@{version}"));
    assert_eq!(from.len(), to.len());
    let mut renamed = component.to_vec();
    for at in 0..component.len() {
        if component[at..].starts_with(from.as_bytes()) {
            renamed[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
    }
    assert_ne!(renamed, component);
    renamed
}

/// Four events of one batch are the occasion for a crime. All others are rated; the counter has not moved for it.
#[test]
fn a_crime_harms_its_own_event_and_no_other() {
    let features = || (0..40).map(|number| if number % 10 == 7 { "trap-here" } else { "fine" });
    let answers = [
        "loop",
        "allocate",
        "recurse",
        "panic",
        "abort",
        "endless-log",
        "too-many-rows",
        "wrong-counts",
        "short-column",
        "wrong-event-index",
        "non-canonical-decimal",
        "negative-quantity",
        "long-strings",
        "fault",
    ];
    let of_meter = ["wrong-unit-index"];
    let of_rate = ["wrong-line-index", "wrong-refusal-index", "negative-charge", "surcharge-over-cap"];
    let meter = answers.iter().chain(&of_meter).map(|name| ("meter", *name));
    let rate = answers.iter().chain(&of_rate).map(|name| ("rate", *name));
    let mut table = String::new();
    for (phase, name) in meter.chain(rate) {
        let folder = folder(&hostile(), &crime(name, "trap-here", phase), features());
        let start = Instant::now();
        let report = folder.run(RATE).json();
        assert!(start.elapsed() < LONG, "{phase} {name} took {:?}", start.elapsed());
        let counts = json!({"read": 40, "rated": 36, "held": 4, "duplicate": 0, "invalid": 0});
        assert_eq!(report["events"], counts, "{phase} {name}");
        assert_eq!(
            report["customers"][0]["usage"],
            json!([{"unit": "request", "used": "36"}]),
            "{phase} {name}"
        );
        assert_eq!(report["totals"]["total"], "0.36", "{phase} {name}");
        let _ = writeln!(table, "{name} in {phase}\n    {}", the_one_reason(&report));
    }
    insta::assert_snapshot!(table);
}

/// The reason of the held events, which is the same for all of them and names the plugin.
fn the_one_reason(report: &Value) -> String {
    let problems = report["problems"].as_array().unwrap();
    let reason = problems[0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("held: hostile 6.6.6"), "{reason}");
    for (position, problem) in problems.iter().enumerate() {
        assert_eq!(problem["id"], format!("event-{:04}", position * 10 + 7), "{problem}");
        assert_eq!(problem["reason"], reason);
    }
    reason.to_owned()
}

/// A plugin that never answers cannot keep its host busy, however many events it gets.
#[test]
fn a_plugin_that_always_loops_is_given_up_on() {
    let features = std::iter::repeat_n("fine", 3_000);
    let folder = folder(&hostile(), &crime("loop", "always", "rate"), features);
    let start = Instant::now();
    let report = folder.run(RATE).json();
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    assert_eq!((&report["events"]["rated"], &report["events"]["held"]), (&0.into(), &3_000.into()));
    insta::assert_snapshot!(report["problems"][999]["reason"].as_str().unwrap(), @"held: hostile 6.6.6 failed on too many events of one batch, last: hostile 6.6.6: `rate` ran past its budget of 10020000 fuel, at src/crimes.rs:32 (in hostile::crimes::spin)");
    // The next batch is not tried at all.
    let last = report["problems"][2_999]["reason"].as_str().unwrap();
    assert!(last.contains("is suspended: its plugin failed on 100 events in a row"), "{last}");
}

/// One app's plugin loops at each of its events; another's are rated all the same.
#[test]
fn one_apps_plugin_does_not_touch_anothers_events() {
    let folder = folder(&hostile(), "{}", []);
    let tariff = |app: &str, plugin: &str, settings: &str| {
        format!(
            r#"{{"id": "{app}", "app": "{app}", "plugin": "{plugin}", "settings": {settings}, "effective_from": "2023-01-01T00:00:00Z"}}"#
        )
    };
    let app = |app: &str| {
        format!(
            r#"{{"id": "{app}", "name": "{app}", "builder": "b", "currency": "USD", "surcharge_max": "1", "price_book": "p"}}"#
        )
    };
    let definitions = format!(
        r#"{{"builders": [{{"id": "b", "name": "B"}}], "price_books": [{{"id": "p", "prices": {}}}], "apps": [{}, {}], "tariffs": [{}, {}]}}"#,
        committed("examples/rate/prices.json"),
        app("bad"),
        app("good"),
        tariff("bad", "plugin.wasm", &crime("allocate", "always", "meter")),
        tariff("good", "included-overage", r#"{"overage_price": "0.5"}"#),
    );
    folder.write("definitions.json", definitions);
    folder.run("define --data data definitions.json").done();
    let events = (0..500).map(|number| event(if number % 2 == 0 { "bad" } else { "good" }, number, "fine"));
    folder.write("events.jsonl", events.collect::<String>());
    let start = Instant::now();
    let report = folder.run("record --data data --format json events.jsonl").json();
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    assert_eq!((&report["events"]["rated"], &report["events"]["held"]), (&250.into(), &250.into()));
    assert_eq!(report["totals"]["total"], "125");
    folder.run("ledger verify --data data").done();
}

/// The plugin of an honest Builder, an event that makes it charge more than the app's cap.
#[test]
fn a_surcharge_over_the_cap_is_held() {
    let settings = r#"{"unit": "page", "count": "input_tokens", "overage_price": "0.02"}"#;
    let folder = folder(&[], settings, std::iter::repeat_n("fine", 5));
    let events = (0..5).map(|number| {
        let pages = if number == 2 { "6000" } else { "10" };
        event("acme", number, "fine").replace("_tokens\":0", &format!("_tokens\":{pages}"))
    });
    folder.write("events.jsonl", events.collect::<String>());
    let run = RATE.replace("plugin.wasm", "included-overage --surcharge-max 100");
    let report = folder.run(&run).json();
    assert_eq!((&report["events"]["rated"], &report["events"]["held"]), (&4.into(), &1.into()));
    assert_eq!(report["customers"][0]["usage"], json!([{"unit": "page", "used": "40"}]));
    assert_eq!(report["totals"]["total"], "0.8");
    assert_eq!(report["problems"][0]["line"], 3);
    insta::assert_snapshot!(report["problems"][0]["reason"].as_str().unwrap(), @"held: included-overage 0.1.0 charged 119.9991 USD above the network cost; the app's cap is 100");
}

/// Crimes in `check`: the settings are refused, and nothing else happens.
#[test]
fn a_plugin_that_fails_on_its_settings_is_refused() {
    let mut table = String::new();
    for (name, phase) in [("problem", "rate"), ("panic", "check"), ("loop", "check"), ("allocate", "check")] {
        let start = Instant::now();
        let answer = folder(&hostile(), &crime(name, "always", phase), ["fine"]).run(RATE);
        assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
        assert_eq!((answer.code, answer.output.as_str()), (3, ""), "{}", answer.errors);
        let _ = writeln!(table, "{name}\n    {}", answer.errors.trim_end());
    }
    insta::assert_snapshot!(table);
}
