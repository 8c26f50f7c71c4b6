//! Tells new events from known ones: a source and an id are one event, forever, and the first one wins.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Engine, EngineError, Receipt, Rulebook};
use crate::event::{Event, EventKey, Fingerprint};
use crate::store::StoreError;

/// An event that came before.
struct Known {
    fingerprint: Fingerprint,
    /// It is not in the store yet.
    is_on_its_way: bool,
}

/// A batch told apart.
#[derive(Default)]
pub(super) struct Sorted {
    /// Of each event; `None` for a new one.
    pub(super) receipts: Vec<Option<Receipt>>,
    /// The new ones, in order.
    pub(super) fresh: Vec<Arc<Event>>,
    /// Duplicates of events that are on their way: their answer depends on those arriving.
    pub(super) leans_on: Vec<EventKey>,
}

impl Engine {
    /// Tells new events from known ones. The first of a key wins, wherever it is: in the store, on its way
    /// there, or earlier in the batch.
    pub(super) fn tell_apart(&self, rules: &Rulebook, events: &[Arc<Event>]) -> Result<Sorted, EngineError> {
        let mut known = self.known(events)?;
        let mut sorted = Sorted::default();
        for event in events {
            let receipt = match known.get(&event.key) {
                Some(first) => {
                    if first.is_on_its_way {
                        sorted.leans_on.push(event.key.clone());
                    }
                    Some(Receipt::Duplicate { conflict: first.fingerprint != event.fingerprint })
                }
                None if rules.catalog().app(&event.key.app).is_none() => Some(Receipt::Undefined),
                None => {
                    known.insert(&event.key, Known { fingerprint: event.fingerprint, is_on_its_way: false });
                    sorted.fresh.push(Arc::clone(event));
                    None
                }
            };
            sorted.receipts.push(receipt);
        }
        Ok(sorted)
    }

    /// What the events of a batch that are known already said. Those on their way are looked for first: one
    /// that lands meanwhile is then found in the store.
    fn known<'e>(&self, events: &'e [Arc<Event>]) -> Result<FxHashMap<&'e EventKey, Known>, EngineError> {
        let mut known = FxHashMap::default();
        let mut asked: Vec<&EventKey> = Vec::with_capacity(events.len());
        let ahead = self.desk.ahead();
        for event in events {
            match ahead.in_flight(&event.key) {
                Some(fingerprint) => {
                    known.insert(&event.key, Known { fingerprint, is_on_its_way: true });
                }
                None => asked.push(&event.key),
            }
        }
        drop(ahead);
        let found = self.store.find(&asked)?;
        if found.len() != asked.len() {
            return Err(StoreError::Corrupt("it answered fewer events than asked".into()).into());
        }
        known.extend(asked.into_iter().zip(found).filter_map(|(key, found)| {
            Some((key, Known { fingerprint: found?.fingerprint, is_on_its_way: false }))
        }));
        Ok(known)
    }
}
