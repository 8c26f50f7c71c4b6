//! Webhooks: tells endpoints what happened, in the manner of Standard Webhooks.
//!
//! The core writes a notice in the commit of the fact that it tells of. From there on it is this module's
//! affair, in three steps that may each be taken by any server over the same store:
//!
//! 1. [`outbox`] makes of each notice one delivery for each endpoint that wants it, together with the step of
//!    the cursor that says how far it has come: exactly once.
//! 2. [`dispatcher`] sends deliveries that are due, many at once but few to one endpoint; [`claiming`] sees to
//!    it that one server does.
//! 3. [`delivery`] decides what becomes of an attempt: delivered, tried again later, or dead.
//!
//! [`sender`] speaks HTTP, [`guard`] decides which addresses it may speak to, [`signing`] signs. A receiver
//! may get a notice twice (a server that ends between sending and writing that down), in any order, and knows
//! it by its `webhook-id`.

mod claiming;
pub(crate) mod delivery;
pub(crate) mod dispatcher;
pub(crate) mod endpoint;
mod figures;
mod guard;
mod outbox;
mod sender;
mod signing;

use tokio::sync::Semaphore;
use tollgate_core::store::{Commit, Store, StoreError};

use crate::config::Config;
use crate::telemetry::Telemetry;

pub(crate) use figures::Figures;
pub(crate) use sender::{Answer, Attempt, Message, Sender};

/// Test notices sent at once, by all callers together.
const TESTS_MAX: usize = 8;

/// A change that others keep getting in the way of is tried so often.
pub(crate) const TRIES_MAX: usize = 8;

/// What the routes and the dispatcher share.
#[derive(Debug)]
pub(crate) struct Webhooks {
    pub(crate) sender: Sender,
    pub(crate) figures: Figures,
    /// Turns at sending test notices.
    pub(crate) tests: Semaphore,
}

impl Webhooks {
    pub(crate) fn new(config: &Config, telemetry: &Telemetry) -> Self {
        let figures = Figures::default();
        telemetry.register(|registry| figures.register(registry));
        Self { sender: Sender::new(config), figures, tests: Semaphore::new(TESTS_MAX) }
    }
}

/// Writes a commit and waits until it is durable.
pub(crate) fn write(store: &dyn Store, commit: Commit) -> Result<(), StoreError> {
    store.submit(commit)?.wait()
}

/// Does what may find that the store has moved on, until it has its way or has tried often enough.
pub(crate) fn insist<T, E: From<StoreError>>(
    mut attempt: impl FnMut() -> Result<Result<T, StoreError>, E>,
) -> Result<T, E> {
    let mut tries = 0;
    loop {
        tries += 1;
        match attempt()? {
            Err(StoreError::Stale(_)) if tries < TRIES_MAX => {}
            result => return Ok(result?),
        }
    }
}
