//! The two pricing rules as a billing system would hard-code them: the baseline that no plugin can beat.

use std::collections::HashMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use tollgate_core::charge::{Line, Split};
use tollgate_core::money::Amount;
use tollgate_core::quantity::Quantity;
use tollgate_core::rating::Candidate;

/// What an event comes to: its lines, and who gets what.
pub type Priced = (Vec<Line>, Split);

fn line(code: &Arc<str>, quantity: Decimal, amount: Decimal) -> Line {
    let quantity = Quantity::new(quantity).expect("a quantity");
    Line {
        code: Arc::clone(code),
        quantity,
        unit_price: None,
        amount: Amount::rounded(amount).expect("an amount"),
    }
}

fn priced(row: &Candidate, lines: Vec<Line>) -> Priced {
    let total = lines.iter().try_fold(Amount::ZERO, |sum, line| sum.checked_add(line.amount));
    let split = Split::of(total.expect("a total"), row.network_cost, Decimal::new(20, 2)).expect("a split");
    (lines, split)
}

/// 100 requests included, then 0.02 each; 0.05 more on the premium route.
pub fn included_overage(rows: &[&Candidate]) -> Vec<Priced> {
    let (included, price, premium) = (Decimal::ONE_HUNDRED, Decimal::new(2, 2), Decimal::new(5, 2));
    let codes: [Arc<str>; 3] = ["included".into(), "overage".into(), "premium".into()];
    let mut counters: HashMap<&str, Decimal> = HashMap::new();
    rows.iter()
        .map(|row| {
            let counter = counters.entry(&row.event.customer).or_default();
            let before = *counter;
            *counter += Decimal::ONE;
            let within = (*counter).min(included) - before.min(included);
            let beyond = *counter - before - within;
            let mut lines = Vec::with_capacity(2);
            if !within.is_zero() {
                lines.push(line(&codes[0], within, Decimal::ZERO));
            }
            if !beyond.is_zero() {
                let cost = |total: Decimal| (total - included).max(Decimal::ZERO) * price;
                lines.push(line(&codes[1], beyond, cost(*counter).round_dp(9) - cost(before).round_dp(9)));
            }
            if row.event.route == "premium" {
                lines.push(line(&codes[2], Decimal::ONE, premium));
            }
            priced(row, lines)
        })
        .collect()
}

/// A thousand tokens: 0.03 up to 500 of them, then 0.02 and once 1.00.
pub fn tiered(rows: &[&Candidate]) -> Vec<Priced> {
    let (bound, first, second) = (Decimal::new(500, 0), Decimal::new(3, 2), Decimal::new(2, 2));
    let code: Arc<str> = "tiered".into();
    let mut counters: HashMap<&str, Decimal> = HashMap::new();
    let cost = |total: Decimal| {
        let beyond = (total - bound).max(Decimal::ZERO);
        let flat = if beyond.is_zero() { Decimal::ZERO } else { Decimal::ONE };
        (total.min(bound) * first + beyond * second + flat).round_dp(9)
    };
    rows.iter()
        .map(|row| {
            let tokens =
                row.event.measure("input_tokens").decimal() + row.event.measure("output_tokens").decimal();
            let units = tokens / Decimal::ONE_THOUSAND;
            let counter = counters.entry(&row.event.customer).or_default();
            let before = *counter;
            *counter += units;
            priced(row, vec![line(&code, units, cost(*counter) - cost(before))])
        })
        .collect()
}
