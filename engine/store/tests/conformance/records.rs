//! Records change step by step, each from what it was known to be; and they are listed in order.

use std::sync::Arc;
use std::thread;

use tollgate_core::store::{
    Commit, Record, RecordChange, RecordFilter, RecordKey, RecordKind, Store, StoreError, Version,
};

use crate::Fixture;
use crate::sample::{self, APP, change, commit, wallet};

fn changing(records: Vec<RecordChange>) -> Commit {
    Commit { records, ..Commit::default() }
}

fn keep(store: &dyn Store, records: Vec<RecordChange>) {
    commit(store, changing(records)).unwrap();
}

fn record(key: RecordKey, version: Version, due: Option<i64>, body: &str) -> Record {
    Record { key, version, due, body: body.to_owned() }
}

fn one(store: &dyn Store, key: RecordKey) -> Option<Record> {
    store.records(&[key]).unwrap().pop().unwrap()
}

fn assert_stale(answer: &Result<(), StoreError>, reason: &str) {
    assert_eq!(*answer, Err(StoreError::Stale(reason.to_owned())));
}

pub fn a_record_moves_on_step_by_step(fixture: &Fixture) {
    let (c1, c2) = (wallet("c1"), wallet("c2"));
    let asked = [c2.clone(), c1.clone(), wallet("c3"), c1.clone()];
    assert_eq!(fixture.other.records(&asked), Ok(vec![None; 4]));
    assert_eq!(fixture.other.records(&[]), Ok(Vec::new()));
    let body = "{\"paid\": \"0.5\", \"note\": \"\u{1f9fe}\u{0}\"}";
    let first = RecordChange { due: Some(i64::MIN), ..change(c1.clone(), 0, body) };
    keep(&*fixture.store, vec![first, change(c2.clone(), 0, "")]);
    let (one, two) =
        (Some(record(c1.clone(), 1, Some(i64::MIN), body)), Some(record(c2.clone(), 1, None, "")));
    assert_eq!(fixture.other.records(&asked), Ok(vec![two.clone(), one.clone(), None, one]));
    keep(&*fixture.other, vec![RecordChange { due: Some(i64::MAX), ..change(c1.clone(), 1, "{}") }]);
    assert_eq!(self::one(&*fixture.store, c1.clone()), Some(record(c1.clone(), 2, Some(i64::MAX), "{}")));
    keep(&*fixture.store, vec![change(c1.clone(), 2, "[]")]);
    assert_eq!(self::one(&*fixture.other, c1.clone()), Some(record(c1, 3, None, "[]")));
    assert_eq!(self::one(&*fixture.other, c2), two);
}

pub fn a_change_from_another_version_is_stale(fixture: &Fixture) {
    keep(&*fixture.store, vec![change(wallet("c1"), 0, "1")]);
    keep(&*fixture.store, vec![change(wallet("c1"), 1, "2")]);
    for (customer, before, found) in
        [("c1", 0, 2), ("c1", 1, 2), ("c1", 3, 2), ("c1", u64::MAX, 2), ("c2", 1, 0)]
    {
        let mut stale =
            changing(vec![change(wallet("new"), 0, "new"), change(wallet(customer), before, "3")]);
        stale.entries.push(sample::payment("p1", "c1", 500));
        let reason = format!("wallet {customer:?} of \"acme-docs\" is at version {found}, not {before}");
        assert_stale(&commit(&*fixture.other, stale), &reason);
    }
    assert_eq!(one(&*fixture.store, wallet("c1")), Some(record(wallet("c1"), 2, None, "2")));
    assert_eq!(fixture.store.records(&[wallet("new"), wallet("c2")]), Ok(vec![None, None]));
    assert_eq!(fixture.store.entry("p1"), Ok(None));
    // A record of another kind or owner is another.
    let others =
        [RecordKey::new(RecordKind::Hold, APP, "c1"), RecordKey::new(RecordKind::Wallet, "b-app", "c1")];
    keep(&*fixture.store, others.map(|key| change(key, 0, "other")).to_vec());
}

pub fn a_record_changes_once_in_a_commit(fixture: &Fixture) {
    let twice = changing(vec![change(wallet("c1"), 0, "1"), change(wallet("c1"), 0, "2")]);
    assert_stale(&commit(&*fixture.store, twice), "wallet \"c1\" of \"acme-docs\" is at version 1, not 0");
    assert_eq!(one(&*fixture.other, wallet("c1")), None);
}

pub fn expectations_are_of_the_state_before(fixture: &Fixture) {
    let expecting = |expects: &[(&str, Version)], records| Commit {
        expects: expects.iter().map(|(customer, version)| (wallet(customer), *version)).collect(),
        ..changing(records)
    };
    // One record may be expected, and changed as well.
    let create = vec![change(wallet("c1"), 0, "1")];
    commit(&*fixture.store, expecting(&[("c1", 0), ("c2", 0)], create)).unwrap();
    let advance = vec![change(wallet("c1"), 1, "2"), change(wallet("c3"), 0, "1")];
    commit(&*fixture.other, expecting(&[("c3", 0), ("c1", 1), ("c1", 1)], advance)).unwrap();
    for (customer, expected, found) in
        [("c1", 1, 2), ("c1", 3, 2), ("c1", 0, 2), ("c2", 1, 0), ("c3", u64::MAX, 1)]
    {
        let stale = expecting(&[("c1", 2), (customer, expected)], vec![change(wallet("c1"), 2, "3")]);
        let reason = format!("wallet {customer:?} of \"acme-docs\" is at version {found}, not {expected}");
        assert_stale(&commit(&*fixture.store, stale), &reason);
    }
    assert_eq!(one(&*fixture.other, wallet("c1")), Some(record(wallet("c1"), 2, None, "2")));
    // What is only expected is left as it is.
    commit(&*fixture.store, expecting(&[("c1", 2), ("c2", 0)], Vec::new())).unwrap();
    assert_eq!(one(&*fixture.other, wallet("c1")), Some(record(wallet("c1"), 2, None, "2")));
}

/// Holds of three owners, two of them with odd names, and when they are due; in the order of listing.
const HOLDS: [(&str, &str, Option<i64>); 7] = [
    ("", "", Some(30)),
    ("", "b", None),
    ("a", "", Some(20)),
    ("a", "B", Some(20)),
    ("a", "a", Some(-20)),
    ("b", "", Some(20)),
    ("\u{e9}", "a", Some(i64::MAX)),
];

fn hold(owner: &str, id: &str) -> RecordKey {
    RecordKey::new(RecordKind::Hold, owner, id)
}

/// Keeps the holds, the last first, among records of other kinds.
fn keep_holds(store: &dyn Store) {
    for (owner, id, due) in HOLDS.iter().rev() {
        let others = [RecordKind::Wallet, RecordKind::Payment].map(|kind| RecordKey::new(kind, *owner, *id));
        let records = others.into_iter().chain([hold(owner, id)]);
        keep(store, records.map(|key| RecordChange { due: *due, ..change(key, 0, "{}") }).collect());
    }
}

fn listed(store: &dyn Store, filter: &RecordFilter, limit: usize) -> Vec<(String, String)> {
    let records = store.list_records(filter, limit).unwrap();
    for record in &records {
        assert_eq!(one(store, record.key.clone()).as_ref(), Some(record));
        assert_eq!(record.key.kind, filter.kind);
    }
    records.into_iter().map(|record| (record.key.owner, record.key.id)).collect()
}

/// The names of holds, by their positions in the list of them.
fn names(positions: &[usize]) -> Vec<(String, String)> {
    positions.iter().map(|position| (HOLDS[*position].0.to_owned(), HOLDS[*position].1.to_owned())).collect()
}

pub fn records_are_listed_by_owner_and_id(fixture: &Fixture) {
    keep_holds(&*fixture.store);
    let all = RecordFilter::of(RecordKind::Hold);
    assert_eq!(listed(&*fixture.other, &all, usize::MAX), names(&[0, 1, 2, 3, 4, 5, 6]));
    assert_eq!(listed(&*fixture.other, &all, 0), names(&[]));
    assert_eq!(listed(&*fixture.other, &RecordFilter::of(RecordKind::Payout), 9), names(&[]));
    let owned = |owner| listed(&*fixture.other, &RecordFilter::owned(RecordKind::Hold, owner), 9);
    assert_eq!(owned(""), names(&[0, 1]));
    assert_eq!(owned("a"), names(&[2, 3, 4]));
    assert_eq!(owned("A"), names(&[]));
}

pub fn records_are_listed_page_by_page(fixture: &Fixture) {
    keep_holds(&*fixture.store);
    let all = RecordFilter::of(RecordKind::Hold);
    for (filter, expected) in [
        (all.clone(), names(&[0, 1, 2, 3, 4, 5, 6])),
        (RecordFilter::owned(RecordKind::Hold, "a"), names(&[2, 3, 4])),
    ] {
        for limit in 1..9 {
            let mut read: Vec<(String, String)> = Vec::new();
            loop {
                let filter = RecordFilter { after: read.last().cloned(), ..filter.clone() };
                let page = listed(&*fixture.other, &filter, limit);
                assert!(page.len() <= limit);
                if page.is_empty() {
                    break;
                }
                read.extend(page);
            }
            assert_eq!(read, expected, "{filter:?} by {limit}");
        }
    }
    let after = |filter: RecordFilter, owner: &str, id: &str| {
        let after = Some((owner.to_owned(), id.to_owned()));
        listed(&*fixture.other, &RecordFilter { after, ..filter }, 9)
    };
    // What comes after need not be there, nor be the owner's.
    assert_eq!(after(all.clone(), "a", "C"), names(&[4, 5, 6]));
    assert_eq!(after(all, "\u{e9}", "a"), names(&[]));
    let owned = || RecordFilter::owned(RecordKind::Hold, "a");
    assert_eq!(after(owned(), "", "z"), names(&[2, 3, 4]));
    assert_eq!(after(owned(), "a", "B"), names(&[4]));
    assert_eq!(after(owned(), "b", ""), names(&[]));
}

pub fn records_are_listed_by_when_they_are_due(fixture: &Fixture) {
    keep_holds(&*fixture.store);
    let due = |moment| RecordFilter::due(RecordKind::Hold, moment);
    let listed = |filter: RecordFilter, limit| listed(&*fixture.other, &filter, limit);
    assert_eq!(listed(due(-21), 9), names(&[]));
    assert_eq!(listed(due(-20), 9), names(&[4]));
    assert_eq!(listed(due(29), 9), names(&[4, 2, 3, 5]));
    assert_eq!(listed(due(i64::MAX), 9), names(&[4, 2, 3, 5, 0, 6]));
    assert_eq!(listed(due(i64::MAX), 3), names(&[4, 2, 3]));
    let owned = RecordFilter { owner: Some("a".to_owned()), ..due(20) };
    assert_eq!(listed(owned.clone(), 2), names(&[4, 2]));
    // Those after one are those that come after it by owner and id, whenever they are due.
    let after = |owner: &str, id: &str| Some((owner.to_owned(), id.to_owned()));
    assert_eq!(listed(RecordFilter { after: after("a", "B"), ..due(30) }, 9), names(&[4, 5]));
    assert_eq!(listed(RecordFilter { after: after("a", ""), ..owned.clone() }, 9), names(&[4, 3]));
    assert_eq!(listed(RecordFilter { after: after("b", ""), ..owned }, 9), names(&[]));
    // A record is due when its last change says, or never again.
    let later = RecordChange { due: Some(25), ..change(hold("a", "a"), 1, "{}") };
    keep(&*fixture.store, vec![later, change(hold("a", "B"), 1, "{}")]);
    assert_eq!(listed(due(29), 9), names(&[2, 5, 4]));
}

/// Adds one to the number that a record says, however often it has to look again.
fn add_one(store: &dyn Store, id: &str) {
    loop {
        let (version, number) = one(store, wallet("c1"))
            .map_or((0, 0), |record| (record.version, record.body.parse::<u64>().unwrap()));
        let mut attempt = changing(vec![change(wallet("c1"), version, &(number + 1).to_string())]);
        attempt.entries.push(sample::payment(id, "c1", 1));
        match commit(store, attempt) {
            Ok(()) => return,
            Err(StoreError::Stale(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

pub fn writers_change_a_record_one_by_one(fixture: &Fixture) {
    thread::scope(|scope| {
        for writer in 0..4 {
            let store = Arc::clone(if writer % 2 == 0 { &fixture.store } else { &fixture.other });
            scope.spawn(move || (0..25).for_each(|number| add_one(&*store, &format!("{writer}-{number}"))));
        }
    });
    assert_eq!(one(&*fixture.other, wallet("c1")), Some(record(wallet("c1"), 100, None, "100")));
    assert_eq!(fixture.other.entries(None, 0, 1000).unwrap().len(), 100);
}
