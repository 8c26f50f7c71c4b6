//! A commit is whole or nothing, and decided by what the store holds then.

use std::sync::Arc;
use std::thread;

use tollgate_core::store::{Closing, Commit, EventCounts, SeenKey, StatementFilter, Store, StoreError};

use crate::Fixture;
use crate::sample::{self, APP, commit, counter, one_event, quantity, statement, step};

fn assert_stale(answer: &Result<(), StoreError>, reason: &str) {
    assert_eq!(*answer, Err(StoreError::Stale(reason.to_owned())));
}

/// A commit that touches everything, so that what remains of a refused one shows.
fn everything(id: &str) -> Commit {
    Commit {
        counters: vec![step(counter("c1", "document", "2023-11"), "0", "1")],
        seen: vec![seen(id)],
        statements: vec![(statement(APP, "c1", "2023-11"), sample::totals(&[500]))],
        balances: sample::balances("c1", 500, 1),
        entries: vec![sample::payment(id, "c1", 500)],
        records: vec![sample::change(sample::wallet(id), 0, "{}")],
        expects: vec![(sample::wallet("nobody"), 0)],
        notices: vec![sample::notice(7)],
        ..one_event(id, sample::rated(500))
    }
}

fn seen(key: &str) -> SeenKey {
    SeenKey { counter: counter("c1", "conversation", "2023-11"), key: key.into() }
}

fn assert_empty(store: &dyn Store) {
    assert_eq!(store.counts(), Ok(EventCounts::default()));
    assert_eq!(store.usage(APP, None, None), Ok(Vec::new()));
    assert_eq!(store.statements(&StatementFilter::default()), Ok(Vec::new()));
    assert_eq!(store.balances(), Ok(Vec::new()));
    assert_eq!(store.seen(&[seen("a")]), Ok(vec![false]));
    assert_eq!(store.closed_periods(APP), Ok(Vec::new()));
    assert_eq!(store.entries(None, 0, 9), Ok(Vec::new()));
    assert_eq!(store.entry("a"), Ok(None));
    assert_eq!(store.records(&[sample::wallet("a")]), Ok(vec![None]));
    assert_eq!(store.notices(0, 9), Ok(Vec::new()));
}

pub fn a_stored_event_is_refused(fixture: &Fixture) {
    commit(&*fixture.store, one_event("a", sample::held("first"))).unwrap();
    assert_stale(
        &commit(&*fixture.other, one_event("a", sample::rated(500))),
        "event \"a\" of app \"acme-docs\" is stored already",
    );
    assert_eq!(fixture.store.counts(), Ok(EventCounts { rated: 0, held: 1, voided: 0 }));
}

pub fn an_id_twice_in_a_commit_is_refused(fixture: &Fixture) {
    let mut twice = everything("a");
    twice.events.extend(one_event("a", sample::rated(500)).events);
    assert_stale(&commit(&*fixture.store, twice), "event \"a\" of app \"acme-docs\" is stored already");
    assert_empty(&*fixture.store);
}

pub fn a_stale_counter_is_refused_whole(fixture: &Fixture) {
    let mut from_another_value = everything("a");
    from_another_value.counters.push(step(counter("c2", "document", "2023-11"), "1", "2"));
    assert_stale(
        &commit(&*fixture.store, from_another_value),
        "counter \"document\" of \"c2\" of app \"acme-docs\" is no longer 1",
    );
    assert_empty(&*fixture.store);

    commit(&*fixture.store, everything("a")).unwrap();
    assert_stale(
        &commit(&*fixture.other, everything("b")),
        "counter \"document\" of \"c1\" of app \"acme-docs\" is no longer 0",
    );
    let next = vec![step(counter("c1", "document", "2023-11"), "1.0", "1.5")];
    commit(&*fixture.other, Commit { counters: next, ..Commit::default() }).unwrap();
    let keys = [counter("c9", "document", "2023-11"), counter("c1", "document", "2023-11")];
    assert_eq!(fixture.store.counters(&keys), Ok(vec![quantity("0"), quantity("1.5")]));
}

pub fn a_counted_key_is_refused(fixture: &Fixture) {
    let count =
        |keys: &[&str]| Commit { seen: keys.iter().map(|key| seen(key)).collect(), ..Commit::default() };
    commit(&*fixture.store, count(&["x", "y"])).unwrap();
    assert_stale(&commit(&*fixture.other, count(&["z", "y"])), "\"y\" has been counted already");
    let december = SeenKey { counter: counter("c1", "conversation", "2023-12"), key: "x".into() };
    let asked = [seen("z"), seen("x"), december, seen("y")];
    assert_eq!(fixture.store.seen(&asked), Ok(vec![false, true, false, true]));
    let counted = vec![(counter("c1", "conversation", "2023-11"), quantity("0"))];
    assert_eq!(fixture.store.usage(APP, None, None), Ok(counted));
}

/// Whatever stands in its way, and whatever of it comes before that: nothing of a refused commit is kept.
pub fn a_commit_is_refused_whole(fixture: &Fixture) {
    let with = |spoil: fn(&mut Commit)| {
        let mut spoilt = everything("a");
        spoil(&mut spoilt);
        spoilt
    };
    let spoilt = [
        with(|commit| commit.expects.push((sample::wallet("c9"), 1))),
        with(|commit| commit.expects.push((sample::wallet("a"), 1))),
        with(|commit| commit.records.push(sample::change(sample::wallet("c9"), 1, "{}"))),
        with(|commit| commit.records.push(sample::change(sample::wallet("a"), 0, "{}"))),
        with(|commit| commit.entries.push(sample::payment("a", "c1", 500))),
        with(|commit| commit.released.push((1, sample::charge(500)))),
        with(|commit| commit.unseen.push(seen("b"))),
    ];
    for commit in spoilt {
        let answer = self::commit(&*fixture.store, commit.clone());
        assert!(matches!(answer, Err(StoreError::Stale(_))), "{answer:?}: {commit:?}");
        assert_empty(&*fixture.other);
    }
    commit(&*fixture.store, everything("a")).unwrap();
    assert_eq!(fixture.other.notices(0, 9), Ok(vec![(1, sample::notice(7))]));
}

pub fn a_stale_commit_leaves_its_neighbours_alone(fixture: &Fixture) {
    commit(&*fixture.store, one_event("old", sample::rated(500))).unwrap();
    let mut tickets = Vec::new();
    for number in 0..30 {
        let mut made = one_event(&format!("new-{number}"), sample::rated(500));
        match number % 6 {
            1 => made = one_event("old", sample::rated(500)),
            // Found out only after something of it has been written.
            4 => made.events.extend(one_event("old", sample::rated(500)).events),
            _ => {}
        }
        tickets.push((number, fixture.store.submit(made).unwrap()));
    }
    for (number, ticket) in tickets {
        let answer = ticket.wait();
        assert_eq!(answer.is_err(), number % 3 == 1, "{number}: {answer:?}");
    }
    assert_eq!(fixture.other.counts(), Ok(EventCounts { rated: 21, held: 0, voided: 0 }));
}

pub fn what_follows_a_refused_commit_is_stale_too(fixture: &Fixture) {
    commit(&*fixture.store, one_event("old", sample::rated(500))).unwrap();
    let documents = counter("c1", "document", "2023-11");
    let mut refused = one_event("old", sample::rated(500));
    refused.counters.push(step(documents.clone(), "0", "1"));
    let mut follows = one_event("new", sample::rated(500));
    follows.counters.push(step(documents.clone(), "1", "2"));
    let tickets = [refused, follows].map(|commit| fixture.store.submit(commit).unwrap());
    for ticket in tickets {
        assert!(matches!(ticket.wait(), Err(StoreError::Stale(_))));
    }
    // Names and counters that the refused commits brought along must be gone from memory as well.
    let again = Commit { counters: vec![step(documents.clone(), "0", "3")], ..Commit::default() };
    commit(&*fixture.store, again).unwrap();
    assert_eq!(fixture.other.counters(&[documents]), Ok(vec![quantity("3")]));
}

pub fn only_what_is_held_is_released(fixture: &Fixture) {
    let release = |sequence| Commit {
        released: vec![(sequence, sample::charge(500))],
        counters: vec![step(counter("c1", "document", "2023-11"), "0", "1")],
        ..Commit::default()
    };
    commit(&*fixture.store, one_event("rated", sample::rated(500))).unwrap();
    commit(&*fixture.store, one_event("waits", sample::held("no price"))).unwrap();
    for sequence in [0, 1, 3, u64::MAX] {
        assert_stale(&commit(&*fixture.store, release(sequence)), &format!("event {sequence} is not held"));
    }
    let mut twice = release(2);
    twice.released.push((2, sample::charge(500)));
    assert_stale(&commit(&*fixture.store, twice), "event 2 is not held");
    commit(&*fixture.other, release(2)).unwrap();
    assert_stale(&commit(&*fixture.store, release(2)), "event 2 is not held");
}

fn close(month: &str) -> Commit {
    let closing = Closing { app: APP.to_owned(), period: sample::period(month), charges: Vec::new() };
    Commit { closes: Some(closing), ..Commit::default() }
}

pub fn a_closed_period_stays_closed(fixture: &Fixture) {
    let added = (statement(APP, "c1", "2023-11"), sample::totals(&[500]));
    let closes = Commit { statements: vec![added.clone()], ..close("2023-11") };
    commit(&*fixture.store, closes).unwrap();
    let reason = "period 2023-11 of app \"acme-docs\" is closed";
    assert_stale(&commit(&*fixture.other, close("2023-11")), reason);
    let open = (statement(APP, "c1", "2023-12"), sample::totals(&[500]));
    let late = Commit { statements: vec![open, added.clone()], ..one_event("late", sample::rated(500)) };
    assert_stale(&commit(&*fixture.other, late), reason);
    assert_eq!(fixture.store.statements(&StatementFilter::default()), Ok(vec![added]));
    assert_eq!(fixture.store.counts(), Ok(EventCounts::default()));
}

pub fn another_app_or_month_stays_open(fixture: &Fixture) {
    commit(&*fixture.store, close("2023-12")).unwrap();
    commit(&*fixture.other, close("2023-11")).unwrap();
    let closed = vec![sample::period("2023-11"), sample::period("2023-12")];
    assert_eq!(fixture.store.closed_periods(APP), Ok(closed));
    assert_eq!(fixture.store.closed_periods("another-app"), Ok(Vec::new()));
    let open = [statement("another-app", "c1", "2023-11"), statement(APP, "c1", "2024-01")];
    let statements = open.map(|key| (key, sample::totals(&[500]))).to_vec();
    commit(&*fixture.store, Commit { statements, ..Commit::default() }).unwrap();
}

/// Adds one to a counter, however often it has to look again.
fn add_one(store: &dyn Store, id: &str) {
    let documents = counter("c1", "document", "2023-11");
    loop {
        let before = store.counters(std::slice::from_ref(&documents)).unwrap()[0];
        let after = before.plus(quantity("1")).unwrap();
        let mut attempt = one_event(id, sample::rated(500));
        attempt.counters.push(step(documents.clone(), &before.to_string(), &after.to_string()));
        match commit(store, attempt) {
            Ok(()) => return,
            Err(StoreError::Stale(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

pub fn writers_lose_no_step(fixture: &Fixture) {
    thread::scope(|scope| {
        for writer in 0..4 {
            let store = Arc::clone(if writer % 2 == 0 { &fixture.store } else { &fixture.other });
            scope.spawn(move || (0..25).for_each(|number| add_one(&*store, &format!("{writer}-{number}"))));
        }
    });
    let counters = fixture.store.counters(&[counter("c1", "document", "2023-11")]);
    assert_eq!(counters, Ok(vec![quantity("100")]));
    assert_eq!(fixture.other.counts(), Ok(EventCounts { rated: 100, held: 0, voided: 0 }));
}

pub fn writers_store_an_event_once(fixture: &Fixture) {
    let stored: usize = thread::scope(|scope| {
        let writers = [&fixture.store, &fixture.other, &fixture.store, &fixture.other].map(|store| {
            scope.spawn(move || {
                let attempts = (0..50).map(|number| one_event(&format!("e{number}"), sample::rated(500)));
                attempts.filter(|attempt| commit(&**store, attempt.clone()).is_ok()).count()
            })
        });
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    assert_eq!(stored, 50);
    assert_eq!(fixture.store.counts(), Ok(EventCounts { rated: 50, held: 0, voided: 0 }));
}
