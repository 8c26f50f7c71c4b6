//! The core's columns as the contract's parameters: views, nothing is copied but pointers.

use tollgate_core::frame::{Counted, Frame, Totals};

use crate::bindings::exports::tollgate::pricing::plugin as wit;

/// The parts of a frame that need a list of views.
pub(crate) struct FrameViews<'a> {
    frame: &'a Frame,
    strings: Vec<&'a str>,
    texts: Vec<wit::TextColumn<'a>>,
    numbers: Vec<wit::NumberColumn<'a>>,
}

impl<'a> FrameViews<'a> {
    pub(crate) fn of(frame: &'a Frame) -> Self {
        let text = |column: &'a tollgate_core::frame::TextColumn| wit::TextColumn {
            name: &column.name,
            ids: &column.ids,
        };
        let number = |column: &'a tollgate_core::frame::NumberColumn| wit::NumberColumn {
            name: &column.name,
            words: &column.words,
        };
        Self {
            frame,
            strings: frame.strings.iter().map(String::as_str).collect(),
            texts: frame.texts.iter().map(text).collect(),
            numbers: frame.numbers.iter().map(number).collect(),
        }
    }

    pub(crate) fn parameter(&self) -> wit::Frame<'_> {
        wit::Frame {
            rows: self.frame.rows,
            strings: &self.strings,
            times: &self.frame.times,
            texts: &self.texts,
            numbers: &self.numbers,
        }
    }
}

pub(crate) fn counted(counted: &Counted) -> wit::Counted<'_> {
    wit::Counted {
        counts: &counted.counts,
        units: &counted.units,
        quantities: &counted.quantities,
        before: &counted.before,
        after: &counted.after,
    }
}

pub(crate) fn totals(totals: &Totals) -> wit::Totals<'_> {
    wit::Totals {
        counts: &totals.counts,
        units: &totals.units,
        groups: &totals.groups,
        totals: &totals.totals,
    }
}
