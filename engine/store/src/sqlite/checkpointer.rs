//! Copies the write-ahead log into the database: nearly all of it beside the writer, the last few pages by it.
//!
//! A copy may run while commits are being appended to the log, so the writer need not wait for it; but the
//! log starts over only from a moment at which all of it has been copied, and beside a busy writer that
//! moment never comes. So a thread with a connection of its own copies what it finds, and once little is
//! left the writer itself copies the rest, between two groups.
//!
//! Both make somebody wait: a commit that falls into a copy waits for the disk behind it, and one that comes
//! while the writer copies waits for the writer. So copies are small and many: when they were sixteen times as large,
//! the slowest hundredth of authorisations took half as long again, and nothing else went faster.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

/// The thread begins when as many pages wait, as a part of the log's pages: one in so many.
const COPY_PART: i64 = 64;
/// What the writer copies itself, likewise.
const REST_PART: i64 = 256;
/// And of the pages by which the log is too long, one in so many besides: it starts over under any load.
const OVERDUE_PART: i64 = 16;

/// Decides who copies what, and when.
#[derive(Debug)]
pub struct Checkpointer {
    /// Pages after which the log is to start over.
    log_pages: i64,
    /// `None` only while it is dropped.
    wake: Option<SyncSender<()>>,
    copying: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// How long the log is, and how much of it has not been copied, in pages.
struct Log {
    pages: i64,
    waiting: i64,
}

impl Checkpointer {
    /// Starts the thread, which copies over a connection of its own.
    ///
    /// # Errors
    /// When the system gives it no thread.
    pub fn start(connection: Connection, log_pages: u32) -> std::io::Result<Self> {
        let (wake, woken) = sync_channel(1);
        let copying = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&copying);
        let thread = std::thread::Builder::new()
            .name("store-checkpointer".to_owned())
            .spawn(move || copy_when_woken(&connection, &woken, &flag))?;
        Ok(Self { log_pages: i64::from(log_pages), wake: Some(wake), copying, thread: Some(thread) })
    }

    /// Called by the writer, over its own connection, between two groups.
    pub fn after_group(&self, writer: &Connection) {
        // Asked while the thread copies, SQLite would only say that it is busy.
        if self.copying.load(Ordering::Acquire) {
            return;
        }
        let Ok(log) = checkpoint(writer, "NOOP") else { return };
        let overdue = log.pages.saturating_sub(self.log_pages);
        let is_long = overdue >= 0;
        if is_long && log.waiting <= self.log_pages / REST_PART + overdue / OVERDUE_PART {
            // One that fails changes nothing: the log keeps what it holds, and the next one tries again.
            let _ = checkpoint(writer, "PASSIVE");
        } else if is_long || log.waiting >= self.log_pages / COPY_PART {
            self.copying.store(true, Ordering::Release);
            // The thread lives as long as this does.
            let _ = self.wake.as_ref().map(|wake| wake.try_send(()));
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        drop(self.wake.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed; the log keeps what was not copied.
            let _ = thread.join();
        }
    }
}

fn copy_when_woken(connection: &Connection, woken: &Receiver<()>, copying: &AtomicBool) {
    while woken.recv().is_ok() {
        let _ = checkpoint(connection, "PASSIVE");
        copying.store(false, Ordering::Release);
    }
}

fn checkpoint(db: &Connection, mode: &str) -> rusqlite::Result<Log> {
    db.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        let (pages, copied): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok(Log { pages, waiting: pages.saturating_sub(copied) })
    })
}
