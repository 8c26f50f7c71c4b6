//! Tollgate's own contestants: a plugin natively, and guests in the sandbox, a fresh instance for each batch.
//!
//! As the engine does it: events become a frame, `meter` says the units, the host counts, `rate` says the lines.

use included_overage::IncludedOverage;
use rust_decimal::Decimal;
use tollgate_core::frame::{Counted, Frame, NumberColumn, Rated, TextColumn};
use tollgate_core::plugin::Digest;
use tollgate_core::pricer::Pricer;
use tollgate_sandbox::Sandbox;
use tollgate_tests::native::NativePricer;

use crate::rule::{Charge, Contestant, Event, counters, included, price};

/// Positions of the plugin's lines.
const INCLUDED: u32 = 0;
const OVERAGE: u32 = 1;

/// A plugin behind the engine's trait.
pub struct Plugin<'a> {
    pricer: &'a dyn Pricer,
    digest: Digest,
    settings: String,
}

impl<'a> Plugin<'a> {
    /// The Rust plugin's own code.
    pub fn native(pricer: &'a NativePricer<IncludedOverage>) -> Self {
        Self { pricer, digest: NativePricer::<IncludedOverage>::digest(), settings: settings() }
    }

    /// A component, compiled beforehand.
    pub fn sandboxed(sandbox: &'a Sandbox, component: &[u8]) -> Self {
        let (digest, _) = sandbox.admit(component).expect("a guest is admitted");
        Self { pricer: sandbox, digest, settings: settings() }
    }
}

impl Contestant for Plugin<'_> {
    fn price(&mut self, events: &[Event]) -> Vec<Charge> {
        priced(self.pricer, &self.digest, &self.settings, events)
    }
}

/// The Rust plugin, compiled natively. It is given a converted frame, as native code would have it.
pub fn compiled_in(events: &[Event]) -> NativePricer<IncludedOverage> {
    NativePricer::prepared(&frame(events))
}

fn priced(pricer: &dyn Pricer, digest: &Digest, settings: &str, events: &[Event]) -> Vec<Charge> {
    let frame = frame(events);
    let mut run = pricer.open(digest, settings).expect("the plugin opens");
    let metered = run.meter(&frame).expect("the plugin meters");
    let rows = metered.units.len();
    let (mut before, mut after) = (Vec::with_capacity(2 * rows), Vec::with_capacity(2 * rows));
    for counter in counters(events) {
        before.extend(words(counter.before));
        after.extend(words(counter.after));
    }
    let counted = Counted {
        counts: metered.counts,
        units: metered.units,
        quantities: metered.quantities,
        before,
        after,
    };
    charges(&run.rate(&frame, &counted).expect("the plugin rates"))
}

fn settings() -> String {
    let (included, price) = (included(), price());
    format!(r#"{{"unit":"document","count":"documents","included":"{included}","overage_price":"{price}"}}"#)
}

fn frame(events: &[Event]) -> Frame {
    let mut strings = vec![String::new()];
    let mut known = std::collections::HashMap::new();
    let customers = events.iter().map(|event| {
        *known.entry(event.customer.as_str()).or_insert_with(|| {
            strings.push(event.customer.clone());
            u32::try_from(strings.len() - 1).expect("few customers")
        })
    });
    let ids = customers.collect();
    Frame {
        rows: u32::try_from(events.len()).expect("a batch"),
        strings,
        times: vec![1_700_000_000_000; events.len()],
        texts: vec![TextColumn { name: "customer".into(), ids }],
        numbers: vec![NumberColumn {
            name: "measure:documents".into(),
            words: events.iter().flat_map(|event| words(event.quantity)).collect(),
        }],
    }
}

fn charges(rated: &Rated) -> Vec<Charge> {
    let mut row = 0;
    let charge = |count: &u32| {
        let mut charge = Charge::default();
        for _ in 0..*count {
            match rated.lines[row] {
                INCLUDED => charge.within = decimal(&rated.quantities, row),
                OVERAGE => {
                    charge.beyond = decimal(&rated.quantities, row);
                    charge.amount = decimal(&rated.amounts, row);
                }
                other => panic!("no line {other} was expected"),
            }
            row += 1;
        }
        charge
    };
    rated.counts.iter().map(charge).collect()
}

/// The contract's two words of a decimal that is not negative.
fn words(decimal: Decimal) -> [u64; 2] {
    let parts = decimal.unpack();
    let low = u64::from(parts.lo) | u64::from(parts.mid) << 32;
    [low, u64::from(parts.hi) | u64::from(parts.scale) << 32]
}

fn decimal(words: &[u64], row: usize) -> Decimal {
    let (low, high) = (words[2 * row], words[2 * row + 1]);
    let coefficient = u128::from(low) | u128::from(high & 0xffff_ffff) << 64;
    let scale = u32::try_from(high >> 32 & 0xff).expect("a byte");
    Decimal::from_i128_with_scale(i128::try_from(coefficient).expect("96 bits"), scale)
}
