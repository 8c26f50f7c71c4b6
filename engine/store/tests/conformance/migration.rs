//! A file of an older schema is brought up to date with everything in it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;
use tollgate_core::access::AccessStore;
use tollgate_core::charge::Charge;
use tollgate_core::ledger::Balance;
use tollgate_core::store::{Closing, ClosingCharge, Commit, EventCounts, Placement, StatementFilter, Store};
use tollgate_store::SqliteStore;

use crate::sample::{self, APP, commit, event, one_event, one_void, period};
use crate::sqlite_file::{filled, open};

/// The steps to each schema, as they were released.
const STEPS: [&str; 3] = [
    include_str!("../../src/sqlite/schema/1.sql"),
    include_str!("../../src/sqlite/schema/2.sql"),
    include_str!("../../src/sqlite/schema/3.sql"),
];

/// Keeps what schema 1 has a place for. A customer named `lonely` has a held event only.
fn keep_events(store: &SqliteStore) {
    let ids: Vec<String> = (0..50).map(|number| format!("e{number}")).collect();
    commit(store, sample::batch(&ids, 0)).unwrap();
    for id in ["waited", "waits"] {
        commit(store, one_event(id, sample::held("no price"))).unwrap();
    }
    let released = vec![(51, sample::extreme_charge())];
    commit(store, Commit { released, ..Commit::default() }).unwrap();
    let events = vec![(event("alone", "lonely"), sample::held("no tariff"))];
    commit(store, Commit { events, ..Commit::default() }).unwrap();
    for month in ["2023-09", "2023-10"] {
        let charge = Charge { period: period(month), ..sample::charge(500) };
        let charges = vec![ClosingCharge { app: APP.into(), customer: "c1".into(), charge }];
        let closes = Some(Closing { app: APP.into(), period: period(month), charges });
        commit(store, Commit { closes, ..Commit::default() }).unwrap();
    }
}

/// Keeps what schema 2 has a place for besides: events taken back, keys and answers.
fn keep_voids(store: &SqliteStore) {
    commit(store, one_void(1, sample::voided(&sample::charge(20_000_000)))).unwrap();
    commit(store, one_void(52, sample::voided_hold())).unwrap();
    commit(store, one_void(9, sample::voided_late(&sample::charge(20_000_000), "2023-12"))).unwrap();
    commit(store, one_void(51, sample::voided_late(&sample::charge(500), "2024-01"))).unwrap();
    store.add_key(&crate::access::key("k1", 7)).unwrap();
    store.keep_answer(&crate::access::request("k1", "r1"), &crate::access::answered(10), 0).unwrap();
}

/// A file of an older schema; and beside it, as `today.db`, one of today with the same in it.
fn file_of_schema(version: usize, directory: &TempDir) -> PathBuf {
    let (today, path) = (directory.path().join("today.db"), directory.path().join("tollgate.db"));
    let store = open(&today).unwrap();
    keep_events(&store);
    if version > 1 {
        keep_voids(&store);
    }
    drop(store);
    let old = Connection::open(&path).unwrap();
    STEPS[..version].iter().for_each(|step| old.execute_batch(step).unwrap());
    old.execute("ATTACH ?1 AS today", [today.to_str().unwrap()]).unwrap();
    copy_rows(&old);
    if version == 1 {
        // Schema 1 has no number for a customer of whom nothing is charged.
        old.execute_batch("DROP TRIGGER names_keep_delete; DELETE FROM names WHERE name = 'lonely'").unwrap();
        let trigger = STEPS[0].lines().find(|line| line.contains("TRIGGER names_keep_delete")).unwrap();
        old.execute_batch(trigger).unwrap();
    }
    old.execute_batch(&format!("PRAGMA application_id = 0x546f6c6c; PRAGMA user_version = {version};"))
        .unwrap();
    path
}

/// Copies the rows of every table there is, in the columns that it has, past the triggers.
fn copy_rows(old: &Connection) {
    let list = |query: &str| -> Vec<(String, String)> {
        let mut query = old.prepare(query).unwrap();
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    };
    let triggers = list("SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger'");
    for (name, _) in &triggers {
        old.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    let tables = list(
        "SELECT tables.name, group_concat(columns.name)
         FROM main.sqlite_schema AS tables, pragma_table_info(tables.name, 'main') AS columns
         WHERE tables.type = 'table' GROUP BY tables.name",
    );
    old.execute_batch("DELETE FROM names").unwrap();
    for (table, columns) in tables {
        let copy = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM today.{table}");
        old.execute_batch(&copy).unwrap();
    }
    for (_, sql) in &triggers {
        old.execute_batch(sql).unwrap();
    }
}

#[test]
fn events_of_schema_1_are_placed() {
    let directory = tempfile::tempdir().unwrap();
    let path = file_of_schema(1, &directory);
    let today = open(&directory.path().join("today.db")).unwrap();
    let store = open(&path).unwrap();
    assert_eq!(store.scan(0, 100), today.scan(0, 100));
    assert_eq!(store.counts(), Ok(EventCounts { rated: 51, held: 2, voided: 0 }));
    for customer in ["workspace-00", "workspace-09", "workspace-10", "c1", "lonely", "nobody"] {
        let history = store.events_of(APP, customer, None, None, 100).unwrap();
        assert_eq!(Ok(&history), today.events_of(APP, customer, None, None, 100).as_ref(), "{customer}");
    }
    let placements = |customer: &str| -> Vec<Placement> {
        let events = store.events_of(APP, customer, None, None, 100).unwrap();
        events.into_iter().map(|(placement, _)| placement).collect()
    };
    let placed = |month: Option<&str>, sequence| Placement { period: month.map(period), sequence };
    assert_eq!(placements("workspace-09"), [placed(Some("2023-11"), 50), placed(Some("2023-11"), 10)]);
    assert_eq!(placements("c1"), [placed(Some("0001-01"), 51), placed(None, 52)]);
    assert_eq!(placements("lonely"), [placed(None, 53)]);
}

#[test]
fn sums_of_older_schemas_stay_and_nothing_is_pending() {
    for version in [1, 2, 3] {
        let directory = tempfile::tempdir().unwrap();
        let path = file_of_schema(version, &directory);
        let today = open(&directory.path().join("today.db")).unwrap();
        let store = open(&path).unwrap();
        assert_eq!(store.scan(0, 100), today.scan(0, 100), "schema {version}");
        assert_eq!(store.counts(), today.counts());
        assert_eq!(store.keys(), today.keys());
        let statements = store.statements(&StatementFilter::default()).unwrap();
        assert_eq!(Ok(&statements), today.statements(&StatementFilter::default()).as_ref());
        assert!(statements.iter().all(|(_, totals)| (totals.from_granted, totals.from_paid) == (0, 0)));
        let balances = store.balances().unwrap();
        assert_eq!(Ok(&balances), today.balances().as_ref());
        let posted = |balance: Balance| Balance { debits_pending: 0, credits_pending: 0, ..balance };
        assert!(balances.iter().all(|(_, balance)| *balance == posted(*balance)));
    }
}

#[test]
fn what_older_schemas_closed_held_and_took_back_is_found() {
    for version in [1, 2, 3] {
        let directory = tempfile::tempdir().unwrap();
        let path = file_of_schema(version, &directory);
        let today = open(&directory.path().join("today.db")).unwrap();
        drop(open(&path).unwrap());
        let store = open(&path).unwrap();
        let held = store.held(Some(APP), 0, 9).unwrap();
        assert_eq!(Ok(&held), today.held(None, 0, 9).as_ref());
        assert_eq!(held.last().unwrap().sequence, 53);
        let charges = store.closing_charges(Some(APP), Some(period("2023-10"))).unwrap();
        assert_eq!(charges, today.closing_charges(None, None).unwrap()[1..]);
        assert_eq!(charges[0].charge.period, period("2023-10"));
        let late = |store: &SqliteStore, customer: &str, month: &str| -> Vec<u64> {
            let events = store.late_reversals(APP, customer, period(month), 0, 9).unwrap();
            events.iter().map(|event| event.sequence).collect()
        };
        let taken_back = |sequences: &[u64]| if version == 1 { Vec::new() } else { sequences.to_vec() };
        for (customer, month, expected) in [
            ("workspace-08", "2023-12", taken_back(&[9])),
            ("c1", "2024-01", taken_back(&[51])),
            ("workspace-00", "2023-11", Vec::new()),
        ] {
            assert_eq!(late(&store, customer, month), expected, "schema {version}: {customer} in {month}");
            assert_eq!(late(&today, customer, month), expected);
        }
    }
}

#[test]
fn life_goes_on_after_a_migration() {
    let directory = tempfile::tempdir().unwrap();
    let path = file_of_schema(1, &directory);
    drop(open(&path).unwrap());
    let store = open(&path).unwrap();
    commit(&store, Commit { released: vec![(53, sample::charge(500))], ..Commit::default() }).unwrap();
    commit(&store, one_void(1, sample::voided(&sample::charge(20_000_000)))).unwrap();
    commit(&store, one_void(52, sample::voided_hold())).unwrap();
    let events = vec![(event("new", "lonely"), sample::rated(500))];
    commit(&store, Commit { events, ..Commit::default() }).unwrap();
    let history = store.events_of(APP, "lonely", None, None, 9).unwrap();
    let sequences: Vec<u64> = history.iter().map(|(placement, _)| placement.sequence).collect();
    assert_eq!(sequences, [54, 53]);
    assert_eq!(store.counts(), Ok(EventCounts { rated: 53, held: 0, voided: 2 }));
}

#[test]
fn money_moves_after_a_migration() {
    for version in [1, 2, 3] {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&file_of_schema(version, &directory)).unwrap();
        let accounts = sample::balances("workspace-00", 1, 1).into_iter().map(|(account, _)| account);
        let pending = Balance { debits_pending: 7, credits_pending: 8, ..Balance::default() };
        let balances: Vec<_> = accounts.map(|account| (account, pending)).collect();
        let before: Vec<_> = balances.iter().map(|(account, _)| store.balance(account).unwrap()).collect();
        let moved = Commit {
            entries: vec![sample::payment("p1", "workspace-00", 500)],
            records: vec![sample::change(sample::wallet("workspace-00"), 0, "{}")],
            notices: vec![sample::notice(7)],
            balances: balances.clone(),
            ..one_event(
                "drawn",
                std::sync::Arc::new(tollgate_core::store::Outcome::Rated(sample::drawn_charge())),
            )
        };
        commit(&store, moved.clone()).unwrap();
        assert!(commit(&store, moved).is_err());
        assert_eq!(store.entries(None, 0, 9).unwrap().len(), 1);
        assert_eq!(store.notices(0, 9).unwrap().len(), 1);
        for ((account, added), before) in balances.iter().zip(before) {
            assert_eq!(
                store.balance(account),
                Ok(before.plus(*added).unwrap()),
                "schema {version}: {account}"
            );
        }
    }
}

#[test]
fn a_new_file_and_a_migrated_one_have_the_same_schema() {
    let schema = |path: &Path| -> Vec<String> {
        let connection = Connection::open(path).unwrap();
        let mut query =
            connection.prepare("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY type, name").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    for version in [1, 2, 3] {
        let directory = tempfile::tempdir().unwrap();
        let old = file_of_schema(version, &directory);
        drop(open(&old).unwrap());
        assert_eq!(schema(&old), schema(&filled(&tempfile::tempdir_in(directory.path()).unwrap())));
    }
}

#[test]
fn an_event_that_cannot_be_read_stops_the_migration_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = file_of_schema(1, &directory);
    let connection = Connection::open(&path).unwrap();
    let insert =
        "INSERT INTO events (app, id, fingerprint, received) VALUES (1, 'x', x'00', '{\"id\":\"x\"}')";
    connection.execute_batch(insert).unwrap();
    let words = open(&path).unwrap_err().to_string().replace(&format!("{}/", directory.path().display()), "");
    insta::assert_snapshot!(words,
        @r#"tollgate.db cannot be brought up to date: the store holds something unreadable: event 54 cannot be read: specversion is missing; it must be "1.0", the version of CloudEvents that is read here"#);
    let left: (i64, i64) = connection
        .query_row(
            "SELECT (SELECT user_version FROM pragma_user_version),
                (SELECT count(*) FROM sqlite_schema WHERE name = 'placements')",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!(left, (1, 0));
}
