//! A way in to the engine for many requests at once: they hand over, one thread decides, one completes.
//!
//! Requests come in on the async side and wait here, counted in *items* (events, say), so that memory is bounded;
//! what they hold of the room for bodies they hold until they are answered, given up by their client or not.
//! The deciding thread joins them to batches and submits each batch once; the completing thread waits until it
//! is durable and answers every request with its own slice of the answers. So the next batch is decided while
//! the last is being written, and acknowledged means committed. It knows no HTTP, and judges nothing.

mod batch;
mod threads;

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tollgate_core::engine::EngineError;

use crate::body::Room;
use crate::telemetry::LaneFigures;
use batch::{Asker, Waiting};

/// What a lane does with what is handed over.
pub trait Work: Send + Sync + 'static {
    /// What requests hand over, one or more at a time.
    type Item: Send + 'static;
    /// What is answered to one item.
    type Answer: Send + 'static;
    /// A batch that is being written.
    type Pending<'w>: Send;
    /// Whether others go first where there are fewer cores than work.
    const STANDS_BACK: bool;

    /// Decides a batch in order, and hands it over to be written.
    ///
    /// # Errors
    /// When the store fails or has too much waiting; then nothing of the batch is kept.
    fn submit(&self, items: &[Self::Item]) -> Result<Self::Pending<'_>, EngineError>;

    /// Waits until a batch is durable; an answer for each item, by position.
    ///
    /// # Errors
    /// When the store fails; then nothing of the batch is kept, or that is not known.
    fn wait(&self, pending: Self::Pending<'_>) -> Result<Vec<Self::Answer>, EngineError>;

    /// Counts what was answered.
    fn count(&self, answers: &[Self::Answer]);
}

/// Why there is no answer. Nothing is acknowledged, and asking again is safe.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LaneError {
    /// More is waiting than the server takes in.
    #[error("too much is waiting")]
    Busy,
    /// Nothing is taken in any more.
    #[error("the server is stopping")]
    Stopping,
    /// The engine or its store failed on the batch that this was in.
    #[error(transparent)]
    Engine(#[from] Arc<EngineError>),
    /// Deciding the batch panicked: a fault in this program.
    #[error("deciding panicked")]
    Panicked,
}

/// What a request is answered with: something for each of its items, by position.
type Answers<W> = Result<Vec<<W as Work>::Answer>, LaneError>;

/// How much is taken in, and when a batch is closed.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// So many items may wait.
    pub queue_max: NonZeroU32,
    /// So many items make a batch.
    pub batch_max: NonZeroUsize,
    /// For so long a batch waits for more.
    pub wait: Duration,
}

/// Takes work in from any number of requests at once.
pub struct Lane<W: Work> {
    /// Emptied by a shutdown; the threads end once everything sent has been answered.
    queue: Mutex<Option<Sender<Waiting<W>>>>,
    threads: Mutex<Option<JoinHandle<()>>>,
    /// One permit for each item that may wait.
    room: Arc<Semaphore>,
    room_max: NonZeroU32,
    figures: LaneFigures,
}

impl<W: Work> std::fmt::Debug for Lane<W> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Lane").field("room", &self.room).finish_non_exhaustive()
    }
}

impl<W: Work> Lane<W> {
    /// Starts the two threads, of this name.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn open(name: &str, work: W, rules: Rules, figures: LaneFigures) -> std::io::Result<Self> {
        let (queue, waiting) = mpsc::channel();
        let measured = figures.clone();
        let threads = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || threads::run(&work, &waiting, rules, &measured))?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            threads: Mutex::new(Some(threads)),
            room: Arc::new(Semaphore::new(rules.queue_max.get() as usize)),
            room_max: rules.queue_max,
            figures,
        })
    }

    /// Hands items over in order and returns once what was decided about them is durable, with an answer for
    /// each by position. Dropping the future does not take them back. `body` is given back with the answer.
    ///
    /// # Errors
    /// [`LaneError::Busy`] at once when too much is waiting. After any error, asking again is safe.
    pub async fn ask(&self, items: Vec<W::Item>, body: Option<Room>) -> Answers<W> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        // A request larger than the whole queue is let in when it has the queue for itself.
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX).min(self.room_max.get());
        let room = Arc::clone(&self.room).try_acquire_many_owned(count);
        let Ok(room) = room else {
            self.figures.busy();
            return Err(LaneError::Busy);
        };
        let (answer, answered) = oneshot::channel();
        self.figures.waiting(count);
        self.hand_over(Waiting { items, asker: Asker { answer, body }, room })?;
        answered.await.unwrap_or(Err(LaneError::Panicked))
    }

    /// Whether anything is taken in.
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
            tracing::error!("the threads of a lane panicked");
        }
    }

    fn hand_over(&self, waiting: Waiting<W>) -> Result<(), LaneError> {
        let queue = lock(&self.queue);
        let queue = queue.as_ref().ok_or(LaneError::Stopping)?;
        queue.send(waiting).map_err(|_| LaneError::Stopping)
    }
}

impl<W: Work> Drop for Lane<W> {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// Nothing behind these locks can be left half done by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
