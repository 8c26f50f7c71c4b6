//! What the server takes in and answers: one table, measured in one run, clients included.
//!
//! `cargo bench -p tollgate-tests --bench serving`. The real program serves a new SQLite database over
//! loopback; the clients run beside it on the same cores. `µs/event` is the server's own processor time, and
//! `others` the share of the processors that other programs took meanwhile. Settings, by environment:
//!
//! - `TOLLGATE_STORED`: how many events the database holds before throughput is measured a second time
//!   (default 3,000,000);
//! - `TOLLGATE_IDS`: `ordered` (the default: UUIDs that begin with the time) or `random`;
//! - `TOLLGATE_CONNECTIONS`: how many connections send batches (default 16);
//! - `TOLLGATE_SETTINGS`: settings of the server, separated by blanks, as in `batch_wait=0s`.

// A benchmark may stop where it stands, and measures in floats.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::cast_precision_loss
)]
#![allow(missing_docs)]

mod connection;
mod load;
mod machine;
mod traffic;
mod yardstick;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use load::{Latencies, Questions, Sent, ask, send};
use machine::{Clock, Used, peak_memory};
use tollgate_tests::database::Priced;
use tollgate_tests::server::Server;
use tollgate_tests::tollgate::Folder;
use traffic::{APP, CUSTOMERS, Ids, PRICES, Receipts, SETTINGS, Traffic};

/// Events in the database before anything is measured.
const STORED_FIRST: u64 = 100_000;
/// Events of a measurement in batches.
const MEASURED: u64 = 200_000;
/// Requests of a measurement with one event each.
const SINGLES: u64 = 30_000;
const SINGLES_CONNECTIONS: usize = 64;
/// Events that are sent while something is asked for, and how often it is.
const BESIDE: u64 = 300_000;
const QUOTES_PER_SECOND: f64 = 250.0;
const AUTHORIZATIONS_PER_SECOND: f64 = 1_000.0;
/// More authorisations than are asked for meanwhile.
const AUTHORIZATIONS_MAX: u64 = 40_000;
/// The rates of events beside which something is asked for, beside as many as are taken.
const MODERATE_EVENTS_PER_SECOND: f64 = 20_000.0;
const GOAL_EVENTS_PER_SECOND: f64 = 50_000.0;
/// The events of a filling request: nobody measures it.
const FILLING: u64 = 1_000;

struct Bench {
    server: Server,
    traffic: Traffic,
    connections: usize,
}

fn main() {
    let stored: u64 = setting("TOLLGATE_STORED", 3_000_000);
    let connections: usize = setting("TOLLGATE_CONNECTIONS", 16);
    let ids = match std::env::var("TOLLGATE_IDS").as_deref() {
        Ok("random") => Ids::Random,
        Ok("ordered") | Err(_) => Ids::Ordered,
        Ok(other) => panic!("TOLLGATE_IDS is {other}: write ordered or random"),
    };
    let folder = Folder::new();
    Priced { plugin: "included-overage", settings: SETTINGS, prices: PRICES, apps: &[APP] }
        .define(&folder, "data");
    let settings = std::env::var("TOLLGATE_SETTINGS").unwrap_or_default();
    let mut settings: Vec<&str> = settings.split_whitespace().collect();
    settings.extend(["rate_per_second=1000000", "rate_burst=1000000"]);
    let server = Server::start(&folder, &settings);
    let key = server.key.clone().expect("the first start makes a key");
    let traffic = Traffic { key, ids, events: 0 };
    let mut bench = Bench { server, traffic, connections };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "\nServing on loopback, client included: {cores} cores, included-overage, 40 customers, SQLite, {ids:?} ids, \
         settings {settings:?}\n"
    );
    println!(
        "{:<66}{:>9}{:>11}{:>9}{:>9}{:>9}{:>10}{:>10}",
        "", "events/s", "requests/s", "p50 ms", "p99 ms", "p999 ms", "µs/event", "others"
    );
    bench.fill(STORED_FIRST);
    let first = bench.measure();
    bench.yardsticks(&folder, &first);
    if stored > bench.traffic.events {
        bench.compare_when_filled(stored, &first);
    }
    assert!(bench.server.stop(), "the server ended well");
}

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    let Ok(text) = std::env::var(name) else { return default };
    text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, which is no number"))
}

impl Bench {
    /// Takes in events until the database has so many.
    fn fill(&mut self, stored: u64) {
        while self.traffic.events < stored {
            let count = (stored - self.traffic.events).min(100_000);
            let requests = self.traffic.requests(count, FILLING, Receipts::Summary);
            send(&self.server.address, &requests, 4, None);
        }
    }

    /// Everything with a small database; gives the first figure.
    fn measure(&mut self) -> Sent {
        let connections = self.connections;
        let name = format!("100 events a request, {connections} connections, summaries (≥ 50,000)");
        let summaries = self.take_in(&name, MEASURED, 100, Receipts::Summary);
        let name = format!("100 events a request, {connections} connections, full receipts");
        self.take_in(&name, MEASURED, 100, Receipts::Full);
        let name = format!("1 event a request, {SINGLES_CONNECTIONS} connections (≥ 3,000 requests/s)");
        let singles = self.take_in(&name, SINGLES, 1, Receipts::Full);
        for rate in [Some(MODERATE_EVENTS_PER_SECOND), Some(GOAL_EVENTS_PER_SECOND), None] {
            self.quotes_beside(rate);
        }
        // Each customer's first authorisation opens their wallet.
        let (first, _) = self.traffic.authorizations(CUSTOMERS);
        send(&self.server.address, &first, 1, None);
        for rate in [Some(MODERATE_EVENTS_PER_SECOND), Some(GOAL_EVENTS_PER_SECOND), None] {
            self.authorizations_beside(rate);
        }
        self.authorize_and_capture(&singles);
        self.print_memory();
        summaries
    }

    /// Sends events as fast as they are taken, and prints how fast that was.
    fn take_in(&mut self, name: &str, count: u64, each: u64, receipts: Receipts) -> Sent {
        let requests = self.traffic.requests(count, each, receipts);
        let connections = if each == 1 { SINGLES_CONNECTIONS } else { self.connections };
        let clock = Clock::read(self.server.id());
        let sent = send(&self.server.address, &requests, connections, None);
        print_row(name, &sent, clock.until_now(self.server.id()));
        sent
    }

    /// Asks for quotes while events come in, at a rate or as fast as they are taken.
    fn quotes_beside(&mut self, events_per_second: Option<f64>) {
        let questions = Questions {
            requests: self.traffic.quotes(),
            per_second: QUOTES_PER_SECOND,
            expected: r#""status":"rated""#,
        };
        self.ask_beside(events_per_second, "quotes", &questions);
    }

    /// Asks for authorisations likewise.
    fn authorizations_beside(&mut self, events_per_second: Option<f64>) {
        let (asked, _) = self.traffic.authorizations(AUTHORIZATIONS_MAX);
        let questions = Questions {
            requests: asked.into_iter().map(|request| request.bytes).collect(),
            per_second: AUTHORIZATIONS_PER_SECOND,
            expected: r#""allowed":true"#,
        };
        self.ask_beside(events_per_second, "authorisations", &questions);
    }

    fn ask_beside(&mut self, events_per_second: Option<f64>, what: &str, questions: &Questions) {
        let count = if events_per_second.is_some() { BESIDE / 3 } else { BESIDE };
        let requests = self.traffic.requests(count, 100, Receipts::Summary);
        let (address, is_over) = (&self.server.address, AtomicBool::new(false));
        let clock = Clock::read(self.server.id());
        let (events, answers) = std::thread::scope(|scope| {
            let asking = scope.spawn(|| ask(address, questions, &is_over));
            let rate = events_per_second.map(|rate| rate / 100.0);
            let events = send(address, &requests, self.connections, rate);
            is_over.store(true, Ordering::Relaxed);
            (events, asking.join().expect("questions are answered"))
        });
        let how =
            events_per_second.map_or("as fast as they are taken".into(), |rate| format!("{rate} a second"));
        let name = format!("  beside {what}: events {how}, 100 a request");
        print_row(&name, &events, clock.until_now(self.server.id()));
        let name = format!("  {} {what}, {} a second (p99 < 5 ms)", answers.count(), questions.per_second);
        println!("{name:<66}{:>9}{:>11}{}", "", "", percentiles(&answers));
    }

    /// Authorises events one by one, and records them one by one: as against recording them alone.
    fn authorize_and_capture(&mut self, alone: &Sent) {
        let (asked, recorded) = self.traffic.authorizations(SINGLES / 2);
        let address = &self.server.address;
        let clock = Clock::read(self.server.id());
        let authorized = send(address, &asked, SINGLES_CONNECTIONS, None);
        print_row(
            "1 authorisation a request, 64 connections",
            &authorized,
            clock.until_now(self.server.id()),
        );
        let clock = Clock::read(self.server.id());
        let captured = send(address, &recorded, SINGLES_CONNECTIONS, None);
        print_row("1 capture a request, 64 connections", &captured, clock.until_now(self.server.id()));
        let both = captured.events as f64 / (authorized.elapsed + captured.elapsed).as_secs_f64();
        let share = both / alone.events_per_second();
        println!("authorise + capture: {both:.0} events/s, {share:.2} of recording alone");
    }

    fn yardsticks(&self, folder: &Folder, measured: &Sent) {
        for rows in [100, 100 * self.connections] {
            let database = folder.path(&format!("yardstick-{rows}.db"));
            let clock = Clock::read(self.server.id());
            let bare = yardstick::rows_per_second(&database, self.traffic.ids, MEASURED, rows);
            let others = clock.until_now(self.server.id()).others * 100.0;
            let share = measured.events_per_second() / bare;
            let name = format!("bare SQLite inserts, {rows} rows a commit");
            println!(
                "{name:<66}{bare:>9.0}{:>38}{:>10}{others:>8.0} %",
                format!("the server: {share:.2} of it"),
                ""
            );
        }
    }

    fn compare_when_filled(&mut self, stored: u64, first: &Sent) {
        self.fill(stored);
        let name = format!("100 events a request, summaries, {stored} events stored");
        let later = self.take_in(&name, MEASURED, 100, Receipts::Summary);
        let share = later.events_per_second() / first.events_per_second();
        println!("throughput at {stored} events stored: {share:.2} of that at {STORED_FIRST} (≥ 0.80)");
        self.print_memory();
    }

    fn print_memory(&self) {
        let (stored, peak) = (self.traffic.events, peak_memory(self.server.id()));
        println!("peak memory of the server with {stored} events stored: {peak}");
    }
}

fn print_row(name: &str, sent: &Sent, used: Used) {
    let microseconds = used.server.as_secs_f64() * 1_000_000.0 / sent.events as f64;
    println!(
        "{name:<66}{:>9.0}{:>11.0}{}{microseconds:>10.1}{:>8.0} %",
        sent.events_per_second(),
        sent.requests_per_second(),
        percentiles(&sent.latencies),
        used.others * 100.0,
    );
}

fn percentiles(latencies: &Latencies) -> String {
    let milliseconds = |latency: Duration| latency.as_secs_f64() * 1_000.0;
    let shown = [500, 990, 999].map(|share| format!("{:>9.2}", milliseconds(latencies.thousandth(share))));
    shown.concat()
}
