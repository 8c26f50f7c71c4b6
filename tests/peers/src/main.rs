//! The same pricing rule by Tollgate's guests, natively, and by what one would use instead: one table.
//!
//! `cargo bench --manifest-path tests/peers/Cargo.toml --features extism`. What is timed is a batch of 1,000 events from memory to
//! what each of them costs: conversions on both sides and the counters (the host's, in Rust, whoever prices) are
//! in it. Before anything is timed, every contestant must charge every event the same.

// A benchmark may stop where it stands, and measures in floats.
#![allow(clippy::cast_precision_loss)]

#[cfg(feature = "extism")]
mod extism;
#[path = "../../tests/contract/guests.rs"]
mod guests;
mod plugins;
mod rule;
mod scripts;

use std::hint::black_box;
use std::time::{Duration, Instant};

use plugins::Plugin;
use rule::{Contestant, HandWritten};
use tollgate_sandbox::{Sandbox, SandboxConfig};
use tollgate_tests::tollgate::say;

const BATCH: u32 = 1_000;
const ROUNDS: usize = 15;
/// What one contestant is timed for in a round, at least.
const TURN: Duration = Duration::from_millis(40);

struct Entry<'a> {
    name: &'static str,
    how: &'static str,
    contestant: Box<dyn Contestant + 'a>,
    /// Nanoseconds an event, of each round.
    rounds: Vec<f64>,
}

fn main() {
    let events = rule::events(BATCH);
    let cache_directory = Some(guests::folder().join("code"));
    let sandbox = Sandbox::new(SandboxConfig { cache_directory, ..SandboxConfig::default() });
    let sandbox = sandbox.expect("the sandbox starts");
    let native = plugins::compiled_in(&events);
    let mut entries: Vec<Entry> = Vec::new();
    let mut enter = |name, how, contestant| {
        entries.push(Entry { name, how, contestant, rounds: Vec::new() });
    };
    enter("hand-written Rust", "no plugin, no frame, no check", Box::new(HandWritten));
    enter("native Rust", "the plugin, compiled in", Box::new(Plugin::native(&native)));
    let built = [
        (Some(guests::rust()), "sandboxed, decimals"),
        (guests::zig(), "sandboxed, decimals"),
        (guests::javascript(), "sandboxed, decimals"),
        (guests::javascript_aot(), "sandboxed, decimals"),
        (guests::python(), "sandboxed, decimals"),
    ];
    for (guest, how) in built {
        if let Some(guest) = guest {
            enter(guest.name, how, Box::new(Plugin::sandboxed(&sandbox, &guest.component)));
        }
    }
    #[cfg(feature = "extism")]
    if let Some(module) = extism::module() {
        enter("Extism, Rust", "sandboxed, JSON, decimals", Box::new(extism::Extism::new(module)));
    }
    if cfg!(not(feature = "extism")) {
        say("skipped: Extism (--features extism)");
    }
    enter("Rhai", "interpreter in the host, decimals", Box::new(scripts::Rhai::new()));
    enter("Lua 5.4 (mlua)", "C in the host, integers", Box::new(scripts::Lua::new()));
    enter("CEL", "expressions in the host, integers", Box::new(scripts::Cel::new()));

    agree(&mut entries, &events);
    // In turn, so that whatever else the machine does meets all of them.
    for _ in 0..ROUNDS {
        for entry in &mut entries {
            entry.rounds.push(timed(&mut *entry.contestant, &events));
        }
    }
    print_table(&entries);
}

/// Every contestant charges every event what hand-written Rust charges.
fn agree(entries: &mut [Entry], events: &[rule::Event]) {
    let expected = HandWritten.price(events);
    assert!(expected.iter().any(|charge| !charge.within.is_zero() && !charge.beyond.is_zero()));
    for entry in entries {
        for (row, (charge, expected)) in entry.contestant.price(events).iter().zip(&expected).enumerate() {
            assert_eq!(charge, expected, "{}: event {row}", entry.name);
        }
    }
    let total: rust_decimal::Decimal = expected.iter().map(|charge| charge.amount).sum();
    say(&format!("all charge the same, event by event: {total} for {} events", events.len()));
}

fn timed(contestant: &mut dyn Contestant, events: &[rule::Event]) -> f64 {
    let start = Instant::now();
    let mut batches = 0_u32;
    while start.elapsed() < TURN {
        black_box(contestant.price(black_box(events)));
        batches += 1;
    }
    start.elapsed().as_secs_f64() * 1e9 / (f64::from(batches) * events.len() as f64)
}

fn print_table(entries: &[Entry]) {
    let median = |entry: &Entry, of: &dyn Fn(usize) -> f64| {
        let mut rounds: Vec<f64> = (0..entry.rounds.len()).map(of).collect();
        rounds.sort_by(f64::total_cmp);
        rounds[rounds.len() / 2]
    };
    let native = &entries[1].rounds;
    println!("\n{BATCH} events a batch, median of {ROUNDS} rounds; a ratio is of the same round");
    println!("{:<26}{:>12}{:>12}  how", "", "ns an event", "to native");
    for entry in entries {
        let each = median(entry, &|round| entry.rounds[round]);
        let ratio = median(entry, &|round| entry.rounds[round] / native[round]);
        println!("{:<26}{each:>12.0}{ratio:>12.2}  {}", entry.name, entry.how);
    }
}
