//! Plugins and batches for the tests.

#![allow(dead_code)] // each test file uses some of it

use tollgate_core::frame::{Counted, Frame, Metered, TextColumn};
use tollgate_core::plugin::Digest;
use tollgate_core::pricer::{Pricer, PricerError};
use tollgate_sandbox::{Sandbox, SandboxConfig};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The guest that commits whichever crime its settings name: `tests/guests/hostile`.
pub const HOSTILE: &[u8] = include_bytes!("../../../../tests/guests/hostile.wasm");

/// A sandbox with the defaults, and the hostile guest in it.
pub fn hostile() -> (Sandbox, Digest) {
    let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
    let (digest, _) = sandbox.admit(HOSTILE).unwrap();
    (sandbox, digest)
}

/// Settings of the hostile guest.
pub fn settings(crime: &str, when: &str, phase: &str) -> String {
    format!(r#"{{"crime":"{crime}","when":"{when}","phase":"{phase}"}}"#)
}

/// A frame with one row for each feature.
pub fn frame(features: &[&str]) -> Frame {
    let rows = u32::try_from(features.len()).unwrap();
    let strings = std::iter::once("").chain(features.iter().copied()).map(String::from).collect();
    let feature = TextColumn { name: "feature".into(), ids: (1..=rows).collect() };
    Frame { rows, strings, times: vec![0; features.len()], texts: vec![feature], numbers: vec![] }
}

/// What the core would hand to `rate`: every counter one further at each row.
pub fn count(metered: &Metered) -> Counted {
    let positions = 0..u64::try_from(metered.units.len()).unwrap();
    Counted {
        counts: metered.counts.clone(),
        units: metered.units.clone(),
        quantities: metered.quantities.clone(),
        before: positions.clone().flat_map(|position| [position, 0]).collect(),
        after: positions.flat_map(|position| [position + 1, 0]).collect(),
    }
}

/// Meters and rates the frame, and counts the answer's lines.
pub fn price(
    sandbox: &Sandbox,
    plugin: &Digest,
    settings: &str,
    frame: &Frame,
) -> Result<usize, PricerError> {
    let mut run = sandbox.open(plugin, settings)?;
    let metered = run.meter(frame)?;
    Ok(run.rate(frame, &count(&metered))?.lines.len())
}

/// A component made by hand: `body` is WAT inside a module with every export of the contract, all of which
/// trap, and `memory` is its memory's type.
pub fn by_hand(memory: &str, body: &str) -> Vec<u8> {
    let plugin = "tollgate:pricing/plugin@0.1.0#";
    let wide = "i32 ".repeat(11);
    let module = format!(
        r#"(module
            (memory (export "memory") {memory})
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "{plugin}describe") (result i32) unreachable)
            (func (export "{plugin}check") (param i32 i32) (result i32) unreachable)
            (func (export "{plugin}meter") (param {wide}) (result i32) unreachable)
            (func (export "{plugin}rate") (param i32) (result i32) unreachable)
            (func (export "{plugin}close") (param i32) (result i32) unreachable)
            {body})"#
    );
    component(&module, include_str!("../../../../sdk/wit/pricing.wit"), "pricing")
}

/// A component of a WAT module and a world.
pub fn component(module: &str, wit: &str, world: &str) -> Vec<u8> {
    let mut module = wat::parse_str(module).unwrap();
    let mut resolve = Resolve::default();
    let package = resolve.push_str("test.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}
