//! The workshop as an author uses it: a new project, its tests, its drawing; and that the sandbox and the native
//! run of a fixture agree to the byte.

#![allow(clippy::unwrap_used)] // a test may panic

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tollgate_tests::tollgate::{Folder, repository, say};

const NO_TOOLCHAIN: &str = "no Rust toolchain here builds for";

/// Commands of a project, with a place for what cargo builds that outlives one test run.
fn in_project(folder: &Folder, project: &str, mut command: Command) -> Command {
    let target = repository().join("target/workshop-tests");
    command.current_dir(folder.path(project)).env("CARGO_TARGET_DIR", target).stdin(Stdio::null());
    command
}

fn cargo(folder: &Folder, project: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    let output = in_project(folder, project, command).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    text
}

fn tollgate(folder: &Folder, project: &str, arguments: &str) -> (i32, String) {
    let output = in_project(folder, project, folder.command(arguments)).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), text)
}

/// Every template: written, tested natively and in the sandbox, its drawing made, without a change and without
/// anything of this repository but the program.
#[test]
fn a_new_project_works_as_it_is() {
    for (name, template) in [("per-document", "per-unit"), ("by-tiers", "tiered"), ("by-talk", "distinct")] {
        let folder = Folder::new();
        folder.run(&format!("plugin new {name} --template {template}")).done();
        let again = folder.run(&format!("plugin new {name}"));
        assert_eq!(again.code, 3);
        assert!(again.errors.contains("is there already and not empty; choose another --directory"));
        let native = cargo(&folder, name, &["test", "--quiet"]);
        assert!(native.contains("2 passed"), "{native}");
        let manifest = fs::read_to_string(folder.path(&format!("{name}/Cargo.toml"))).unwrap();
        assert!(!manifest.contains(repository().to_str().unwrap()), "{manifest}");
        let (code, told) = tollgate(&folder, name, "plugin test --trials 16");
        if told.contains(NO_TOOLCHAIN) {
            say("skipped: no toolchain here builds plugins for WebAssembly");
            return;
        }
        assert_eq!(code, 0, "{told}");
        assert!(told.contains("laws of first: 7 of 7 hold"), "{told}");
        let (code, told) = tollgate(&folder, name, "plugin check");
        assert_eq!((code, told.contains("0 wrong")), (0, true), "{told}");
        let (code, told) = tollgate(&folder, name, "plugin plot --svg curve.svg --png curve.png");
        assert_eq!(code, 0, "{told}");
        assert!(fs::read_to_string(folder.path(&format!("{name}/curve.svg"))).unwrap().starts_with("<svg"));
        assert!(fs::read(folder.path(&format!("{name}/curve.png"))).unwrap().starts_with(b"\x89PNG"));
        let (code, told) = tollgate(&folder, name, "plugin run --close --format json");
        let report: Value = serde_json::from_str(&told).unwrap();
        assert!(report.pointer("/events/0/fuel").is_some_and(Value::is_u64), "{told}");
        assert_eq!(code, if template == "distinct" { 7 } else { 0 }, "{told}");
    }
}

/// Customers of one parent share a unit that is pooled: in the sandbox, natively to the same bytes, and in the laws.
#[test]
fn a_pooled_unit_is_tried_with_a_parent() {
    let folder = Folder::new();
    folder.run("plugin new pooled --template per-unit").done();
    let source = fs::read_to_string(folder.path("pooled/src/lib.rs")).unwrap();
    let pooled = source.replace("aggregation = sum)", "aggregation = sum, pooled)");
    assert_ne!(pooled, source);
    folder.write("pooled/src/lib.rs", pooled);
    folder.write("pooled/fixtures/first/parents.json", r#"{"south": "north"}"#);
    let (code, told) = tollgate(&folder, "pooled", "plugin test --trials 16 --bless");
    if told.contains(NO_TOOLCHAIN) {
        say("skipped: no toolchain here builds plugins for WebAssembly");
        return;
    }
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("laws of first: 7 of 7 hold"), "{told}");
    let expected = fs::read_to_string(folder.path("pooled/fixtures/first/expected.json")).unwrap();
    // The half document of `south` comes after thirteen of `north`, of which ten are included.
    let south = r#"{"id":"3","usage":[{"unit":"document","quantity":"0.5","before":"13","after":"13.5"}],"lines":[{"code":"documents","quantity":"0.5","unit_price":"0.5","amount":"0.25"}]}"#;
    assert!(expected.contains(south), "{expected}");
    assert!(cargo(&folder, "pooled", &["test", "--quiet", "--test", "fixtures"]).contains("1 passed"));
    let (_, told) = tollgate(&folder, "pooled", "plugin run --format json");
    let report: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(report.pointer("/events/2/lines/0/amount"), Some(&Value::from("0.25")), "{told}");
    folder.write("pooled/fixtures/first/parents.json", r#"["south"]"#);
    let (code, told) = tollgate(&folder, "pooled", "plugin test --trials 0");
    assert_eq!(code, 7, "{told}");
    assert!(told.contains(r#"it is one object, as in {"workshop": "head office"}"#), "{told}");
}

/// The fixtures of the bundled plugins, natively blessed, in the sandbox: blessing them again changes no byte.
#[test]
fn the_sandbox_and_the_native_run_write_the_same_bytes() {
    for plugin in ["conversation", "cost-plus", "included-overage", "percentage", "rate-card", "tiered"] {
        let folder = Folder::new();
        let source = repository().join("plugins").join(plugin).join("fixtures");
        copy(&source, &folder.path("fixtures"));
        let told = folder.run(&format!("plugin test . --component {plugin} --trials 0 --bless")).done();
        for case in
            fs::read_dir(&source).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
        {
            let name = case.file_name().unwrap().to_str().unwrap().to_owned();
            let committed = fs::read_to_string(case.join("expected.json")).unwrap();
            let blessed = fs::read_to_string(folder.path(&format!("fixtures/{name}/expected.json"))).unwrap();
            assert_eq!(committed, blessed, "{plugin} {name}: {told}");
        }
    }
}

/// The laws hold for what is bundled, on events that the bundled plugins' own fixtures never thought of.
#[test]
fn the_laws_hold_for_the_bundled_plugins() {
    for plugin in ["conversation", "cost-plus", "included-overage", "percentage", "rate-card", "tiered"] {
        let folder = repository().join("plugins").join(plugin);
        let told = Folder::new()
            .run(&format!("plugin test {} --component {plugin} --trials 24", folder.display()))
            .done();
        assert!(told.contains("and their laws hold"), "{told}");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Cliffs and edges, in words and in a sketch.
#[test]
fn a_plot_tells_where_the_price_changes() {
    let folder = Folder::new();
    folder.write(
        "volume.json",
        r#"{"unit": "document", "measures": ["documents"], "mode": "volume",
            "tiers": [{"up_to": "100", "unit_price": "0.10"}, {"up_to": null, "unit_price": "0.08"}]}"#,
    );
    folder.write(
        "cliff.json",
        r#"{"unit": "document", "measures": ["documents"],
            "tiers": [{"up_to": "1000", "unit_price": "0.01"}, {"up_to": null, "unit_price": "0.01", "flat": "50"}]}"#,
    );
    insta::assert_snapshot!(
        folder
            .run("plugin plot tiered --settings volume.json --settings cliff.json --over documents --up-to 1200 --svg both.svg")
            .done()
    );
    insta::assert_snapshot!("drawing", fs::read_to_string(folder.path("both.svg")).unwrap());
    let told = folder.run("plugin plot included-overage --settings volume.json");
    assert_eq!(told.code, 3, "{}", told.output);
}

/// What models cost, and in which currency, comes from a price book.
#[test]
fn a_plot_is_drawn_with_the_prices_of_models() {
    let folder = Folder::new();
    folder.write("settings.json", r#"{"margin": "0.20"}"#);
    folder.write(
        "event.json",
        r#"{"specversion":"1.0","id":"1","source":"app","type":"ai.usage","subject":"north",
            "time":"2026-10-01T09:00:00Z","data":{"model":"small","measures":{"output_tokens":1}}}"#
            .replace('\n', ""),
    );
    folder.write(
        "prices.json",
        r#"{"currency": "EUR", "entries": [{"model": "small", "prices": [
            {"measure": "output_tokens", "price": "2", "per": 1000}]}]}"#,
    );
    let plot =
        "plugin plot cost-plus --settings settings.json --event event.json --over output_tokens --up-to 1000";
    let told = folder.run(&format!("{plot} --prices prices.json")).done();
    insta::assert_snapshot!(told);
    let told = folder.run(plot);
    assert!(told.output.contains("1,000 output tokens cost 0.00 USD"), "{}", told.in_words());
}

/// Fuel, memory and lines of each event; and settings that are refused name the place.
#[test]
fn a_run_shows_each_event() {
    let folder = Folder::new();
    folder.write("settings.json", r#"{"price": "0.25", "included": "1"}"#);
    let event = |id: &str, conversation: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"app","type":"ai.usage","subject":"north","time":"2026-10-01T09:00:00Z","data":{{"attributes":{conversation}}}}}"#
        ) + "\n"
    };
    let events =
        event("1", r#"{"conversation":"a"}"#) + &event("2", r#"{"conversation":"b"}"#) + &event("3", "{}");
    folder.write("events.ndjson", events);
    let run = "plugin run conversation --settings settings.json --events events.ndjson --close";
    let answer = folder.run(run);
    let without_numbers: Vec<String> = (answer.output.lines())
        .map(|line| {
            line.split("  ")
                .filter(|cell| !cell.ends_with(" KiB") && !is_fuel(cell))
                .collect::<Vec<_>>()
                .join("  ")
        })
        .collect();
    insta::assert_snapshot!(format!("{}\nexit code {}", without_numbers.join("\n"), answer.code));
    folder.write("settings.json", r#"{"price": 0.25}"#);
    insta::assert_snapshot!(folder.run(run).in_words());
}

fn is_fuel(cell: &str) -> bool {
    let cell = cell.trim();
    cell.len() > 5 && cell.chars().all(|letter| letter.is_ascii_digit() || letter == ',')
}

/// A bench has a row for each batch size, and fails over a ceiling.
#[test]
fn a_bench_measures_and_knows_its_ceiling() {
    let folder = repository().join("plugins/conversation/fixtures/support-desk");
    let run = format!(
        "plugin bench conversation --settings {0}/settings.json --events {0}/priced.ndjson",
        folder.display()
    );
    let here = Folder::new();
    let events = fs::read_to_string(folder.join("events.ndjson")).unwrap();
    let first: Vec<&str> = events.lines().take(3).collect();
    here.write("priced.ndjson", first.join("\n"));
    let run = run.replace(&format!("{}/priced.ndjson", folder.display()), "priced.ndjson");
    let told = here.run(&run).done();
    assert!(told.contains("ns/event p50") && told.contains("4,000"), "{told}");
    let over = here.run(&format!("{run} --fuel-max 10"));
    assert_eq!(over.code, 7, "{}", over.output);
    assert!(over.output.contains("more than the 10 you allow"), "{}", over.output);
}

/// `dev` tests again when a file changes.
#[test]
fn dev_tests_again_when_something_changes() {
    let folder = Folder::new();
    copy(&repository().join("plugins/conversation/fixtures"), &folder.path("fixtures"));
    let mut command = folder.command("plugin dev . --component conversation --trials 0");
    let mut running = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let mut until = |words: &str| {
        let start = Instant::now();
        loop {
            let line = lines.next().expect("it goes on").unwrap();
            if line.contains(words) {
                return;
            }
            assert!(start.elapsed() < Duration::from_mins(1), "never said {words:?}");
        }
    };
    until("all 1 fixtures and their laws hold");
    until("watching");
    folder.write("fixtures/support-desk/settings.json", r#"{"price": "9"}"#);
    until("changed: fixtures/support-desk/settings.json");
    until("FAILED  fixture support-desk");
    running.kill().unwrap();
    running.wait().unwrap();
}
