//! What a plugin returned, as the core's columns, after counting its rows. Whether the columns make sense
//! is for the core to say.

use tollgate_core::frame::{Fault, Metered, Rated, Refusal};
use tollgate_core::plugin::{Aggregation, Descriptor, LineDeclaration, LineKind, Problem};
use tollgate_core::plugin::{RefusalDeclaration, UnitDeclaration};

use crate::bindings::exports::tollgate::pricing::plugin as wit;

/// The number of rows of an answer's longest list.
pub(crate) trait Rows {
    fn rows(&self) -> usize;
}

impl Rows for wit::Metered {
    fn rows(&self) -> usize {
        let columns =
            [self.counts.len(), self.units.len(), self.keys.len(), self.strings.len(), self.faults.len()];
        columns.into_iter().fold(self.quantities.len().div_ceil(2), usize::max)
    }
}

impl Rows for wit::Rated {
    fn rows(&self) -> usize {
        let words = self.quantities.len().max(self.unit_prices.len()).max(self.amounts.len());
        let columns = [self.counts.len(), self.lines.len(), self.refusals.len(), self.faults.len()];
        columns.into_iter().fold(words.div_ceil(2), usize::max)
    }
}

impl Rows for Vec<wit::Problem> {
    fn rows(&self) -> usize {
        self.len()
    }
}

impl Rows for wit::Descriptor {
    fn rows(&self) -> usize {
        0 // its lists have limits of their own: see `description`
    }
}

pub(crate) fn metered(answer: wit::Metered) -> Metered {
    Metered {
        counts: answer.counts,
        units: answer.units,
        keys: answer.keys,
        quantities: answer.quantities,
        strings: answer.strings,
        faults: answer.faults.into_iter().map(fault).collect(),
    }
}

pub(crate) fn rated(answer: wit::Rated) -> Rated {
    let refusal = |it: wit::Refusal| Refusal { event: it.event, code: it.code, detail: it.detail };
    Rated {
        counts: answer.counts,
        lines: answer.lines,
        quantities: answer.quantities,
        unit_prices: answer.unit_prices,
        amounts: answer.amounts,
        refusals: answer.refusals.into_iter().map(refusal).collect(),
        faults: answer.faults.into_iter().map(fault).collect(),
    }
}

fn fault(answer: wit::Fault) -> Fault {
    Fault { event: answer.event, message: answer.message }
}

pub(crate) fn problem(answer: wit::Problem) -> Problem {
    Problem { pointer: answer.pointer, message: answer.message }
}

pub(crate) fn descriptor(answer: wit::Descriptor) -> Descriptor {
    Descriptor {
        name: answer.name,
        version: answer.version,
        summary: answer.summary,
        units: answer.units.into_iter().map(unit).collect(),
        lines: answer.lines.into_iter().map(line).collect(),
        refusals: answer.refusals.into_iter().map(refusal_code).collect(),
        settings_schema: answer.settings_schema,
    }
}

fn unit(answer: wit::Unit) -> UnitDeclaration {
    let aggregation = match answer.aggregation {
        wit::Aggregation::Sum => Aggregation::Sum,
        wit::Aggregation::Max => Aggregation::Max,
        wit::Aggregation::Distinct => Aggregation::Distinct,
    };
    UnitDeclaration { name: answer.name, aggregation, pooled: answer.pooled, group_by: answer.group_by }
}

fn line(answer: wit::Line) -> LineDeclaration {
    let kind = match answer.kind {
        wit::LineKind::Charge => LineKind::Charge,
        wit::LineKind::Credit => LineKind::Credit,
        wit::LineKind::Adjustment => LineKind::Adjustment,
    };
    LineDeclaration { code: answer.code, title: answer.title, unit: answer.unit, kind }
}

fn refusal_code(answer: wit::RefusalCode) -> RefusalDeclaration {
    RefusalDeclaration { code: answer.code, title: answer.title }
}
