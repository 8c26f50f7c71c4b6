//! A power loss, modelled: what the disk holds of the write-ahead log afterwards is cut, damaged or followed
//! by garbage. Reopening must give a prefix of what was committed, whole and in balance.
//!
//! Killing a process does not show this: what it wrote survives in the page cache.

use std::fs;
use std::path::Path;

use tollgate_core::store::{Outcome, StatementFilter, Store};
use tollgate_store::{Options, SqliteStore};

use crate::sample::{self, commit};

const BATCHES: u32 = 40;
const EVENTS_PER_BATCH: u32 = 5;
const CASES: u64 = 300;

/// A small generator (xorshift), so that each case can be repeated by its number.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn byte(&mut self) -> u8 {
        self.below(256).to_le_bytes()[0]
    }
}

fn ids(batch: u32) -> Vec<String> {
    (0..EVENTS_PER_BATCH).map(|number| format!("{batch}-{number}")).collect()
}

/// The files of a store that has acknowledged all batches, half of them in the log alone.
fn acknowledged(directory: &Path) -> (Vec<u8>, Vec<u8>) {
    let path = directory.join("before.db");
    let store = SqliteStore::open(&path, &Options::default()).unwrap();
    for batch in 0..BATCHES {
        if batch == BATCHES / 2 {
            let other = rusqlite::Connection::open(&path).unwrap();
            other.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
        }
        commit(&store, sample::batch(&ids(batch), batch)).unwrap();
    }
    (fs::read(&path).unwrap(), fs::read(directory.join("before.db-wal")).unwrap())
}

/// What the disk may hold of the log.
fn damage(log: &[u8], random: &mut Random) -> Vec<u8> {
    let offset = |random: &mut Random| usize::try_from(random.below(log.len() as u64)).unwrap();
    let mut left = log.to_vec();
    match random.below(4) {
        0 => left.truncate(offset(random)),
        1 => {
            let position = offset(random);
            left[position] ^= 1 << random.below(8);
        }
        2 => {
            let position = offset(random);
            left[position..].fill_with(|| random.byte());
        }
        _ => {
            let page = offset(random);
            let end = (page + 4096).min(left.len());
            left[page..end].fill(0);
        }
    }
    left
}

/// Checks that the store is the state after some batch, whole; gives back how many batches it holds.
fn check(store: &SqliteStore, case: u64) -> u32 {
    let events = store.scan(0, usize::MAX).unwrap();
    let count = u32::try_from(events.len()).unwrap();
    assert_eq!(count % EVENTS_PER_BATCH, 0, "case {case}: half a batch");
    let batches = count / EVENTS_PER_BATCH;
    let expected: Vec<String> = (0..batches).flat_map(ids).collect();
    let kept: Vec<&str> = events.iter().map(|event| event.key.id.as_str()).collect();
    assert_eq!(kept, expected, "case {case}");
    assert!(events.iter().all(|event| matches!(event.outcome, Outcome::Rated(_))), "case {case}");
    let net: i128 = store.balances().unwrap().iter().map(|(_, balance)| balance.net().unwrap()).sum();
    assert_eq!(net, 0, "case {case}: the balances do not sum to zero");
    let stated: u64 =
        store.statements(&StatementFilter::default()).unwrap().iter().map(|(_, totals)| totals.events).sum();
    assert_eq!(stated, u64::from(count), "case {case}");
    for (key, value) in store.usage(sample::APP, None, None).unwrap() {
        assert_eq!(value, batches.into(), "case {case}: {key:?}");
    }
    batches
}

#[test]
fn a_power_loss_leaves_a_prefix_of_what_was_committed() {
    let directory = tempfile::tempdir().unwrap();
    let (database, log) = acknowledged(directory.path());
    let path = directory.path().join("after.db");
    let log_path = directory.path().join("after.db-wal");
    let mut lost = 0;
    for case in 1..=CASES {
        let mut random = Random(case.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random.below(2);
        fs::write(&path, &database).unwrap();
        fs::write(&log_path, damage(&log, &mut random)).unwrap();
        let store = SqliteStore::open(&path, &Options::default()).unwrap();
        let batches = check(&store, case);
        assert!(batches >= BATCHES / 2, "case {case}: lost what the database itself holds");
        lost += u64::from(batches < BATCHES);
        // Life goes on from there.
        commit(&store, sample::batch(&ids(batches), batches)).unwrap();
        assert_eq!(check(&store, case), batches + 1);
    }
    println!("{CASES} power losses, {lost} of them lost commits, none left anything but a prefix");
    assert!(lost > CASES / 2, "the damage reached only {lost} of {CASES} logs");
}

#[test]
fn garbage_after_the_log_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (database, mut log) = acknowledged(directory.path());
    let path = directory.path().join("after.db");
    let mut random = Random(1);
    log.extend((0..10_000).map(|_| random.byte()));
    fs::write(&path, &database).unwrap();
    fs::write(directory.path().join("after.db-wal"), &log).unwrap();
    let store = SqliteStore::open(&path, &Options::default()).unwrap();
    assert_eq!(check(&store, 0), BATCHES);
}
