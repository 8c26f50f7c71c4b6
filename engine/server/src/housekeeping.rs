//! What a server does now and then, beside answering: looks after the keys, adds the ledger up, lets suspended
//! tariffs be tried again, ends holds and grants whose time is up, sees whether the store can write.
//!
//! Each job has a rhythm of its own, runs where blocking is allowed, and never twice at once. None of them is
//! needed for an answer to be right.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use tollgate_core::engine::EngineError;
use tollgate_core::ledger::{Account, Balance};
use tollgate_core::store::WriteTrouble;

use crate::backend::Backend;

/// How often it is looked whether the store can write: as often as anybody asks whether the server is ready.
const STORE_INTERVAL: Duration = Duration::from_secs(1);

/// Something that is done now and then.
#[derive(Clone, Copy)]
struct Job {
    name: &'static str,
    /// It has something to do before the first interval is over.
    at_start: bool,
    run: fn(&Backend) -> Result<(), EngineError>,
}

const KEYS: Job = Job { name: "keys", at_start: true, run: look_after_keys };
const DEFINITIONS: Job = Job { name: "definitions", at_start: false, run: catch_up };
const LEDGER: Job = Job { name: "ledger", at_start: true, run: add_ledger_up };
const STORE: Job = Job { name: "store", at_start: true, run: look_at_store };
const EXPIRY: Job = Job { name: "expiry", at_start: true, run: expire };
const SUSPENDED: Job = Job { name: "suspended_tariffs", at_start: false, run: retry_suspended };

/// Keeps house from now on, until it is dropped.
pub(crate) async fn keep(backend: &Arc<Backend>) -> Infallible {
    let config = &backend.config;
    let (never, ..) = tokio::join!(
        every(config.keys_interval, backend, KEYS),
        every(config.keys_interval, backend, DEFINITIONS),
        every(config.ledger_interval, backend, LEDGER),
        every(config.suspended_retry_interval, backend, SUSPENDED),
        every(config.money_interval, backend, EXPIRY),
        every(STORE_INTERVAL, backend, STORE),
    );
    never
}

/// What is left to do when the last request has been answered.
pub(crate) async fn finish(backend: &Arc<Backend>) {
    run(backend, KEYS).await;
}

async fn every(interval: Duration, backend: &Arc<Backend>, job: Job) -> Infallible {
    let now = Instant::now();
    let first = if job.at_start { now } else { now + interval };
    let mut ticks = tokio::time::interval_at(first, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        run(backend, job).await;
    }
}

async fn run(backend: &Arc<Backend>, job: Job) {
    let at_work = Arc::clone(backend);
    let why = match tokio::task::spawn_blocking(move || (job.run)(&at_work)).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it panicked".to_owned(),
    };
    tracing::error!(job = job.name, why, "housekeeping failed, and will be tried again");
    backend.telemetry.standing().housekeeping_failed(job.name);
}

/// Shows how the store is doing, and ends the server when it can write nothing more.
#[expect(clippy::unnecessary_wraps, reason = "it is one of the jobs")]
fn look_at_store(backend: &Backend) -> Result<(), EngineError> {
    let health = backend.engine().store().health();
    backend.telemetry.standing().store(&health);
    if let Some(WriteTrouble::Final(reason)) = &health.trouble {
        backend.end_store(reason);
    }
    Ok(())
}

/// Learns which keys other processes made or revoked, and writes down which were used.
fn look_after_keys(backend: &Backend) -> Result<(), EngineError> {
    backend.keys.reload()?;
    backend.keys.write_uses()?;
    let now = jiff::Timestamp::now().as_millisecond();
    backend.telemetry.standing().keys(&backend.keys.list(), now);
    Ok(())
}

fn add_ledger_up(backend: &Backend) -> Result<(), EngineError> {
    let (store, standing) = (backend.engine().store(), backend.telemetry.standing());
    standing.events(store.counts()?);
    let sums = sum_by_currency(store.balances()?).ok_or(EngineError::LedgerFull)?;
    for (currency, nano) in sums {
        if nano != 0 {
            tracing::error!(currency, nano = %nano, "the ledger does not balance: its accounts together are not zero");
        }
        standing.imbalance(currency, nano);
    }
    standing.ledger_checked();
    Ok(())
}

/// All accounts of each currency together, in nano-units; `None` on overflow.
fn sum_by_currency(balances: Vec<(Account, Balance)>) -> Option<BTreeMap<String, i128>> {
    let mut sums: BTreeMap<String, i128> = BTreeMap::new();
    for (account, balance) in balances {
        let sum = sums.entry(account.currency).or_default();
        *sum = sum.checked_add(balance.net()?)?;
    }
    Some(sums)
}

/// What is over is never used either, but what it reserves or holds is given back here.
/// What is charged never misses a definition; what is only asked for may, until then.
fn catch_up(backend: &Backend) -> Result<(), EngineError> {
    backend.engine().catch_up()
}

fn expire(backend: &Backend) -> Result<(), EngineError> {
    let expired = backend.engine().expire(jiff::Timestamp::now().as_millisecond())?;
    backend.telemetry.money().expired(expired);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "it is one of the jobs")]
fn retry_suspended(backend: &Backend) -> Result<(), EngineError> {
    let suspended = backend.engine().suspended();
    for tariff in suspended.keys() {
        tracing::warn!(
            tariff = &**tariff,
            "the tariff is suspended; its plugin is tried again on its next event"
        );
    }
    if !suspended.is_empty() {
        backend.engine().try_suspended(|_| true);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tollgate_core::ledger::Owner;

    use super::*;

    #[test]
    fn a_ledger_is_added_up_by_currency() {
        let account = |owner, currency: &str| Account { owner, currency: currency.to_owned() };
        let balance =
            |debits_posted, credits_posted| Balance { debits_posted, credits_posted, ..Balance::default() };
        let balances = vec![
            (account(Owner::Platform, "USD"), balance(0, 70)),
            (account(Owner::Builder("acme".to_owned()), "USD"), balance(100, 30)),
            (account(Owner::Platform, "EUR"), balance(0, 5)),
            (account(Owner::Builder("acme".to_owned()), "EUR"), balance(2, 0)),
        ];
        let sums = [("EUR".to_owned(), 3), ("USD".to_owned(), 0)];
        assert_eq!(sum_by_currency(balances), Some(BTreeMap::from(sums)));
        let full = || (account(Owner::Platform, "USD"), balance(0, i128::MAX));
        assert_eq!(sum_by_currency(vec![full(), full()]), None);
    }
}
