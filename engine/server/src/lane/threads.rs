//! The two threads: one decides batch after batch, one waits for each to be durable and answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use tollgate_core::engine::EngineError;
use tollgate_core::store::StoreError;

use super::batch::{Batch, Requests, Waiting};
use super::{LaneError, Rules, Work};
use crate::telemetry::LaneFigures;

/// Batches that are decided and not yet durable, beside the one being waited for. More would only make
/// answers later: the store writes what waits in one group anyway.
const IN_FLIGHT_MAX: usize = 4;
/// How far a lane stands back; see nice(2).
#[cfg(target_os = "linux")]
const NICE: i32 = 5;
/// How long a full store is left alone when none of its commits is this server's.
const FULL_PAUSE: Duration = Duration::from_millis(5);

/// A batch that is being written.
struct InFlight<'w, W: Work> {
    pending: W::Pending<'w>,
    requests: Requests<W>,
    submitted: Instant,
}

/// Runs until no one can hand anything over and all that was handed over has been answered.
pub fn run<W: Work>(work: &W, queue: &Receiver<Waiting<W>>, rules: Rules, figures: &LaneFigures) {
    let (in_flight, written) = mpsc::sync_channel(IN_FLIGHT_MAX);
    if W::STANDS_BACK {
        stand_back();
    }
    // Only says "one has landed since you last looked", so one place is enough.
    let (landed, landing) = mpsc::sync_channel(1);
    thread::scope(|scope| {
        scope.spawn(move || complete(work, &written, &landed, figures));
        let decider = Decider { work, landing, figures };
        while let Ok(first) = queue.recv() {
            decider.decide(Batch::collect(first, queue, rules), &in_flight);
        }
        drop(in_flight);
    });
}

/// Lets whoever waits for an answer now (a quote, an authorisation) go before a batch that is being rated,
/// where there are fewer cores than work. On Linux a thread has a priority of its own.
fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "this runs at the priority of requests");
    }
}

struct Decider<'w, W> {
    work: &'w W,
    landing: Receiver<()>,
    figures: &'w LaneFigures,
}

impl<'w, W: Work> Decider<'w, W> {
    fn decide(&self, batch: Batch<W>, in_flight: &SyncSender<InFlight<'w, W>>) {
        let submitted = self.submit(&batch);
        let items = batch.items.len();
        let (requests, places) = batch.leave_queue();
        self.figures.left_queue(places, items);
        match submitted {
            Ok(pending) => {
                let batch = InFlight { pending, requests, submitted: Instant::now() };
                // The completing thread outlives this one; should it be gone, the requests learn it from
                // their answers being dropped.
                drop(in_flight.send(batch));
            }
            Err(error) => requests.answer(Err(error)),
        }
    }

    fn submit(&self, batch: &Batch<W>) -> Result<W::Pending<'w>, LaneError> {
        loop {
            let started = Instant::now();
            let submitted = guarded(|| self.work.submit(&batch.items));
            match submitted {
                Err(LaneError::Engine(error)) if is_full(&error) => self.wait_for_a_landing(),
                submitted => {
                    self.figures.decided(started.elapsed());
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

fn complete<W: Work>(
    work: &W,
    written: &Receiver<InFlight<'_, W>>,
    landed: &SyncSender<()>,
    figures: &LaneFigures,
) {
    for InFlight { pending, requests, submitted } in written {
        let answers = guarded(|| work.wait(pending));
        match &answers {
            Ok(answers) => {
                figures.committed(submitted.elapsed());
                work.count(answers);
            }
            Err(error) => tracing::error!(%error, "a batch was not kept"),
        }
        requests.answer(answers);
        // Full means that it already says so.
        let _ = landed.try_send(());
    }
}

/// A panic fails one batch, not the server: the engine's own state survives one (see `Engine`).
fn guarded<T>(work: impl FnOnce() -> Result<T, EngineError>) -> Result<T, LaneError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| LaneError::Engine(Arc::new(error))),
        Err(_) => Err(LaneError::Panicked),
    }
}

fn is_full(error: &EngineError) -> bool {
    matches!(error, EngineError::Store(StoreError::Full))
}
