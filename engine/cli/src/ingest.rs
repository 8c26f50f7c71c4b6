//! Reads event files, line by line, and sends them through the engine in batches.
//!
//! The next batch is parsed and rated while the last is being written. What went wrong is listed with its
//! place; nothing stops the other events.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal as _, Read, Write as _, stderr, stdin};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use tollgate_core::door;
use tollgate_core::engine::{Engine, Pending, Receipt};
use tollgate_core::event::Event;
use tollgate_core::store::Outcome;

use crate::definitions::OneTariff;
use crate::report::{Counts, Problem};

/// How many batches may be on their way.
const IN_FLIGHT_MAX: usize = 4;

/// The most bytes of a line that are read; the door says how long an event may be.
const LINE_BYTES_MAX: u64 = 4 << 20;

/// What came of some files of events.
#[derive(Default)]
pub struct Ingested {
    /// How many of each.
    pub counts: Counts,
    /// What went wrong, in the order of the files.
    pub problems: Vec<Problem>,
}

/// Sends events through an engine.
pub struct Ingest<'e> {
    engine: &'e Engine,
    /// Prices apps that events name; `None` for the tariffs that are defined.
    tariff: Option<&'e OneTariff>,
    covered: HashSet<String>,
    batch_size: usize,
    acknowledges: bool,
    events: Vec<Arc<Event>>,
    places: Vec<Place>,
    on_their_way: VecDeque<Sent<'e>>,
    ingested: Ingested,
}

/// A batch that is being written.
struct Sent<'e> {
    pending: Pending<'e>,
    places: Vec<Place>,
    /// How many events had been read when it was sent: all of them are in it, in one before, or refused.
    read: u64,
}

/// Where an event was read.
#[derive(Clone)]
struct Place {
    file: Arc<str>,
    line: u64,
    id: String,
}

impl<'e> Ingest<'e> {
    /// Sends events in batches of `batch_size`.
    pub fn new(engine: &'e Engine, tariff: Option<&'e OneTariff>, batch_size: usize) -> Self {
        Self {
            engine,
            tariff,
            covered: HashSet::new(),
            batch_size,
            acknowledges: false,
            events: Vec::with_capacity(batch_size),
            places: Vec::with_capacity(batch_size),
            on_their_way: VecDeque::new(),
            ingested: Ingested::default(),
        }
    }

    /// Whether to write to standard error how many events are durable, after each batch.
    pub fn acknowledging(self, acknowledges: bool) -> Self {
        Self { acknowledges, ..self }
    }

    /// Reads a file, or standard input for `-`.
    pub fn file(&mut self, path: &Path) -> anyhow::Result<()> {
        let name = path.display().to_string();
        if name == "-" {
            return self.lines(&name, stdin().lock(), &ProgressBar::hidden());
        }
        let file = File::open(path).with_context(|| name.clone())?;
        let length = file.metadata().with_context(|| name.clone())?.len();
        let progress = if stderr().is_terminal() { bar(length, &name) } else { ProgressBar::hidden() };
        self.lines(&name, BufReader::with_capacity(1 << 20, file), &progress)?;
        progress.finish_and_clear();
        Ok(())
    }

    /// Reads newline-delimited events.
    pub fn lines(
        &mut self,
        name: &str,
        mut input: impl BufRead,
        progress: &ProgressBar,
    ) -> anyhow::Result<()> {
        let file: Arc<str> = name.into();
        let mut text = Vec::new();
        for line in 1.. {
            text.clear();
            let mut limited = input.by_ref().take(LINE_BYTES_MAX);
            let bytes = limited.read_until(b'\n', &mut text).with_context(|| name.to_owned())?;
            if bytes == 0 {
                break;
            }
            if bytes as u64 == LINE_BYTES_MAX && !text.ends_with(b"\n") {
                skip_line(&mut input).with_context(|| name.to_owned())?;
            }
            if !text.trim_ascii().is_empty() {
                self.line(&file, line, &text)?;
                progress.inc(bytes as u64);
            }
        }
        Ok(())
    }

    /// Takes one line: an event.
    pub fn line(&mut self, file: &Arc<str>, line: u64, text: &[u8]) -> anyhow::Result<()> {
        self.ingested.counts.read += 1;
        match door::parse(text) {
            Ok(event) => {
                self.cover(&event.key.app)?;
                self.places.push(Place { file: Arc::clone(file), line, id: event.key.id.clone() });
                self.events.push(Arc::new(event));
                if self.events.len() >= self.batch_size { self.send() } else { Ok(()) }
            }
            Err(rejected) => {
                let place = Place { file: Arc::clone(file), line, id: rejected.id.clone() };
                self.ingested.counts.invalid += 1;
                self.problem(&place, rejected.to_string());
                Ok(())
            }
        }
    }

    fn cover(&mut self, app: &str) -> anyhow::Result<()> {
        if let Some(tariff) = self.tariff
            && !self.covered.contains(app)
        {
            tariff.cover(self.engine, app)?;
            self.covered.insert(app.to_owned());
        }
        Ok(())
    }

    fn send(&mut self) -> anyhow::Result<()> {
        while self.on_their_way.len() >= IN_FLIGHT_MAX {
            self.receive()?;
        }
        if !self.events.is_empty() {
            let pending = self.engine.submit(&self.events)?;
            self.events.clear();
            let (places, read) = (std::mem::take(&mut self.places), self.ingested.counts.read);
            self.on_their_way.push_back(Sent { pending, places, read });
        }
        Ok(())
    }

    fn receive(&mut self) -> anyhow::Result<()> {
        let Some(Sent { pending, places, read }) = self.on_their_way.pop_front() else { return Ok(()) };
        let receipts = pending.wait()?;
        if self.acknowledges {
            // In one write: half a number would be another number.
            stderr().write_all(format!("durable {read}\n").as_bytes()).context("standard error")?;
        }
        for (receipt, place) in receipts.into_iter().zip(places) {
            let counts = &mut self.ingested.counts;
            match receipt {
                Receipt::Accepted(outcome) => match &*outcome {
                    Outcome::Rated(_) => counts.rated += 1,
                    Outcome::Held(reason) => {
                        counts.held += 1;
                        self.problem(&place, format!("held: {}", reason.message));
                    }
                },
                Receipt::Duplicate { conflict: false } => counts.duplicate += 1,
                Receipt::Duplicate { conflict: true } => {
                    counts.duplicate += 1;
                    let reason = "conflict: an event of this source and id was accepted before and said \
                                  something else; the first one stands";
                    self.problem(&place, reason.to_owned());
                }
                Receipt::Undefined => {
                    counts.invalid += 1;
                    let reason = "source is not the id of a defined app; define it, or give --plugin, \
                                  --settings and --prices";
                    self.problem(&place, reason.to_owned());
                }
            }
        }
        Ok(())
    }

    fn problem(&mut self, place: &Place, reason: String) {
        let Place { file, line, id } = place.clone();
        self.ingested.problems.push(Problem { file: file.to_string(), line, id, reason });
    }

    /// Waits until everything that was taken is durable.
    pub fn settle(&mut self) -> anyhow::Result<()> {
        self.send()?;
        while !self.on_their_way.is_empty() {
            self.receive()?;
        }
        Ok(())
    }

    /// Waits for everything, and says what came of it.
    pub fn finish(mut self) -> anyhow::Result<Ingested> {
        self.settle()?;
        self.ingested.problems.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
        Ok(self.ingested)
    }
}

/// Reads on to the end of a line that is longer than any event.
fn skip_line(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (used, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(position) => (position + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(used);
        if ended {
            return Ok(());
        }
    }
}

fn bar(length: u64, name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {binary_bytes_per_sec} {eta}");
    ProgressBar::new(length)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(name.to_owned())
}
