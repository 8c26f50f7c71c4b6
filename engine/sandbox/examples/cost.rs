//! What running a plugin costs on this machine:
//! `cargo run --release -p tollgate-sandbox --example cost -- PLUGIN.wasm '{"settings":…}'`

use std::error::Error;
use std::time::{Duration, Instant};

use tollgate_core::frame::{Counted, Frame, Metered, NumberColumn, TextColumn};
use tollgate_core::plugin::Digest;
use tollgate_core::pricer::{Pricer, PricerError};
use tollgate_sandbox::{Sandbox, SandboxConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), settings) = (arguments.next(), arguments.next().unwrap_or_else(|| "{}".into())) else {
        return Err("usage: cost PLUGIN.wasm [SETTINGS]".into());
    };
    let component = std::fs::read(path)?;
    let cache = tempfile::tempdir()?;
    let config =
        SandboxConfig { cache_directory: Some(cache.path().join("code")), ..SandboxConfig::default() };

    let sandbox = Sandbox::new(config.clone())?;
    let start = Instant::now();
    let (plugin, _) = sandbox.admit(&component)?;
    println!("{:>12} to compile {} bytes", show(start.elapsed()), component.len());
    let start = Instant::now();
    let sandbox = {
        drop(sandbox);
        Sandbox::new(config)?
    };
    println!("{:>12} to set a sandbox up", show(start.elapsed()));
    let start = Instant::now();
    sandbox.admit(&component)?;
    println!("{:>12} to load it from the cache", show(start.elapsed()));
    for problem in sandbox.check(&plugin, &settings)? {
        println!("{problem}");
    }

    println!("{:>12} for an instance alone", show(best(2000, || drop(sandbox.open(&plugin, &settings)))));
    for rows in [1, 16, 256, 1000, 4000] {
        let frame = frame(rows);
        let time = best(400, || drop(price(&sandbox, &plugin, &settings, &frame)));
        let each = time.as_nanos().checked_div(u128::from(rows)).unwrap_or_default();
        let fuel = price(&sandbox, &plugin, &settings, &frame)?;
        println!(
            "{:>12} for a batch of {rows}: {each} ns and {} fuel an event",
            show(time),
            fuel.div_ceil(u64::from(rows))
        );
    }
    Ok(())
}

fn price(sandbox: &Sandbox, plugin: &Digest, settings: &str, frame: &Frame) -> Result<u64, PricerError> {
    let mut run = sandbox.open(plugin, settings)?;
    let metered = run.meter(frame)?;
    run.rate(frame, &count(metered))?;
    Ok(run.fuel_spent())
}

fn count(metered: Metered) -> Counted {
    let after: Vec<u64> = (1_u64..).take(metered.units.len()).flat_map(|position| [position, 0]).collect();
    let before = (0_u64..).take(metered.units.len()).flat_map(|position| [position, 0]).collect();
    Counted { counts: metered.counts, units: metered.units, quantities: metered.quantities, before, after }
}

/// Events of a hundred customers and two features, each with its tokens.
fn frame(rows: u32) -> Frame {
    let people = (0..100).map(|number| format!("customer-{number:02}"));
    let strings =
        ["", "gpt-4o-mini", "review", "translate"].map(String::from).into_iter().chain(people).collect();
    let text =
        |name: &str, id: fn(u32) -> u32| TextColumn { name: name.into(), ids: (0..rows).map(id).collect() };
    let number = |name: &str, scale: u64| NumberColumn {
        name: name.into(),
        words: (0..u64::from(rows)).flat_map(|row| [row % 977 + 1, scale << 32]).collect(),
    };
    Frame {
        rows,
        strings,
        times: vec![1_700_000_000_000; usize::try_from(rows).unwrap_or_default()],
        texts: vec![
            text("customer", |row| 4 + row % 100),
            text("feature", |row| 2 + row % 2),
            text("model", |_| 1),
            text("route", |_| 0),
        ],
        numbers: vec![
            number("network-cost", 6),
            number("measure:input_tokens", 0),
            number("measure:output_tokens", 0),
        ],
    }
}

/// The fastest of many runs, after some to warm up.
fn best(runs: u32, mut run: impl FnMut()) -> Duration {
    let mut time = || {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..runs).map(|_| time()).min().unwrap_or_default()
}

fn show(time: Duration) -> String {
    format!("{time:.1?}")
}
