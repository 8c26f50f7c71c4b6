//! The far end of a submitted batch: waits until it is durable, and rates it again when it must be.

use std::sync::Arc;

use super::{ATTEMPTS_MAX, Engine, EngineError, Receipt, outrun};
use crate::event::{Event, EventKey};
use crate::store::{StoreError, Ticket};

/// A batch that has been rated and is being written.
#[must_use = "nothing is acknowledged before `wait` returns"]
pub struct Pending<'e> {
    pub(super) engine: &'e Engine,
    pub(super) ticket: Box<dyn Ticket>,
    pub(super) events: Vec<Arc<Event>>,
    pub(super) receipts: Vec<Receipt>,
    pub(super) fresh: Vec<Arc<Event>>,
    pub(super) leans_on: Vec<EventKey>,
}

impl Pending<'_> {
    /// Waits until the batch is durable. Should another writer have come first, it is rated again.
    ///
    /// # Errors
    /// When the store fails: nothing of the batch is kept, or, as the error then says, that is not known. Sending it
    /// again is safe.
    pub fn wait(self) -> Result<Vec<Receipt>, EngineError> {
        let mut pending = self;
        for _ in 0..ATTEMPTS_MAX {
            let Self { engine, ticket, events, receipts, fresh, leans_on } = pending;
            match ticket.wait() {
                Ok(()) => {
                    engine.desk.ahead().landed(fresh.iter());
                    if engine.all_there(&leans_on)? {
                        return Ok(receipts);
                    }
                }
                Err(StoreError::Stale(_)) => {
                    engine.desk.ahead().forget();
                    engine.catch_up()?;
                }
                Err(error) => {
                    engine.desk.ahead().forget();
                    return Err(error.into());
                }
            }
            pending = engine.submit(&events)?;
        }
        Err(outrun())
    }
}

impl Engine {
    fn all_there(&self, keys: &[EventKey]) -> Result<bool, StoreError> {
        let keys: Vec<&EventKey> = keys.iter().collect();
        Ok(keys.is_empty() || self.store.find(&keys)?.iter().all(Option::is_some))
    }
}
