//! What is taken back stays, with what took it back beside it; and it is taken back once.

use std::thread;

use tollgate_core::store::{
    Closing, Commit, EventCounts, HoldCause, HoldReason, Outcome, SeenKey, Sequence, Store, StoreError,
    Voided,
};

use crate::Fixture;
use crate::sample::{self, APP, commit, counter, key, one_event, one_void, statement, step};

fn assert_stale(answer: &Result<(), StoreError>, reason: &str) {
    assert_eq!(*answer, Err(StoreError::Stale(reason.to_owned())));
}

/// The event as every reading of it gives it, which must be the same.
fn read(store: &dyn Store, sequence: Sequence, id: &str) -> (Outcome, Option<Voided>) {
    let event = store.event(sequence).unwrap().unwrap();
    assert_eq!(store.scan(sequence - 1, 1).unwrap(), std::slice::from_ref(&event));
    assert_eq!(store.stored(&[&key(id)]).unwrap(), [Some(event.clone())]);
    let history = store.events_of(APP, "c1", None, None, 100).unwrap();
    assert!(history.iter().any(|(_, other)| *other == event), "{id} is not in its customer's history");
    (event.outcome, event.voided)
}

pub fn a_charged_event_is_taken_back(fixture: &Fixture) {
    let charge = sample::charge(20_000_000);
    commit(&*fixture.store, one_event("a", sample::rated(20_000_000))).unwrap();
    commit(&*fixture.store, one_event("b", sample::rated(500))).unwrap();
    let voided = Voided { replacement: Some("b".to_owned()), ..sample::voided(&charge) };
    commit(&*fixture.store, one_void(1, voided.clone())).unwrap();
    assert_eq!(read(&*fixture.other, 1, "a"), (Outcome::Rated(charge.clone()), Some(voided)));
    assert_eq!(read(&*fixture.other, 2, "b").1, None);
    assert_eq!(fixture.other.counts(), Ok(EventCounts { rated: 2, held: 0, voided: 1 }));
    let repeated = commit(&*fixture.other, one_event("a", sample::rated(20_000_000)));
    assert_stale(&repeated, "event \"a\" of app \"acme-docs\" is stored already");
}

pub fn a_held_event_is_taken_back(fixture: &Fixture) {
    for id in ["a", "b"] {
        commit(&*fixture.store, one_event(id, sample::held("no price yet"))).unwrap();
    }
    commit(&*fixture.store, one_void(1, sample::voided_hold())).unwrap();
    let reason = HoldReason { cause: HoldCause::NoPrice, message: "no price yet".to_owned() };
    assert_eq!(read(&*fixture.other, 1, "a"), (Outcome::Held(reason), Some(sample::voided_hold())));
    let held: Vec<_> = fixture.other.held(None, 0, 9).unwrap().iter().map(|event| event.sequence).collect();
    assert_eq!(held, [2]);
    assert_eq!(fixture.other.counts(), Ok(EventCounts { rated: 0, held: 1, voided: 1 }));
}

pub fn a_released_event_is_taken_back(fixture: &Fixture) {
    commit(&*fixture.store, one_event("a", sample::held("no price"))).unwrap();
    let charge = sample::charge(500);
    commit(&*fixture.store, Commit { released: vec![(1, charge.clone())], ..Commit::default() }).unwrap();
    commit(&*fixture.other, one_void(1, sample::voided(&charge))).unwrap();
    let expected = (Outcome::Rated(charge.clone()), Some(sample::voided(&charge)));
    assert_eq!(read(&*fixture.store, 1, "a"), expected);
    assert_eq!(fixture.store.counts(), Ok(EventCounts { rated: 1, held: 0, voided: 1 }));
}

pub fn a_void_must_fit_its_event(fixture: &Fixture) {
    commit(&*fixture.store, one_event("rated", sample::rated(500))).unwrap();
    commit(&*fixture.store, one_event("held", sample::held("no price"))).unwrap();
    let reversing = sample::voided(&sample::charge(500));
    for (sequence, voided, reason) in [
        (0, &reversing, "event 0 is not there"),
        (3, &reversing, "event 3 is not there"),
        (u64::MAX, &sample::voided_hold(), "event 18446744073709551615 is not there"),
        (1, &sample::voided_hold(), "event 1 is charged: its charge must be reversed"),
        (2, &reversing, "event 2 is held: there is no charge to reverse"),
    ] {
        assert_stale(&commit(&*fixture.other, one_void(sequence, voided.clone())), reason);
    }
    // Nor one that comes with the same commit: its number is not known before.
    let with_it = Commit { voids: vec![(3, reversing)], ..one_event("new", sample::rated(500)) };
    assert_stale(&commit(&*fixture.other, with_it), "event 3 is not there");
    assert_eq!(fixture.store.counts(), Ok(EventCounts { rated: 1, held: 1, voided: 0 }));
}

pub fn an_event_is_taken_back_once(fixture: &Fixture) {
    commit(&*fixture.store, one_event("rated", sample::rated(500))).unwrap();
    commit(&*fixture.store, one_event("held", sample::held("no price"))).unwrap();
    let reversing = sample::voided(&sample::charge(500));
    let mut twice = one_void(1, reversing.clone());
    twice.voids.push((1, reversing.clone()));
    assert_stale(&commit(&*fixture.store, twice), "event 1 has been taken back already");
    assert_eq!(fixture.store.event(1).unwrap().unwrap().voided, None);

    let both = vec![(1, reversing.clone()), (2, sample::voided_hold())];
    commit(&*fixture.store, Commit { voids: both, ..Commit::default() }).unwrap();
    for sequence in [1, 2] {
        for voided in [reversing.clone(), sample::voided_hold()] {
            let reason = format!("event {sequence} has been taken back already");
            assert_stale(&commit(&*fixture.other, one_void(sequence, voided)), &reason);
        }
    }
    assert_eq!(fixture.other.counts(), Ok(EventCounts { rated: 1, held: 0, voided: 2 }));
}

pub fn a_void_and_a_release_exclude_each_other(fixture: &Fixture) {
    commit(&*fixture.store, one_event("held", sample::held("no price"))).unwrap();
    let release = Commit { released: vec![(1, sample::charge(500))], ..Commit::default() };
    let both = Commit { voids: vec![(1, sample::voided_hold())], ..release.clone() };
    assert_stale(&commit(&*fixture.store, both), "event 1 is not held");
    commit(&*fixture.other, one_void(1, sample::voided_hold())).unwrap();
    assert_stale(&commit(&*fixture.store, release), "event 1 is not held");
    assert_eq!(fixture.store.counts(), Ok(EventCounts { rated: 0, held: 0, voided: 1 }));
}

pub fn a_refused_void_leaves_nothing(fixture: &Fixture) {
    commit(&*fixture.store, one_event("held", sample::held("no price"))).unwrap();
    let mut stale = one_void(1, sample::voided_hold());
    stale.counters.push(step(counter("c1", "document", "2023-11"), "7", "6"));
    assert_stale(
        &commit(&*fixture.store, stale),
        "counter \"document\" of \"c1\" of app \"acme-docs\" is no longer 7",
    );
    assert_eq!(fixture.store.event(1).unwrap().unwrap().voided, None);
    assert_eq!(fixture.store.counts(), Ok(EventCounts { rated: 0, held: 1, voided: 0 }));
    assert_eq!(fixture.store.held(None, 0, 9).unwrap().len(), 1);
}

pub fn a_void_of_a_closed_period_is_refused(fixture: &Fixture) {
    commit(&*fixture.store, one_event("a", sample::rated(500))).unwrap();
    let closing = Closing { app: APP.to_owned(), period: sample::period("2023-11"), charges: Vec::new() };
    commit(&*fixture.store, Commit { closes: Some(closing), ..Commit::default() }).unwrap();
    let taken_back = |month: &str| Commit {
        statements: vec![(statement(APP, "c1", month), sample::totals(&[-500]))],
        ..one_void(1, sample::voided(&sample::charge(500)))
    };
    let refused = commit(&*fixture.other, taken_back("2023-11"));
    assert_stale(&refused, "period 2023-11 of app \"acme-docs\" is closed");
    commit(&*fixture.other, taken_back("2023-12")).unwrap();
    assert_eq!(fixture.store.counts(), Ok(EventCounts { rated: 1, held: 0, voided: 1 }));
}

pub fn writers_take_an_event_back_once(fixture: &Fixture) {
    let outcome = |number: u64| {
        if number.is_multiple_of(2) { sample::rated(500) } else { sample::held("no price") }
    };
    for number in 0..50 {
        commit(&*fixture.store, one_event(&format!("e{number}"), outcome(number))).unwrap();
    }
    let taken_back = |number: u64| {
        let voided = match &*outcome(number) {
            Outcome::Rated(charge) => sample::voided(charge),
            Outcome::Held(_) => sample::voided_hold(),
        };
        one_void(number + 1, voided)
    };
    let won: usize = thread::scope(|scope| {
        let writers = [&fixture.store, &fixture.other, &fixture.store, &fixture.other].map(|store| {
            scope.spawn(move || {
                let answers = (0..50).map(|number| (number, commit(&**store, taken_back(number))));
                let won = |(number, answer): &(u64, Result<(), StoreError>)| {
                    if answer.is_err() {
                        assert_stale(answer, &format!("event {} has been taken back already", number + 1));
                    }
                    answer.is_ok()
                };
                answers.filter(won).count()
            })
        });
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    assert_eq!(won, 50);
    assert_eq!(fixture.other.counts(), Ok(EventCounts { rated: 25, held: 0, voided: 50 }));
}

fn seen(key: &str) -> SeenKey {
    SeenKey { counter: counter("c1", "conversation", "2023-11"), key: key.into() }
}

fn change(come: &[&str], go: &[&str]) -> Commit {
    let keys = |keys: &[&str]| keys.iter().map(|key| seen(key)).collect();
    Commit { seen: keys(come), unseen: keys(go), ..Commit::default() }
}

pub fn a_key_stops_being_counted_once(fixture: &Fixture) {
    commit(&*fixture.store, change(&["x", "y"], &[])).unwrap();
    commit(&*fixture.other, change(&[], &["y"])).unwrap();
    assert_eq!(fixture.store.seen(&[seen("x"), seen("y")]), Ok(vec![true, false]));
    assert_stale(&commit(&*fixture.store, change(&[], &["y"])), "\"y\" is not counted");
    let unknown = SeenKey { counter: counter("nobody", "conversation", "2023-11"), key: "x".into() };
    let unknown = Commit { unseen: vec![unknown], ..Commit::default() };
    assert_stale(&commit(&*fixture.store, unknown), "\"x\" is not counted");
    assert_stale(&commit(&*fixture.store, change(&[], &["x", "x"])), "\"x\" is not counted");
    // It may be counted again, and again stop being.
    commit(&*fixture.store, change(&["y"], &[])).unwrap();
    assert_stale(&commit(&*fixture.other, change(&["y"], &[])), "\"y\" has been counted already");
    commit(&*fixture.store, change(&[], &["x", "y"])).unwrap();
    assert_eq!(fixture.other.seen(&[seen("x"), seen("y")]), Ok(vec![false, false]));
}

pub fn a_key_may_go_and_come_in_one_commit(fixture: &Fixture) {
    assert_stale(&commit(&*fixture.store, change(&["x"], &["x"])), "\"x\" is not counted");
    commit(&*fixture.store, change(&["x"], &[])).unwrap();
    commit(&*fixture.store, change(&["x"], &["x"])).unwrap();
    assert_eq!(fixture.other.seen(&[seen("x")]), Ok(vec![true]));
}

pub fn a_refused_key_leaves_nothing(fixture: &Fixture) {
    commit(&*fixture.store, change(&["x", "y"], &[])).unwrap();
    assert_stale(&commit(&*fixture.other, change(&["y"], &["x"])), "\"y\" has been counted already");
    assert_eq!(fixture.store.seen(&[seen("x"), seen("y")]), Ok(vec![true, true]));
}
