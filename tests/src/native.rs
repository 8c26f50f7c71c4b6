//! Runs a first-party plugin's code natively behind the engine's trait: what the sandbox is compared with.

use std::marker::PhantomData;

use tollgate_core::frame::{Counted, Fault, Frame, Metered, Rated, Refusal, Totals};
use tollgate_core::plugin::{
    Aggregation, Descriptor, Digest, LineDeclaration, LineKind, Problem, RefusalDeclaration, UnitDeclaration,
};
use tollgate_core::pricer::{Pricer, PricerError, Pricing};
use tollgate_sdk::native;

/// The plugin `P`, natively.
pub struct NativePricer<P> {
    prepared: Option<native::Frame>,
    plugin: PhantomData<fn() -> P>,
}

impl<P: tollgate_sdk::Pricing> NativePricer<P> {
    /// Converts every frame it is given.
    pub fn new() -> Self {
        Self { prepared: None, plugin: PhantomData }
    }

    /// Is only ever given `frame`, which is converted now: a benchmark then times no conversion, which
    /// native code in a billing system would not have either.
    pub fn prepared(frame: &Frame) -> Self {
        Self { prepared: Some(native_frame(frame)), plugin: PhantomData }
    }

    /// The digest by which tariffs name it.
    pub fn digest() -> Digest {
        Digest::of(P::NAME.as_bytes())
    }

    /// What the plugin says of itself.
    pub fn descriptor() -> Descriptor {
        let native::Descriptor { name, version, summary, units, lines, refusals, settings_schema } =
            native::describe::<P>();
        let unit = |unit: &tollgate_sdk::UnitDeclaration| UnitDeclaration {
            name: unit.name.to_owned(),
            aggregation: match unit.aggregation {
                tollgate_sdk::Aggregation::Sum => Aggregation::Sum,
                tollgate_sdk::Aggregation::Max => Aggregation::Max,
                tollgate_sdk::Aggregation::Distinct => Aggregation::Distinct,
            },
            pooled: unit.pooled,
            group_by: unit.group_by.iter().map(ToString::to_string).collect(),
        };
        let line = |line: &tollgate_sdk::LineDeclaration| LineDeclaration {
            code: line.code.to_owned(),
            title: line.title.to_owned(),
            unit: line.unit.to_owned(),
            kind: match line.kind {
                tollgate_sdk::LineKind::Charge => LineKind::Charge,
                tollgate_sdk::LineKind::Credit => LineKind::Credit,
                tollgate_sdk::LineKind::Adjustment => LineKind::Adjustment,
            },
        };
        let refusal = |refusal: &tollgate_sdk::RefusalDeclaration| RefusalDeclaration {
            code: refusal.code.to_owned(),
            title: refusal.title.to_owned(),
        };
        Descriptor {
            name: name.to_owned(),
            version: version.to_owned(),
            summary: summary.to_owned(),
            units: units.iter().map(unit).collect(),
            lines: lines.iter().map(line).collect(),
            refusals: refusals.iter().map(refusal).collect(),
            settings_schema,
        }
    }
}

impl<P: tollgate_sdk::Pricing> Default for NativePricer<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: tollgate_sdk::Pricing> Pricer for NativePricer<P> {
    /// Admits this plugin, whatever the component.
    fn admit(&self, _component: &[u8]) -> Result<(Digest, Descriptor), PricerError> {
        Ok((Self::digest(), Self::descriptor()))
    }

    fn check(&self, _plugin: &Digest, settings: &str) -> Result<Vec<Problem>, PricerError> {
        let problems = native::check::<P>(settings).into_iter();
        Ok(problems.map(|problem| Problem { pointer: problem.pointer, message: problem.message }).collect())
    }

    fn open<'a>(&'a self, _plugin: &Digest, settings: &'a str) -> Result<Box<dyn Pricing + 'a>, PricerError> {
        Ok(Box::new(NativePricing { pricer: self, settings, frame: None }))
    }

    fn fuel_budget(&self, _rows: usize) -> u64 {
        u64::MAX
    }
}

struct NativePricing<'a, P> {
    pricer: &'a NativePricer<P>,
    settings: &'a str,
    /// The frame last met, converted.
    frame: Option<native::Frame>,
}

impl<P: tollgate_sdk::Pricing> NativePricing<'_, P> {
    fn frame(&mut self, frame: &Frame) -> &native::Frame {
        match &self.pricer.prepared {
            Some(prepared) => prepared,
            None => self.frame.insert(native_frame(frame)),
        }
    }
}

impl<P: tollgate_sdk::Pricing> Pricing for NativePricing<'_, P> {
    fn meter(&mut self, frame: &Frame) -> Result<Metered, PricerError> {
        let settings = self.settings;
        let native::Metered { counts, units, keys, quantities, strings, faults } =
            native::meter::<P>(settings, self.frame(frame)).map_err(failed)?;
        Ok(Metered { counts, units, keys, quantities, strings, faults: core_faults(faults) })
    }

    fn rate(&mut self, frame: &Frame, counted: &Counted) -> Result<Rated, PricerError> {
        let settings = self.settings;
        let Counted { counts, units, quantities, before, after } = counted.clone();
        let counted = native::Counted { counts, units, quantities, before, after };
        let rated = native::rate::<P>(settings, self.frame(frame), &counted).map_err(failed)?;
        Ok(core_rated(rated))
    }

    fn close(&mut self, frame: &Frame, totals: &Totals) -> Result<Rated, PricerError> {
        let settings = self.settings;
        let Totals { counts, units, groups, totals } = totals.clone();
        let totals = native::Totals { counts, units, groups, totals };
        let rated = native::close::<P>(settings, self.frame(frame), &totals).map_err(failed)?;
        Ok(core_rated(rated))
    }

    fn fuel_spent(&self) -> u64 {
        0
    }
}

fn failed(problem: native::Problem) -> PricerError {
    PricerError::Failed { reason: problem.message }
}

fn native_frame(frame: &Frame) -> native::Frame {
    let text = |column: &tollgate_core::frame::TextColumn| native::TextColumn {
        name: column.name.clone(),
        ids: column.ids.clone(),
    };
    let number = |column: &tollgate_core::frame::NumberColumn| native::NumberColumn {
        name: column.name.clone(),
        words: column.words.clone(),
    };
    native::Frame {
        rows: frame.rows,
        strings: frame.strings.clone(),
        times: frame.times.clone(),
        texts: frame.texts.iter().map(text).collect(),
        numbers: frame.numbers.iter().map(number).collect(),
    }
}

fn core_faults(faults: Vec<native::EventFault>) -> Vec<Fault> {
    faults.into_iter().map(|fault| Fault { event: fault.event, message: fault.message }).collect()
}

fn core_rated(rated: native::Rated) -> Rated {
    let native::Rated { counts, lines, quantities, unit_prices, amounts, refusals, faults } = rated;
    let refusal = |refusal: native::Refusal| Refusal {
        event: refusal.event,
        code: refusal.code,
        detail: refusal.detail,
    };
    Rated {
        counts,
        lines,
        quantities,
        unit_prices,
        amounts,
        refusals: refusals.into_iter().map(refusal).collect(),
        faults: core_faults(faults),
    }
}
