//! Joins waiting requests to batches, and hands a batch's receipts back to its requests.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tollgate_core::engine::Receipt;
use tollgate_core::event::Event;

use super::{Answer, RecordError, Rules};

/// A request's events on their way in.
#[derive(Debug)]
pub struct Waiting {
    pub events: Vec<Arc<Event>>,
    pub answer: oneshot::Sender<Answer>,
    /// The events' place among those that may wait; given back when they are submitted.
    pub room: OwnedSemaphorePermit,
}

/// Requests that are rated together, in the order in which they came.
pub struct Batch {
    pub events: Vec<Arc<Event>>,
    pub requests: Requests,
    room: OwnedSemaphorePermit,
}

/// Who waits for a batch: how many of its events, in order, belong to whom.
pub struct Requests(Vec<(usize, oneshot::Sender<Answer>)>);

impl Batch {
    /// The first request and what else comes before the batch is full or has waited long enough.
    pub fn collect(first: Waiting, queue: &Receiver<Waiting>, rules: Rules) -> Self {
        let deadline = Instant::now() + rules.wait;
        let mut batch = Self::of(first);
        while batch.events.len() < rules.events_max.get() {
            let next = queue.try_recv().or_else(|_| {
                let left = deadline.saturating_duration_since(Instant::now());
                queue.recv_timeout(left)
            });
            match next {
                Ok(waiting) => batch.add(waiting),
                Err(_) => break,
            }
        }
        batch
    }

    fn of(first: Waiting) -> Self {
        let Waiting { events, answer, room } = first;
        let requests = Requests(vec![(events.len(), answer)]);
        Self { events, requests, room }
    }

    fn add(&mut self, waiting: Waiting) {
        self.requests.0.push((waiting.events.len(), waiting.answer));
        self.events.extend(waiting.events);
        self.room.merge(waiting.room);
    }

    /// Gives the events' place in the queue back; how many places it was.
    pub fn leave_queue(self) -> (Requests, usize) {
        (self.requests, self.room.num_permits())
    }
}

impl Requests {
    /// Hands each request its receipts, or all of them the failure. Who has gone away gets none.
    pub fn answer(self, answer: Answer) {
        match answer {
            Ok(receipts) => self.hand_out(receipts),
            Err(error) => self.fail(&error),
        }
    }

    fn hand_out(self, receipts: Vec<Receipt>) {
        let mut receipts = receipts.into_iter();
        for (count, answer) in self.0 {
            let own: Vec<Receipt> = receipts.by_ref().take(count).collect();
            // A receipt too few would put every later one in the wrong place.
            let own = if own.len() == count { Ok(own) } else { Err(RecordError::Panicked) };
            drop(answer.send(own));
        }
    }

    fn fail(self, error: &RecordError) {
        for (_, answer) in self.0 {
            drop(answer.send(Err(error.clone())));
        }
    }
}
