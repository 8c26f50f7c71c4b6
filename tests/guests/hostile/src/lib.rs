//! A pricing plugin that misbehaves on request, for tests of what surrounds it.
//!
//! Its settings choose the crime, the event and the function:
//! `{"crime": "loop", "when": "trap-here", "phase": "rate"}` loops in `rate` at each event whose feature or
//! model is `trap-here`; see [`plan`] for what each may be. Any other event is one unit `request` and one
//! line `request` at 0.01. It is written against the raw contract, without the SDK, so that nothing stands
//! between the crime and the host.
//!
//! Rebuild `tests/guests/hostile.wasm` with `tollgate plugin build tests/guests/hostile`.

mod crimes;
mod plan;

use bindings::exports::tollgate::pricing::plugin::{
    Aggregation, Counted, Descriptor, Frame, Guest, Line, LineKind, Metered, Problem, Rated, RefusalCode,
    Totals, Unit,
};
use plan::{Crime, Phase, Plan};

#[allow(missing_docs)]
mod bindings {
    wit_bindgen::generate!({ path: "../../../sdk/wit", world: "pricing" });
    use super::Hostile;
    export!(Hostile);
}

struct Hostile;

impl Guest for Hostile {
    fn describe() -> Descriptor {
        Descriptor {
            name: "hostile".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Commits whichever crime its settings name.".into(),
            units: vec![Unit {
                name: "request".into(),
                aggregation: Aggregation::Sum,
                pooled: false,
                group_by: vec![],
            }],
            lines: vec![Line {
                code: "request".into(),
                title: "Requests".into(),
                unit: "request".into(),
                kind: LineKind::Charge,
            }],
            refusals: vec![RefusalCode { code: "refused".into(), title: "Refused".into() }],
            settings_schema: plan::SCHEMA.into(),
        }
    }

    fn check(settings: String) -> Vec<Problem> {
        let plan = prepare(&settings);
        if plan.crime == Crime::Problem {
            return vec![Problem { pointer: "/crime".into(), message: "crime does not pay".into() }];
        }
        if plan.phase == Phase::Check {
            crimes::commit(plan.crime);
        }
        vec![]
    }

    fn meter(settings: String, frame: Frame) -> Metered {
        let plan = prepare(&settings);
        let mut metered = Metered {
            counts: vec![],
            units: vec![],
            keys: vec![],
            quantities: vec![],
            strings: vec![],
            faults: vec![],
        };
        for row in 0..frame.rows {
            if plan.strikes(Phase::Meter, &frame, row as usize) {
                crimes::spoil_metered(plan.crime, row, &mut metered);
            } else {
                push_usage(&mut metered, 0, [1, 0]);
                metered.counts.push(1);
            }
        }
        metered
    }

    fn rate(settings: String, frame: Frame, counted: Counted) -> Rated {
        let plan = prepare(&settings);
        let mut rated = nothing();
        for row in 0..frame.rows {
            if plan.strikes(Phase::Rate, &frame, row as usize) {
                crimes::spoil_rated(plan.crime, row, &mut rated);
            } else if counted.counts.get(row as usize) == Some(&0) {
                rated.counts.push(0);
            } else {
                push_line(&mut rated, 0, [1, 0], CENT);
                rated.counts.push(1);
            }
        }
        rated
    }

    fn close(settings: String, frame: Frame, _: Totals) -> Rated {
        let plan = prepare(&settings);
        let mut rated = nothing();
        for row in 0..frame.rows {
            if plan.strikes(Phase::Close, &frame, row as usize) {
                crimes::spoil_rated(plan.crime, row, &mut rated);
            } else {
                rated.counts.push(0);
            }
        }
        rated
    }
}

/// 0.01 as two words.
const CENT: [u64; 2] = [1, 2 << 32];

/// Reads the settings, and sends a panic's message to the log before the trap.
fn prepare(settings: &str) -> Plan {
    std::panic::set_hook(Box::new(|panic| {
        bindings::tollgate::pricing::log::write(
            bindings::tollgate::pricing::log::Level::Error,
            &panic.to_string(),
        );
    }));
    Plan::read(settings)
}

fn nothing() -> Rated {
    Rated {
        counts: vec![],
        lines: vec![],
        quantities: vec![],
        unit_prices: vec![],
        amounts: vec![],
        refusals: vec![],
        faults: vec![],
    }
}

fn push_usage(metered: &mut Metered, unit: u32, quantity: [u64; 2]) {
    metered.units.push(unit);
    metered.keys.push(0);
    metered.quantities.extend(quantity);
}

fn push_line(rated: &mut Rated, line: u32, quantity: [u64; 2], amount: [u64; 2]) {
    rated.lines.push(line);
    rated.quantities.extend(quantity);
    rated.unit_prices.extend(CENT);
    rated.amounts.extend(amount);
}
