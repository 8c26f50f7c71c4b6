//! Batches cut into their events, and answers put together again.

use tollgate_core::frame::{Counted, Frame, NumberColumn, TextColumn};

use crate::vectors::{MeteredText, RatedText};

/// One row of a frame, as a frame.
pub fn row(frame: &Frame, row: usize) -> Frame {
    let text = |it: &TextColumn| TextColumn { name: it.name.clone(), ids: vec![it.ids[row]] };
    let number = |it: &NumberColumn| NumberColumn {
        name: it.name.clone(),
        words: it.words[2 * row..2 * row + 2].into(),
    };
    Frame {
        rows: 1,
        strings: frame.strings.clone(),
        times: vec![frame.times[row]],
        texts: frame.texts.iter().map(text).collect(),
        numbers: frame.numbers.iter().map(number).collect(),
    }
}

/// The usage rows of one event.
pub fn counted(counted: &Counted, row: usize) -> Counted {
    let rows = |counts: &[u32]| counts.iter().sum::<u32>() as usize;
    let start = rows(&counted.counts[..row]);
    let end = start + counted.counts[row] as usize;
    Counted {
        counts: vec![counted.counts[row]],
        units: counted.units[start..end].into(),
        quantities: counted.quantities[2 * start..2 * end].into(),
        before: counted.before[2 * start..2 * end].into(),
        after: counted.after[2 * start..2 * end].into(),
    }
}

/// What `meter` answered about one event after the other, as if it had been asked about all. (No vector has keys of
/// the guest's own: their ids would have to be moved.)
pub fn joined_metered(answers: impl Iterator<Item = MeteredText>) -> MeteredText {
    let mut all = MeteredText::default();
    for (row, answer) in (0..).zip(answers) {
        all.counts.extend(answer.counts);
        all.units.extend(answer.units);
        all.keys.extend(answer.keys);
        all.quantities.extend(answer.quantities);
        all.strings.extend(answer.strings);
        all.faults.extend(answer.faults.iter().map(|_| row));
    }
    all
}

/// What `rate` answered about one event after the other, as if it had been asked about all.
pub fn joined_rated(answers: impl Iterator<Item = RatedText>) -> RatedText {
    let mut all = RatedText::default();
    for (row, answer) in (0..).zip(answers) {
        all.counts.extend(answer.counts);
        all.lines.extend(answer.lines);
        all.quantities.extend(answer.quantities);
        all.unit_prices.extend(answer.unit_prices);
        all.amounts.extend(answer.amounts);
        all.refusals.extend(answer.refusals.iter().map(|[_, code]| [row, *code]));
        all.faults.extend(answer.faults.iter().map(|_| row));
    }
    all
}
