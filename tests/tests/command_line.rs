//! What a person sees: the demo, help, statements, proofs, and how each command ends.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

use std::io::Read as _;
use std::process::Stdio;

use rusqlite::Connection;
use tollgate_tests::events::{PRICES, generate};
use tollgate_tests::tollgate::{Folder, committed, repository};

const TARIFF: &str = "--plugin included-overage --settings settings.json --prices prices.json";
const SETTINGS: &str = r#"{"unit": "page", "count": "pages", "included": "100", "overage_price": "0.02", "premium_routes": ["premium"], "premium_surcharge": "0.05"}"#;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("settings.json", SETTINGS);
    folder.write("prices.json", PRICES);
    folder.write("events.jsonl", generate(400));
    folder
}

/// A folder whose `data` holds the events.
fn recorded() -> Folder {
    let folder = folder();
    folder.run(&format!("record --data data {TARIFF} events.jsonl")).done();
    folder
}

#[test]
fn the_demo_tells_its_story() {
    let story = Folder::new().run("demo").done();
    insta::assert_snapshot!(without_time(&story));
}

/// `in 12 ms` as `in some ms`.
fn without_time(text: &str) -> String {
    let (before, rest) = text.split_once("durably, in ").unwrap();
    let (time, after) = rest.split_once(" ms").unwrap();
    assert!(time.parse::<u32>().is_ok(), "{time}");
    format!("{before}durably, in some ms{after}")
}

#[test]
fn the_demo_can_be_kept_and_run_again() {
    let folder = Folder::new();
    let first = folder.run("demo --data kept").done();
    assert!(first.contains("tollgate statement --data kept --customer harbor-legal"), "{first}");
    let statement = folder.run("statement --data kept --customer harbor-legal --period 2026-10").done();
    assert!(statement.contains("(closed)"), "{statement}");
    folder.run("ledger verify --data kept").done();
    let again = folder.run("demo --data kept").done();
    let from = |story: &str| story.split_once("== ").unwrap().1.to_owned();
    assert_eq!(from(&again), from(&first), "statements, earnings and proof");
}

#[test]
fn help_reads_well() {
    let commands = [
        "",
        "demo",
        "rate",
        "record",
        "define",
        "statement",
        "held",
        "close",
        "ledger verify",
        "wallet",
        "wallet grant",
        "wallet set",
        "payment",
        "payment request",
        "refund",
        "payout",
        "payout run",
        "payout export",
        "payout paid",
        "providers",
        "providers settle",
        "reconcile",
        "plugin build",
        "plugin inspect",
        "plugin keygen",
        "plugin publish",
        "plugin pull",
    ];
    let folder = Folder::new();
    let pages = commands.map(|command| folder.run(&format!("{command} --help")).done());
    insta::assert_snapshot!(pages.join("\n----------------------------------------\n"));
}

#[test]
fn each_exit_code_has_its_occasion() {
    let folder = folder();
    let with_a_bad_line = folder.path("bad.jsonl");
    std::fs::write(with_a_bad_line, generate(3) + "{}\n").unwrap();
    let code = |arguments: &str| folder.run(arguments).code;
    assert_eq!(code(&format!("rate {TARIFF} events.jsonl")), 0);
    assert_eq!(code(&format!("rate {TARIFF} no-such-file.jsonl")), 1);
    assert_eq!(code("ledger verify --data nowhere"), 1);
    assert_eq!(code("rate --colour events.jsonl"), 2);
    assert_eq!(code("rate --plugin tiered events.jsonl"), 2);
    assert_eq!(code(&format!("rate {TARIFF} --batch 0 events.jsonl")), 2);
    assert_eq!(code(&format!("rate {} events.jsonl", TARIFF.replace("settings.json", "prices.json"))), 3);
    assert_eq!(code(&format!("rate {TARIFF} --platform-share 1.5 events.jsonl")), 3);
    assert_eq!(code(&format!("rate {TARIFF} --time-zone Mars/Olympus events.jsonl")), 3);
    assert_eq!(code(&format!("rate {TARIFF} bad.jsonl")), 0);
    assert_eq!(code(&format!("rate {TARIFF} --strict bad.jsonl")), 4);
    assert_eq!(code(&format!("rate {TARIFF} --strict events.jsonl")), 0);
}

#[test]
fn a_ledger_is_proven_line_by_line() {
    insta::assert_snapshot!(recorded().run("ledger verify --data data").done());
}

/// Nobody changes what is posted by accident; who removes the lock and changes it all the same is found out.
#[test]
fn a_ledger_that_was_tampered_with_is_broken() {
    let folder = recorded();
    let database = Connection::open(folder.path("data").join("tollgate.db")).unwrap();
    let forge = "UPDATE events SET received = replace(received, 'event-7\"', 'event-x\"')";
    let refused = database.execute(forge, []).unwrap_err().to_string();
    assert_eq!(refused, "events are never changed");
    database.execute_batch("DROP TRIGGER events_keep_update").unwrap();
    assert_eq!(database.execute(forge, []).unwrap(), 400 - duplicates());
    let balance = "UPDATE balances SET debits_posted = debits_posted + 1 WHERE kind = 3";
    assert!(database.execute(balance, []).unwrap() > 0);
    drop(database);
    let answer = folder.run("ledger verify --data data");
    assert_eq!(answer.code, 5, "{}", answer.in_words());
    insta::assert_snapshot!(answer.output);
}

fn duplicates() -> usize {
    let events = generate(400);
    let lines: std::collections::BTreeSet<&str> = events.lines().collect();
    400 - lines.len()
}

#[test]
fn a_statement_is_for_people_or_for_programs() {
    let folder = recorded();
    let statement = "statement --data data --customer customer-3 --period 2023-12";
    let both = folder.run(statement).done() + &folder.run(&format!("{statement} --format json")).done();
    let one = folder.run(&format!("{statement} --app acme-docs")).done();
    let nobody = folder.run("statement --data data --customer nobody --period 2023-12");
    let never = folder.run("statement --data data --customer customer-3 --period 2023-13");
    assert_eq!((nobody.code, never.code), (1, 2));
    insta::assert_snapshot!([both, one, nobody.errors, never.errors].join("\n"));
}

#[test]
fn events_come_from_files_or_from_standard_input() {
    let folder = folder();
    let events = generate(400);
    let from_file = folder.run(&format!("rate {TARIFF} --format json events.jsonl")).done();
    let piped = folder.run_reading(&format!("rate {TARIFF} --format json -"), &events).done();
    assert_eq!(piped, from_file);
    let (first, second) =
        events.split_at(events.find("{\"specversion\":\"1.0\",\"id\":\"event-200\"").unwrap());
    folder.write("first.jsonl", first);
    folder.write("second.jsonl", second);
    let in_two = folder.run(&format!("rate {TARIFF} --format json first.jsonl second.jsonl")).done();
    assert_eq!(in_two, from_file);
    folder.write("none.jsonl", "");
    let nothing = folder.run(&format!("rate {TARIFF} --format json none.jsonl")).done();
    insta::assert_snapshot!(nothing, @r#"{"currency":"","events":{"read":0,"rated":0,"held":0,"duplicate":0,"invalid":0},"customers":[],"totals":{"network_cost":"0","platform_fee":"0","builder_earnings":"0","total":"0"},"problems":[]}"#);
}

#[test]
fn a_table_is_for_people() {
    let folder = folder();
    folder.write("events.jsonl", generate(40) + "{\"id\":\"odd\"}\n");
    insta::assert_snapshot!(folder.run(&format!("rate {TARIFF} events.jsonl")).done());
}

/// What is defined once need not be said again; what is not defined is not guessed.
#[test]
fn definitions_stand_in_for_the_plugin() {
    let folder = folder();
    let month = repository().join("examples/month");
    folder.write("definitions.json", std::fs::read(month.join("definitions.json")).unwrap());
    folder.write("month.jsonl", std::fs::read(month.join("paperwise.jsonl")).unwrap());
    let defined = folder.run("define --data data definitions.json").done();
    let again = folder.run("define --data data definitions.json").done();
    assert_eq!(again, defined);
    folder.run("record --data data --strict month.jsonl").done();
    folder.write("events.jsonl", generate(2));
    let undefined = folder.run("record --data data --strict events.jsonl");
    let closed = folder.run("close --data data --app paperwise --period 2026-10");
    let twice = folder.run("close --data data --app paperwise --period 2026-10");
    let unknown = folder.run("close --data data --app nobodys --period 2026-10");
    let first_lines = undefined.output.lines().take(3).collect::<Vec<_>>().join("\n");
    let words = [&closed, &twice, &unknown].map(tollgate_tests::tollgate::Answer::in_words);
    insta::assert_snapshot!(format!(
        "{defined}{first_lines}\nexit code {}\n{}",
        undefined.code,
        words.join("\n")
    ));
}

/// The same event twice is one event; another one under its name is a conflict and changes nothing.
#[test]
fn a_conflict_is_told_and_the_first_one_stands() {
    let folder = folder();
    let event = generate(1);
    folder.write(
        "events.jsonl",
        event.clone() + &event + &event.replace("\"subject\":\"", "\"subject\":\"not-"),
    );
    let report = folder.run(&format!("record --data data --strict --format json {TARIFF} events.jsonl"));
    assert_eq!(report.code, 4);
    insta::assert_snapshot!(report.output);
}

#[test]
fn what_is_durable_is_said_on_standard_error() {
    let folder = folder();
    folder.write("events.jsonl", generate(4) + "{}\n" + &generate(7));
    let answer = folder.run(&format!("record --data data --acknowledge --batch 4 {TARIFF} events.jsonl"));
    assert_eq!(answer.errors, "durable 4\ndurable 9\ndurable 12\n");
}

/// A reader that goes away, as in `| head`, ends the program quietly.
#[test]
fn a_closed_pipe_is_no_error() {
    let folder = folder();
    for arguments in
        ["demo".to_owned(), "--help".to_owned(), format!("rate {TARIFF} --format json events.jsonl")]
    {
        let mut command = folder.command(&arguments);
        let mut program = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(program.stdout.take());
        let mut errors = String::new();
        program.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!((program.wait().unwrap().code(), errors.as_str()), (Some(0), ""), "{arguments}");
    }
}

#[test]
fn a_bundled_plugin_shows_what_it_is() {
    let folder = Folder::new();
    folder.write("mine.wasm", std::fs::read(repository().join("plugins/prebuilt/tiered.wasm")).unwrap());
    let bundled = folder.run("plugin inspect tiered").done();
    assert_eq!(folder.run("plugin inspect mine.wasm").done(), bundled);
    let manifest: serde_json::Value =
        serde_json::from_str(&committed("plugins/prebuilt/manifest.json")).unwrap();
    let plugins = manifest["plugins"].as_array().unwrap();
    let digest =
        plugins.iter().find(|plugin| plugin["name"] == "tiered").unwrap()["sha256"].as_str().unwrap();
    let (anatomy, description) = bundled.split_once("\n\n").unwrap();
    assert!(anatomy.contains(digest), "{anatomy}");
    assert!(anatomy.contains("imports   tollgate:pricing/log@0.1.0\n"), "{anatomy}");
    insta::assert_snapshot!(description.split_once("\n\n").unwrap().1);
}
