//! Inputs that are wrong: each with its message, and none stops what is right.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

use std::fmt::Write as _;

use serde_json::Value;
use tollgate_tests::tollgate::{Folder, committed};

const GOOD: &str = r#"{"specversion":"1.0","id":"ID","source":"acme","type":"ai.usage","subject":"north","time":"2023-11-16T18:17:03.979Z","data":{"model":"gpt-4o-mini","measures":{"input_tokens":1000,"output_tokens":100}}}"#;

const TARIFF: &str = "--plugin included-overage --settings settings.json --prices prices.json";

/// A folder with sound settings, prices and one sound event.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("settings.json", committed("examples/rate/included-overage.json"));
    folder.write("prices.json", committed("examples/rate/prices.json"));
    folder.write("events.jsonl", GOOD);
    folder
}

/// What is wrong, and how to make it so: a piece of [`GOOD`] and what to put in its place.
const EVENTS: [(&str, &str, &str); 21] = [
    ("malformed JSON", r#""data":{"#, r#""data":{{"#),
    ("cut short", r"}}}", ""),
    ("no object", GOOD, "[1,2,3]"),
    ("a key twice", r#""source":"acme""#, r#""source":"acme","source":"evil""#),
    ("no id", r#""id":"ID","#, ""),
    ("no source", r#""source":"acme","#, ""),
    ("no subject", r#""subject":"north","#, ""),
    ("empty subject", r#""north""#, r#""""#),
    ("another specversion", r#""1.0""#, r#""0.3""#),
    ("specversion as a number", r#""1.0""#, "1.0"),
    ("time without an offset", "03.979Z", "03.979"),
    ("a day that never was", "2023-11-16", "2023-02-30"),
    ("data of another kind", r#""type":"ai.usage""#, r#""type":"ai.usage","datacontenttype":"text/xml""#),
    ("negative measure", "1000", "-1000"),
    ("over-precise measure", "1000", "0.0000000001"),
    ("too large a measure", "1000", "1e15"),
    ("a measure that is no number", "1000", r#""ten""#),
    ("a measure that is nothing", "1000", "null"),
    ("negative network cost", r#""model""#, r#""network_cost":"-1","model""#),
    (
        "more cached than there was",
        r#""measures":{"input_tokens":1000,"output_tokens":100}"#,
        r#""usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":11}}"#,
    ),
    ("a control character", r#""north""#, r#""no\u0000rth""#),
];

#[test]
fn events_that_the_door_refuses() {
    let mut lines = vec![GOOD.replace("ID", "good-first")];
    for (position, (what, piece, instead)) in EVENTS.iter().enumerate() {
        assert!(GOOD.contains(piece), "{what}");
        lines.push(GOOD.replace(piece, instead).replace("ID", &format!("bad-{position:02}")));
    }
    lines.push(GOOD.replace("ID", "good-last"));
    let folder = folder();
    folder.write("events.jsonl", lines.join("\n"));
    let report = folder.run(&format!("rate {TARIFF} --format json events.jsonl")).json();
    let bad = EVENTS.len();
    let counts = serde_json::json!({"read": bad + 2, "rated": 2, "held": 0, "duplicate": 0, "invalid": bad});
    assert_eq!(report["events"], counts);
    let mut table = String::new();
    for ((position, problem), (what, ..)) in
        report["problems"].as_array().unwrap().iter().enumerate().zip(EVENTS)
    {
        assert_eq!((&problem["file"], &problem["line"]), (&"events.jsonl".into(), &(position + 2).into()));
        let _ = writeln!(table, "{what}\n    {}: {}", text(&problem["id"]), text(&problem["reason"]));
    }
    insta::assert_snapshot!(table);
}

#[test]
fn bytes_that_are_no_text_and_lines_without_end() {
    let folder = folder();
    let mut bytes = GOOD.replace("ID", "good-1").into_bytes();
    bytes.extend_from_slice(b"\n{\"id\":\"\xff\xfe\"}\n");
    bytes.extend(std::iter::repeat_n(b'x', 9 << 20));
    bytes.extend(format!("\n\n  \n{}", GOOD.replace("ID", "good-2")).bytes());
    folder.write("events.jsonl", bytes);
    let report = folder.run(&format!("rate {TARIFF} --format json events.jsonl")).json();
    assert_eq!((&report["events"]["rated"], &report["events"]["invalid"]), (&2.into(), &2.into()));
    insta::assert_snapshot!(reasons(&report), @r"
    2: event is not UTF-8 from byte 7; JSON is written in UTF-8
    3: event is 4194304 bytes long; an event has at most 262144 bytes; leave prompts and answers out
    ");
}

/// What is refused before anything is done: the exit code says so, and standard output stays empty.
fn refusal(folder: &Folder, plugin: &str) -> String {
    let answer = folder
        .run(&format!("rate --plugin {plugin} --settings settings.json --prices prices.json events.jsonl"));
    assert_eq!((answer.code, answer.output.as_str()), (3, ""), "{}", answer.errors);
    answer.errors
}

#[test]
fn settings_that_are_refused() {
    let cases = [
        ("broken JSON", "tiered", "{"),
        ("no object", "tiered", "[]"),
        ("against the schema: a setting is missing", "included-overage", r#"{"included": "10"}"#),
        ("against the schema: a misspelt setting", "conversation", r#"{"price": "1", "incldued": "2"}"#),
        ("against the schema: a number with words", "conversation", r#"{"price": "a quarter"}"#),
        ("against the schema: a list for a text", "conversation", r#"{"price": ["1"]}"#),
        ("against check: negative", "cost-plus", r#"{"margin": "-0.1", "route_margins": {"premium": "-1"}}"#),
        ("against check: no name", "included-overage", r#"{"unit": "", "count": "", "overage_price": "1"}"#),
        (
            "against check: tiers that do not ascend",
            "tiered",
            r#"{"measures": ["pages"], "tiers": [{"up_to": "5"}, {"up_to": "5"}, {"up_to": null}]}"#,
        ),
        (
            "against check: the last tier is not open",
            "tiered",
            r#"{"measures": ["pages"], "tiers": [{"up_to": "5"}]}"#,
        ),
        (
            "against check: a divisor without a finite reciprocal",
            "tiered",
            r#"{"measures": ["pages"], "divide_by": "3", "tiers": [{"up_to": null}]}"#,
        ),
    ];
    let folder = folder();
    let mut table = String::new();
    for (what, plugin, settings) in cases {
        folder.write("settings.json", settings);
        let _ = writeln!(table, "{what}\n    {}", refusal(&folder, plugin).trim_end());
    }
    insta::assert_snapshot!(table);
}

#[test]
fn price_books_that_are_refused() {
    let sound = r#"{"currency":"USD","entries":[{"model":"m","effective_from":"2023-01-01","prices":[{"measure":"input_tokens","price":"0.15","per":1000000}]}]}"#;
    let double = r#"{"model":"m","effective_from":"2023-01-01","prices":[{"measure":"pages","price":"1"}]},"#;
    let cases = [
        ("broken JSON", r#"{"currency""#, r#"{"currency"}"#),
        ("no currency", r#""currency":"USD","#, ""),
        ("a currency that is none", "USD", "USX"),
        ("no entries", "entries", "entires"),
        ("a misspelt field", "effective_from", "efective_from"),
        ("no model", r#""model":"m","#, ""),
        ("a date that is none", "2023-01-01", "January 2023"),
        ("no prices", r#"[{"measure":"input_tokens","price":"0.15","per":1000000}]"#, "[]"),
        ("a negative price", "0.15", "-0.15"),
        ("a price that is no number", r#""0.15""#, r#""free""#),
        ("a price for nothing", "1000000", "0"),
        ("a price for half a token", "1000000", "0.5"),
        ("two entries that say the same", r#"[{"model""#, &format!(r#"[{double}{{"model""#)),
    ];
    let folder = folder();
    let mut table = String::new();
    for (what, piece, instead) in cases {
        assert!(sound.contains(piece), "{what}");
        folder.write("prices.json", sound.replacen(piece, instead, 1));
        let _ = writeln!(table, "{what}\n    {}", refusal(&folder, "included-overage").trim_end());
    }
    insta::assert_snapshot!(table);
}

/// A file that is not there, in each place where a file is named.
#[test]
fn files_that_are_missing() {
    let mut table = String::new();
    for file in ["settings.json", "prices.json"] {
        let folder = folder();
        std::fs::remove_file(folder.path(file)).unwrap();
        table += &refusal(&folder, "included-overage");
    }
    table += &refusal(&folder(), "no-such-plugin");
    insta::assert_snapshot!(table);
}

/// An event without a price is kept and visible, and charged once there is a price.
#[test]
fn an_unknown_model_is_held_and_not_lost() {
    let folder = folder();
    let prices = committed("examples/rate/prices.json");
    let definitions = |prices: &str| {
        format!(
            r#"{{"builders": [{{"id": "b", "name": "Builder"}}], "price_books": [{{"id": "list", "prices": {prices}}}],
            "apps": [{{"id": "acme", "name": "Acme", "builder": "b", "currency": "USD", "surcharge_max": "100", "price_book": "list"}}],
            "tariffs": [{{"id": "t", "app": "acme", "plugin": "cost-plus", "settings": {{"margin": "1"}}, "effective_from": "2023-01-01T00:00:00Z"}}]}}"#
        )
    };
    folder.write("definitions.json", definitions(&prices));
    folder.run("define --data data definitions.json").done();
    let unknown = GOOD.replace("gpt-4o-mini", "gpt-99").replace("ID", "two");
    folder
        .write("events.jsonl", [GOOD.replace("ID", "one"), unknown, GOOD.replace("ID", "three")].join("\n"));
    let report = folder.run("record --data data --format json events.jsonl").json();
    let counts = serde_json::json!({"read": 3, "rated": 2, "held": 1, "duplicate": 0, "invalid": 0});
    assert_eq!(report["events"], counts);
    insta::assert_snapshot!(reasons(&report), @r#"2: held: no price for input_tokens of model "gpt-99" at 2023-11-16T18:17:03.979Z: add an entry for it to the price book"#);

    let mut story = folder.run("held --data data").in_words();
    story += &folder.run("held --data data --retry").in_words();
    folder.write("definitions.json", definitions(&prices.replace("\"gpt-4o\"", "\"gpt-99\"")));
    story += &folder.run("define --data data definitions.json").in_words();
    story += &folder.run("held --data data --retry").in_words();
    story += &folder.run("held --data data").in_words();
    story += &folder.run("statement --data data --customer north --period 2023-11").in_words();
    insta::assert_snapshot!(story.replace("exit code", "\nexit code").replace("code 0", "code 0\n\n"));
    folder.run("ledger verify --data data").done();
    let again = folder.run("record --data data --format json events.jsonl").json();
    assert_eq!((&again["events"]["duplicate"], &again["events"]["held"]), (&3.into(), &0.into()));
    assert_eq!(
        again["totals"]["total"], "0.00784",
        "twice 0.00021 for two events, twice 0.0035 for the third"
    );
}

fn reasons(report: &Value) -> String {
    let problems = report["problems"].as_array().unwrap().iter();
    let reasons = problems.map(|problem| format!("{}: {}", problem["line"], text(&problem["reason"])));
    reasons.collect::<Vec<_>>().join("\n")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
