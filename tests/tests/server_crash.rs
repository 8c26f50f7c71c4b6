//! `kill -9` of the server under load, again and again over one database, with clients that retry: what was
//! acknowledged is there, once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)] // a test may panic

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tollgate_core::store::{Outcome, Sequence};
use tollgate_tests::database::{Priced, events_after, open};
use tollgate_tests::events::{PRICES, generate};
use tollgate_tests::server::{Client, Reply, Server};
use tollgate_tests::tollgate::{Folder, say};

const CLIENTS: usize = 6;
const BATCH: usize = 20;
/// The longest that the server lives, in microseconds, from its first word on.
const LIFE_MAX: u64 = 400_000;
/// So many kills hit one database; then there is a new one, so that checking everything stays quick.
const KILLS_A_DATABASE: u64 = 20;
const SETTINGS: &str = r#"{"unit": "page", "measures": ["pages"], "tiers": [{"up_to": "50", "unit_price": "0.03", "flat": "1"}, {"up_to": null, "unit_price": "0.0123456789"}]}"#;

/// How often: a few times in every run of the tests, more in CI, a hundred by hand.
fn rounds() -> u64 {
    std::env::var("TOLLGATE_KILL_ROUNDS").map_or(6, |rounds| rounds.parse().unwrap())
}

#[test]
fn what_the_server_acknowledged_survives_kill_9_once() {
    let mut sums = Sums::default();
    let mut left = rounds();
    while left > 0 {
        let kills = left.min(KILLS_A_DATABASE);
        sums.add(&serve_and_kill(kills));
        left -= kills;
    }
    assert!(sums.amid_events > 0, "no kill came while a request was under way");
    say(&format!(
        "killed the server {} times, {} of them amid requests: {} acknowledged events, none lost, none twice; of {} \
         requests that were cut off, {} had been kept whole, {} not at all",
        rounds(),
        sums.amid_events,
        sums.acknowledged,
        sums.kept + sums.not_kept,
        sums.kept,
        sums.not_kept,
    ));
}

/// What was counted.
#[derive(Default)]
struct Sums {
    /// Kills that cut a request off.
    amid_events: u64,
    /// Events.
    acknowledged: u64,
    /// Requests that were cut off although their events were kept.
    kept: u64,
    /// Requests that were cut off before their events were kept.
    not_kept: u64,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.amid_events += other.amid_events;
        self.acknowledged += other.acknowledged;
        self.kept += other.kept;
        self.not_kept += other.not_kept;
    }
}

/// One server after the other over one database, and clients that do not give up.
fn serve_and_kill(kills: u64) -> Sums {
    let folder = Folder::new();
    Priced { plugin: "tiered", settings: SETTINGS, prices: PRICES, apps: &["acme-code", "acme-docs"] }
        .define(&folder, "data");
    let mut server = Server::start(&folder, &[]);
    let key = server.key.clone().expect("the first start makes a key");
    let load = Load::new(&server.client(&key));
    let mut proof = Proof::default();
    let mut amid_events = 0;
    let server = std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let load = &load;
            scope.spawn(move || load.run(number));
        }
        // The clients end when this does, also when a check fails.
        let _stop = Stop(&load);
        for kill in 0..kills {
            std::thread::sleep(Duration::from_micros(random(LIFE_MAX)));
            let before = load.cut_off.load(Ordering::SeqCst);
            server.kill();
            // Every second time the next server finds the database as the kill left it.
            if kill % 2 == 0 {
                proof.check(&folder, &load);
            }
            server = Server::start(&folder, &[]);
            amid_events += u64::from(load.cut_off.load(Ordering::SeqCst) > before);
            *lock(&load.client) = server.client(&key);
        }
        server
    });
    // By now the clients have had their last answers.
    server.kill();
    proof.check(&folder, &load);
    let acknowledged = u64::try_from(lock(&load.acknowledged).len()).unwrap();
    assert_eq!(proof.events, acknowledged, "every event that was kept was acknowledged in the end");
    let count = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
    Sums { amid_events, acknowledged, kept: count(&load.kept), not_kept: count(&load.not_kept) }
}

/// What the clients send, and what they know.
struct Load {
    /// Asks the server that runs now, or ran last.
    client: Mutex<Client>,
    /// Made-up events: every client sends them, again and again, under ids of its own.
    events: Vec<String>,
    is_over: AtomicBool,
    /// A check failed, and no server may run that could answer.
    has_failed: AtomicBool,
    /// What was answered of each event: its charge's total.
    acknowledged: Mutex<HashMap<String, String>>,
    /// Requests that got no answer although a server had taken them.
    cut_off: AtomicU64,
    /// Of those, the ones whose events had been kept, and the ones whose events had not.
    kept: AtomicU64,
    not_kept: AtomicU64,
}

impl Load {
    fn new(client: &Client) -> Self {
        Self {
            client: Mutex::new(client.clone()),
            events: generate(2_000).lines().map(str::to_owned).collect(),
            is_over: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
            acknowledged: Mutex::default(),
            cut_off: AtomicU64::new(0),
            kept: AtomicU64::new(0),
            not_kept: AtomicU64::new(0),
        }
    }

    /// Sends one request after the other, each until it is acknowledged.
    fn run(&self, number: usize) {
        for round in 0.. {
            for batch in self.events.chunks(BATCH) {
                if self.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let own_id = format!(r#""id":"client-{number}-{round}-"#);
                let lines = batch.join("\n").replace(r#""id":""#, &own_id);
                self.acknowledge(&lines);
            }
        }
    }

    fn acknowledge(&self, lines: &str) {
        let mut was_cut_off = false;
        loop {
            let client = lock(&self.client).clone();
            let headers = [("content-type", "application/x-ndjson")];
            match client.try_ask("POST", "/v1/events", &headers, lines) {
                Ok(reply) => return self.learn(&reply, was_cut_off),
                Err(_) if self.has_failed.load(Ordering::SeqCst) => return,
                Err(error) if is_refused(&error) => {}
                Err(_) => {
                    was_cut_off = true;
                    self.cut_off.fetch_add(1, Ordering::SeqCst);
                }
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn learn(&self, reply: &Reply, was_cut_off: bool) {
        assert_eq!(reply.status, 200, "{}", reply.text);
        let answer = reply.json();
        let receipts = answer["receipts"].as_array().unwrap();
        let counted = |kind: &str| usize::try_from(answer["events"][kind].as_u64().unwrap()).unwrap();
        assert_eq!(counted("rated") + counted("duplicate"), counted("read"), "{answer}");
        let mut acknowledged = lock(&self.acknowledged);
        let ids = receipts.iter().map(|receipt| receipt["id"].as_str().unwrap());
        let new: HashSet<&str> = ids.filter(|id| !acknowledged.contains_key(*id)).collect();
        if was_cut_off && counted("rated") == 0 {
            self.kept.fetch_add(1, Ordering::SeqCst);
        } else {
            assert_eq!(counted("rated"), new.len(), "a request is kept whole or not at all: {answer}");
            self.not_kept.fetch_add(u64::from(was_cut_off), Ordering::SeqCst);
        }
        for receipt in receipts {
            let charge = if receipt["status"] == "rated" { receipt } else { &receipt["first"] };
            let total = charge["charge"]["total"].as_str().unwrap();
            let before = acknowledged.insert(receipt["id"].as_str().unwrap().to_owned(), total.to_owned());
            assert!(before.is_none_or(|before| before == total), "{receipt}");
        }
    }
}

/// What the checks have seen of a database.
#[derive(Default)]
struct Proof {
    last: Sequence,
    /// Each event's total.
    totals: HashMap<String, String>,
    /// How many there are.
    events: u64,
}

impl Proof {
    /// The ledger holds, no event is there twice, and everything acknowledged is there as it was said.
    fn check(&mut self, folder: &Folder, load: &Load) {
        // Taken first: what is acknowledged after this need not be seen.
        let acknowledged = lock(&load.acknowledged).clone();
        let verdict = folder.run("ledger verify --data data");
        assert_eq!(verdict.code, 0, "{}", verdict.in_words());
        for event in events_after(&open(&Server::database(folder)), self.last) {
            let Outcome::Rated(charge) = &event.outcome else { panic!("{event:?}") };
            self.last = event.sequence;
            self.events += 1;
            let before = self.totals.insert(event.key.id.clone(), charge.total.to_string());
            assert_eq!(before, None, "{} is there twice", event.key.id);
        }
        for (id, total) in &acknowledged {
            assert_eq!(self.totals.get(id), Some(total), "{id}");
        }
    }
}

/// Ends the clients when it is dropped.
struct Stop<'a>(&'a Load);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.has_failed.store(std::thread::panicking(), Ordering::SeqCst);
        self.0.is_over.store(true, Ordering::SeqCst);
    }
}

/// Nobody listens there: the request was not sent.
fn is_refused(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

fn random(below: u64) -> u64 {
    RandomState::new().build_hasher().finish() % below
}
