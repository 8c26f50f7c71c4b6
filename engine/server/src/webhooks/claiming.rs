//! Taking a delivery for an attempt, and writing down what came of it: each one commit, decided from the
//! version that was read, so of several servers one has its way.

use std::slice;

use jiff::Timestamp;
use tollgate_core::store::record::Versioned;
use tollgate_core::store::{Commit, Notice, RecordKey, Store, StoreError};

use super::delivery::{self, Delivery, State, Step};
use super::endpoint::{self, Endpoint};
use super::{Attempt, insist, write};

/// What is needed for an attempt.
pub(super) struct Claimed {
    pub delivery: Versioned<Delivery>,
    pub endpoint: Endpoint,
    pub endpoint_id: String,
    pub notice: Notice,
}

/// Takes a delivery that is due. `None` when it is not any more, or can never be sent: then it is given up.
pub(super) fn claim(
    store: &dyn Store,
    key: &RecordKey,
    now: i64,
    lease: i64,
) -> Result<Option<Claimed>, StoreError> {
    let Some((owner, id)) = delivery::endpoint_of(&key.owner) else { return Ok(None) };
    let mut found = store.records(slice::from_ref(key))?.into_iter().flatten();
    let Some(record) = found.next() else { return Ok(None) };
    let mut delivery: Versioned<Delivery> = Versioned::of(&record)?;
    // The record's own word counts: it is what the list went by.
    let is_due = delivery.value.state == State::Pending && record.due.is_some_and(|due| due <= now);
    if !is_due {
        return Ok(None);
    }
    let endpoint = endpoint::read(store, owner, id)?.map(|endpoint| endpoint.value);
    let number = delivery.value.notice;
    let notice = store.notices(number.saturating_sub(1), 1)?.into_iter().find(|(found, _)| *found == number);
    let hindrance = match (&endpoint, &notice) {
        (None, _) => Some("the endpoint is gone"),
        (Some(endpoint), _) if !endpoint.is_open() => Some("the endpoint is disabled"),
        (_, None) => Some("the notice is not there"),
        _ => None,
    };
    match hindrance {
        Some(words) => delivery.value.give_up(words, now),
        None => delivery.value.claim(now, lease),
    }
    let change = delivery.change(&key.owner, &key.id)?;
    write(store, Commit { records: vec![change], ..Commit::default() })?;
    delivery.version = delivery.version.saturating_add(1);
    let claimed = endpoint.zip(notice).filter(|_| hindrance.is_none());
    let endpoint_id = id.to_owned();
    Ok(claimed.map(|(endpoint, (_, notice))| Claimed { delivery, endpoint, endpoint_id, notice }))
}

/// Writes down what came of an attempt. An endpoint that says that it is gone is disabled.
pub(super) fn settle(
    store: &dyn Store,
    key: &RecordKey,
    mut delivery: Versioned<Delivery>,
    attempt: &Attempt,
) -> Result<Step, StoreError> {
    let now = Timestamp::now().as_millisecond();
    let mut chance = [0; 4];
    // Without chance all wait equally long: no reason to fail.
    let _ = getrandom::fill(&mut chance);
    let step = delivery.value.settle(attempt, now, u32::from_ne_bytes(chance));
    insist(|| {
        let mut records = vec![delivery.change(&key.owner, &key.id)?];
        if let (Step::Gone, Some((owner, id))) = (step, delivery::endpoint_of(&key.owner))
            && let Some(mut endpoint) = endpoint::read(store, owner, id)?
        {
            endpoint.value.disabled = Some("it answered 410 Gone".to_owned());
            records.push(endpoint.change(owner, id)?);
        }
        Ok::<_, StoreError>(write(store, Commit { records, ..Commit::default() }).map(|()| step))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tollgate_core::store::{NoticeKind, record};
    use tollgate_store::MemoryStore;

    use std::time::Duration;

    use super::super::endpoint::Secret;
    use super::super::{Answer, outbox};
    use super::*;

    const LEASE: i64 = 75_000;

    fn store() -> MemoryStore {
        let store = MemoryStore::new();
        let endpoint = Endpoint {
            url: "https://example.com/".to_owned(),
            kinds: Vec::new(),
            description: String::new(),
            secrets: vec![Secret::random().unwrap()],
            made_at: 0,
            disabled: None,
            deleted_at: None,
        };
        let records = vec![record::change("acme", "4f1c", 0, &endpoint).unwrap()];
        let (builder, kind) = ("acme".to_owned(), NoticeKind::WalletLow);
        let notices = vec![Notice { builder, kind, at: 0, data: serde_json::json!({}) }];
        write(&store, Commit { records, notices, ..Commit::default() }).unwrap();
        store
    }

    /// Whoever claims a delivery and is never heard of again has it taken over, and cannot take it back.
    #[test]
    fn a_claim_runs_out() {
        let store = store();
        assert_eq!(outbox::hand_on(&store, 1_000), Ok(1));
        assert_eq!(outbox::hand_on(&store, 1_000), Ok(0));
        let key = delivery::key("acme", "4f1c", 1);
        let first = claim(&store, &key, 1_000, LEASE).unwrap().unwrap();
        assert!(claim(&store, &key, 1_000 + LEASE - 1, LEASE).unwrap().is_none());
        let second = claim(&store, &key, 1_000 + LEASE, LEASE).unwrap().unwrap();
        assert_eq!(second.delivery.value.attempts, 2);

        let answer = |code| Answer::Status { code, words: String::new(), retry_after: None };
        let attempt = |code| Attempt { answer: answer(code), took: Duration::ZERO };
        let late = settle(&store, &key, first.delivery, &attempt(500));
        assert!(matches!(late, Err(StoreError::Stale(_))), "{late:?}");
        assert_eq!(settle(&store, &key, second.delivery, &attempt(204)), Ok(Step::Delivered));
        assert!(claim(&store, &key, i64::MAX, LEASE).unwrap().is_none());
    }

    #[test]
    fn an_endpoint_that_is_gone_is_disabled_with_its_last_delivery() {
        let store = store();
        outbox::hand_on(&store, 0).unwrap();
        let key = delivery::key("acme", "4f1c", 1);
        let claimed = claim(&store, &key, 0, LEASE).unwrap().unwrap();
        // Somebody changes the endpoint meanwhile.
        let kept = endpoint::read(&store, "acme", "4f1c").unwrap().unwrap();
        let records = vec![kept.change("acme", "4f1c").unwrap()];
        write(&store, Commit { records, ..Commit::default() }).unwrap();
        let answer = Answer::Status { code: 410, words: String::new(), retry_after: None };
        let attempt = Attempt { answer, took: Duration::ZERO };
        assert_eq!(settle(&store, &key, claimed.delivery, &attempt), Ok(Step::Gone));
        let kept = endpoint::read(&store, "acme", "4f1c").unwrap().unwrap();
        assert_eq!((kept.version, kept.value.is_open()), (3, false));
    }
}
