//! Joins waiting requests to batches, and hands a batch's answers back to its requests.

use std::sync::mpsc::Receiver;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{Answers, LaneError, Rules, Work};
use crate::body::Room;

/// A request's items on their way in.
pub struct Waiting<W: Work> {
    pub items: Vec<W::Item>,
    pub asker: Asker<W>,
    /// The items' place among those that may wait; given back when they are submitted.
    pub room: OwnedSemaphorePermit,
}

/// Who is to be answered, and what their request holds until then.
pub struct Asker<W: Work> {
    pub answer: oneshot::Sender<Answers<W>>,
    pub body: Option<Room>,
}

/// Requests that are decided together, in the order in which they came.
pub struct Batch<W: Work> {
    pub items: Vec<W::Item>,
    pub requests: Requests<W>,
    room: OwnedSemaphorePermit,
}

/// Who waits for a batch: how many of its items, in order, belong to whom.
pub struct Requests<W: Work>(Vec<(usize, Asker<W>)>);

impl<W: Work> Asker<W> {
    /// Hands over the answers. Who has gone away gets none.
    fn tell(self, answers: Answers<W>) {
        drop(self.answer.send(answers));
        drop(self.body);
    }
}

impl<W: Work> Batch<W> {
    /// The first request and what else comes before the batch is full or has waited long enough.
    pub fn collect(first: Waiting<W>, queue: &Receiver<Waiting<W>>, rules: Rules) -> Self {
        let deadline = Instant::now() + rules.wait;
        let mut batch = Self::of(first);
        while batch.items.len() < rules.batch_max.get() {
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

    fn of(first: Waiting<W>) -> Self {
        let Waiting { items, asker, room } = first;
        let requests = Requests(vec![(items.len(), asker)]);
        Self { items, requests, room }
    }

    fn add(&mut self, waiting: Waiting<W>) {
        self.requests.0.push((waiting.items.len(), waiting.asker));
        self.items.extend(waiting.items);
        self.room.merge(waiting.room);
    }

    /// Gives the items' place in the queue back; how many places it was.
    pub fn leave_queue(self) -> (Requests<W>, usize) {
        (self.requests, self.room.num_permits())
    }
}

impl<W: Work> Requests<W> {
    /// Hands each request its answers, or all of them the failure.
    pub fn answer(self, answers: Answers<W>) {
        match answers {
            Ok(answers) => self.hand_out(answers),
            Err(error) => self.fail(&error),
        }
    }

    fn hand_out(self, answers: Vec<W::Answer>) {
        let mut answers = answers.into_iter();
        for (count, asker) in self.0 {
            let own: Vec<W::Answer> = answers.by_ref().take(count).collect();
            // One too few would put every later one in the wrong place.
            let own = if own.len() == count { Ok(own) } else { Err(LaneError::Panicked) };
            asker.tell(own);
        }
    }

    fn fail(self, error: &LaneError) {
        for (_, asker) in self.0 {
            asker.tell(Err(error.clone()));
        }
    }
}
