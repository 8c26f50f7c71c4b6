//! The crimes themselves.

use std::hint::black_box;

use crate::bindings::exports::tollgate::pricing::plugin::{Fault, Metered, Rated, Refusal};
use crate::bindings::tollgate::pricing::log;
use crate::plan::Crime;
use crate::{CENT, push_line, push_usage};

const OUT_OF_RANGE: u32 = 4_000_000_000;
const NEGATIVE: u64 = 1 << 63;
/// A reserved bit is set.
const NOT_CANONICAL: [u64; 2] = [1, 1 << 40];
const ROWS: usize = 5_000;

/// Does what never returns; any other crime is a matter of the answer.
pub fn commit(crime: Crime) {
    match crime {
        Crime::Loop => spin(),
        Crime::Allocate => hoard(),
        Crime::Recurse => {
            descend(&[0; 16]);
        }
        Crime::Panic => panic!("no rate for model {:?}", "gpt-99"),
        Crime::Abort => std::process::abort(),
        Crime::EndlessLog => chatter(),
        _ => {}
    }
}

#[inline(never)]
fn spin() {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

#[inline(never)]
fn hoard() {
    let mut hoarded = Vec::new();
    loop {
        hoarded.push(black_box(Vec::<u8>::with_capacity(1 << 20)));
    }
}

#[inline(never)]
#[allow(unconditional_recursion)]
fn descend(above: &[u64; 16]) -> u64 {
    let mut below = *above;
    below[0] = below[0].wrapping_add(1);
    descend(black_box(&below)).wrapping_add(below[0])
}

#[inline(never)]
fn chatter() {
    let message = "la ".repeat(10_000);
    loop {
        log::write(log::Level::Info, &message);
    }
}

/// Answers the row of `meter` wrongly, or never.
pub fn spoil_metered(crime: Crime, row: u32, metered: &mut Metered) {
    commit(crime);
    let (rows, unit, quantity) = match crime {
        Crime::WrongUnit => (1, OUT_OF_RANGE, [1, 0]),
        Crime::NotCanonical => (1, 0, NOT_CANONICAL),
        Crime::NegativeQuantity => (1, 0, [1, NEGATIVE]),
        Crime::TooManyRows => (ROWS, 0, [1, 0]),
        Crime::Fault | Crime::LongStrings | Crime::WrongEvent => (0, 0, [0, 0]),
        _ => (1, 0, [1, 0]),
    };
    (0..rows).for_each(|_| push_usage(metered, unit, quantity));
    metered.counts.push(claimed(crime, rows));
    if crime == Crime::ShortColumn {
        metered.keys.pop();
    }
    metered.faults.extend(fault(crime, row));
}

/// Answers the row of `rate` or `close` wrongly, or never.
pub fn spoil_rated(crime: Crime, row: u32, rated: &mut Rated) {
    commit(crime);
    let (rows, line, amount) = match crime {
        Crime::WrongLine => (1, OUT_OF_RANGE, CENT),
        Crime::NotCanonical => (1, 0, NOT_CANONICAL),
        Crime::NegativeCharge => (1, 0, [1, (2 << 32) | NEGATIVE]),
        Crime::HugeCharge => (1, 0, [u64::MAX >> 1, 0]),
        Crime::TooManyRows => (ROWS, 0, CENT),
        Crime::Fault | Crime::LongStrings | Crime::WrongEvent => (0, 0, [0, 0]),
        _ => (1, 0, CENT),
    };
    let quantity = if crime == Crime::NegativeQuantity { [1, NEGATIVE] } else { [1, 0] };
    (0..rows).for_each(|_| push_line(rated, line, quantity, amount));
    rated.counts.push(claimed(crime, rows));
    if crime == Crime::ShortColumn {
        rated.amounts.pop();
    }
    let refusal = |code| Refusal { event: row, code, detail: "not today".into() };
    match crime {
        Crime::Refuse => rated.refusals.push(refusal(0)),
        Crime::WrongRefusal => rated.refusals.push(refusal(OUT_OF_RANGE)),
        _ => {}
    }
    rated.faults.extend(fault(crime, row));
}

fn claimed(crime: Crime, rows: usize) -> u32 {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    if crime == Crime::WrongCounts { rows + 7 } else { rows }
}

fn fault(crime: Crime, row: u32) -> Option<Fault> {
    match crime {
        Crime::Fault => Some(Fault { event: row, message: "this event is not to my taste".into() }),
        Crime::WrongEvent => Some(Fault { event: OUT_OF_RANGE, message: "who?".into() }),
        Crime::LongStrings => Some(Fault { event: row, message: "long ".repeat(500_000) }),
        _ => None,
    }
}
