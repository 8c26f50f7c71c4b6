//! A broken law in words: the events, and two runs of them side by side.

use std::fmt::{self, Write as _};

use tollgate_core::money::format_nano;

use super::law::Law;
use crate::{
    columns::{cut, table},
    show::{outcome_in_words, usage_in_words},
    trial::PeriodRun,
};

/// The widest cell.
const CELL_LETTERS: usize = 64;
/// The most letters of why an event waits: it is shown in full below the table.
const REASON: &str = "held (below)";

/// A law that does not hold, with the smallest case that was found.
#[derive(Debug)]
pub struct Violation {
    law: Law,
    sides: Vec<Side>,
    note: Option<String>,
    table: Option<String>,
}

/// One of the runs.
#[derive(Debug)]
pub(super) struct Side {
    title: String,
    /// By event: its id, the event as received, its usage, its lines, why it waits.
    events: Vec<Told>,
    closing: Vec<(String, String)>,
    total: String,
}

#[derive(Debug, Clone)]
struct Told {
    id: String,
    received: String,
    customer: String,
    usage: String,
    lines: String,
    reason: Option<String>,
}

impl Side {
    pub(super) fn of(title: &str, run: &PeriodRun, plugin: &str) -> Self {
        let events = run.outcomes.iter().map(|priced| {
            let reason = priced.reason(plugin);
            Told {
                id: priced.event.key.id.clone(),
                received: priced.event.received.to_string(),
                customer: priced.event.customer.clone(),
                usage: priced.charge().map(usage_in_words).unwrap_or_default(),
                lines: reason.as_ref().map_or_else(|| outcome_in_words(priced, plugin), |_| REASON.into()),
                reason,
            }
        });
        let closing = run
            .closing
            .iter()
            .map(|closing| (closing.customer.clone(), crate::show::lines_in_words(&closing.charge)));
        Self {
            title: title.to_owned(),
            events: events.collect(),
            closing: closing.collect(),
            total: format_nano(run.total(None)),
        }
    }

    fn event(&self, id: &str) -> Option<&Told> {
        self.events.iter().find(|told| told.id == id)
    }
}

impl Violation {
    pub(super) fn new(law: Law, sides: Vec<Side>) -> Self {
        Self { law, sides, note: None, table: None }
    }

    /// One whose runs are not about single events.
    pub(super) fn of_table(law: Law, table: String) -> Self {
        Self { law, sides: Vec::new(), note: None, table: Some(table) }
    }

    pub(super) fn with_note(self, note: String) -> Self {
        Self { note: Some(note), ..self }
    }

    /// The law it breaks.
    pub fn law(&self) -> Law {
        self.law
    }

    /// What to do. Why no answer came says more than that none came.
    fn fix(&self) -> &'static str {
        let reasons =
            self.sides.iter().flat_map(|side| &side.events).filter_map(|told| told.reason.as_deref());
        let mut reasons = reasons.chain(self.note.as_deref());
        let cures = [
            (
                "ran past its budget",
                "bound every loop: what an event costs may not depend on a search without an end",
            ),
            (
                "of memory",
                "do not collect: an event is priced from its own columns, and nothing need be kept",
            ),
            ("recursed too deep", "make a loop of the recursion, with a bound"),
            (
                "gave a wrong answer",
                "the contract says what a plugin may answer; the host names what it did not believe",
            ),
        ];
        let is_of_answers = self.law == Law::Answers;
        let cure = is_of_answers
            .then(|| reasons.find_map(|reason| cures.iter().find(|(sign, _)| reason.contains(sign))));
        cure.flatten().map_or(self.law.fix(), |(_, cure)| cure)
    }

    /// How many events it takes.
    pub(super) fn events(&self) -> usize {
        self.told().len()
    }

    /// Every event of either run, once, in the order of the larger one.
    fn told(&self) -> Vec<&Told> {
        let largest = self.sides.iter().max_by_key(|side| side.events.len());
        largest.map(|side| side.events.iter().collect()).unwrap_or_default()
    }

    fn side_by_side(&self) -> String {
        let mut header = vec!["event", "customer"];
        header.extend(self.sides.iter().map(|side| side.title.as_str()));
        let mut rows = Vec::new();
        for told in self.told() {
            let of_each: Vec<Option<&Told>> = self.sides.iter().map(|side| side.event(&told.id)).collect();
            let usages: Vec<String> =
                of_each.iter().map(|told| told.map_or_else(String::new, |told| told.usage.clone())).collect();
            let cells = of_each
                .iter()
                .map(|told| told.map_or_else(|| "–".to_owned(), |told| cut(&told.lines, CELL_LETTERS)));
            let mut row = vec![told.id.clone(), told.customer.clone()];
            row.extend(cells);
            rows.push(row);
            // Usage is only worth a row of its own where the runs disagree about it.
            let known: Vec<&String> = usages.iter().filter(|usage| !usage.is_empty()).collect();
            if known.windows(2).any(|pair| pair.first() != pair.last()) {
                let mut row = vec![String::new(), "  used".to_owned()];
                row.extend(usages.iter().map(|usage| cut(usage, CELL_LETTERS)));
                rows.push(row);
            }
        }
        let mut closed: Vec<&str> =
            self.sides.iter().flat_map(|side| side.closing.iter().map(|(who, _)| who.as_str())).collect();
        closed.sort_unstable();
        closed.dedup();
        for customer in closed {
            let mut row = vec!["close".to_owned(), customer.to_owned()];
            row.extend(self.sides.iter().map(|side| {
                let found = side.closing.iter().find(|(who, _)| who == customer);
                found.map_or_else(|| "–".to_owned(), |(_, lines)| cut(lines, CELL_LETTERS))
            }));
            rows.push(row);
        }
        let mut row = vec!["total".to_owned(), String::new()];
        row.extend(self.sides.iter().map(|side| side.total.clone()));
        rows.push(row);
        table(&header, 9, &rows)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "the law does not hold: {}", self.law.sentence())?;
        if let Some(table) = &self.table {
            out.write_str(table)?;
        } else {
            out.write_str(&self.side_by_side())?;
        }
        let reasons =
            self.sides.iter().flat_map(|side| &side.events).filter_map(|told| {
                told.reason.as_ref().map(|reason| format!("  held {}: {reason}", told.id))
            });
        let mut told = Vec::new();
        for reason in reasons {
            if !told.contains(&reason) {
                writeln!(out, "{reason}")?;
                told.push(reason);
            }
        }
        if let Some(note) = &self.note {
            writeln!(out, "  {note}")?;
        }
        let mut lines = String::new();
        for told in self.told() {
            let _ = writeln!(lines, "  {}", told.received);
        }
        if !lines.is_empty() {
            writeln!(out, "  the events, ready for a fixture:\n{}", lines.trim_end())?;
        }
        writeln!(out, "  fix: {}", self.fix())
    }
}
