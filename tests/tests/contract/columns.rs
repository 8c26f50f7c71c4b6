//! Columns as the vectors write them, and back. Every decimal of an answer is looked at: it must be in the
//! contract's canonical form, and is then compared by its value.

use serde_json::{Value, json};
use tollgate_core::frame::{Counted, Frame, Metered, NumberColumn, Rated, TextColumn, Totals};
use tollgate_core::plugin::{Aggregation, Descriptor, LineKind};
use tollgate_sdk::Decimal;

use crate::vectors::{CountedText, DescriptorText, FrameText, MeteredText, RatedText, TotalsText};

/// The words of decimals that are written as text, in whatever form they have there.
pub fn words(texts: &[String]) -> Vec<u64> {
    texts.iter().flat_map(|text| Decimal::parse(text).unwrap().to_words()).collect()
}

/// Decimals of an answer, each in its shortest form.
pub fn texts(words: &[u64]) -> Vec<String> {
    let (pairs, rest) = words.as_chunks::<2>();
    assert!(rest.is_empty(), "a decimal has two words");
    pairs.iter().map(|[low, high]| text(*low, *high)).collect()
}

fn text(low: u64, high: u64) -> String {
    let (scale, negative) = ((high >> 32) & 0xff, high >> 63 == 1);
    assert!(high & 0x7fff_ff00_0000_0000 == 0 && scale <= 28, "{high:#x} is not canonical");
    assert!(!negative || low != 0 || high & 0xffff_ffff != 0, "zero is never negative");
    Decimal::from_words(low, high).shortest().to_string()
}

impl FrameText {
    pub fn to_frame(&self) -> Frame {
        let text = |(name, ids): (&String, &Vec<u32>)| TextColumn { name: name.clone(), ids: ids.clone() };
        let number =
            |(name, texts): (&String, &Vec<String>)| NumberColumn { name: name.clone(), words: words(texts) };
        Frame {
            rows: self.rows,
            strings: self.strings.clone(),
            times: self.times.clone(),
            texts: self.texts.iter().map(text).collect(),
            numbers: self.numbers.iter().map(number).collect(),
        }
    }
}

impl CountedText {
    pub fn to_counted(&self) -> Counted {
        Counted {
            counts: self.counts.clone(),
            units: self.units.clone(),
            quantities: words(&self.quantities),
            before: words(&self.before),
            after: words(&self.after),
        }
    }
}

impl TotalsText {
    pub fn to_totals(&self) -> Totals {
        Totals {
            counts: self.counts.clone(),
            units: self.units.clone(),
            groups: self.groups.clone(),
            totals: words(&self.totals),
        }
    }
}

impl MeteredText {
    pub fn of(answer: &Metered) -> Self {
        assert!(answer.faults.iter().all(|fault| !fault.message.is_empty()), "a fault has its reason");
        Self {
            counts: answer.counts.clone(),
            units: answer.units.clone(),
            keys: answer.keys.clone(),
            quantities: texts(&answer.quantities),
            strings: answer.strings.clone(),
            faults: answer.faults.iter().map(|fault| fault.event).collect(),
        }
    }
}

impl RatedText {
    pub fn of(answer: &Rated) -> Self {
        assert!(answer.faults.iter().all(|fault| !fault.message.is_empty()), "a fault has its reason");
        Self {
            counts: answer.counts.clone(),
            lines: answer.lines.clone(),
            quantities: texts(&answer.quantities),
            unit_prices: texts(&answer.unit_prices),
            amounts: texts(&answer.amounts),
            refusals: answer.refusals.iter().map(|refusal| [refusal.event, refusal.code]).collect(),
            faults: answer.faults.iter().map(|fault| fault.event).collect(),
        }
    }
}

impl DescriptorText {
    /// Names, versions and the schema's wording are the guest's own.
    pub fn of(descriptor: &Descriptor) -> Self {
        let aggregation = |aggregation| match aggregation {
            Aggregation::Sum => "sum",
            Aggregation::Max => "max",
            Aggregation::Distinct => "distinct",
        };
        let kind = |kind| match kind {
            LineKind::Charge => "charge",
            LineKind::Credit => "credit",
            LineKind::Adjustment => "adjustment",
        };
        let units = descriptor.units.iter().map(|unit| {
            json!({ "name": unit.name, "aggregation": aggregation(unit.aggregation), "pooled": unit.pooled,
                "group_by": unit.group_by })
        });
        let lines = descriptor.lines.iter().map(|line| {
            json!({ "code": line.code, "title": line.title, "unit": line.unit, "kind": kind(line.kind) })
        });
        let refusals: Vec<Value> = descriptor
            .refusals
            .iter()
            .map(|refusal| json!({ "code": refusal.code, "title": refusal.title }))
            .collect();
        Self { units: units.collect(), lines: lines.collect(), refusals }
    }
}
