//! The component's side of the contract: generated bindings, and [`native`] behind them.
//!
//! Tables move across by their vectors; nothing is copied here.
#![allow(missing_docs, clippy::pedantic)] // Everything here is generated, or called by what is generated.

use crate::{Aggregation, LineKind, Pricing, log::Level, native};
use std::{marker::PhantomData, sync::Once};
use wit::exports::tollgate::pricing::plugin as contract;

#[allow(unsafe_code, unused_qualifications)]
pub mod wit {
    wit_bindgen::generate!({
        path: "../wit",
        world: "pricing",
        pub_export_macro: true,
        export_macro_name: "export_pricing",
        default_bindings_module: "tollgate_sdk::wasm::wit",
    });
}

pub use wit::export_pricing;

/// Makes a plugin's type the component's exports.
pub struct Component<P>(PhantomData<P>);

impl<P: Pricing> contract::Guest for Component<P> {
    fn describe() -> contract::Descriptor {
        report_panics();
        descriptor(native::describe::<P>())
    }

    fn check(settings: String) -> Vec<contract::Problem> {
        report_panics();
        let problems = native::check::<P>(&settings).into_iter();
        problems.map(|native::Problem { pointer, message }| contract::Problem { pointer, message }).collect()
    }

    fn meter(settings: String, batch: contract::Frame) -> contract::Metered {
        report_panics();
        let metered = accepted(native::meter::<P>(&settings, &frame(batch)));
        contract::Metered {
            counts: metered.counts,
            units: metered.units,
            keys: metered.keys,
            quantities: metered.quantities,
            strings: metered.strings,
            faults: faults(metered.faults),
        }
    }

    fn rate(settings: String, batch: contract::Frame, counted: contract::Counted) -> contract::Rated {
        report_panics();
        let counted = native::Counted {
            counts: counted.counts,
            units: counted.units,
            quantities: counted.quantities,
            before: counted.before,
            after: counted.after,
        };
        rated(accepted(native::rate::<P>(&settings, &frame(batch), &counted)))
    }

    fn close(settings: String, customers: contract::Frame, totals: contract::Totals) -> contract::Rated {
        report_panics();
        let totals = native::Totals {
            counts: totals.counts,
            units: totals.units,
            groups: totals.groups,
            totals: totals.totals,
        };
        rated(accepted(native::close::<P>(&settings, &frame(customers), &totals)))
    }
}

/// Has a panic's message and place written to the host's log before the trap.
fn report_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|panic| write_log(Level::Error, &panic.to_string())));
    });
}

pub(crate) fn write_log(level: Level, message: &str) {
    use wit::tollgate::pricing::log;
    let level = match level {
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warn => log::Level::Warn,
        Level::Error => log::Level::Error,
    };
    log::write(level, message);
}

/// The host has checked the settings before; if they are wrong all the same, no event can be priced.
fn accepted<T>(answer: Result<T, native::Problem>) -> T {
    match answer {
        Ok(answer) => answer,
        Err(problem) => panic!("the settings were not checked: `{}`: {}", problem.pointer, problem.message),
    }
}

fn descriptor(plugin: native::Descriptor) -> contract::Descriptor {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    contract::Descriptor {
        name: plugin.name.to_owned(),
        version: plugin.version.to_owned(),
        summary: plugin.summary.to_owned(),
        units: plugin
            .units
            .iter()
            .map(|unit| contract::Unit {
                name: unit.name.to_owned(),
                aggregation: match unit.aggregation {
                    Aggregation::Sum => contract::Aggregation::Sum,
                    Aggregation::Max => contract::Aggregation::Max,
                    Aggregation::Distinct => contract::Aggregation::Distinct,
                },
                pooled: unit.pooled,
                group_by: owned(unit.group_by),
            })
            .collect(),
        lines: plugin
            .lines
            .iter()
            .map(|line| contract::Line {
                code: line.code.to_owned(),
                title: line.title.to_owned(),
                unit: line.unit.to_owned(),
                kind: match line.kind {
                    LineKind::Charge => contract::LineKind::Charge,
                    LineKind::Credit => contract::LineKind::Credit,
                    LineKind::Adjustment => contract::LineKind::Adjustment,
                },
            })
            .collect(),
        refusals: plugin
            .refusals
            .iter()
            .map(|refusal| contract::RefusalCode {
                code: refusal.code.to_owned(),
                title: refusal.title.to_owned(),
            })
            .collect(),
        settings_schema: plugin.settings_schema,
    }
}

fn frame(frame: contract::Frame) -> native::Frame {
    let texts = frame.texts.into_iter();
    let numbers = frame.numbers.into_iter();
    native::Frame {
        rows: frame.rows,
        strings: frame.strings,
        times: frame.times,
        texts: texts.map(|column| native::TextColumn { name: column.name, ids: column.ids }).collect(),
        numbers: numbers
            .map(|column| native::NumberColumn { name: column.name, words: column.words })
            .collect(),
    }
}

fn rated(rated: native::Rated) -> contract::Rated {
    contract::Rated {
        counts: rated.counts,
        lines: rated.lines,
        quantities: rated.quantities,
        unit_prices: rated.unit_prices,
        amounts: rated.amounts,
        refusals: rated
            .refusals
            .into_iter()
            .map(|refusal| contract::Refusal {
                event: refusal.event,
                code: refusal.code,
                detail: refusal.detail,
            })
            .collect(),
        faults: faults(rated.faults),
    }
}

fn faults(faults: Vec<native::EventFault>) -> Vec<contract::Fault> {
    faults.into_iter().map(|fault| contract::Fault { event: fault.event, message: fault.message }).collect()
}
