//! An Extism plugin in Rust that exchanges JSON, a batch for each call. One instance is kept for all batches,
//! which is Extism's best case: nothing keeps a plugin from remembering the batch before.

use extism::{Manifest, Wasm};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tollgate_tests::tollgate::{repository, say};

use crate::guests;
use crate::rule::{Charge, Contestant, Event, counters, included, price};

#[derive(Serialize)]
struct Batch {
    included: Decimal,
    price: Decimal,
    counters: Vec<Around>,
}

#[derive(Serialize)]
struct Around {
    before: Decimal,
    after: Decimal,
}

#[derive(Deserialize)]
struct Priced {
    within: Decimal,
    beyond: Decimal,
    amount: Decimal,
}

/// A compiled plugin and its instance.
pub struct Extism(extism::Plugin);

impl Extism {
    /// Of a module that exports `price`.
    pub fn new(module: Vec<u8>) -> Self {
        let manifest = Manifest::new([Wasm::data(module)]);
        Self(extism::Plugin::new(&manifest, [], false).expect("the Extism plugin loads"))
    }
}

impl Contestant for Extism {
    fn price(&mut self, events: &[Event]) -> Vec<Charge> {
        let around = counters(events).map(|counter| Around { before: counter.before, after: counter.after });
        let batch = Batch { included: included(), price: price(), counters: around.collect() };
        let input = serde_json::to_vec(&batch).expect("JSON");
        let output: &[u8] = self.0.call("price", input).expect("the plugin answers");
        let priced: Vec<Priced> = serde_json::from_slice(output).expect("JSON");
        let charge = |priced: Priced| {
            let Priced { within, beyond, amount } = priced;
            Charge { within, beyond, amount }
        };
        priced.into_iter().map(charge).collect()
    }
}

/// The Extism plugin, built now; none where this compiler has no WebAssembly.
pub fn module() -> Option<Vec<u8>> {
    let target = guests::folder().join("extism");
    let mut cargo = std::process::Command::new("cargo");
    cargo.args(["build", "--release", "--locked", "--target", "wasm32-unknown-unknown", "--target-dir"]);
    cargo.arg(&target).current_dir(repository().join("tests/peers/extism-guest"));
    let built = guests::run(&mut cargo)?;
    if !built.status.success() {
        say(
            "skipped: Extism's plugin needs wasm32-unknown-unknown (rustup target add wasm32-unknown-unknown)",
        );
        say(&guests::words(&built));
        return None;
    }
    std::fs::read(target.join("wasm32-unknown-unknown/release/extism_guest.wasm")).ok()
}
