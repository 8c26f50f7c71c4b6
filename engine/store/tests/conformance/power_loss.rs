//! A power loss, modelled: what the disk holds of the write-ahead log afterwards is cut, damaged or followed
//! by garbage. Reopening must give a prefix of what was committed, whole and in balance.
//!
//! Killing a process does not show this: what it wrote survives in the page cache.

use std::fs;
use std::path::Path;

use tollgate_core::ledger::{self, Balance, Owner};
use tollgate_core::store::{
    Commit, EventCounts, Outcome, Record, RecordChange, RecordFilter, RecordKind, SeenKey, StatementFilter,
    Store, StoredEvent,
};
use tollgate_store::{Options, SqliteStore};

use crate::sample::{self, APP, account, commit, counter};

const BATCHES: u32 = 40;
const EVENTS_PER_BATCH: u32 = 5;
const CASES: u64 = 300;
/// Where in its batch the held event stands: it is of `workspace-03`.
const HELD: usize = 3;

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

/// A batch that also takes back the first event of the one before, counts a key and uncounts the key of the
/// one before, holds an event and releases it with the next batch; and with which money moves.
fn batch(number: u32) -> Commit {
    let mut made = sample::batch(&ids(number), number);
    let first = u64::from(number * EVENTS_PER_BATCH) + 1;
    made.events[HELD].1 = sample::held("wait");
    made.seen.push(conversation(number));
    move_money(&mut made, number);
    let Some(last) = number.checked_sub(1) else { return made };
    let last_first = first - u64::from(EVENTS_PER_BATCH);
    made.released.push((last_first + HELD as u64, sample::charge(500)));
    made.voids.push((last_first, sample::voided(&sample::charge(20_000_000))));
    made.unseen.push(conversation(last));
    let back = sample::reversal(&sample::charge(20_000_000)).split;
    let amounts = ledger::amounts_of_charge(&back).unwrap();
    for ((_, balance), amount) in made.balances.iter_mut().zip(amounts) {
        *balance = balance.with(amount).unwrap();
    }
    made
}

/// Posts an entry, says in a record how many there were before, reserves something and tells of it.
fn move_money(made: &mut Commit, number: u32) {
    let entry = sample::payment(&number.to_string(), "c1", 500);
    made.balances.extend(entry.balances().unwrap());
    let reserved = Balance { credits_pending: 1, ..Balance::default() };
    made.balances.push((account(Owner::granted(APP, "c1")), reserved));
    made.entries.push(entry);
    let due = Some(number.into());
    let body = number.to_string();
    made.records.push(RecordChange { due, ..sample::change(sample::wallet("c1"), number.into(), &body) });
    made.notices.push(sample::notice(number.into()));
}

fn conversation(batch: u32) -> SeenKey {
    SeenKey { counter: counter("workspace-00", "document", "2023-11"), key: format!("c{batch}").into() }
}

/// The files of a store that has acknowledged all batches, half of them in the log alone. The store itself copies
/// nothing: what is in the database was durable in the log before, and no power loss takes it from there.
fn acknowledged(directory: &Path) -> (Vec<u8>, Vec<u8>) {
    let path = directory.join("before.db");
    let options = Options { checkpoint_pages: u32::MAX, ..Options::default() };
    let store = SqliteStore::open(&path, &options).unwrap();
    for batch in 0..BATCHES {
        if batch == BATCHES / 2 {
            let other = rusqlite::Connection::open(&path).unwrap();
            other.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
        }
        commit(&store, self::batch(batch)).unwrap();
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
    check_outcomes(&events, batches, case);
    let last = batches.checked_sub(1).unwrap();
    let keys: Vec<SeenKey> = (0..batches).map(conversation).collect();
    let counted: Vec<bool> = (0..batches).map(|batch| batch == last).collect();
    assert_eq!(store.seen(&keys), Ok(counted), "case {case}");
    let counts = EventCounts { rated: u64::from(count) - 1, held: 1, voided: u64::from(last) };
    assert_eq!(store.counts(), Ok(counts), "case {case}");
    let history = store.events_of(APP, "workspace-03", None, None, usize::MAX).unwrap();
    assert_eq!(history.len(), batches as usize, "case {case}");
    assert!(history.iter().rev().skip(1).all(|(placement, _)| placement.period.is_some()), "case {case}");
    let net: i128 = store.balances().unwrap().iter().map(|(_, balance)| balance.net().unwrap()).sum();
    assert_eq!(net, 0, "case {case}: the balances do not sum to zero");
    let stated: u64 =
        store.statements(&StatementFilter::default()).unwrap().iter().map(|(_, totals)| totals.events).sum();
    assert_eq!(stated, u64::from(count), "case {case}");
    for (key, value) in store.usage(APP, None, None).unwrap() {
        assert_eq!(value, batches.into(), "case {case}: {key:?}");
    }
    check_money(store, batches, case);
    batches
}

/// Checks that as much money has moved as there are batches: see [`move_money`].
fn check_money(store: &SqliteStore, batches: u32, case: u64) {
    for owner in [None, Some(&Owner::paid(APP, "c1"))] {
        let entries = store.entries(owner, 0, usize::MAX).unwrap();
        assert_eq!(entries.len(), batches as usize, "case {case}");
        assert!((1..).zip(&entries).all(|(expected, (number, _))| *number == expected), "case {case}");
    }
    let reserved = store.balance(&account(Owner::granted(APP, "c1"))).unwrap();
    assert_eq!(reserved.credits_pending, batches.into(), "case {case}");
    let notices = store.notices(0, usize::MAX).unwrap();
    let moments: Vec<i64> = notices.iter().map(|(_, notice)| notice.at).collect();
    assert_eq!(moments, (0..batches.into()).collect::<Vec<_>>(), "case {case}");
    let last = batches - 1;
    let key = sample::wallet("c1");
    let record = Record { key, version: batches.into(), due: Some(last.into()), body: last.to_string() };
    let due = RecordFilter::due(RecordKind::Wallet, last.into());
    assert_eq!(store.list_records(&due, 9), Ok(vec![record]), "case {case}");
}

/// What each event became by then: see [`batch`].
fn check_outcomes(events: &[StoredEvent], batches: u32, case: u64) {
    for (batch, events) in (0..batches).zip(events.chunks(EVENTS_PER_BATCH as usize)) {
        let last = batch + 1 == batches;
        for (position, event) in events.iter().enumerate() {
            let held = matches!(event.outcome, Outcome::Held(_));
            let expected = (last && position == HELD, !last && position == 0);
            assert_eq!((held, event.voided.is_some()), expected, "case {case}: {}", event.key.id);
        }
    }
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
        commit(&store, batch(batches)).unwrap();
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
