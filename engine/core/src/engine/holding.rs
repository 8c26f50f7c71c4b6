//! Held events: accepted, visible, and rated again once what stood in the way is gone.

use std::sync::Arc;

use super::ahead::Ahead;
use super::quoting::Durable;
use super::{Engine, EngineError, Rulebook, batch};
use crate::event::Event;
use crate::store::{Commit, Outcome, Sequence, StoreError, StoredEvent};

/// How many held events are rated in one commit.
const BATCH: usize = 1_000;

/// What came of rating held events again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retried {
    /// Now charged.
    pub rated: u64,
    /// Still waiting.
    pub held: u64,
    /// After which event to go on; `None` when there are no more.
    pub next: Option<Sequence>,
}

impl Engine {
    /// Up to `limit` held events after a number, in the order of acceptance: of these apps, or of all.
    ///
    /// # Errors
    /// When the store fails.
    pub fn held(
        &self,
        apps: Option<&[String]>,
        after: Sequence,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let Some(apps) = apps else { return self.store.held(None, after, limit) };
        let mut found: Vec<StoredEvent> = Vec::new();
        for app in apps {
            found.extend(self.store.held(Some(app), after, limit)?);
            found.sort_by_key(|stored| stored.sequence);
            found.truncate(limit);
        }
        Ok(found)
    }

    /// Rates held events after a number again, in the order of acceptance: of these apps, or of all. About
    /// `most` and no more, so that nobody waits for all there are.
    ///
    /// # Errors
    /// When the store fails; what was done until then stands.
    pub fn retry_held(
        &self,
        apps: Option<&[String]>,
        after: Sequence,
        most: usize,
    ) -> Result<Retried, EngineError> {
        // Whoever asks for another try wants the plugins run.
        let rules = self.rules();
        let app_of = |tariff: &str| rules.catalog().tariff(tariff).map(|tariff| &tariff.app);
        self.try_suspended(|tariff| {
            apps.is_none_or(|apps| app_of(tariff).is_some_and(|app| apps.contains(app)))
        });
        let mut retried = Retried { next: Some(after), ..Retried::default() };
        for _ in 0..most.div_ceil(BATCH) {
            let after = retried.next.unwrap_or_default();
            let more = self.alone(|rules| self.release(rules, &self.held(apps, after, BATCH)?))?;
            retried.rated = retried.rated.saturating_add(more.rated);
            retried.held = retried.held.saturating_add(more.held);
            retried.next = more.next;
            if retried.next.is_none() {
                break;
            }
        }
        Ok(retried)
    }

    /// Rates the next held events; what comes of it, and the commit.
    fn release(
        &self,
        rules: &Rulebook,
        held: &[StoredEvent],
    ) -> Result<(Retried, Option<Commit>), EngineError> {
        let store = &*self.store;
        let events = held.iter().map(|stored| stored.event().map(Arc::new));
        let events: Vec<Arc<Event>> = events.collect::<Result<_, _>>()?;
        let closed = &mut |app: &str| Ok(store.closed_periods(app)?.into());
        let mut placed = batch::place(rules, &self.suspended(), closed, &events)?;
        let nothing = Ahead::default();
        let (decided, funding, _) =
            placed.decide_covered(&*self.pricer, &Durable(store), store, || &nothing)?;
        placed.teach(&self.breakers, &decided.outcomes);
        let (statements, balances) = placed.settle(&decided.outcomes).ok_or(EngineError::LedgerFull)?;
        let released = held.iter().zip(decided.outcomes).filter_map(|(stored, outcome)| match outcome {
            Outcome::Rated(charge) => Some((stored.sequence, charge)),
            Outcome::Held(_) => None,
        });
        let released: Vec<_> = released.collect();
        let rated = released.len() as u64;
        let commit = Commit { released, statements, balances, ..decided.commit };
        let (commit, _) = funding.finish()?.add_to(commit)?;
        let retried = Retried {
            rated,
            held: (held.len() as u64).saturating_sub(rated),
            next: held.last().map(|last| last.sequence).filter(|_| held.len() == BATCH),
        };
        Ok((retried, (rated > 0).then_some(commit)))
    }
}
