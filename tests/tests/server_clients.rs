//! Sixteen clients send the same events at once, some of them changed: one charge each, and whoever differs
//! is told.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)] // a test may panic

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Barrier;
use std::time::Instant;

use rust_decimal::Decimal;
use serde_json::Value;
use tollgate_core::money::format_nano;
use tollgate_core::store::{StatementFilter, Store as _};
use tollgate_tests::database::{Priced, events_after, open};
use tollgate_tests::events::{PRICES, generate};
use tollgate_tests::server::{Client, Server};
use tollgate_tests::tollgate::{Folder, say};

const CLIENTS: usize = 16;
const BATCH: usize = 250;
/// Every so many events, one client says something else than the others.
const CHANGED_EVERY: usize = 4;
const SETTINGS: &str = r#"{"unit": "page", "measures": ["pages"], "tiers": [{"up_to": "50", "unit_price": "0.03", "flat": "1"}, {"up_to": null, "unit_price": "0.0123456789"}]}"#;

/// What one client was told about each event, by the event's number.
type Told = Vec<Value>;

/// How many events: fewer where the program was built without optimisation.
const EVENTS: usize = if cfg!(debug_assertions) { 5_000 } else { 20_000 };

#[test]
fn sixteen_clients_send_the_same_events_at_once() {
    let folder = Folder::new();
    Priced { plugin: "tiered", settings: SETTINGS, prices: PRICES, apps: &["acme-code", "acme-docs"] }
        .define(&folder, "data");
    let events = distinct_events(EVENTS);
    let server = Server::start(&folder, &[]);
    let client = server.platform();

    let started = Instant::now();
    let start_line = Barrier::new(CLIENTS);
    let told: Vec<Told> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (client, events, start_line) = (client.clone(), &events, &start_line);
                scope.spawn(move || {
                    start_line.wait();
                    send_all(&client, number, events)
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let elapsed = started.elapsed();

    let (winners, conflicts) = one_is_charged_and_the_others_know(&told);
    assert!(server.stop(), "the server ended well");
    folder.run("ledger verify --data data").done();
    the_first_of_each_is_kept(&folder, &events, &winners);
    receipts_add_up(&folder, &told, &winners);
    let changed_won = (0..events.len()).filter(|event| changer(*event) == Some(winners[*event])).count();
    say(&format!(
        "{CLIENTS} clients sent the same {} events in {:.1} s: {} charged once each, {conflicts} conflicts told, \
         {} of the events in their changed form",
        events.len(),
        elapsed.as_secs_f32(),
        winners.len(),
        changed_won,
    ));
}

/// So many events, no two of one id.
fn distinct_events(count: usize) -> Vec<String> {
    let generated = generate(u64::try_from(count + count / 10 + 100).unwrap());
    let mut known = HashSet::new();
    let distinct = generated.lines().filter(|line| known.insert(line.to_owned())).map(str::to_owned);
    let distinct: Vec<String> = distinct.take(count).collect();
    assert_eq!(distinct.len(), count);
    distinct
}

/// Which client changes an event, if one does.
fn changer(event: usize) -> Option<usize> {
    event.is_multiple_of(CHANGED_EVERY).then_some(event / CHANGED_EVERY % CLIENTS)
}

/// An event as a client sends it.
fn said_by(client: usize, event: usize, events: &[String]) -> String {
    let original = &events[event];
    if changer(event) != Some(client) {
        return original.clone();
    }
    let changed = original.replace(r#""input_tokens":"#, r#""input_tokens":1"#);
    assert_ne!(changed, *original);
    changed
}

/// Sends every event, the even clients from the first on and the odd ones from somewhere else.
fn send_all(client: &Client, number: usize, events: &[String]) -> Told {
    let begin = if number.is_multiple_of(2) { 0 } else { events.len() / CLIENTS * number };
    let order: Vec<usize> = (0..events.len()).map(|position| (begin + position) % events.len()).collect();
    let mut told = vec![Value::Null; events.len()];
    for batch in order.chunks(BATCH) {
        let lines: Vec<String> = batch.iter().map(|event| said_by(number, *event, events)).collect();
        let answer = client.send("/v1/events", &lines.join("\n")).with(200);
        let receipts = answer["receipts"].as_array().unwrap();
        assert_eq!(receipts.len(), batch.len());
        for (event, receipt) in batch.iter().zip(receipts) {
            told[*event] = receipt.clone();
        }
    }
    told
}

/// Checks what everybody was told of every event; gives who was first with each, and how many conflicts
/// were told.
fn one_is_charged_and_the_others_know(told: &[Told]) -> (Vec<usize>, usize) {
    let mut winners = Vec::new();
    let mut conflicts = 0;
    for event in 0..told[0].len() {
        let statuses: Vec<&str> = told.iter().map(|told| told[event]["status"].as_str().unwrap()).collect();
        let rated = (0..CLIENTS).filter(|client| statuses[*client] == "rated");
        let [winner] = rated.collect::<Vec<_>>()[..] else { panic!("event {event}: {statuses:?}") };
        let charge = &told[winner][event]["charge"];
        for client in (0..CLIENTS).filter(|client| *client != winner) {
            // Two differ when one of them changed the event.
            let differs = changer(event).is_some_and(|changer| changer == winner || changer == client);
            let expected = if differs { "conflict" } else { "duplicate" };
            let receipt = &told[client][event];
            assert_eq!(statuses[client], expected, "event {event}, client {client}, winner {winner}");
            assert_eq!(receipt["first"]["charge"], *charge, "event {event}, client {client}");
            assert_eq!(receipt["detail"].is_string(), differs, "{receipt}");
            conflicts += usize::from(differs);
        }
        winners.push(winner);
    }
    (winners, conflicts)
}

/// The database has every event once, as its winner sent it.
fn the_first_of_each_is_kept(folder: &Folder, events: &[String], winners: &[usize]) {
    let kept = events_after(&open(&Server::database(folder)), 0);
    assert_eq!(kept.len(), events.len());
    let kept: HashMap<String, Box<str>> =
        kept.into_iter().map(|event| (event.key.id, event.received)).collect();
    for (event, winner) in winners.iter().enumerate() {
        let sent = said_by(*winner, event, events);
        let id = serde_json::from_str::<Value>(&sent).unwrap()["id"].as_str().unwrap().to_owned();
        assert_eq!(*kept[&id], *sent, "event {event}, winner {winner}");
    }
}

/// What the receipts of charged events say adds up to the statements, for every customer and party.
fn receipts_add_up(folder: &Folder, told: &[Told], winners: &[usize]) {
    let store = open(&Server::database(folder));
    let mut sums: BTreeMap<(String, String, String), [Decimal; 4]> = BTreeMap::new();
    let customers: HashMap<String, (String, String)> = events_after(&store, 0)
        .into_iter()
        .map(|event| (event.key.id.clone(), place(&event.received)))
        .collect();
    for (event, winner) in winners.iter().enumerate() {
        let receipt = &told[*winner][event];
        let charge = &receipt["charge"];
        let (app, customer) = customers[receipt["id"].as_str().unwrap()].clone();
        let sum = sums.entry((app, customer, charge["period"].as_str().unwrap().to_owned())).or_default();
        let split = &charge["split"];
        let parts =
            [&charge["total"], &split["network_cost"], &split["platform_fee"], &split["builder_earnings"]];
        for (sum, part) in sum.iter_mut().zip(parts) {
            *sum += part.as_str().unwrap().parse::<Decimal>().unwrap();
        }
    }
    let statements = store.statements(&StatementFilter::default()).unwrap();
    assert_eq!(statements.len(), sums.len());
    for (key, stated) in statements {
        let total = stated.network_cost + stated.platform_fee + stated.builder_earnings;
        let stated = [total, stated.network_cost, stated.platform_fee, stated.builder_earnings];
        let place = (key.app.to_string(), key.customer.to_string(), key.period.to_string());
        let stated = stated.map(|nano| format_nano(nano).parse::<Decimal>().unwrap());
        assert_eq!(sums[&place], stated, "{place:?}");
    }
}

/// The app and customer of an event.
fn place(received: &str) -> (String, String) {
    let event: Value = serde_json::from_str(received).unwrap();
    let field = |name: &str| event[name].as_str().unwrap().to_owned();
    (field("source"), field("subject"))
}
