//! The one pricing rule that every contestant has: so many units cost nothing, each one beyond costs the same.
//!
//! Owns the events, what is charged for one, the counters, which the host keeps whoever prices, and the rule
//! as hand-written Rust. What each contestant does with it is in the other files.

use std::collections::HashMap;

use rust_decimal::Decimal;

/// Who used how much.
pub struct Event {
    pub customer: String,
    pub quantity: Decimal,
}

/// What an event costs: how much of it was included, how much was beyond, and the amount for that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    pub within: Decimal,
    pub beyond: Decimal,
    pub amount: Decimal,
}

/// A customer's counter around an event.
#[derive(Clone, Copy)]
pub struct Counter {
    pub before: Decimal,
    pub after: Decimal,
}

/// Units that cost nothing.
pub fn included() -> Decimal {
    Decimal::TEN
}

/// What each one beyond costs: five cents and a fraction.
pub fn price() -> Decimal {
    Decimal::new(5125, 5)
}

/// Prices a batch; the counters start at zero in each.
pub trait Contestant {
    /// What each event costs.
    fn price(&mut self, events: &[Event]) -> Vec<Charge>;
}

/// Quarters of a unit, for forty customers: most of them use more than is included.
pub fn events(number: u32) -> Vec<Event> {
    let event = |row: u32| Event {
        customer: format!("workspace-{:02}", row.wrapping_mul(7_919) % 40),
        quantity: Decimal::new(i64::from(row.wrapping_mul(40_503) % 12 + 1) * 25, 2),
    };
    (0..number).map(event).collect()
}

/// The counter around each event.
pub fn counters(events: &[Event]) -> impl Iterator<Item = Counter> {
    let mut totals: HashMap<&str, Decimal> = HashMap::new();
    events.iter().map(move |event| {
        let total = totals.entry(&event.customer).or_default();
        let before = *total;
        *total += event.quantity;
        Counter { before, after: *total }
    })
}

/// The rule as a billing system would hard-code it.
pub struct HandWritten;

impl Contestant for HandWritten {
    fn price(&mut self, events: &[Event]) -> Vec<Charge> {
        let (included, price) = (included(), price());
        let cost = |total: Decimal| ((total - included).max(Decimal::ZERO) * price).round_dp(9);
        let charge = |Counter { before, after }: Counter| {
            let within = after.min(included) - before.min(included);
            Charge { within, beyond: after - before - within, amount: cost(after) - cost(before) }
        };
        counters(events).map(charge).collect()
    }
}
