//! What only a file can be asked: reopening, schemas, triggers, the queue.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use tollgate_core::access::AccessStore;
use tollgate_core::ledger::{Balance, Owner};
use tollgate_core::payout::PayoutTerms;
use tollgate_core::store::{
    Closing, Commit, Outcome, RecordChange, RecordFilter, RecordKind, SeenKey, StatementFilter,
    StatementTotals, Store, StoreError,
};
use tollgate_store::{OpenError, Options, SqliteStore};

use crate::access;
use crate::sample::{self, APP, commit, counter, one_event};

pub fn open(path: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(path, &Options::default())
}

/// The message of an error, without the directory it happened in.
fn refusal(directory: &TempDir, result: Result<SqliteStore, OpenError>) -> String {
    result.unwrap_err().to_string().replace(&format!("{}/", directory.path().display()), "")
}

/// A file with a row in every table.
pub fn filled(directory: &TempDir) -> std::path::PathBuf {
    let path = directory.path().join("tollgate.db");
    let store = open(&path).unwrap();
    let digest = tollgate_core::plugin::Digest::of(b"wasm");
    store.keep_plugin(&digest, b"wasm").unwrap();
    let payouts = PayoutTerms::default();
    let builder = tollgate_core::catalog::Builder {
        id: "b".into(),
        name: "B".into(),
        app_terms: None,
        payouts,
        publishers: Vec::new(),
    };
    store.define(0, &[tollgate_core::catalog::Definition::Builder(builder)]).unwrap();
    let mut batch = sample::batch(&["a".to_owned(), "b".to_owned()], 0);
    batch.seen.push(SeenKey { counter: counter("c1", "conversation", "2023-11"), key: "x".into() });
    commit(&store, batch).unwrap();
    commit(&store, one_event("waits", sample::held("no price"))).unwrap();
    commit(&store, one_event("waited", sample::held("no price"))).unwrap();
    commit(&store, Commit { released: vec![(4, sample::charge(500))], ..Commit::default() }).unwrap();
    commit(&store, one_event("mistake", sample::held("no price"))).unwrap();
    let voids = vec![
        (1, sample::voided(&sample::charge(20_000_000))),
        (4, sample::voided_late(&sample::charge(500), "2023-12")),
        (5, sample::voided_hold()),
    ];
    let unseen = vec![SeenKey { counter: counter("c1", "conversation", "2023-11"), key: "y".into() }];
    commit(&store, Commit { seen: unseen.clone(), ..Commit::default() }).unwrap();
    commit(&store, Commit { voids, unseen, ..Commit::default() }).unwrap();
    for id in ["k1", "k2"] {
        store.add_key(&access::key(id, 7)).unwrap();
    }
    store.revoke_key("k1", 9).unwrap();
    store.keep_answer(&access::request("k1", "r1"), &access::answered(10), 0).unwrap();
    move_money(&store);
    let charge = sample::charge(500);
    let charges =
        vec![tollgate_core::store::ClosingCharge { app: APP.into(), customer: "c1".into(), charge }];
    let closes = Some(Closing { app: APP.into(), period: sample::period("2023-11"), charges });
    commit(&store, Commit { closes, ..Commit::default() }).unwrap();
    path
}

/// Posts an entry, changes a record twice, reserves something and tells of it.
fn move_money(store: &SqliteStore) {
    let reserved = Balance { debits_pending: 200, ..Balance::default() };
    let mut moved = sample::posted(sample::payment("p1", "c1", 500));
    moved.balances.push((sample::account(Owner::granted(APP, "c1")), reserved));
    moved.records.push(sample::change(sample::wallet("c1"), 0, "{}"));
    moved.notices.push(sample::notice(7));
    moved.events.push((sample::event("drawn", "c1"), Arc::new(Outcome::Rated(sample::drawn_charge()))));
    let totals = StatementTotals { from_granted: 300, from_paid: 200, ..StatementTotals::default() };
    moved.statements.push((sample::statement(APP, "c1", "2023-11"), totals));
    commit(store, moved).unwrap();
    let due = RecordChange { due: Some(9), ..sample::change(sample::wallet("c1"), 1, "{\"paid\":\"0.5\"}") };
    commit(store, Commit { records: vec![due], ..Commit::default() }).unwrap();
}

#[test]
fn reopening_keeps_everything() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(&directory);
    let everything = |store: &SqliteStore| {
        (
            format!("{:?}", store.definitions(0).unwrap()),
            store.scan(0, 100).unwrap(),
            store.statements(&StatementFilter::default()).unwrap(),
            store.usage(APP, None, None).unwrap(),
            store.balances().unwrap(),
            (store.closing_charges(None, None).unwrap(), store.counts().unwrap()),
            (store.keys().unwrap(), store.answer(&access::request("k1", "r1")).unwrap()),
            (
                store.events_of(APP, "c1", None, None, 100).unwrap(),
                store.late_reversals(APP, "c1", sample::period("2023-12"), 0, 9).unwrap(),
            ),
            (store.entries(None, 0, 9).unwrap(), store.notices(0, 9).unwrap()),
            store.list_records(&RecordFilter::due(RecordKind::Wallet, 9), 9).unwrap(),
        )
    };
    let first = everything(&open(&path).unwrap());
    assert_eq!(first.1.len(), 6);
    assert_eq!((first.7.1.len(), first.8.0.len(), first.8.1.len(), first.9.len()), (1, 1, 1, 1));
    let again = open(&path).unwrap();
    assert_eq!(everything(&again), first);
    let repeated = commit(&again, one_event("a", sample::rated(500)));
    assert!(matches!(repeated, Err(StoreError::Stale(_))), "{repeated:?}");
    commit(&again, one_event("c", sample::rated(500))).unwrap();
    assert_eq!(again.scan(6, 9).unwrap()[0].sequence, 7);
}

#[test]
fn posted_rows_are_never_changed_nor_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(&directory);
    let by_hand = Connection::open(&path).unwrap();
    let changes = [
        "UPDATE names SET name = 'other' WHERE id = 1",
        "UPDATE definitions SET definition = '{}'",
        "UPDATE plugins SET component = x'00'",
        "UPDATE events SET received = '{}'",
        "UPDATE events SET charge = NULL",
        "UPDATE holds SET message = ''",
        "UPDATE releases SET charge = x'00'",
        "UPDATE counters SET period = 202312",
        "UPDATE seen SET key = 'other'",
        "UPDATE statements SET customer = 0",
        "UPDATE statements SET events = 0",
        "INSERT INTO statements SELECT 0, app, period, 1, '0', '0', '0', '[]', '0', '0' FROM statements LIMIT 1",
        "UPDATE balances SET name = 0, currency = 'EUR'",
        "UPDATE closings SET period = 202312",
        "UPDATE closing_charges SET charge = x'00'",
        "INSERT INTO releases (sequence, charge) VALUES (1, x'00')",
        "INSERT INTO releases (sequence, charge) VALUES (5, x'00')",
        "UPDATE placements SET period = 202312",
        "DELETE FROM placements WHERE period = 0",
        "UPDATE voids SET reason = ''",
        "INSERT INTO voids VALUES (9, 9, 9, x'00', NULL, NULL, '', 0, NULL)",
        "INSERT INTO voids VALUES (2, 9, 9, NULL, 'no_price', '', '', 0, NULL)",
        "INSERT INTO voids VALUES (3, 9, 9, x'00', NULL, NULL, '', 0, NULL)",
        "UPDATE late_reversals SET period = 202401",
        "UPDATE unseen SET key = 'x'",
        "INSERT INTO unseen (counter, key) VALUES (1, 'absent')",
        "UPDATE keys SET scope = '{\"type\":\"platform\"}'",
        "UPDATE keys SET revoked_at = NULL WHERE id = 'k1'",
        "UPDATE answers SET body = x'00'",
        "UPDATE entries SET postings = '[]'",
        "UPDATE entries SET at = 0",
        "UPDATE entry_owners SET name = 0",
        "UPDATE notices SET data = '{}'",
        "UPDATE records SET body = '{}'",
        "UPDATE records SET due = NULL, version = version",
        "UPDATE records SET due = NULL, version = version + 2",
        "UPDATE records SET version = version - 1",
        "UPDATE records SET id = 'c2', version = version + 1",
        "INSERT INTO records (kind, owner, id, version, body) VALUES ('wallet', '', '', 2, '{}')",
    ];
    let tables = [
        "names",
        "definitions",
        "plugins",
        "events",
        "holds",
        "releases",
        "counters",
        "seen",
        "statements",
        "balances",
        "closings",
        "closing_charges",
        "placements",
        "voids",
        "late_reversals",
        "unseen",
        "keys",
        "entries",
        "entry_owners",
        "notices",
        "records",
    ];
    let deletions = tables.map(|table| format!("DELETE FROM {table}"));
    for change in changes.into_iter().chain(deletions.iter().map(String::as_str)) {
        let refused = by_hand.execute(change, []);
        let words = refused.expect_err(change).to_string();
        assert!(
            words.contains("never")
                || words.contains("only")
                || words.contains("not held")
                || words.contains("no more"),
            "{change}: {words}"
        );
    }
}

/// What SQLite says of how it answers a query.
fn plan(by_hand: &Connection, query: &str) -> String {
    let mut explain = by_hand.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
    let steps = explain.query_map([], |row| row.get::<_, String>(3)).unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
}

#[test]
fn what_is_listed_is_indexed() {
    let directory = tempfile::tempdir().unwrap();
    let by_hand = Connection::open(filled(&directory)).unwrap();
    let records =
        |rest: &str| plan(&by_hand, &format!("SELECT body FROM records WHERE kind = 'hold' {rest}"));
    insta::assert_snapshot!(records("AND due <= 7 ORDER BY due, owner, id"),
        @"SEARCH records USING INDEX records_by_due (kind=? AND due<?)");
    insta::assert_snapshot!(records("AND owner = '' AND id > '' ORDER BY owner, id"),
        @"SEARCH records USING INDEX sqlite_autoindex_records_1 (kind=? AND owner=? AND id>?)");
    insta::assert_snapshot!(records("AND (owner, id) > ('', '') ORDER BY owner, id"),
        @"SEARCH records USING INDEX sqlite_autoindex_records_1 (kind=? AND (owner,id)>(?,?))");
    insta::assert_snapshot!(plan(&by_hand, "SELECT id FROM entry_owners CROSS JOIN entries ON number = entry
        WHERE entry_owners.kind = 1 AND app = 0 AND name = 7 AND entry > 7 ORDER BY entry"),
        @"SEARCH entry_owners USING PRIMARY KEY (kind=? AND app=? AND name=? AND entry>?); SEARCH entries USING INTEGER PRIMARY KEY (rowid=?)");
}

#[test]
fn what_is_asked_of_one_app_walks_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let by_hand = Connection::open(filled(&directory)).unwrap();
    let plan = |query: &str| plan(&by_hand, query);
    insta::assert_snapshot!(plan("SELECT events FROM statements WHERE app = 7"),
        @"SEARCH statements USING INDEX statements_by_app (app=?)");
    insta::assert_snapshot!(plan("SELECT events FROM statements WHERE app = 7 AND period = 202311"),
        @"SEARCH statements USING INDEX statements_by_app (app=? AND period=?)");
    insta::assert_snapshot!(plan("SELECT events FROM statements WHERE customer = 7 AND app = 7"),
        @"SEARCH statements USING PRIMARY KEY (customer=? AND app=?)");
    insta::assert_snapshot!(plan("SELECT charge FROM closing_charges WHERE app = 7 ORDER BY number"),
        @"SEARCH closing_charges USING INDEX closing_charges_by_app (app=?); USE TEMP B-TREE FOR ORDER BY");
    insta::assert_snapshot!(
        plan("SELECT charge FROM closing_charges WHERE app = 7 AND period = 202311 ORDER BY number"),
        @"SEARCH closing_charges USING INDEX closing_charges_by_app (app=? AND period=?)");
    insta::assert_snapshot!(plan("SELECT received FROM holds CROSS JOIN events USING (sequence)
        WHERE holds.sequence > 7 AND holds.app = 7 ORDER BY holds.sequence LIMIT 7"),
        @"SEARCH holds USING COVERING INDEX holds_by_app (app=? AND rowid>?); SEARCH events USING INTEGER PRIMARY KEY (rowid=?)");
    insta::assert_snapshot!(plan("SELECT received FROM holds CROSS JOIN events USING (sequence)
        WHERE holds.sequence > 7 ORDER BY holds.sequence LIMIT 7"),
        @"SEARCH holds USING INTEGER PRIMARY KEY (rowid>?); SEARCH events USING INTEGER PRIMARY KEY (rowid=?)");
    insta::assert_snapshot!(plan("SELECT count(*) FROM holds"),
        @"SCAN holds USING COVERING INDEX holds_by_app");
    insta::assert_snapshot!(plan("SELECT received FROM late_reversals CROSS JOIN events USING (sequence)
        WHERE late_reversals.app = 7 AND late_reversals.customer = 7 AND late_reversals.period = 202312
            AND late_reversals.sequence > 7
        ORDER BY late_reversals.sequence LIMIT 7"),
        @"SEARCH late_reversals USING PRIMARY KEY (app=? AND customer=? AND period=? AND sequence>?); SEARCH events USING INTEGER PRIMARY KEY (rowid=?)");
}

#[test]
fn a_newer_schema_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(&directory);
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    insta::assert_snapshot!(refusal(&directory, open(&path)),
        @"tollgate.db has schema 99, and this Tollgate knows schemas up to 4: use a newer Tollgate");
}

#[test]
fn what_is_not_ours_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("notes.txt");
    let words = "no database at all, but long enough to have a header ".repeat(100);
    std::fs::write(&text, &words).unwrap();
    insta::assert_snapshot!(refusal(&directory, open(&text)),
        @"notes.txt is not a Tollgate database: choose another file, or an empty or absent one to start anew");
    assert_eq!(std::fs::read_to_string(&text).unwrap(), words);

    let foreign = directory.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE songs (title TEXT)").unwrap();
    let before = std::fs::read(&foreign).unwrap();
    insta::assert_snapshot!(refusal(&directory, open(&foreign)),
        @"foreign.db is not a Tollgate database: choose another file, or an empty or absent one to start anew");
    assert_eq!(std::fs::read(&foreign).unwrap(), before);

    let nowhere = directory.path().join("absent/tollgate.db");
    insta::assert_snapshot!(refusal(&directory, open(&nowhere)),
        @"absent/tollgate.db cannot be opened or made: is its directory there, and may you write to it?");

    let empty = directory.path().join("empty.db");
    std::fs::write(&empty, "").unwrap();
    commit(&open(&empty).unwrap(), one_event("a", sample::rated(500))).unwrap();
}

#[test]
fn a_full_queue_refuses_at_once_and_recovers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tollgate.db");
    let options = Options { queue_commits: 4, queue_events: 3, ..Options::default() };
    let store = SqliteStore::open(&path, &options).unwrap();
    let blocker = Connection::open(&path).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    // The writer takes the first commit and waits for the other process; the next ones wait behind it.
    let mut tickets = vec![store.submit(one_event("first", sample::rated(500))).unwrap()];
    std::thread::sleep(Duration::from_millis(100));
    let mut refused = 0;
    for number in 0..10 {
        match store.submit(one_event(&format!("e{number}"), sample::rated(500))) {
            Ok(ticket) => tickets.push(ticket),
            Err(StoreError::Full) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused > 0 && tickets.len() > 1, "{refused} refused, {} waiting", tickets.len());
    blocker.execute_batch("ROLLBACK").unwrap();
    let stored = tickets.len() as u64;
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    assert_eq!(store.counts().unwrap().rated, stored);
    commit(&store, sample::batch(&(0..50).map(|id| format!("b{id}")).collect::<Vec<_>>(), 0)).unwrap();
}

#[test]
fn another_writer_that_never_ends_fails_the_commit_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tollgate.db");
    let options = Options { busy_timeout: Duration::from_millis(20), ..Options::default() };
    let store = SqliteStore::open(&path, &options).unwrap();
    let blocker = Connection::open(&path).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let failed = commit(&store, one_event("a", sample::rated(500)));
    assert_eq!(failed, Err(StoreError::Failed("database is locked".to_owned())));
    blocker.execute_batch("ROLLBACK").unwrap();
    commit(&store, one_event("a", sample::rated(500))).unwrap();
}

#[test]
fn dropping_the_store_writes_what_waits() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tollgate.db");
    let store = open(&path).unwrap();
    for number in 0..100 {
        drop(store.submit(one_event(&format!("e{number}"), sample::rated(500))).unwrap());
    }
    drop(store);
    assert_eq!(open(&path).unwrap().counts().unwrap().rated, 100);
    assert!(!directory.path().join("tollgate.db-wal").exists());
}
