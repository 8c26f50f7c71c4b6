//! What the server takes in and answers: one table, measured in one run, clients included.
//!
//! `cargo bench -p tollgate-tests --bench serving`. The real program serves a new SQLite database over
//! loopback; the clients run beside it on the same cores. Settings, by environment:
//!
//! - `TOLLGATE_STORED`: how many events the database holds before throughput is measured a second time
//!   (default 1,000,000);
//! - `TOLLGATE_IDS`: `ordered` (the default: UUIDs that begin with the time) or `random`;
//! - `TOLLGATE_CONNECTIONS`: how many connections send batches (default 8);
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
mod traffic;
mod yardstick;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use load::{Latencies, Sent, quote, send};
use tollgate_tests::database::Priced;
use tollgate_tests::server::Server;
use tollgate_tests::tollgate::Folder;
use traffic::{APP, Ids, PRICES, Receipts, SETTINGS, Traffic};

/// Events in the database before anything is measured.
const STORED_FIRST: u64 = 100_000;
/// Events of a measurement in batches.
const MEASURED: u64 = 300_000;
/// Requests of a measurement with one event each.
const SINGLES: u64 = 30_000;
const SINGLES_CONNECTIONS: usize = 64;
/// Events that are sent while quotes are asked for, and quotes a second.
const BESIDE_QUOTES: u64 = 500_000;
const QUOTES_PER_SECOND: f64 = 250.0;
/// The slower of the two rates of events beside which quotes are asked for.
const MODERATE_EVENTS_PER_SECOND: f64 = 20_000.0;
/// The events of a filling request: nobody measures it.
const FILLING: u64 = 1_000;

struct Bench {
    server: Server,
    traffic: Traffic,
    connections: usize,
}

fn main() {
    let stored: u64 = setting("TOLLGATE_STORED", 1_000_000);
    let connections: usize = setting("TOLLGATE_CONNECTIONS", 8);
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
        "{:<64}{:>10}{:>11}{:>9}{:>9}{:>9}",
        "", "events/s", "requests/s", "p50 ms", "p99 ms", "p999 ms"
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

    fn batches(&mut self, receipts: Receipts) -> Sent {
        let requests = self.traffic.requests(MEASURED, 100, receipts);
        send(&self.server.address, &requests, self.connections, None)
    }

    /// Everything with a small database; gives the first figure.
    fn measure(&mut self) -> Sent {
        let connections = self.connections;
        let summaries = self.batches(Receipts::Summary);
        row(&format!("100 events a request, {connections} connections, summaries (≥ 50,000)"), &summaries);
        let full = self.batches(Receipts::Full);
        row(&format!("100 events a request, {connections} connections, full receipts"), &full);
        let requests = self.traffic.requests(SINGLES, 1, Receipts::Full);
        let singles = send(&self.server.address, &requests, SINGLES_CONNECTIONS, None);
        row(&format!("1 event a request, {SINGLES_CONNECTIONS} connections (≥ 3,000 requests/s)"), &singles);
        self.quotes_beside(Some(MODERATE_EVENTS_PER_SECOND));
        self.quotes_beside(None);
        println!(
            "peak memory of the server with {} events stored: {}",
            self.traffic.events,
            self.peak_memory()
        );
        summaries
    }

    /// Asks for quotes while events come in, at a rate or as fast as they are taken.
    fn quotes_beside(&mut self, events_per_second: Option<f64>) {
        let count = if events_per_second.is_some() { BESIDE_QUOTES / 2 } else { BESIDE_QUOTES };
        let requests = self.traffic.requests(count, 100, Receipts::Summary);
        let quotes = self.traffic.quotes();
        let (address, is_over) = (&self.server.address, AtomicBool::new(false));
        let (events, quotes) = std::thread::scope(|scope| {
            let asking = scope.spawn(|| quote(address, &quotes, QUOTES_PER_SECOND, &is_over));
            let rate = events_per_second.map(|rate| rate / 100.0);
            let events = send(address, &requests, self.connections, rate);
            is_over.store(true, Ordering::Relaxed);
            (events, asking.join().expect("quotes are answered"))
        });
        let how = if events_per_second.is_some() { "steadily" } else { "as fast as they are taken" };
        row(&format!("  events {how}, 100 a request, beside quotes"), &events);
        let name = format!("  {} quotes, {QUOTES_PER_SECOND} a second (p99 < 5 ms)", quotes.count());
        println!("{name:<64}{:>10}{:>11}{}", "", "", percentiles(&quotes));
    }

    fn yardsticks(&self, folder: &Folder, measured: &Sent) {
        for rows in [100, 100 * self.connections] {
            let database = folder.path(&format!("yardstick-{rows}.db"));
            let bare = yardstick::rows_per_second(&database, self.traffic.ids, MEASURED, rows);
            println!(
                "{:<64}{bare:>10.0}   the server: {:.2} of it",
                format!("bare SQLite inserts, {rows} rows a commit"),
                measured.events_per_second() / bare
            );
        }
    }

    fn compare_when_filled(&mut self, stored: u64, first: &Sent) {
        self.fill(stored);
        let later = self.batches(Receipts::Summary);
        row(&format!("100 events a request, summaries, {stored} events stored"), &later);
        println!(
            "throughput at {stored} events stored: {:.2} of that at {STORED_FIRST} (≥ 0.80)",
            later.events_per_second() / first.events_per_second()
        );
        println!(
            "peak memory of the server with {} events stored: {}",
            self.traffic.events,
            self.peak_memory()
        );
    }

    /// The most memory that the server's process had so far.
    fn peak_memory(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.id()));
        let status = status.unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kibibytes.map_or_else(|| "unknown here".to_owned(), |peak| format!("{} MiB", peak / 1024))
    }
}

fn row(name: &str, sent: &Sent) {
    println!(
        "{name:<64}{:>10.0}{:>11.0}{}",
        sent.events_per_second(),
        sent.requests_per_second(),
        percentiles(&sent.latencies)
    );
}

fn percentiles(latencies: &Latencies) -> String {
    let milliseconds = |latency: Duration| latency.as_secs_f64() * 1_000.0;
    let shown = [500, 990, 999].map(|share| format!("{:>9.2}", milliseconds(latencies.thousandth(share))));
    shown.concat()
}
