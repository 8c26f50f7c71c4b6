//! From whole batches to one event at a time, and back.

use super::{Counted, Descriptor, Frame, Metered, Problem, Rated, Totals};
use crate::{
    Bill, Closing, Event, Fault, Pricing, Problems, Usage, closing, columns::Columns, counted,
    pricing::pointer,
};
use serde_path_to_error::Segment;
use std::{any::Any, cell::RefCell, rc::Rc};

/// What the plugin is.
pub fn describe<P: Pricing>() -> Descriptor {
    let schema = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    let settings_schema = schema.into_root_schema_for::<P::Settings>();
    Descriptor {
        name: P::NAME,
        version: P::VERSION,
        summary: P::SUMMARY,
        units: P::UNITS,
        lines: P::LINES,
        refusals: P::REFUSALS,
        settings_schema: settings_schema.as_value().to_string(),
    }
}

/// What is wrong with these settings, given as JSON text; empty when nothing is.
pub fn check<P: Pricing>(settings: &str) -> Vec<Problem> {
    let settings = match parse::<P>(settings) {
        Ok(settings) => settings,
        Err(problem) => return vec![problem],
    };
    let mut problems = Problems::default();
    P::check(&settings, &mut problems);
    problems.found
}

/// The units of each event of the frame.
///
/// # Errors
/// When the settings are not the plugin's.
pub fn meter<P: Pricing>(settings: &str, frame: &Frame) -> Result<Metered, Problem> {
    let settings = settings_of::<P>(settings)?;
    let columns = Columns::of(frame);
    let mut usage = Usage::for_frame(frame);
    for row in 0..frame.rows {
        let rows_before = usage.rows();
        let outcome = P::meter(&settings, &Event::at(&columns, row as usize), &mut usage);
        usage.end_event(row, rows_before, outcome);
    }
    Ok(usage.finish())
}

/// What each event of the frame costs.
///
/// # Errors
/// When the settings are not the plugin's.
pub fn rate<P: Pricing>(settings: &str, frame: &Frame, counted: &Counted) -> Result<Rated, Problem> {
    let settings = settings_of::<P>(settings)?;
    let columns = Columns::of(frame);
    let mut bill = Bill::for_frame(frame, frame.rows as usize);
    let mut start = 0;
    for (row, count) in (0..frame.rows).zip(&counted.counts) {
        let end = start + *count as usize;
        let lines_before = bill.lines();
        let event = Event::at(&columns, row as usize);
        let counted = counted::Counted::rows_of(counted, start, end);
        let outcome = P::rate(&settings, &event, &counted, &mut bill);
        bill.end_event(row, lines_before, outcome);
        start = end;
    }
    Ok(bill.finish())
}

/// What each customer of the closing frame is charged as the period ends.
///
/// # Errors
/// When the settings are not the plugin's.
pub fn close<P: Pricing>(settings: &str, frame: &Frame, totals: &Totals) -> Result<Rated, Problem> {
    let settings = settings_of::<P>(settings)?;
    let columns = Columns::of(frame);
    let mut bill = Bill::for_frame(frame, 0);
    let mut start = 0;
    for (row, count) in (0..frame.rows).zip(&totals.counts) {
        let end = start + *count as usize;
        let lines_before = bill.lines();
        let customer = Closing::at(&columns, row as usize);
        let totals = closing::Totals::rows_of(totals, &frame.strings, start, end);
        let outcome: Result<(), Fault> = P::close(&settings, &customer, &totals, &mut bill);
        bill.end_event(row, lines_before, outcome);
        start = end;
    }
    Ok(bill.finish())
}

thread_local! {
    /// The settings read last, as text and as a value: `meter` and `rate` of a batch share theirs, and
    /// reading them costs more than pricing a few events.
    static LAST: RefCell<Option<(String, Rc<dyn Any>)>> = const { RefCell::new(None) };
}

/// The settings that a text says: read, or remembered. The same text is the same settings.
fn settings_of<P: Pricing>(text: &str) -> Result<Rc<P::Settings>, Problem> {
    let last = LAST.with_borrow(|last| {
        let (_, settings) = last.as_ref().filter(|(known, _)| known == text)?;
        Rc::downcast(Rc::clone(settings)).ok()
    });
    if let Some(settings) = last {
        return Ok(settings);
    }
    let settings = Rc::new(parse::<P>(text)?);
    LAST.set(Some((text.to_owned(), Rc::<P::Settings>::clone(&settings))));
    Ok(settings)
}

/// Reads the settings, naming the value that does not fit. Not inlined: once in a component is enough.
#[inline(never)]
fn parse<P: Pricing>(settings: &str) -> Result<P::Settings, Problem> {
    let mut reader = serde_json::Deserializer::from_str(settings);
    let parsed = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| Problem { pointer: pointer_to(error.path()), message: error.inner().to_string() })?;
    reader.end().map_err(|error| Problem { pointer: String::new(), message: error.to_string() })?;
    Ok(parsed)
}

fn pointer_to(path: &serde_path_to_error::Path) -> String {
    let segments = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    let segments: Vec<String> = segments.collect();
    pointer(segments.iter().map(String::as_str))
}
