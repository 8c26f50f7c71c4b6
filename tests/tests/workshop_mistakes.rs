//! The mistakes that authors of plugins make, each with the one message that names the cause and the fix.

#![allow(clippy::unwrap_used)] // a test may panic

use std::fmt::Write as _;
use std::fs;

use tollgate_tests::tollgate::{Folder, repository};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Settings of `mistaken`, with one mistake.
fn settings(mistake: &str) -> String {
    format!(r#"{{"price": "0.25", "mistake": "{mistake}"}}"#)
}

fn event(id: &str, customer: &str, time: &str, documents: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"app","type":"ai.usage","subject":"{customer}","time":"{time}","data":{{"measures":{{"documents":{documents}}}}}}}"#
    ) + "\n"
}

const MOMENT: &str = "2026-10-01T09:00:00Z";

/// A folder with the plugin as `plugin.wasm`, and a case with these settings and events.
fn case(settings: &str, events: &str) -> Folder {
    let folder = Folder::new();
    folder.write("plugin.wasm", mistaken());
    fs::create_dir_all(folder.path("fixtures/first")).unwrap();
    folder.write("fixtures/first/settings.json", settings);
    folder.write("fixtures/first/events.ndjson", events);
    folder
}

fn mistaken() -> Vec<u8> {
    fs::read(repository().join("tests/guests/mistaken.wasm")).unwrap()
}

/// What `plugin test` says, which must find something.
fn tested(folder: &Folder, more: &str) -> String {
    let answer = folder.run(&format!("plugin test . --component plugin.wasm {more}"));
    assert_ne!(answer.code, 0, "{}", answer.output);
    failed(&answer.output) + &answer.errors
}

/// What failed, without what did not.
fn failed(output: &str) -> String {
    let mut kept = String::new();
    let mut is_kept = false;
    for line in output.lines().skip(1) {
        if !line.starts_with(' ') && !line.starts_with('-') && !line.starts_with('+') {
            is_kept = line.starts_with("FAILED");
        }
        if is_kept {
            let _ = writeln!(kept, "{line}");
        }
    }
    kept
}

/// What is told before the first event.
#[test]
fn what_a_check_finds() {
    let wasi = component(
        r#"(module (import "wasi:clocks/wall-clock@0.2.0" "now" (func (result i64))))"#,
        "package wasi:clocks@0.2.0; interface wall-clock { now: func() -> u64; } world clock { import wall-clock; }",
        "clock",
    );
    let cases: [(&str, Vec<u8>); 6] = [
        ("a text instead of a component", b"fn main() {}\n".to_vec()),
        ("the compiler's module instead of the component", wat::parse_str("(module)").unwrap()),
        ("a clock of WASI", wasi),
        ("no plugin in it", component("(module)", "package a:b; world empty {}", "empty")),
        ("a component cut short", mistaken().drain(..20_000).collect()),
        ("built for another contract", of_version(&mistaken(), "0.2.0")),
    ];
    let mut table = String::new();
    for (what, bytes) in cases {
        let folder = Folder::new();
        folder.write("plugin.wasm", &bytes);
        let answer = folder.run("plugin check plugin.wasm");
        assert_eq!(answer.code, 7, "{what}: {}{}", answer.output, answer.errors);
        let _ = writeln!(table, "# {what}\n{}", wrong(&answer.output));
    }
    for (what, settings) in [
        ("a price as a number", r#"{"price": 0.25}"#),
        ("a misspelt setting", r#"{"prise": "0.25"}"#),
        ("a price that the plugin refuses", r#"{"price": "-0.25"}"#),
        ("settings that are no JSON", "price = 0.25"),
    ] {
        let folder = Folder::new();
        folder.write("plugin.wasm", mistaken());
        folder.write("settings.json", settings);
        let answer = folder.run("plugin check plugin.wasm --settings settings.json");
        assert_eq!(answer.code, 7, "{what}: {}{}", answer.output, answer.errors);
        let found = wrong(&answer.output);
        // That `mistaken` has a float in its settings is the first of its mistakes.
        let (float, other) = found.split_at(found.find("WRONG   settings").unwrap());
        let _ = writeln!(table, "# {what}\n{other}");
        if what == "a price as a number" {
            let _ = writeln!(table, "# money in a float\n{float}");
        }
    }
    insta::assert_snapshot!(table);
}

/// The findings that are wrong, with their fixes.
fn wrong(output: &str) -> String {
    let mut kept = String::new();
    let mut is_kept = false;
    for line in output.lines() {
        if !line.starts_with(' ') {
            is_kept = line.starts_with("WRONG");
        }
        if is_kept {
            let _ = writeln!(kept, "{line}");
        }
    }
    kept
}

/// What the files of a case get wrong.
#[test]
fn what_is_wrong_with_a_case() {
    let good = event("1", "north", MOMENT, "1");
    let cases = [
        ("no events", String::new(), None),
        ("an event without a subject", good.replace("subject", "customer"), None),
        ("two months", good.clone() + &event("2", "north", "2026-11-01T09:00:00Z", "1"), None),
        ("two apps", good.clone() + &event("2", "north", MOMENT, "1").replace("\"app\"", "\"other\""), None),
        ("one id twice", good.clone() + &good, None),
        ("expected.json is missing", good.clone(), None),
        ("expected.json is no JSON", good.clone(), Some("{")),
        (
            "expected.json says another price",
            good.clone(),
            Some(
                r#"{"events": [{"id": "1", "usage": [{"unit": "document", "quantity": "1", "before": "0", "after": "1"}],
                "lines": [{"code": "documents", "quantity": "1", "unit_price": "0.25", "amount": "0.30"}]}],
                "totals": [{"customer": "north", "usage": [{"unit": "document", "used": "1"}],
                "lines": [{"code": "documents", "quantity": "1", "amount": "0.25"}], "total": "0.25"}]}"#,
            ),
        ),
        (
            "a float in expected.json",
            good.clone(),
            Some(
                r#"{"events": [], "totals": [{"customer": "north", "usage": [], "lines": [], "total": 0.25}]}"#,
            ),
        ),
    ];
    let mut table = String::new();
    for (what, events, expected) in cases {
        let folder = case(&settings("none"), &events);
        if what == "no events" {
            fs::remove_file(folder.path("fixtures/first/events.ndjson")).unwrap();
        }
        if let Some(expected) = expected {
            folder.write("fixtures/first/expected.json", expected);
        }
        let _ = writeln!(table, "# {what}\n{}", tested(&folder, "--trials 0"));
    }
    let folder = Folder::new();
    folder.write("plugin.wasm", mistaken());
    let _ = writeln!(table, "# no case at all\n{}", tested(&folder, "--trials 0"));
    let folder = case(&settings("none"), &good);
    folder.run("plugin test . --component plugin.wasm --bless --trials 0").done();
    folder.write("fixtures/fuel.json", r#"{"tolerance_percent": 10, "cases": {"first": 1000}}"#);
    let told = tested(&folder, "--trials 0");
    // How much it burns now is the compiler's affair.
    let now = told.split(", was").next().unwrap().rsplit(' ').next().unwrap().to_owned();
    let _ = writeln!(table, "# it takes more fuel\n{}", told.replace(&now, "N"));
    insta::assert_snapshot!(table);
}

/// What the laws find, each with the smallest case.
#[test]
fn what_the_laws_find() {
    let mut table = String::new();
    for mistake in [
        "panic",
        "loop",
        "memory",
        "state",
        "neighbours",
        "first_of_batch",
        "precise",
        "cheaper",
        "negative",
        "credit",
        "quadratic",
        "close",
    ] {
        let folder = case(&settings(mistake), &event("1", "north", MOMENT, "1"));
        if mistake != "close" {
            folder.run("plugin test . --component plugin.wasm --bless --trials 0").done();
        }
        if mistake == "precise" {
            // A plugin may hold what it cannot price; that it holds everything shows in the case.
            let answer = folder.run("plugin run plugin.wasm --settings fixtures/first/settings.json --events fixtures/first/events.ndjson");
            assert_eq!(answer.code, 7);
            let held =
                answer.output.lines().find(|line| line.trim().starts_with("held 1")).unwrap().to_owned();
            let _ = writeln!(table, "# {mistake}\n{held}\n");
            continue;
        }
        // An endless loop burns a whole budget each time.
        let told = tested(&folder, if mistake == "loop" { "--trials 4" } else { "--trials 32" });
        // A plugin that remembers breaks several laws; each is told once.
        let _ = writeln!(table, "# {mistake}\n{told}");
    }
    insta::assert_snapshot!(table);
}

/// A plugin that makes none of these mistakes.
#[test]
fn without_a_mistake_every_law_holds() {
    let folder = case(&settings("none"), &event("1", "north", MOMENT, "1"));
    folder.run("plugin test . --component plugin.wasm --bless --trials 0").done();
    let output = folder.run("plugin test . --component plugin.wasm").done();
    assert!(output.contains("7 of 7 hold"), "{output}");
    assert!(output.ends_with("all 1 fixtures and their laws hold\n"), "{output}");
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
        if component.get(at..).is_some_and(|rest| rest.starts_with(from.as_bytes())) {
            renamed.splice(at..at + to.len(), to.bytes());
        }
    }
    renamed
}
