//! The one way in for events: many requests hand over, one thread rates, one completes.
//!
//! Requests come in on the async side and wait here, counted in *events*, so that memory is bounded. The
//! recorder thread joins them to batches and submits each batch once; the completion thread waits until it is
//! durable and answers every request with its own slice of the receipts. So the next batch is rated while the
//! last is being written, and acknowledged means committed. It knows no HTTP, and judges no event.

mod batch;
mod threads;

use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tollgate_core::engine::{Engine, EngineError, Receipt};
use tollgate_core::event::Event;

use crate::config::Config;
use crate::telemetry::Pipeline;
use batch::Waiting;

/// Why events were not recorded. Nothing of them is acknowledged, and sending them again is safe.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RecordError {
    /// More events are waiting than the server takes in.
    #[error("too many events are waiting")]
    Busy,
    /// The recorder takes nothing in any more.
    #[error("the recorder is stopping")]
    Stopping,
    /// The engine or its store failed on the batch that the events were in.
    #[error(transparent)]
    Engine(#[from] Arc<EngineError>),
    /// Rating the batch panicked: a fault in this program.
    #[error("rating panicked")]
    Panicked,
}

/// What a request is answered with: a receipt for each of its events, by position.
type Answer = Result<Vec<Receipt>, RecordError>;

/// When a batch is closed.
#[derive(Clone, Copy, Debug)]
struct Rules {
    events_max: NonZeroUsize,
    wait: Duration,
}

/// Takes events in from any number of requests at once.
#[derive(Debug)]
pub struct Recorder {
    /// Emptied by a shutdown; the threads end once everything sent has been answered.
    queue: Mutex<Option<Sender<Waiting>>>,
    threads: Mutex<Option<JoinHandle<()>>>,
    /// One permit for each event that may wait.
    room: Arc<Semaphore>,
    room_max: u32,
    pipeline: Pipeline,
}

impl Recorder {
    /// Starts the two threads.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(engine: Arc<Engine>, config: &Config, pipeline: Pipeline) -> std::io::Result<Self> {
        let (queue, waiting) = mpsc::channel();
        let rules = Rules { events_max: config.batch_events_max, wait: config.batch_wait };
        let measured = pipeline.clone();
        let threads = thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || threads::run(&engine, &waiting, rules, &measured))?;
        let room_max = config.queue_events.get();
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            threads: Mutex::new(Some(threads)),
            room: Arc::new(Semaphore::new(room_max as usize)),
            room_max,
            pipeline,
        })
    }

    /// Records events in order and returns once they are durable, with a receipt for each by position.
    /// Dropping the future does not take the events back.
    ///
    /// # Errors
    /// [`RecordError::Busy`] at once when too many events are waiting. After any error, sending the events
    /// again is safe.
    pub async fn record(&self, events: Vec<Arc<Event>>) -> Answer {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        // A request larger than the whole queue is let in when it has the queue for itself.
        let count = u32::try_from(events.len()).unwrap_or(u32::MAX).min(self.room_max);
        let room = Arc::clone(&self.room).try_acquire_many_owned(count);
        let Ok(room) = room else {
            self.pipeline.busy();
            return Err(RecordError::Busy);
        };
        let (answer, answered) = oneshot::channel();
        self.pipeline.waiting(count);
        self.hand_over(Waiting { events, answer, room })?;
        answered.await.unwrap_or(Err(RecordError::Panicked))
    }

    /// Whether events are taken in.
    pub fn is_running(&self) -> bool {
        let threads = lock(&self.threads);
        lock(&self.queue).is_some() && threads.as_ref().is_some_and(|threads| !threads.is_finished())
    }

    /// Takes nothing in any more, and returns once everything taken in before has been answered. Blocks: on
    /// an async thread, call it through `spawn_blocking`.
    pub fn shutdown(&self) {
        drop(lock(&self.queue).take());
        if let Some(threads) = lock(&self.threads).take()
            && threads.join().is_err()
        {
            tracing::error!("the recorder's threads panicked");
        }
    }

    fn hand_over(&self, waiting: Waiting) -> Result<(), RecordError> {
        let queue = lock(&self.queue);
        let queue = queue.as_ref().ok_or(RecordError::Stopping)?;
        queue.send(waiting).map_err(|_| RecordError::Stopping)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// Nothing behind these locks can be left half done by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
