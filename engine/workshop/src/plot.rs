//! `plugin plot`: what a customer would pay over usage, as numbers, words, a sketch and a drawing.
//!
//! `curve.rs` asks the engine for a period's total at any usage, `segments.rs` finds where the price of the next
//! unit changes, `scene.rs` lays a drawing out, which `svg.rs` and `png.rs` write, and `sketch.rs` draws for a
//! terminal. Money is exact up to the drawing: only geometry is in floats.

mod curve;
mod png;
mod scene;
mod segments;
mod sketch;
mod svg;

use std::{fmt::Write as _, sync::Arc};

use tollgate_core::{event::Event, money::format_money};

use crate::{columns::thousands, trial::Trial};
use curve::Meter;
pub use curve::{Over, PlotError};
use segments::{Segment, Step};

/// The most steps that are told of one curve.
const STEPS_TOLD_MAX: usize = 12;

/// What is used more and more, and how far.
#[derive(Debug, Clone, Default)]
pub struct Range {
    /// A measure, or `events`; the first measure that makes a difference unless given.
    pub over: Option<String>,
    /// Past the largest number of the settings unless given.
    pub up_to: Option<u64>,
    /// How much each event brings; one event brings all unless given.
    pub per_event: Option<u64>,
}

/// One price over usage.
#[derive(Debug, Clone)]
pub struct Series {
    /// Which plugin and settings.
    pub label: String,
    /// What is used.
    pub over: Over,
    /// How far.
    pub up_to: u64,
    /// The total at nothing, in nano-units.
    start: i128,
    /// From nothing to `up_to`: each with one price of the next unit.
    segments: Vec<Segment>,
    /// Where the price changes.
    steps: Vec<Step>,
    /// What is to be known about how it was worked out.
    notes: Vec<String>,
}

/// Works out what a customer would pay for events like `example`.
///
/// # Errors
/// When such an event is held, or the close fails.
pub fn series(
    label: &str,
    trial: &Trial<'_>,
    example: &Arc<Event>,
    range: &Range,
) -> Result<Series, PlotError> {
    let meter = Meter::new(trial, example, range)?;
    let up_to = meter.up_to();
    let (segments, is_coarse) = segments::find(&meter, up_to)?;
    let mut notes = meter.notes()?;
    if is_coarse {
        notes.push("the price changes too often to find every place; a smaller --up-to shows them".into());
    }
    let steps = segments::steps(&segments);
    let start = meter.total(0)?;
    Ok(Series { label: label.to_owned(), over: meter.over().clone(), up_to, start, segments, steps, notes })
}

/// How far a curve goes, where the range does not say.
///
/// # Errors
/// When the engine fails.
pub fn reach(trial: &Trial<'_>, example: &Arc<Event>, range: &Range) -> Result<u64, PlotError> {
    Ok(Meter::new(trial, example, range)?.up_to())
}

impl Series {
    /// The total at some usage, in nano-units.
    fn total_at(&self, units: u64) -> i128 {
        let mut total = self.start;
        for segment in &self.segments {
            let used = units.min(segment.to).saturating_sub(segment.from);
            total += segment.price * i128::from(used) / i128::from(segment.divisor);
        }
        total
    }

    /// Tier edges and cliffs in words.
    pub fn in_words(&self, currency: &str) -> String {
        let one = self.over.singular();
        let money = |nano: i128| format_money(nano, currency);
        let mut text = format!("{}\n", self.label);
        let _ = writeln!(
            text,
            "  nothing costs {}, {} {} cost {}",
            money(self.start),
            thousands(self.up_to),
            self.over,
            money(self.total_at(self.up_to))
        );
        for step in self.steps.iter().take(STEPS_TOLD_MAX) {
            let at = ordinal(step.unit);
            let _ = if step.is_cliff && step.price < 0 {
                writeln!(text, "  cliff  the {at} {one} lowers the total by {}", money(-step.price))
            } else if step.is_cliff {
                let next =
                    step.after.map_or_else(String::new, |after| format!(", the next {}", money(after)));
                writeln!(text, "  cliff  the {at} {one} costs {}{next}", money(step.price))
            } else {
                let before =
                    step.before.map_or_else(String::new, |price| format!(" instead of {}", money(price)));
                writeln!(text, "  edge   from the {at} {one} on, each costs {}{before}", money(step.price))
            };
        }
        if self.steps.len() > STEPS_TOLD_MAX {
            let _ = writeln!(text, "  and {} more", self.steps.len() - STEPS_TOLD_MAX);
        }
        for note in &self.notes {
            let _ = writeln!(text, "  note   {note}");
        }
        text
    }
}

/// The sketch for a terminal.
pub fn sketch(series: &[Series], currency: &str) -> String {
    sketch::draw(series, currency)
}

/// The drawing as SVG.
pub fn as_svg(series: &[Series], title: &str, currency: &str) -> String {
    svg::write(&scene::lay_out(series, title, currency))
}

/// The drawing as a PNG file.
///
/// # Errors
/// When the encoder fails, which it does not in memory.
pub fn as_png(series: &[Series], title: &str, currency: &str) -> Result<Vec<u8>, PlotError> {
    png::write(&scene::lay_out(series, title, currency))
}

/// `1st`, `2nd`, `1,011th`
fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{}{ending}", thousands(number))
}

#[cfg(test)]
mod tests {
    use super::ordinal;

    #[test]
    fn numbers_in_a_row() {
        let told = [1, 2, 3, 4, 11, 21, 112, 1_001, 10_013].map(ordinal);
        assert_eq!(told.join(" "), "1st 2nd 3rd 4th 11th 21st 112th 1,001st 10,013th");
    }
}
