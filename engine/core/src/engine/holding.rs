//! Held events: accepted, visible, and rated again once what stood in the way is gone.

use std::sync::Arc;

use super::desk::Latest;
use super::{Engine, EngineError, batch};
use crate::event::Event;
use crate::store::{Commit, Outcome, Sequence};

/// How many held events are rated in one commit.
const BATCH: usize = 1_000;

/// What came of rating held events again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retried {
    /// Now charged.
    pub rated: u64,
    /// Still waiting.
    pub held: u64,
}

impl Engine {
    /// Rates every held event (of one app, where given) again, in the order of acceptance.
    ///
    /// # Errors
    /// When the store fails or another writer is at the same work; what was done until then stands.
    pub fn retry_held(&self, app: Option<&str>) -> Result<Retried, EngineError> {
        let mut retried = Retried::default();
        let mut after: Sequence = 0;
        loop {
            let held = self.store.held(app, after, BATCH)?;
            let Some(last) = held.last() else { return Ok(retried) };
            after = last.sequence;
            let mut events = Vec::with_capacity(held.len());
            for stored in &held {
                events.push(Arc::new(stored.event()?));
            }
            let sequences: Vec<Sequence> = held.iter().map(|stored| stored.sequence).collect();
            self.release(&events, &sequences, &mut retried)?;
        }
    }

    fn release(
        &self,
        events: &[Arc<Event>],
        sequences: &[Sequence],
        retried: &mut Retried,
    ) -> Result<(), EngineError> {
        let (rules, store) = (self.rules(), &*self.store);
        // Whoever asks for another try wants the plugin run.
        self.try_suspended();
        let suspended = self.suspended();
        let mut ahead = self.desk.alone();
        let placed = batch::place(&rules, &suspended, &mut |app| ahead.closed(store, app), events)?;
        let mut decided = placed.decide(&*self.pricer, &Latest { ahead: &ahead, store }, &self.breakers)?;
        let funding = placed.cover(&mut decided.outcomes, &ahead, store)?;
        let (statements, balances) = placed.settle(&decided.outcomes).ok_or(EngineError::LedgerFull)?;
        let mut released = Vec::new();
        for (sequence, outcome) in sequences.iter().zip(decided.outcomes) {
            if let Outcome::Rated(charge) = outcome {
                released.push((*sequence, charge));
            }
        }
        let rated = u64::try_from(released.len()).unwrap_or(u64::MAX);
        retried.rated = retried.rated.saturating_add(rated);
        retried.held = retried.held.saturating_add((events.len() as u64).saturating_sub(rated));
        let commit = Commit { released, statements, balances, ..decided.commit };
        let (commit, _) = funding.finish()?.add_to(commit)?;
        let committed = self.commit(commit);
        // What was counted is not in `ahead`: it is read from the store again.
        ahead.forget();
        Ok(committed?)
    }
}
