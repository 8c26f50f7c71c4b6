//! The writer: one thread that owns the writing connection, fed by a bounded queue.
//!
//! What waits is written in groups, one transaction each, every commit in a savepoint of its own: a stale
//! commit leaves its neighbours alone, and one that was rated from it turns stale by its own conditions.
//! Answers are given only after COMMIT has returned. When a transaction is lost before that, all of its
//! group fail and the next group starts afresh. When COMMIT itself fails in a way that leaves its outcome
//! unknown (a failed fsync may or may not have reached the disk), the writer refuses everything from then
//! on: open the store again, and what the file holds then decides.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tollgate_core::store::{Commit, StoreError, Ticket};

use super::apply;
use super::names::Names;
use super::open::Options;
use super::trouble::Trouble;

type Answer = Result<(), StoreError>;

/// Something to be written.
enum Work {
    Commit(Box<Commit>),
    Define(Vec<String>),
    KeepPlugin { digest: String, component: Vec<u8> },
}

struct Job {
    work: Work,
    events: usize,
    answer: Sender<Answer>,
}

/// The near end of the queue. Dropping it writes what waits, then ends the thread.
#[derive(Debug)]
pub struct Writer {
    /// `None` only while it is dropped.
    queue: Option<SyncSender<Job>>,
    waiting_events: Arc<AtomicUsize>,
    queue_events: usize,
    thread: Option<JoinHandle<()>>,
}

/// Resolves when the commit's group is durable.
struct Pending(Receiver<Answer>);

impl Ticket for Pending {
    fn wait(self: Box<Self>) -> Result<(), StoreError> {
        self.0.recv().unwrap_or_else(|_| Err(stopped()))
    }
}

fn stopped() -> StoreError {
    StoreError::Failed("the writer has stopped".to_owned())
}

impl Writer {
    /// Starts the thread.
    pub fn start(db: Connection, options: &Options) -> Self {
        let (queue, jobs) = sync_channel(options.queue_commits);
        let waiting_events = Arc::new(AtomicUsize::new(0));
        let thread = WriterThread {
            db,
            names: Names::default(),
            jobs,
            waiting_events: Arc::clone(&waiting_events),
            group_events: options.group_events,
            group_time: options.group_time,
            checkpoint_pages: i64::from(options.checkpoint_pages),
            poisoned: None,
        };
        let thread = std::thread::spawn(move || thread.run());
        Self { queue: Some(queue), waiting_events, queue_events: options.queue_events, thread: Some(thread) }
    }

    /// Queues a commit, or refuses at once when too much waits.
    pub fn submit(&self, commit: Commit) -> Result<Box<dyn Ticket>, StoreError> {
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        let events = commit.events.len();
        let waiting = self.waiting_events.fetch_add(events, Ordering::Relaxed);
        let (answer, pending) = channel();
        let sent = if waiting > 0 && waiting.saturating_add(events) > self.queue_events {
            Err(StoreError::Full)
        } else {
            let job = Job { work: Work::Commit(Box::new(commit)), events, answer };
            queue.try_send(job).map_err(|error| match error {
                TrySendError::Full(_) => StoreError::Full,
                TrySendError::Disconnected(_) => stopped(),
            })
        };
        if sent.is_err() {
            self.waiting_events.fetch_sub(events, Ordering::Relaxed);
        }
        sent.map(|()| Box::new(Pending(pending)) as Box<dyn Ticket>)
    }

    /// Appends definitions, as JSON, and waits for it.
    pub fn define(&self, definitions: Vec<String>) -> Answer {
        self.write(Work::Define(definitions))
    }

    /// Keeps a plugin, and waits for it.
    pub fn keep_plugin(&self, digest: String, component: Vec<u8>) -> Answer {
        self.write(Work::KeepPlugin { digest, component })
    }

    /// Queues work, waiting for room, and waits for it to be durable.
    fn write(&self, work: Work) -> Answer {
        let (answer, pending) = channel();
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.send(Job { work, events: 0, answer }).map_err(|_| stopped())?;
        Box::new(Pending(pending)).wait()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed, and every ticket has said that the writer stopped.
            let _ = thread.join();
        }
    }
}

struct WriterThread {
    db: Connection,
    names: Names,
    jobs: Receiver<Job>,
    waiting_events: Arc<AtomicUsize>,
    group_events: usize,
    group_time: Duration,
    checkpoint_pages: i64,
    /// Why nothing more is written.
    poisoned: Option<StoreError>,
}

/// A group's jobs as they were answered inside the transaction.
struct Group {
    answers: Vec<(Sender<Answer>, Answer)>,
    /// Why the transaction is gone, if it is.
    lost: Option<StoreError>,
}

impl WriterThread {
    fn run(mut self) {
        while let Ok(first) = self.jobs.recv() {
            let mut group = self.write_group(first);
            if group.lost.is_none() {
                group.lost = self.commit();
            }
            self.answer(group);
            self.checkpoint();
        }
    }

    /// Applies the first job and what else waits, within limits, in one transaction.
    fn write_group(&mut self, first: Job) -> Group {
        let start = Instant::now();
        let mut group = Group { answers: Vec::new(), lost: self.begin() };
        let mut events = 0_usize;
        let mut next = Some(first);
        while let Some(job) = next {
            self.waiting_events.fetch_sub(job.events, Ordering::Relaxed);
            events = events.saturating_add(job.events);
            let answer = if group.lost.is_none() { self.apply(&job.work) } else { Ok(()) };
            group.answers.push((job.answer, answer));
            if self.db.is_autocommit() && group.lost.is_none() {
                let cause = group.answers.last().and_then(|(_, answer)| answer.clone().err());
                group.lost = Some(cause.unwrap_or_else(stopped));
            }
            let more =
                group.lost.is_none() && events < self.group_events && start.elapsed() < self.group_time;
            next = if more { self.jobs.try_recv().ok() } else { None };
        }
        group
    }

    /// Begins a transaction that may write; gives back why it cannot.
    fn begin(&mut self) -> Option<StoreError> {
        if self.poisoned.is_some() {
            return self.poisoned.clone();
        }
        self.execute("BEGIN IMMEDIATE").err().map(StoreError::from)
    }

    /// Applies one job in a savepoint, or nothing of it.
    fn apply(&mut self, work: &Work) -> Answer {
        let mark = self.names.mark();
        let applied = self.execute("SAVEPOINT job").and_then(|()| self.apply_work(work));
        let settled = match applied {
            Ok(()) => self.execute("RELEASE job"),
            // The cause matters, not whether a transaction that may be gone could still be rolled back.
            Err(cause) => {
                self.execute("ROLLBACK TO job").and_then(|()| self.execute("RELEASE job")).and(Err(cause))
            }
        };
        if settled.is_err() {
            self.names.forget_since(mark);
        }
        settled.map_err(StoreError::from)
    }

    fn apply_work(&mut self, work: &Work) -> Result<(), Trouble> {
        match work {
            Work::Commit(commit) => apply::apply(&self.db, &mut self.names, commit),
            Work::Define(definitions) => {
                let mut insert =
                    self.db.prepare_cached("INSERT INTO definitions (definition) VALUES (?1)")?;
                for definition in definitions {
                    insert.execute([definition])?;
                }
                Ok(())
            }
            Work::KeepPlugin { digest, component } => {
                let mut insert = self.db.prepare_cached(
                    "INSERT INTO plugins (digest, component) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                )?;
                insert.execute(rusqlite::params![digest, component])?;
                Ok(())
            }
        }
    }

    /// Makes the group durable; gives back why it is not.
    fn commit(&mut self) -> Option<StoreError> {
        let Err(error) = self.db.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])) else {
            self.names.saved();
            return None;
        };
        let rolled_back = self.db.is_autocommit() || self.execute("ROLLBACK").is_ok();
        let decided =
            matches!(error.sqlite_error_code(), Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy));
        let reason = StoreError::from(Trouble::from(error));
        if !(rolled_back && decided) {
            let poison = format!("a commit's outcome is unknown, open the store again: {reason}");
            self.poisoned = Some(StoreError::Failed(poison));
        }
        Some(reason)
    }

    /// Answers a group whose fate is known.
    fn answer(&mut self, group: Group) {
        if group.lost.is_some() {
            self.names.forget_since(0);
        }
        for (sender, answer) in group.answers {
            let answer = match &group.lost {
                Some(reason) => answer.and(Err(reason.clone())),
                None => answer,
            };
            // Nobody waits for a ticket that was dropped.
            let _ = sender.send(answer);
        }
    }

    /// Copies the write-ahead log into the database once enough of it waits, between groups.
    fn checkpoint(&self) {
        let pages = |pragma: &str| {
            self.db.query_row(pragma, [], |row| {
                let (log, copied): (i64, i64) = (row.get(1)?, row.get(2)?);
                Ok(log.saturating_sub(copied))
            })
        };
        if pages("PRAGMA wal_checkpoint(NOOP)").is_ok_and(|waiting| waiting >= self.checkpoint_pages) {
            // A checkpoint that fails changes nothing: the log keeps what it holds, and the next one tries again.
            let _ = pages("PRAGMA wal_checkpoint(PASSIVE)");
        }
    }

    fn execute(&self, sql: &str) -> Result<(), Trouble> {
        self.db.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}
