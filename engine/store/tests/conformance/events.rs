//! What is kept comes back.

use std::collections::BTreeMap;
use std::sync::Arc;

use tollgate_core::catalog::{Builder, Customer, Definition, Limits, Tariff};
use tollgate_core::event::{Event, EventKey};
use tollgate_core::payout::PayoutTerms;
use tollgate_core::plugin::Digest;
use tollgate_core::store::{
    Commit, EventCounts, Found, HoldCause, HoldReason, Outcome, StoreError, StoredEvent,
};

use crate::Fixture;
use crate::sample::{self, APP, commit, event, one_event};

pub fn every_field_comes_back(fixture: &Fixture) {
    let mut outcomes = vec![
        Outcome::Rated(sample::charge(20_000_000)),
        Outcome::Rated(sample::extreme_charge()),
        Outcome::Rated(sample::drawn_charge()),
        Outcome::Rated(tollgate_core::charge::Charge {
            usage: Vec::new(),
            lines: Vec::new(),
            ..sample::charge(0)
        }),
    ];
    outcomes.extend(
        HoldCause::ALL.map(|cause| Outcome::Held(HoldReason { cause, message: format!("{cause:?}…") })),
    );
    let events: Vec<_> = outcomes
        .iter()
        .enumerate()
        .map(|(number, outcome)| (event(&format!("e{number}"), "c1"), Arc::new(outcome.clone())))
        .collect();
    commit(&*fixture.store, Commit { events: events.clone(), ..Commit::default() }).unwrap();

    let kept = fixture.other.scan(0, 100).unwrap();
    let expected: Vec<StoredEvent> = events
        .iter()
        .zip(1..)
        .map(|((event, outcome), sequence)| StoredEvent {
            sequence,
            key: event.key.clone(),
            received: event.received.clone(),
            outcome: (**outcome).clone(),
            voided: None,
        })
        .collect();
    assert_eq!(kept, expected);
    for event in &expected {
        assert_eq!(fixture.store.event(event.sequence).unwrap().as_ref(), Some(event));
    }
    assert_eq!(fixture.store.event(0), Ok(None));
    assert_eq!(fixture.store.event(12), Ok(None));
    assert_eq!(fixture.store.event(u64::MAX), Ok(None));
    assert_eq!(fixture.store.counts(), Ok(EventCounts { rated: 4, held: 7, voided: 0 }));
}

pub fn definitions_keep_their_order(fixture: &Fixture) {
    let builder = |name: &str| {
        Definition::Builder(Builder {
            id: "b".to_owned(),
            name: name.to_owned(),
            app_terms: None,
            publishers: Vec::new(),
            payouts: PayoutTerms::default(),
        })
    };
    let tariff = Definition::Tariff(Tariff {
        id: "t".to_owned(),
        app: APP.to_owned(),
        customer: None,
        plugin: Digest::of(b"wasm"),
        settings: "{\"price\": \"0.10\"}".to_owned(),
        effective_from: -1,
    });
    let customer = Definition::Customer(Customer {
        app: APP.to_owned(),
        id: "c1".to_owned(),
        name: "One".to_owned(),
        kind: "workspace".to_owned(),
        parent: Some("group".to_owned()),
        attributes: BTreeMap::from([("plan".to_owned(), "gold".to_owned())]),
        limits: Limits::default(),
    });
    let history = [builder("first"), tariff, customer, builder("second")];
    fixture.store.define(0, &history[..1]).unwrap();
    // Whoever does not know of all of them adds none, and decides nothing by them.
    let late = fixture.other.define(0, &history[1..]);
    assert_eq!(late, Err(StoreError::Stale("there are 1 definitions, not 0".to_owned())));
    fixture.other.define(1, &history[1..]).unwrap();
    fixture.store.define(4, &[]).unwrap();
    let by = |defined| commit(&*fixture.store, Commit { defined: Some(defined), ..Commit::default() });
    let unaware = "there are 4 definitions, it was decided by 3".to_owned();
    assert_eq!((by(3), by(4), by(5)), (Err(StoreError::Stale(unaware)), Ok(()), Ok(())));
    let text = |definitions: &[Definition]| format!("{definitions:?}");
    assert_eq!(text(&fixture.store.definitions(0).unwrap()), text(&history));
    assert_eq!(text(&fixture.other.definitions(3).unwrap()), text(&history[3..]));
    assert_eq!(fixture.store.definitions(4).unwrap().len(), 0);
}

pub fn plugins_keep_their_bytes(fixture: &Fixture) {
    let component: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let digest = Digest::of(&component);
    assert_eq!(fixture.store.plugin(&digest), Ok(None));
    fixture.store.keep_plugin(&digest, &component).unwrap();
    fixture.other.keep_plugin(&digest, &component).unwrap();
    assert_eq!(fixture.other.plugin(&digest), Ok(Some(component)));
    assert_eq!(fixture.store.plugin(&Digest::of(b"another")), Ok(None));
}

pub fn events_are_found_by_app_and_id(fixture: &Fixture) {
    commit(&*fixture.store, one_event("a", sample::rated(500))).unwrap();
    commit(&*fixture.other, one_event("b", sample::held("no price"))).unwrap();
    let stranger = EventKey { app: "another-app".to_owned(), id: "a".to_owned() };
    let (a, b, absent) = (sample::key("a"), sample::key("b"), sample::key("A"));
    let found = fixture.store.find(&[&absent, &b, &stranger, &a, &b]).unwrap();
    let found_a = Some(Found { sequence: 1, fingerprint: event("a", "c1").fingerprint });
    let found_b = Some(Found { sequence: 2, fingerprint: event("b", "c1").fingerprint });
    assert_eq!(found, [None, found_b.clone(), None, found_a, found_b]);
    let uuids = ["018bd7e2-9c4f-7a10-8000-0123456789ab", "018BD7E2-9C4F-7A10-8000-0123456789AB"];
    for uuid in uuids {
        assert_eq!(fixture.store.find(&[&sample::key(uuid)]), Ok(vec![None]));
        commit(&*fixture.store, one_event(uuid, sample::rated(500))).unwrap();
        assert_eq!(fixture.store.scan(2, 9).unwrap().last().unwrap().key, sample::key(uuid));
    }
    assert!(fixture.store.find(&uuids.map(sample::key).each_ref()).unwrap().iter().all(Option::is_some));
    assert_eq!(fixture.store.find(&[]), Ok(Vec::new()));
}

pub fn scans_go_page_by_page(fixture: &Fixture) {
    for number in 0..10 {
        let outcome = if number % 3 == 0 { sample::held("wait") } else { sample::rated(500) };
        commit(&*fixture.store, one_event(&format!("e{number}"), outcome)).unwrap();
    }
    let sequences = |events: Vec<StoredEvent>| events.iter().map(|event| event.sequence).collect::<Vec<_>>();
    assert_eq!(sequences(fixture.store.scan(0, 4).unwrap()), [1, 2, 3, 4]);
    assert_eq!(sequences(fixture.store.scan(4, 4).unwrap()), [5, 6, 7, 8]);
    assert_eq!(sequences(fixture.store.scan(8, 4).unwrap()), [9, 10]);
    assert_eq!(sequences(fixture.store.scan(10, 4).unwrap()), [0; 0]);
    assert_eq!(sequences(fixture.store.scan(u64::MAX, 4).unwrap()), [0; 0]);
    assert_eq!(sequences(fixture.store.scan(0, 0).unwrap()), [0; 0]);
    assert_eq!(sequences(fixture.store.held(None, 0, 2).unwrap()), [1, 4]);
    assert_eq!(sequences(fixture.store.held(None, 4, usize::MAX).unwrap()), [7, 10]);
}

pub fn held_events_are_listed_by_app(fixture: &Fixture) {
    for (app, id) in [(APP, "a"), ("b-app", "b"), (APP, "c"), ("b-app", "d"), (APP, "e")] {
        let key = EventKey { app: app.to_owned(), id: id.to_owned() };
        let event = Event { key, ..(*event(id, "c1")).clone() };
        let events = vec![(Arc::new(event), sample::held("wait"))];
        commit(&*fixture.store, Commit { events, ..Commit::default() }).unwrap();
    }
    let held = |app, after, limit| -> Vec<String> {
        fixture.other.held(app, after, limit).unwrap().into_iter().map(|event| event.key.id).collect()
    };
    assert_eq!(held(None, 0, 9), ["a", "b", "c", "d", "e"]);
    assert_eq!(held(Some(APP), 0, 2), ["a", "c"]);
    assert_eq!(held(Some(APP), 3, 2), ["e"]);
    assert_eq!(held(Some("b-app"), 1, 9), ["b", "d"]);
    assert_eq!(held(Some("unknown"), 0, 9), [""; 0]);
}

pub fn what_events_became_is_told_by_key(fixture: &Fixture) {
    let uuid = "018bd7e2-9c4f-7a10-8000-0123456789ab";
    commit(&*fixture.store, one_event(uuid, sample::rated(500))).unwrap();
    commit(&*fixture.store, one_event("b", sample::held("no price"))).unwrap();
    let stranger = EventKey { app: "another-app".to_owned(), id: "b".to_owned() };
    let (a, b, absent) = (sample::key(uuid), sample::key("b"), sample::key("absent"));
    let stored = fixture.other.stored(&[&b, &absent, &a, &stranger, &b]).unwrap();
    let (kept_a, kept_b) = (fixture.other.event(1).unwrap(), fixture.other.event(2).unwrap());
    assert_eq!(kept_a.as_ref().unwrap().key, a);
    assert_eq!(stored, [kept_b.clone(), None, kept_a, None, kept_b]);
    assert_eq!(fixture.other.stored(&[]), Ok(Vec::new()));
}

pub fn a_held_event_is_released_once(fixture: &Fixture) {
    commit(&*fixture.store, one_event("waits", sample::held("no price"))).unwrap();
    assert_eq!(fixture.store.counts(), Ok(EventCounts { rated: 0, held: 1, voided: 0 }));
    let released = Commit { released: vec![(1, sample::extreme_charge())], ..Commit::default() };
    commit(&*fixture.store, released).unwrap();
    assert_eq!(fixture.other.held(None, 0, 10), Ok(Vec::new()));
    let event = fixture.other.event(1).unwrap().unwrap();
    assert_eq!(event.outcome, Outcome::Rated(sample::extreme_charge()));
    assert_eq!(fixture.other.counts(), Ok(EventCounts { rated: 1, held: 0, voided: 0 }));
}
