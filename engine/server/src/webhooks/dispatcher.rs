//! Sends deliveries that are due: many at once, few to one endpoint, so that a slow one keeps nobody waiting.
//!
//! A delivery is claimed by a commit before it is sent, so of several servers one sends it. Whoever claims and
//! is never heard of again has its claim run out, and the delivery is sent once more.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tollgate_core::store::{RecordFilter, RecordKey, RecordKind, Store, StoreError};

use super::claiming::{Claimed, claim, settle};
use super::delivery::{self, Step};
use super::outbox;
use super::sender::Message;
use crate::backend::Backend;

/// Deliveries looked at together.
const WINDOW: usize = 512;

/// When there are more, so many endpoints are looked at one by one each time.
const VISITS: usize = 32;

/// The most that are counted as pending, and how often they are.
const COUNTED_MAX: usize = 10_000;
const COUNT_EVERY: Duration = Duration::from_secs(15);

/// A claim runs out so long after the attempt must have ended, in milliseconds.
const CLAIM_SLACK: i64 = 60_000;

/// Deliveries that wait or are being sent, by endpoint.
#[derive(Debug, Default)]
pub(crate) struct Sends {
    tasks: JoinSet<()>,
    underway: Underway,
    waiting: BTreeMap<String, VecDeque<RecordKey>>,
    /// There was more than was looked at.
    is_more: bool,
    /// The endpoint that was visited last.
    visited: Option<(String, String)>,
    counted_at: Option<Instant>,
}

/// What is being sent, by endpoint.
type Underway = Arc<Mutex<HashMap<String, HashSet<String>>>>;

/// A place among what is being sent, given back when it is dropped.
struct Place {
    underway: Underway,
    key: RecordKey,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut underway = self.underway.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ids) = underway.get_mut(&self.key.owner) {
            ids.remove(&self.key.id);
            if ids.is_empty() {
                underway.remove(&self.key.owner);
            }
        }
    }
}

/// What was found to do.
struct Found {
    handed_on: usize,
    due: Vec<RecordKey>,
    is_more: bool,
    visited: Option<(String, String)>,
    pending: Option<usize>,
}

/// Hands notices on and sends deliveries from now on, until it is dropped. What is being sent then goes on,
/// see [`Sends::finish`].
pub(crate) async fn dispatch(backend: &Arc<Backend>, sends: &mut Sends) -> Infallible {
    let mut ticks = interval(backend.config.webhook_poll_interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_tick = tokio::select! {
            _ = ticks.tick() => true,
            Some(_) = sends.tasks.join_next() => false,
        };
        if backend.is_stopping() {
            continue;
        }
        if is_tick || sends.is_more && sends.waiting.is_empty() {
            sends.look(backend).await;
        }
        sends.start(backend);
    }
}

impl Sends {
    /// Waits for what is being sent, for so long at most. What is cut off is sent again.
    pub(crate) async fn finish(mut self, within: Duration) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(within, all).await.is_err() {
            tracing::warn!("webhooks were cut off while they were being sent; they will be sent again");
        }
    }

    async fn look(&mut self, backend: &Arc<Backend>) {
        let is_time = self.counted_at.is_none_or(|at| at.elapsed() >= COUNT_EVERY);
        let visited = self.visited.take();
        let looked = backend.call(move |engine| look(engine.store(), visited, is_time)).await;
        let Ok(found) = looked else {
            tracing::warn!("webhooks could not be looked for; they will be again");
            return;
        };
        let figures = &backend.webhooks.figures;
        figures.handed_on(found.handed_on);
        if let Some(pending) = found.pending {
            figures.pending(pending);
            self.counted_at = Some(Instant::now());
        }
        (self.is_more, self.visited) = (found.is_more, found.visited);
        self.waiting.clear();
        let underway = self.underway.lock().unwrap_or_else(PoisonError::into_inner);
        for key in found.due {
            if underway.get(&key.owner).is_none_or(|ids| !ids.contains(&key.id)) {
                self.waiting.entry(key.owner.clone()).or_default().push_back(key);
            }
        }
    }

    /// Starts what may be started, one of each endpoint after the other.
    fn start(&mut self, backend: &Arc<Backend>) {
        let all_max = count(backend.config.webhook_concurrency.get());
        let each_max = count(backend.config.webhook_endpoint_concurrency.get());
        loop {
            let mut is_any = false;
            for queue in self.waiting.values_mut() {
                if self.tasks.len() >= all_max {
                    break;
                }
                let Some(place) = queue.front().and_then(|key| enter(&self.underway, key, each_max)) else {
                    continue;
                };
                queue.pop_front();
                is_any = true;
                let backend = Arc::clone(backend);
                self.tasks.spawn(async move { deliver(&backend, &place).await });
            }
            self.waiting.retain(|_, queue| !queue.is_empty());
            if !is_any {
                return;
            }
        }
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A place, unless the endpoint has all of its own.
fn enter(underway: &Underway, key: &RecordKey, each_max: usize) -> Option<Place> {
    let mut all = underway.lock().unwrap_or_else(PoisonError::into_inner);
    let ids = all.entry(key.owner.clone()).or_default();
    if ids.len() >= each_max {
        return None;
    }
    ids.insert(key.id.clone());
    Some(Place { underway: Arc::clone(underway), key: key.clone() })
}

/// Hands notices on, then looks for what is due: the longest waiting, and when those are many, some of other
/// endpoints as well.
fn look(
    store: &dyn Store,
    visited: Option<(String, String)>,
    is_time_to_count: bool,
) -> Result<Found, StoreError> {
    let now = Timestamp::now().as_millisecond();
    let handed_on = outbox::hand_on(store, now)?;
    let keys = |filter: &RecordFilter, limit| {
        let records = store.list_records(filter, limit)?;
        Ok::<_, StoreError>(records.into_iter().map(|record| record.key).collect::<Vec<_>>())
    };
    let mut due = keys(&RecordFilter::due(RecordKind::Delivery, now), WINDOW)?;
    let is_more = due.len() == WINDOW;
    let mut next = None;
    if is_more {
        let known: HashSet<String> = due.iter().map(|key| key.owner.clone()).collect();
        let endpoints =
            keys(&RecordFilter { after: visited, ..RecordFilter::of(RecordKind::Endpoint) }, VISITS)?;
        if endpoints.len() == VISITS {
            next = endpoints.last().map(|last| (last.owner.clone(), last.id.clone()));
        }
        for endpoint in endpoints {
            let owner = delivery::owner(&endpoint.owner, &endpoint.id);
            if !known.contains(&owner) {
                let filter =
                    RecordFilter { owner: Some(owner), ..RecordFilter::due(RecordKind::Delivery, now) };
                due.extend(keys(&filter, VISITS)?);
            }
        }
    }
    let count = || keys(&RecordFilter::due(RecordKind::Delivery, i64::MAX), COUNTED_MAX).map(|all| all.len());
    let pending = if is_time_to_count { Some(count()?) } else { None };
    Ok(Found { handed_on, due, is_more, visited: next, pending })
}

async fn deliver(backend: &Arc<Backend>, place: &Place) {
    let lease = i64::try_from(backend.config.webhook_timeout.as_millis()).unwrap_or(i64::MAX);
    let (lease, key) = (lease.saturating_add(CLAIM_SLACK), place.key.clone());
    let claimed = backend.call(move |engine| {
        match claim(engine.store(), &key, Timestamp::now().as_millisecond(), lease) {
            // Another server has it.
            Err(StoreError::Stale(_)) => Ok(None),
            other => other,
        }
    });
    let claimed = match claimed.await {
        Ok(Some(claimed)) => claimed,
        Ok(None) => return,
        Err(problem) => {
            tracing::warn!(why = problem.detail(), "a webhook could not be claimed; it will be again");
            return;
        }
    };
    let Claimed { delivery, endpoint, endpoint_id, notice } = claimed;
    let id = delivery::public_id(&endpoint_id, delivery.value.notice);
    let timestamp = Timestamp::from_millisecond(notice.at).unwrap_or_default().to_string();
    let message = Message { r#type: notice.kind.code(), timestamp, data: &notice.data };
    let attempt = backend.webhooks.sender.send(&endpoint, &id, &message).await;
    tracing::debug!(id, answer = ?attempt.answer, "a webhook was sent");
    let key = place.key.clone();
    let settled = backend.call(move |engine| settle(engine.store(), &key, delivery, &attempt));
    match settled.await {
        Ok(step) => {
            backend.webhooks.figures.attempt(step);
            if matches!(step, Step::Dead | Step::Gone) {
                tracing::warn!(id, "a webhook was given up");
            }
        }
        // Its claim runs out.
        Err(problem) => {
            tracing::warn!(id, why = problem.detail(), "what came of a webhook could not be written down");
        }
    }
}
