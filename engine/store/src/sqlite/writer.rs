//! The writer: one thread that owns the writing connection, fed by a bounded queue.
//!
//! What waits is written in groups, one transaction each. A group begins trusting that every commit holds; when
//! one does not, and has changed something before that was found out, the group starts again with each commit in
//! a savepoint of its own (which costs a copy of every page it touches). So a stale commit leaves its neighbours
//! alone, and one that was rated from it turns stale by its own conditions. Answers are given only after COMMIT has returned. When a transaction is lost before that, all of its
//! group fail and the next group starts afresh. When COMMIT itself fails in a way that leaves its outcome
//! unknown (a failed fsync may or may not have reached the disk), the writer refuses everything from then
//! on: open the store again, and what the file holds then decides.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tollgate_core::store::{Commit, StoreError, StoreHealth, Ticket, WriteTrouble};

use super::checkpointer::Checkpointer;
use super::health::Writing;
use super::names::Names;
use super::open::Options;
use super::trouble::Trouble;
use super::work::Work;

type Answer = Result<(), StoreError>;

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
    writing: Arc<Writing>,
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
    /// Starts the thread, which writes over one connection while another copies the log beside it.
    ///
    /// # Errors
    /// When the system gives it no thread.
    pub fn start(db: Connection, beside: Connection, options: &Options) -> std::io::Result<Self> {
        let checkpointer = Checkpointer::start(beside, options.checkpoint_pages)?;
        let (queue, jobs) = sync_channel(options.queue_commits);
        let waiting_events = Arc::new(AtomicUsize::new(0));
        let writing = Arc::new(Writing::default());
        let thread = WriterThread {
            db,
            names: Names::default(),
            jobs,
            waiting_events: Arc::clone(&waiting_events),
            group_events: options.group_events,
            group_time: options.group_time,
            checkpointer,
            writing: Arc::clone(&writing),
            trouble: None,
            poisoned: None,
        };
        let thread =
            std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || thread.run())?;
        let queue_events = options.queue_events;
        Ok(Self { queue: Some(queue), waiting_events, queue_events, writing, thread: Some(thread) })
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

    /// Queues work, waiting for room, and waits for it to be durable.
    pub fn write(&self, work: Work) -> Answer {
        let (answer, pending) = channel();
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.send(Job { work, events: 0, answer }).map_err(|_| stopped())?;
        Box::new(Pending(pending)).wait()
    }

    /// How writing goes. Where it does not, and may again, it is tried after what waits already.
    pub fn health(&self, path: &Path) -> StoreHealth {
        let (health, again) = self.writing.look(path);
        if again {
            let (answer, _) = channel();
            let trial = Job { work: Work::Trial, events: 0, answer };
            // A full queue is tried as it is.
            if self.queue.as_ref().is_none_or(|queue| queue.try_send(trial).is_err()) {
                self.writing.tried();
            }
        }
        health
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
    checkpointer: Checkpointer,
    writing: Arc<Writing>,
    /// What went wrong with the file since the last group.
    trouble: Option<StoreError>,
    /// Why nothing more is written.
    poisoned: Option<StoreError>,
}

/// Jobs that share a transaction.
#[derive(Default)]
struct Group {
    /// What was applied, and how that went.
    jobs: Vec<(Job, Answer)>,
    /// Why the transaction is gone, if it is.
    lost: Option<StoreError>,
    /// Each job has a savepoint.
    guarded: bool,
}

impl WriterThread {
    fn run(mut self) {
        while let Ok(first) = self.jobs.recv() {
            let mut group = self.write_group(first);
            if group.lost.is_none() {
                group.lost = self.commit();
            }
            self.tell(&group);
            self.answer(group);
            self.checkpointer.after_group(&self.db);
        }
    }

    /// Applies the first job and what else waits, within limits, in one transaction.
    fn write_group(&mut self, first: Job) -> Group {
        let start = Instant::now();
        let mut group = Group { lost: self.begin(), ..Group::default() };
        let mut events = 0_usize;
        let mut next = Some(first);
        while let Some(job) = next {
            self.waiting_events.fetch_sub(job.events, Ordering::Relaxed);
            events = events.saturating_add(job.events);
            self.add(&mut group, job);
            let more =
                group.lost.is_none() && events < self.group_events && start.elapsed() < self.group_time;
            next = if more { self.jobs.try_recv().ok() } else { None };
        }
        group
    }

    /// Applies one more job of the group; when it fails unguarded, and not before it has changed anything, starts
    /// the group again, guarded.
    fn add(&mut self, group: &mut Group, job: Job) {
        let changes = self.db.total_changes();
        let answer = match &group.lost {
            Some(reason) => Err(reason.clone()),
            None if group.guarded => self.apply_guarded(&job.work),
            None => self.apply(&job.work),
        };
        let left_alone = self.db.total_changes() == changes && !self.db.is_autocommit();
        let again = answer.is_err() && !left_alone && !group.guarded && group.lost.is_none();
        if !again && group.lost.is_none() && self.db.is_autocommit() {
            group.lost = answer.clone().err();
        }
        group.jobs.push((job, answer));
        if again {
            self.trouble = None;
            self.names.forget_since(0);
            // SQLite may have rolled back by itself, and then says that there is nothing to roll back.
            let _ = self.execute("ROLLBACK");
            let lost = self.begin();
            let jobs = std::mem::take(&mut group.jobs);
            *group = Group { lost, guarded: true, ..Group::default() };
            for (job, _) in jobs {
                self.add(group, job);
            }
        }
    }

    /// Begins a transaction that may write; gives back why it cannot.
    fn begin(&mut self) -> Option<StoreError> {
        if self.poisoned.is_some() {
            return self.poisoned.clone();
        }
        let begun = self.execute("BEGIN IMMEDIATE");
        self.noted(begun).err()
    }

    /// Applies one job in a savepoint, or nothing of it.
    fn apply_guarded(&mut self, work: &Work) -> Answer {
        let mark = self.names.mark();
        let begun = self.execute("SAVEPOINT job");
        let applied = self.noted(begun).and_then(|()| self.apply(work));
        if applied.is_err() {
            self.names.forget_since(mark);
            // When SQLite has rolled back the whole transaction, the caller sees that it is gone.
            let _ = self.execute("ROLLBACK TO job");
        }
        // The cause of a failure matters more than what is said of the savepoint after it.
        let released = self.execute("RELEASE job");
        applied.and(self.noted(released))
    }

    fn apply(&mut self, work: &Work) -> Answer {
        let applied = work.apply(&self.db, &mut self.names);
        self.noted(applied)
    }

    /// Keeps in mind what is wrong with the file.
    fn noted(&mut self, done: Result<(), Trouble>) -> Answer {
        done.map_err(|trouble| {
            let is_of_the_file = trouble.is_of_the_file();
            let error = StoreError::from(trouble);
            if is_of_the_file {
                self.trouble = Some(error.clone());
            }
            error
        })
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
            return Some(StoreError::OutcomeUnknown(reason.to_string()));
        }
        Some(reason)
    }

    /// Tells how the group went, before anybody learns it from an answer.
    fn tell(&mut self, group: &Group) {
        let trouble = self.trouble.take();
        let failure = group.lost.clone().or(trouble);
        match (&self.poisoned, failure) {
            (Some(poison), _) => self.writing.failed(WriteTrouble::Final(poison.to_string())),
            (None, Some(error)) => self.writing.failed(WriteTrouble::Passing(error.to_string())),
            (None, None) if group.jobs.iter().any(|(_, answer)| answer.is_ok()) => self.writing.succeeded(),
            (None, None) => {}
        }
        if group.jobs.iter().any(|(job, _)| matches!(job.work, Work::Trial)) {
            self.writing.tried();
        }
    }

    /// Answers a group whose fate is known.
    fn answer(&mut self, group: Group) {
        if group.lost.is_some() {
            self.names.forget_since(0);
        }
        for (job, answer) in group.jobs {
            let answer = match &group.lost {
                Some(reason) => answer.and(Err(reason.clone())),
                None => answer,
            };
            // Nobody waits for a ticket that was dropped.
            let _ = job.answer.send(answer);
        }
    }

    fn execute(&self, sql: &str) -> Result<(), Trouble> {
        self.db.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}
