//! Fixtures: folders that show events beside what they cost, each run as a test.
//!
//! What such a folder holds is told at [`run_fixtures`]; how its files are read is in `cloudevent.rs`, what
//! `expected.json` says in `expected.rs`.

mod cloudevent;
mod expected;

use super::{Priced, TestBench, TestEvent};
use crate::{Decimal, Fault, Pricing};
use expected::{Charged, ClosedCustomer, Expected, PricedEvent};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Runs every case under `folder`, one folder each:
///
/// ```text
/// fixtures/CASE/settings.json     the tariff's settings
/// fixtures/CASE/events.ndjson     one event a line, as the host takes them
/// fixtures/CASE/parents.json      where units are pooled: customers, and whom they are counted for
/// fixtures/CASE/expected.json     for each event its usage rows and lines, what the close of the period
///                                 charges, and each customer's totals
/// ```
///
/// The events are all of one period, which is closed at the end. With `BLESS=1` in the environment,
/// `expected.json` is written instead of compared: read what has changed before you keep it.
///
/// # Panics
/// When a case's files cannot be read, its settings are refused, or its events cost something else.
pub fn run_fixtures<P: Pricing>(folder: impl AsRef<Path>) {
    let folder = folder.as_ref();
    let cases = cases(folder);
    assert!(!cases.is_empty(), "{} holds no folder with fixtures", folder.display());
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let failures: Vec<String> =
        cases.iter().filter_map(|case| run::<P>(case, bless).err().map(|why| name(case, &why))).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn name(case: &Path, why: &str) -> String {
    format!("fixture {}:\n{why}", case.file_name().unwrap_or_default().to_string_lossy())
}

/// The folders that are cases, sorted.
fn cases(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    cases.sort();
    cases
}

fn run<P: Pricing>(case: &Path, bless: bool) -> Result<(), String> {
    let settings: serde_json::Value = serde_json::from_str(&read(&case.join("settings.json"))?)
        .map_err(|error| format!("settings.json: {error}"))?;
    let events = cloudevent::read_all(&read(&case.join("events.ndjson"))?)?;
    let parents = parents(case)?;
    let mut bench = TestBench::<P>::new(&settings).map_err(|problems| {
        let told = problems.iter().map(|found| format!("settings.json{}: {}", found.pointer, found.message));
        told.collect::<Vec<_>>().join("\n")
    })?;
    let actual = price(&mut bench, events, &parents).map_err(|fault| fault.to_string())?;
    let path = case.join("expected.json");
    if bless {
        return fs::write(&path, actual.to_string()).map_err(|error| format!("expected.json: {error}"));
    }
    let expected: Expected =
        serde_json::from_str(&read(&path)?).map_err(|error| format!("expected.json: {error}"))?;
    if expected == actual { Ok(()) } else { Err(difference(&expected.to_string(), &actual.to_string())) }
}

/// Whom a customer's pooled units are counted for.
fn parents(case: &Path) -> Result<BTreeMap<String, String>, String> {
    let path = case.join("parents.json");
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    serde_json::from_str(&read(&path)?).map_err(|error| format!("parents.json: {error}"))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path)
        .map_err(|error| format!("{}: {error}", path.file_name().unwrap_or_default().to_string_lossy()))
}

/// Prices the events one by one, then closes the period for each customer.
fn price<P: Pricing>(
    bench: &mut TestBench<P>,
    events: Vec<(String, TestEvent)>,
    parents: &BTreeMap<String, String>,
) -> Result<Expected, Fault> {
    let of_its_parent = |event: TestEvent, customer: &str| match parents.get(customer) {
        Some(parent) => event.parent(parent),
        None => event,
    };
    let mut expected = Expected::default();
    let mut customers: BTreeMap<String, (Charged, Decimal, i64)> = BTreeMap::new();
    for (id, event) in events {
        let customer = event.text_of("customer").to_owned();
        let (cost, time) = (event.number_of("network-cost"), event.time);
        let answer = bench.event(of_its_parent(event, &customer));
        if let Ok(priced) = &answer {
            let (charged, costs, latest) = customers.entry(customer).or_default();
            charged.add(priced)?;
            *costs = costs.plus(cost)?;
            *latest = time.max(*latest);
        }
        expected.events.push(PricedEvent::new(id, answer));
    }
    for (customer, (mut charged, costs, latest)) in customers {
        let closing = TestEvent::new().customer(&customer).network_cost(&costs.to_string()).time(latest);
        let mut closing = of_its_parent(closing, &customer);
        for (code, amount) in charged.by_code() {
            closing = closing.charged(code, &amount.to_string());
        }
        let closed: Priced = bench.close(&closing.charged("", &charged.total().to_string()))?;
        charged.add(&closed)?;
        expected.totals.push(charged.totals(&customer));
        expected.closing.extend(ClosedCustomer::new(customer, &closed));
    }
    Ok(expected)
}

/// The lines that differ, expected (`-`) and found (`+`).
fn difference(expected: &str, actual: &str) -> String {
    let (mut old, mut new) = (expected.lines(), actual.lines());
    let mut shown = Vec::new();
    loop {
        match (old.next(), new.next()) {
            (None, None) => break,
            (left, right) if left == right => {}
            (left, right) => {
                shown.extend(left.map(|line| format!("- {line}")));
                shown.extend(right.map(|line| format!("+ {line}")));
            }
        }
    }
    shown.join("\n")
}
