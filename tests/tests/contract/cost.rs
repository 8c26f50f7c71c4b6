//! What each guest takes for an event, for people: `cargo test --release -p tollgate-tests --test contract -- --ignored`.

use std::time::{Duration, Instant};

use tollgate_core::frame::{Counted, Frame};
use tollgate_core::plugin::Digest;
use tollgate_core::pricer::Pricer;
use tollgate_sandbox::Sandbox;
use tollgate_tests::tollgate::say;

use crate::guests::Guest;
use crate::vectors::Vectors;

const ROUNDS: usize = 20;

/// Prints the fastest of some batches of no event, and of a thousand: instance, `meter` and `rate` together.
pub fn tell(sandbox: &Sandbox, plugin: &Digest, guest: &Guest) {
    let vectors = Vectors::read();
    let case = vectors.rate.iter().find(|case| case.frame.rows == 40).unwrap();
    let settings = case.settings.to_string();
    let (frame, counted) = (case.frame.to_frame(), case.counted.to_counted());
    for times in [0, 25] {
        let (frame, counted) = (repeated(&frame, times), repeated_counts(&counted, times));
        let mut best = Duration::MAX;
        let mut fuel = 0;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let mut run = sandbox.open(plugin, &settings).unwrap();
            run.meter(&frame).unwrap();
            run.rate(&frame, &counted).unwrap();
            fuel = run.fuel_spent();
            drop(run);
            best = best.min(start.elapsed());
        }
        let (name, size, rows) = (guest.name, guest.component.len(), frame.rows);
        let each = best.as_nanos() / u128::from(rows.max(1));
        say(&format!("{name}, {size} bytes: {rows} events in {best:.1?} ({each} ns each), {fuel} fuel"));
    }
}

fn repeated(frame: &Frame, times: usize) -> Frame {
    let mut many = frame.clone();
    many.rows = frame.rows * u32::try_from(times).unwrap();
    many.times = frame.times.repeat(times);
    many.texts.iter_mut().for_each(|column| column.ids = column.ids.repeat(times));
    many.numbers.iter_mut().for_each(|column| column.words = column.words.repeat(times));
    many
}

fn repeated_counts(counted: &Counted, times: usize) -> Counted {
    Counted {
        counts: counted.counts.repeat(times),
        units: counted.units.repeat(times),
        quantities: counted.quantities.repeat(times),
        before: counted.before.repeat(times),
        after: counted.after.repeat(times),
    }
}
