//! A file of an older schema is brought up to date with everything in it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;
use tollgate_core::store::{Commit, EventCounts, Placement, Store};

use crate::sample::{self, APP, commit, event, one_event, one_void, period};
use crate::sqlite_file::{filled, open};

const TABLES: [&str; 11] = [
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
];

/// A file of schema 1, with what one of today holds apart from what schema 1 has no place for. A customer
/// named `lonely` has a held event only, so schema 1 has no number for its name.
fn file_of_schema_1(directory: &TempDir) -> PathBuf {
    let today = directory.path().join("today.db");
    let store = open(&today).unwrap();
    let ids: Vec<String> = (0..50).map(|number| format!("e{number}")).collect();
    commit(&store, sample::batch(&ids, 0)).unwrap();
    for id in ["waited", "waits"] {
        commit(&store, one_event(id, sample::held("no price"))).unwrap();
    }
    let released = vec![(51, sample::extreme_charge())];
    commit(&store, Commit { released, ..Commit::default() }).unwrap();
    let events = vec![(event("alone", "lonely"), sample::held("no tariff"))];
    commit(&store, Commit { events, ..Commit::default() }).unwrap();
    drop(store);
    downgrade(&today, &directory.path().join("tollgate.db"))
}

fn downgrade(today: &Path, path: &Path) -> PathBuf {
    let old = Connection::open(path).unwrap();
    old.execute_batch(include_str!("../../src/sqlite/schema/1.sql")).unwrap();
    old.execute("ATTACH ?1 AS today", [today.to_str().unwrap()]).unwrap();
    old.execute_batch("INSERT INTO names SELECT * FROM today.names WHERE id <> 0 AND name <> 'lonely'")
        .unwrap();
    for table in TABLES {
        if table == "releases" {
            // Only what is held is released.
            let holds = "INSERT INTO holds SELECT sequence, 'no_price', '' FROM today.releases";
            old.execute_batch(holds).unwrap();
        }
        old.execute_batch(&format!("INSERT INTO {table} SELECT * FROM today.{table}")).unwrap();
    }
    old.execute_batch("DELETE FROM holds WHERE sequence IN (SELECT sequence FROM releases)").unwrap();
    old.execute_batch("PRAGMA application_id = 0x546f6c6c; PRAGMA user_version = 1;").unwrap();
    path.to_owned()
}

#[test]
fn events_of_schema_1_are_placed() {
    let directory = tempfile::tempdir().unwrap();
    let path = file_of_schema_1(&directory);
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
fn life_goes_on_after_a_migration() {
    let directory = tempfile::tempdir().unwrap();
    let path = file_of_schema_1(&directory);
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
fn a_new_file_and_a_migrated_one_have_the_same_schema() {
    let directory = tempfile::tempdir().unwrap();
    let old = file_of_schema_1(&directory);
    drop(open(&old).unwrap());
    let schema = |path: &Path| -> Vec<String> {
        let connection = Connection::open(path).unwrap();
        let mut query =
            connection.prepare("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY type, name").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(schema(&old), schema(&filled(&tempfile::tempdir_in(directory.path()).unwrap())));
}

#[test]
fn an_event_that_cannot_be_read_stops_the_migration_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = file_of_schema_1(&directory);
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
