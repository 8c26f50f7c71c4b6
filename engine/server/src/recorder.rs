//! The one way in for events: they are rated and recorded in batches.

use std::sync::Arc;

use tollgate_core::engine::{Engine, EngineError, Pending, Receipt};
use tollgate_core::event::Event;

use crate::body::Room;
use crate::config::Config;
use crate::lane::{Lane, LaneError, Rules, Work};
use crate::telemetry::Pipeline;

/// Takes events in from any number of requests at once.
pub type Recorder = Lane<Recording>;

/// Rates events and records them.
pub struct Recording {
    engine: Arc<Engine>,
    pipeline: Pipeline,
}

impl Work for Recording {
    type Item = Arc<Event>;
    type Answer = Receipt;
    type Pending<'w> = Pending<'w>;
    const STANDS_BACK: bool = true;

    fn submit(&self, events: &[Arc<Event>]) -> Result<Pending<'_>, EngineError> {
        self.engine.submit(events)
    }

    fn wait(&self, pending: Pending<'_>) -> Result<Vec<Receipt>, EngineError> {
        pending.wait()
    }

    fn count(&self, receipts: &[Receipt]) {
        self.pipeline.count(receipts);
    }
}

impl Recorder {
    /// Starts recording.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(engine: Arc<Engine>, config: &Config, pipeline: Pipeline) -> std::io::Result<Self> {
        let rules = Rules {
            queue_max: config.queue_events,
            batch_max: config.batch_events_max,
            wait: config.batch_wait,
        };
        let figures = pipeline.figures().clone();
        Self::open("recorder", Recording { engine, pipeline }, rules, figures)
    }

    /// Records events in order and returns once they are durable, with a receipt for each by position. The
    /// room that they hold among all bodies is given back then.
    ///
    /// # Errors
    /// As [`Lane::ask`].
    pub async fn record(
        &self,
        events: Vec<Arc<Event>>,
        room: Option<Room>,
    ) -> Result<Vec<Receipt>, LaneError> {
        self.ask(events, room).await
    }
}
