//! `plugin run`: events in, lines out, with what each took.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tollgate_core::{
    charge::{Charge, Line, UsageRow},
    money::format_money,
};

use crate::{
    columns::{cut, table, thousands},
    fixture::group,
    trial::{PeriodRun, Priced},
};

/// The longest cell with several rows in it.
const CELL_LETTERS: usize = 60;

/// For people. Where a batch holds several events, what it took is shown for each on average.
pub fn as_table(run: &PeriodRun, plugin: &str, currency: &str) -> String {
    let rows: Vec<Vec<String>> = (run.outcomes.iter().zip(costs(run)))
        .map(|(priced, (fuel, memory))| {
            let (usage, lines, total) = match priced.charge() {
                Some(charge) => (usage_in_words(charge), lines_in_words(charge), money(charge, currency)),
                None => (String::new(), "held".to_owned(), String::new()),
            };
            let who = priced.event.customer.clone();
            let usage = cut(&usage, CELL_LETTERS);
            let (fuel, memory) = (thousands(fuel), format!("{} KiB", memory >> 10));
            vec![priced.event.key.id.clone(), who, usage, cut(&lines, CELL_LETTERS), total, fuel, memory]
        })
        .collect();
    let header = ["event", "customer", "usage", "lines", "total", "fuel", "memory"];
    let mut text = table(&header, 4, &rows);
    for priced in &run.outcomes {
        if let Some(reason) = priced.reason(plugin) {
            let _ = writeln!(text, "  held {}: {reason}", priced.event.key.id);
        }
    }
    for closing in &run.closing {
        let lines = lines_in_words(&closing.charge);
        let _ = writeln!(text, "  close {}: {lines}", closing.customer);
    }
    let _ = writeln!(text, "  total {}", format_money(run.total(None), currency));
    text
}

/// For programs: one object.
pub fn as_json(run: &PeriodRun, plugin: &str, currency: &str) -> Value {
    let events = run.outcomes.iter().zip(costs(run)).map(|(priced, (fuel, memory_bytes))| {
        let (id, customer) = (&priced.event.key.id, &priced.event.customer);
        match (priced.charge(), priced.reason(plugin)) {
            (Some(charge), _) => json!({ "id": id, "customer": customer, "fuel": fuel,
                "memory_bytes": memory_bytes, "total": charge.total.to_string(),
                "usage": charge.usage.iter().map(usage_as_json).collect::<Value>(),
                "lines": lines_as_json(&charge.lines) }),
            (None, reason) => json!({ "id": id, "customer": customer, "fuel": fuel,
                "memory_bytes": memory_bytes, "held": reason }),
        }
    });
    let closing = run.closing.iter().map(|closing| {
        let charge = &closing.charge;
        json!({ "customer": closing.customer, "lines": lines_as_json(&charge.lines),
            "total": charge.total.to_string() })
    });
    json!({
        "currency": currency,
        "events": events.collect::<Vec<_>>(),
        "closing": closing.collect::<Vec<_>>(),
        "total": tollgate_core::money::format_nano(run.total(None)),
    })
}

/// Fuel and memory of each event: its batch's, shared out.
fn costs(run: &PeriodRun) -> impl Iterator<Item = (u64, usize)> + '_ {
    run.batches.iter().flat_map(|batch| {
        let fuel = batch.fuel / u64::try_from(batch.events.max(1)).unwrap_or(1);
        std::iter::repeat_n((fuel, batch.memory_bytes), batch.events)
    })
}

fn money(charge: &Charge, currency: &str) -> String {
    format_money(i128::from(charge.total.nano()), currency)
}

/// `document 3 (8 → 11)`
pub(crate) fn usage_in_words(charge: &Charge) -> String {
    let rows = charge.usage.iter().map(|row| {
        let group = group(&row.group);
        let group = if group.is_empty() { String::new() } else { format!(" of {group}") };
        let key = if row.key.is_empty() { String::new() } else { format!(" {:?}", &*row.key) };
        format!("{}{group}{key} {} ({} → {})", row.unit, row.quantity, row.before, row.after)
    });
    rows.collect::<Vec<_>>().join("; ")
}

/// `overage 2 × 0.50 = 1.00`
pub(crate) fn lines_in_words(charge: &Charge) -> String {
    if charge.lines.is_empty() {
        return "free".to_owned();
    }
    let rows = charge.lines.iter().map(|Line { code, quantity, unit_price, amount }| match unit_price {
        Some(price) => format!("{code} {quantity} × {} = {amount}", price.normalize()),
        None => format!("{code} {quantity} = {amount}"),
    });
    rows.collect::<Vec<_>>().join("; ")
}

/// What became of an event, in a few words.
pub(crate) fn outcome_in_words(priced: &Priced, plugin: &str) -> String {
    match (priced.charge(), priced.reason(plugin)) {
        (Some(charge), _) => lines_in_words(charge),
        (None, reason) => format!("held: {}", reason.unwrap_or_default()),
    }
}

fn usage_as_json(row: &UsageRow) -> Value {
    json!({ "unit": row.unit, "group": group(&row.group), "key": row.key,
        "quantity": row.quantity.to_string(), "before": row.before.to_string(),
        "after": row.after.to_string() })
}

fn lines_as_json(lines: &[Line]) -> Value {
    let lines = lines.iter().map(|line| {
        json!({ "code": line.code, "quantity": line.quantity.to_string(),
            "unit_price": line.unit_price.map(|price| price.normalize().to_string()),
            "amount": line.amount.to_string() })
    });
    lines.collect()
}
