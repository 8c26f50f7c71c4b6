//! Durable events a second: this store in batches of 1, 100 and 1,000, beside bare SQLite inserts.
//!
//! `cargo bench -p tollgate-store` measures a small store; `-- 2000000` fills it to so many events first.
//! Commits are made beforehand: what is timed is the writer, which shares the machine with whoever rates.

#![allow(clippy::unwrap_used)] // a benchmark may stop at the first error

#[path = "../tests/conformance/sample.rs"]
#[allow(dead_code)] // the tests use the rest
mod sample;

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use tollgate_core::event::EventKey;
use tollgate_core::store::{Commit, Store, Ticket};
use tollgate_store::{Options, SqliteStore};

/// How ids come: one after the other, or as random UUIDs.
#[derive(Clone, Copy, Debug)]
enum Ids {
    Ordered,
    Random,
}

impl Ids {
    fn id(self, number: u64) -> String {
        match self {
            Self::Ordered => format!("req-{number:012}"),
            Self::Random => {
                let (a, b) = (scramble(number), scramble(number ^ 0xdead_beef));
                let tail = b & 0xffff_ffff_ffff;
                format!(
                    "{:08x}-{:04x}-4{:03x}-a{:03x}-{tail:012x}",
                    a >> 32,
                    a >> 16 & 0xffff,
                    a & 0xfff,
                    b >> 48 & 0xfff
                )
            }
        }
    }
}

/// splitmix64.
fn scramble(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// Numbers ids and counters across batches.
struct Source {
    ids: Ids,
    events: u64,
    batches: u32,
}

impl Source {
    fn batch(&mut self, size: u64) -> Commit {
        let ids: Vec<String> = (self.events..self.events + size).map(|number| self.ids.id(number)).collect();
        let mut commit = sample::batch(&ids, self.batches);
        if size < 40 {
            // A small batch reaches some customers only, so their counters must not be taken for all.
            commit.counters.clear();
        } else {
            self.batches += 1;
        }
        self.events += size;
        commit
    }
}

/// Writes commits as fast as the queue takes them.
fn write(store: &SqliteStore, commits: Vec<Commit>) -> Duration {
    let start = Instant::now();
    let mut tickets: std::collections::VecDeque<Box<dyn Ticket>> = std::collections::VecDeque::new();
    for commit in commits {
        if tickets.len() >= 8
            && let Some(ticket) = tickets.pop_front()
        {
            ticket.wait().unwrap();
        }
        tickets.push_back(store.submit(commit).unwrap());
    }
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    start.elapsed()
}

fn per_second(events: u64, time: Duration) -> u128 {
    u128::from(events) * 1_000_000_000 / time.as_nanos().max(1)
}

fn measure(store: &SqliteStore, source: &mut Source, size: u64, count: u64) {
    let mut total = Duration::ZERO;
    let mut left = count;
    // Made in portions, so that the commits do not fill the memory.
    while left > 0 {
        let portion = left.min(50_000.max(size));
        let commits: Vec<Commit> = (0..portion.div_ceil(size)).map(|_| source.batch(size)).collect();
        total += write(store, commits);
        left -= portion;
    }
    println!("  batches of {size:>4}: {:>8} events/s", per_second(count, total));
}

fn measure_lookups(store: &SqliteStore, source: &Source) {
    for (name, first) in [("absent", source.events), ("present", source.events / 2)] {
        let keys: Vec<EventKey> =
            (first..first + 1000).map(|number| sample::key(&source.ids.id(number))).collect();
        let keys: Vec<&EventKey> = keys.iter().collect();
        store.find(&keys).unwrap();
        let start = Instant::now();
        for _ in 0..20 {
            assert!(store.find(&keys).unwrap().iter().all(|found| found.is_some() == (name == "present")));
        }
        println!("  find, {name:>7}: {:>8} ns a key", start.elapsed().as_nanos() / 20_000);
    }
}

/// The same bytes as one bare insert an event, with nothing checked or kept beside it.
fn yardstick(path: &Path, ids: Ids) {
    let db = Connection::open(path).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -131072;
         CREATE TABLE events (sequence INTEGER PRIMARY KEY, app INTEGER, id TEXT, fingerprint BLOB,
            received TEXT, charge BLOB, UNIQUE (app, id)) STRICT;",
    )
    .unwrap();
    let events: Vec<_> = (0..100_000).map(|number| sample::event(&ids.id(number), "workspace-00")).collect();
    let start = Instant::now();
    for batch in events.chunks(1000) {
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut insert = db
            .prepare_cached(
                "INSERT INTO events (app, id, fingerprint, received, charge) VALUES (?, ?, ?, ?, ?)",
            )
            .unwrap();
        for event in batch {
            insert.execute(params![1, event.key.id, event.fingerprint, event.received, [0_u8; 64]]).unwrap();
        }
        db.execute_batch("COMMIT").unwrap();
    }
    println!("  bare inserts,1000: {:>7} events/s", per_second(100_000, start.elapsed()));
}

fn main() {
    let fill: u64 = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(0);
    for ids in [Ids::Ordered, Ids::Random] {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("tollgate.db"), &Options::default()).unwrap();
        let mut source = Source { ids, events: 0, batches: 0 };
        println!("{ids:?} ids");
        yardstick(&directory.path().join("yardstick.db"), ids);
        if fill > 0 {
            println!(" filling with {fill} events");
            measure(&store, &mut source, 1000, fill);
        }
        measure(&store, &mut source, 1000, 100_000);
        measure(&store, &mut source, 100, 50_000);
        measure(&store, &mut source, 1, 2_000);
        measure_lookups(&store, &source);
        let events = store.counts().unwrap().rated;
        drop(store);
        let size = std::fs::metadata(directory.path().join("tollgate.db")).unwrap().len();
        println!("  {events} events kept, {} bytes each", size / events);
    }
}
