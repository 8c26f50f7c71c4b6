//! The two threads: one rates batch after batch, one waits for each to be durable and answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use tollgate_core::engine::{Engine, EngineError, Pending};
use tollgate_core::store::StoreError;

use super::batch::{Batch, Requests, Waiting};
use super::{RecordError, Rules};
use crate::telemetry::Pipeline;

/// Batches that are rated and not yet durable, beside the one being waited for. More would only make
/// answers later: the store writes what waits in one group anyway.
const IN_FLIGHT_MAX: usize = 4;
/// How far the recorder stands back; see nice(2).
#[cfg(target_os = "linux")]
const NICE: i32 = 5;
/// How long a full store is left alone when none of its commits is this server's.
const FULL_PAUSE: Duration = Duration::from_millis(5);

/// A batch that is being written.
struct InFlight<'e> {
    pending: Pending<'e>,
    requests: Requests,
    submitted: Instant,
}

/// Runs until no one can hand anything over and all that was handed over has been answered.
pub fn run(engine: &Engine, queue: &Receiver<Waiting>, rules: Rules, pipeline: &Pipeline) {
    let (in_flight, written) = mpsc::sync_channel(IN_FLIGHT_MAX);
    stand_back();
    // Only says "one has landed since you last looked", so one place is enough.
    let (landed, landing) = mpsc::sync_channel(1);
    thread::scope(|scope| {
        scope.spawn(move || complete(&written, &landed, pipeline));
        let rater = Rater { engine, landing, pipeline };
        while let Ok(first) = queue.recv() {
            rater.rate(Batch::collect(first, queue, rules), &in_flight);
        }
        drop(in_flight);
    });
}

/// Lets whoever waits for an answer now (a quote, an authorisation) go before a batch that is being rated,
/// where there are fewer cores than work. On Linux a thread has a priority of its own.
fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "the recorder runs at the priority of requests");
    }
}

struct Rater<'e, 'p> {
    engine: &'e Engine,
    landing: Receiver<()>,
    pipeline: &'p Pipeline,
}

impl<'e> Rater<'e, '_> {
    fn rate(&self, batch: Batch, in_flight: &SyncSender<InFlight<'e>>) {
        let submitted = self.submit(&batch);
        let events = batch.events.len();
        let (requests, places) = batch.leave_queue();
        self.pipeline.left_queue(places, events);
        match submitted {
            Ok(pending) => {
                let batch = InFlight { pending, requests, submitted: Instant::now() };
                // The completion thread outlives this one; should it be gone, the requests learn it from
                // their answers being dropped.
                drop(in_flight.send(batch));
            }
            Err(error) => requests.answer(Err(error)),
        }
    }

    fn submit(&self, batch: &Batch) -> Result<Pending<'e>, RecordError> {
        loop {
            let started = Instant::now();
            let submitted = guarded(|| self.engine.submit(&batch.events));
            match submitted {
                Err(RecordError::Engine(error)) if is_full(&error) => self.wait_for_a_landing(),
                submitted => {
                    self.pipeline.rated(started.elapsed());
                    return submitted;
                }
            }
        }
    }

    /// Waits until something in flight is durable, or, when the store is filled by others, a moment.
    fn wait_for_a_landing(&self) {
        let _ = self.landing.recv_timeout(FULL_PAUSE);
    }
}

fn complete(written: &Receiver<InFlight<'_>>, landed: &SyncSender<()>, pipeline: &Pipeline) {
    for InFlight { pending, requests, submitted } in written {
        let answer = guarded(|| pending.wait());
        pipeline.committed(submitted.elapsed());
        match &answer {
            Ok(receipts) => pipeline.count(receipts),
            Err(error) => tracing::error!(%error, "a batch was not recorded"),
        }
        requests.answer(answer);
        // Full means that it already says so.
        let _ = landed.try_send(());
    }
}

/// A panic fails one batch, not the server: the engine's own state survives one (see `Engine`).
fn guarded<T>(work: impl FnOnce() -> Result<T, EngineError>) -> Result<T, RecordError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| RecordError::Engine(Arc::new(error))),
        Err(_) => Err(RecordError::Panicked),
    }
}

fn is_full(error: &EngineError) -> bool {
    matches!(error, EngineError::Store(StoreError::Full))
}
