//! `kill -9` while events are recorded: what was acknowledged is there, once, and the rest can follow.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::process::{ChildStderr, Stdio};
use std::time::Duration;

use serde_json::Value;
use tollgate_tests::events::{PRICES, generate};
use tollgate_tests::tollgate::{Folder, say};

const EVENTS: u64 = 3_000;
const BATCH: u64 = 40;
const RECORD: &str = "record --data DATA --plugin tiered --settings settings.json --prices prices.json \
                      --platform-share 0.2 --format json";
const SETTINGS: &str = r#"{"unit": "page", "measures": ["pages"], "tiers": [{"up_to": "50", "unit_price": "0.03", "flat": "1"}, {"up_to": null, "unit_price": "0.0123456789"}]}"#;

/// How often: a few times in every run of the tests, more in CI, a hundred by hand.
fn rounds() -> u64 {
    std::env::var("TOLLGATE_KILL_ROUNDS").map_or(10, |rounds| rounds.parse().unwrap())
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let folder = Folder::new();
    let events = generate(EVENTS);
    folder.write("settings.json", SETTINGS);
    folder.write("prices.json", PRICES);
    folder.write("events.jsonl", &events);
    let undisturbed = record(&folder, "undisturbed", "events.jsonl");
    let (mut survived, mut in_the_middle) = (0, 0);
    for round in 0..rounds() {
        let data = format!("data-{round}");
        let acknowledged = record_and_kill(&folder, &data);
        survived += acknowledged;
        in_the_middle += u64::from(acknowledged > 0 && acknowledged < EVENTS);
        if folder.path(&data).join("tollgate.db").exists() {
            let proof = folder.run(&format!("ledger verify --data {data}"));
            assert_eq!(proof.code, 0, "round {round}: {}", proof.in_words());
        }
        acknowledged_events_are_there(&folder, &data, &events, acknowledged);
        let resumed = record(&folder, &data, "events.jsonl");
        assert_eq!(resumed["customers"], undisturbed["customers"], "round {round}");
        assert_eq!(resumed["totals"], undisturbed["totals"], "round {round}");
        folder.run(&format!("ledger verify --data {data}")).done();
        std::fs::remove_dir_all(folder.path(&data)).unwrap();
    }
    assert!(in_the_middle > 0, "no kill came between the first and the last event");
    say(&format!(
        "killed {} times, {in_the_middle} of them amid the events: {survived} acknowledged events, none lost, \
         none charged twice",
        rounds()
    ));
}

fn record(folder: &Folder, data: &str, file: &str) -> Value {
    folder.run(&format!("{} {file}", RECORD.replace("DATA", data))).json()
}

/// Kills the program at a random moment: after some acknowledgement, or even before the first. Gives how
/// many events it had acknowledged by then.
fn record_and_kill(folder: &Folder, data: &str) -> u64 {
    let arguments = format!("{} --acknowledge --batch {BATCH} events.jsonl", RECORD.replace("DATA", data));
    let mut command = folder.command(&arguments);
    let mut program = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = BufReader::new(program.stderr.take().unwrap());
    let mut acknowledged = 0;
    for _ in 0..random(EVENTS / BATCH) {
        acknowledged = acknowledgement(&mut errors).unwrap_or(acknowledged);
    }
    let pause = if acknowledged == 0 { 300_000 } else { 5_000 };
    std::thread::sleep(Duration::from_micros(random(pause)));
    program.kill().unwrap();
    program.wait().unwrap();
    while let Some(more) = acknowledgement(&mut errors) {
        acknowledged = more;
    }
    acknowledged
}

/// The number in the next whole line; the kill may have come amid the last one.
fn acknowledgement(errors: &mut BufReader<ChildStderr>) -> Option<u64> {
    let mut line = String::new();
    errors.read_line(&mut line).unwrap();
    let number = line.strip_suffix('\n')?.strip_prefix("durable ");
    Some(number.unwrap_or_else(|| panic!("the program said {line}")).parse().unwrap())
}

/// The first events, sent again, are all known already.
fn acknowledged_events_are_there(folder: &Folder, data: &str, events: &str, acknowledged: u64) {
    let first: Vec<&str> = events.lines().take(usize::try_from(acknowledged).unwrap()).collect();
    folder.write("acknowledged.jsonl", first.join("\n"));
    let report = record(folder, data, "acknowledged.jsonl");
    let counts = serde_json::json!({
        "read": acknowledged, "rated": 0, "held": 0, "duplicate": acknowledged, "invalid": 0,
    });
    assert_eq!(report["events"], counts);
    assert_eq!(report["problems"], Value::Array(Vec::new()));
}

fn random(below: u64) -> u64 {
    RandomState::new().build_hasher().finish() % below
}
