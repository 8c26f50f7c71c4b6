//! A customer's history: in order, page by page, and nobody else's.

use std::sync::Arc;

use tollgate_core::charge::Charge;
use tollgate_core::event::{Event, EventKey};
use tollgate_core::period::Period;
use tollgate_core::store::{Commit, Outcome, Placement, Store};

use crate::Fixture;
use crate::sample::{self, APP, commit, event, one_event, one_void, period};

fn placed(month: Option<&str>, sequence: u64) -> Placement {
    Placement { period: month.map(period), sequence }
}

fn charge_in(month: &str) -> Charge {
    Charge { period: period(month), ..sample::charge(500) }
}

/// Events 1 to 8 of one customer: three months, and two that are held.
fn keep_history(store: &dyn Store) -> Vec<Placement> {
    let months = ["2023-11", "2023-12", "", "2023-11", "2022-01", "2023-12", "", "2023-11"].map(|month| {
        if month.is_empty() { sample::held("wait") } else { Arc::new(Outcome::Rated(charge_in(month))) }
    });
    for (number, outcome) in (1..).zip(months) {
        commit(store, one_event(&format!("e{number}"), outcome)).unwrap();
    }
    vec![
        placed(Some("2023-12"), 6),
        placed(Some("2023-12"), 2),
        placed(Some("2023-11"), 8),
        placed(Some("2023-11"), 4),
        placed(Some("2023-11"), 1),
        placed(Some("2022-01"), 5),
        placed(None, 7),
        placed(None, 3),
    ]
}

fn history(
    store: &dyn Store,
    month: Option<&str>,
    before: Option<Placement>,
    limit: usize,
) -> Vec<Placement> {
    let events = store.events_of(APP, "c1", month.map(period), before, limit).unwrap();
    for (placement, event) in &events {
        let charged: Option<Period> = match &event.outcome {
            Outcome::Rated(charge) => Some(charge.period),
            Outcome::Held(_) => None,
        };
        assert_eq!((placement.period, placement.sequence), (charged, event.sequence));
        assert_eq!(Some(event), store.event(event.sequence).unwrap().as_ref());
    }
    events.into_iter().map(|(placement, _)| placement).collect()
}

pub fn a_history_is_by_period_then_by_acceptance(fixture: &Fixture) {
    assert_eq!(history(&*fixture.store, None, None, 9), []);
    let all = keep_history(&*fixture.store);
    assert_eq!(history(&*fixture.other, None, None, 100), all);
    assert_eq!(history(&*fixture.other, Some("2023-11"), None, usize::MAX), all[2..5]);
    assert_eq!(history(&*fixture.other, Some("2023-12"), None, 1), all[..1]);
    assert_eq!(history(&*fixture.other, Some("2024-01"), None, 9), []);
    assert_eq!(history(&*fixture.other, None, None, 0), []);
}

pub fn a_history_goes_page_by_page(fixture: &Fixture) {
    let all = keep_history(&*fixture.store);
    for limit in 1..=all.len() {
        let mut seen = Vec::new();
        loop {
            let page = history(&*fixture.other, None, seen.last().copied(), limit);
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        assert_eq!(seen, all, "pages of {limit}");
    }
    let november = |before| history(&*fixture.other, Some("2023-11"), Some(before), 9);
    assert_eq!(november(all[2]), all[3..5]);
    assert_eq!(november(all[4]), []);
    // A placement of another period, and one that nothing has.
    assert_eq!(november(all[1]), all[2..5]);
    assert_eq!(november(all[5]), []);
    assert_eq!(november(all[7]), []);
    assert_eq!(november(placed(Some("2023-11"), 5)), all[3..5]);
    assert_eq!(november(placed(Some("2023-11"), u64::MAX)), all[2..5]);
    assert_eq!(history(&*fixture.other, None, Some(placed(None, u64::MAX)), 9), all[6..]);
    assert_eq!(history(&*fixture.other, None, Some(placed(None, 0)), 9), []);
}

pub fn a_release_moves_an_event(fixture: &Fixture) {
    let all = keep_history(&*fixture.store);
    let released = vec![(7, charge_in("2023-11"))];
    commit(&*fixture.store, Commit { released, ..Commit::default() }).unwrap();
    let mut expected = all;
    expected.remove(6);
    expected.insert(3, placed(Some("2023-11"), 7));
    assert_eq!(history(&*fixture.other, None, None, 100), expected);
    assert_eq!(history(&*fixture.other, Some("2023-11"), None, 100), expected[2..6]);
}

pub fn a_history_is_one_customers_alone(fixture: &Fixture) {
    let key = EventKey { app: "b-app".to_owned(), id: "b".to_owned() };
    let elsewhere = Event { key, ..(*event("b", "c1")).clone() };
    let events = vec![
        (event("a", "c1"), sample::rated(500)),
        (event("c", "c2"), sample::rated(500)),
        (Arc::new(elsewhere), sample::rated(500)),
    ];
    commit(&*fixture.store, Commit { events, ..Commit::default() }).unwrap();
    let sequences = |app: &str, customer: &str| -> Vec<u64> {
        let events = fixture.other.events_of(app, customer, None, None, 9).unwrap();
        events.iter().map(|(placement, _)| placement.sequence).collect()
    };
    assert_eq!(sequences(APP, "c1"), [1]);
    assert_eq!(sequences(APP, "c2"), [2]);
    assert_eq!(sequences("b-app", "c1"), [3]);
    assert_eq!(sequences("b-app", "c2"), [0; 0]);
    assert_eq!(sequences("c1", APP), [0; 0]);
    assert_eq!(sequences(APP, "nobody"), [0; 0]);
}

pub fn a_history_keeps_what_was_taken_back(fixture: &Fixture) {
    let all = keep_history(&*fixture.store);
    commit(&*fixture.store, one_void(1, sample::voided(&charge_in("2023-11")))).unwrap();
    commit(&*fixture.store, one_void(7, sample::voided_hold())).unwrap();
    assert_eq!(history(&*fixture.other, None, None, 100), all);
    let events = fixture.other.events_of(APP, "c1", None, None, 100).unwrap();
    let voided: Vec<u64> = events
        .iter()
        .filter(|(_, event)| event.voided.is_some())
        .map(|(placement, _)| placement.sequence)
        .collect();
    assert_eq!(voided, [1, 7]);
}

/// Takes events of a history back: 1 and 4 in January, 8 in its own month, 5 in December; and 7, which is held.
fn take_back(store: &dyn Store) {
    keep_history(store);
    let late = |month: &str, to: &str| sample::voided_late(&charge_in(month), to);
    let voids = vec![
        (4, late("2023-11", "2024-01")),
        (8, sample::voided(&charge_in("2023-11"))),
        (5, late("2022-01", "2023-12")),
        (1, late("2023-11", "2024-01")),
        (7, sample::voided_hold()),
    ];
    commit(store, Commit { voids, ..Commit::default() }).unwrap();
}

fn late(store: &dyn Store, month: &str, after: u64, limit: usize) -> Vec<u64> {
    let events = store.late_reversals(APP, "c1", period(month), after, limit).unwrap();
    for event in &events {
        assert_eq!(Some(event), store.event(event.sequence).unwrap().as_ref());
        let reversal = event.voided.as_ref().unwrap().reversal.as_ref().unwrap();
        assert_eq!((reversal.period, reversal.total.nano()), (period(month), -500));
    }
    events.iter().map(|event| event.sequence).collect()
}

pub fn late_reversals_are_found_by_their_own_period(fixture: &Fixture) {
    take_back(&*fixture.store);
    // One whose charge came after a hold is found as any other.
    commit(&*fixture.store, Commit { released: vec![(3, charge_in("2023-11"))], ..Commit::default() })
        .unwrap();
    commit(&*fixture.store, one_void(3, sample::voided_late(&charge_in("2023-11"), "2024-02"))).unwrap();
    let found = |month: &str| late(&*fixture.other, month, 0, 9);
    assert_eq!(found("2024-01"), [1, 4]);
    assert_eq!(found("2023-12"), [5]);
    assert_eq!(found("2024-02"), [3]);
    assert_eq!(found("2023-11"), [0; 0]);
    assert_eq!(found("2022-01"), [0; 0]);
}

pub fn late_reversals_go_page_by_page(fixture: &Fixture) {
    take_back(&*fixture.store);
    assert_eq!(late(&*fixture.other, "2024-01", 0, 1), [1]);
    assert_eq!(late(&*fixture.other, "2024-01", 1, 1), [4]);
    assert_eq!(late(&*fixture.other, "2024-01", 4, 1), [0; 0]);
    assert_eq!(late(&*fixture.other, "2024-01", u64::MAX, 9), [0; 0]);
    assert_eq!(late(&*fixture.other, "2024-01", 0, 0), [0; 0]);
}

pub fn late_reversals_are_one_customers_alone(fixture: &Fixture) {
    let key = EventKey { app: "b-app".to_owned(), id: "b".to_owned() };
    let elsewhere = Event { key, ..(*event("b", "c1")).clone() };
    let events = vec![
        (event("a", "c1"), sample::rated(500)),
        (event("c", "c2"), sample::rated(500)),
        (Arc::new(elsewhere), sample::rated(500)),
    ];
    commit(&*fixture.store, Commit { events, ..Commit::default() }).unwrap();
    let voided = sample::voided_late(&sample::charge(500), "2023-12");
    let voids = (1..=3).map(|sequence| (sequence, voided.clone())).collect();
    commit(&*fixture.store, Commit { voids, ..Commit::default() }).unwrap();
    let sequences = |app: &str, customer: &str| -> Vec<u64> {
        let events = fixture.other.late_reversals(app, customer, period("2023-12"), 0, 9).unwrap();
        events.iter().map(|event| event.sequence).collect()
    };
    assert_eq!(sequences(APP, "c1"), [1]);
    assert_eq!(sequences(APP, "c2"), [2]);
    assert_eq!(sequences("b-app", "c1"), [3]);
    assert_eq!(sequences("b-app", "c2"), [0; 0]);
    assert_eq!(sequences(APP, "nobody"), [0; 0]);
}
