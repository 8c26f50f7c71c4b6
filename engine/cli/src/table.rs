//! The same results in words and columns, for people.

use std::fmt::Write as _;
use std::ops::Range;

use comfy_table::{CellAlignment, Table, presets::NOTHING};
use jiff::Timestamp;
use tollgate_core::money::format_money;
use tollgate_core::statement::Statement;

use crate::report::{Counts, Problem};

/// A table with a header; the columns from `first_number` on are right-aligned.
pub fn table(header: &[&str], first_number: usize, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    numbers(header, first_number..usize::MAX, rows)
}

/// The same, with the columns in `numbers` right-aligned.
pub fn numbers(
    header: &[&str],
    numbers: Range<usize>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for (position, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if numbers.contains(&position) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines = table.lines().map(|line| format!("  {}\n", line.trim_end()));
    lines.collect()
}

/// One line a customer and period, and the sums, in one currency.
pub fn customers(statements: &[Statement]) -> String {
    let rows = statements.iter().map(|statement| {
        let used = statement.usage.iter().map(used_in_words);
        vec![
            statement.customer.clone(),
            statement.period.to_string(),
            used.collect::<Vec<_>>().join(", "),
            format_money(statement.network_cost, &statement.currency),
            format_money(statement.platform_fee, &statement.currency),
            format_money(statement.builder_earnings, &statement.currency),
            format_money(statement.total, &statement.currency),
        ]
    });
    let header = ["customer", "period", "used", "network cost", "platform fee", "earnings", "total"];
    table(&header, 3, rows)
}

/// A customer's statement: what was used, what is charged, and the sum.
pub fn statement(statement: &Statement) -> String {
    let state = if statement.closed { "closed" } else { "open" };
    let mut text = format!("{} — {} ({state})\n", statement.name, statement.period);
    for used in &statement.usage {
        let _ = writeln!(text, "  Used: {}", used_in_words(used));
    }
    let mut rows: Vec<Vec<String>> = Vec::with_capacity(statement.lines.len());
    for line in &statement.lines {
        let quantity = plural(&line.quantity.to_string(), &line.unit);
        rows.push(vec![line.title.clone(), quantity, format_money(line.amount, &statement.currency)]);
    }
    let mut sum = |title: &str, nano: i128| {
        rows.push(vec![title.into(), String::new(), format_money(nano, &statement.currency)]);
    };
    sum("Total", statement.total);
    if let Some(owed) = owed(statement) {
        sum("Covered by granted credit", statement.from_granted);
        sum("Covered by paid balance", statement.from_paid);
        sum("Owed", owed);
    }
    text + &table(&["", "quantity", "amount"], 1, rows)
}

/// What is left of a statement's total that granted credit and the customer's own money did not cover, in
/// nano-units; `None` when neither covered anything.
pub fn owed(statement: &Statement) -> Option<i128> {
    let Statement { total, from_granted, from_paid, .. } = statement;
    let is_covered = *from_granted != 0 || *from_paid != 0;
    is_covered.then(|| total.saturating_sub(*from_granted).saturating_sub(*from_paid))
}

/// `2026-11-30 09:00 UTC`, of milliseconds since 1970.
pub fn moment(time: i64) -> String {
    let moment = Timestamp::from_millisecond(time);
    moment
        .map_or_else(|_| "at no time".to_owned(), |moment| moment.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

fn used_in_words(used: &tollgate_core::statement::Used) -> String {
    let words = plural(&used.used.to_string(), &used.unit);
    if used.group.is_empty() { words } else { format!("{words} ({})", used.group.join(", ")) }
}

/// `1 document`, `2 documents`; a unit that begins with a number is left as it is: `3.5 × 1k tokens`.
pub fn plural(quantity: &str, unit: &str) -> String {
    let begins_with_digit = unit.chars().next().is_some_and(|first| first.is_ascii_digit());
    match quantity {
        _ if begins_with_digit => format!("{quantity} × {unit}"),
        "1" => format!("1 {unit}"),
        _ if unit.is_empty() || unit.ends_with('s') => format!("{quantity} {unit}").trim_end().to_owned(),
        _ => format!("{quantity} {unit}s"),
    }
}

/// How many events of each kind, and what went wrong.
pub fn ingested(counts: Counts, problems: &[Problem]) -> String {
    let Counts { read, rated, held, duplicate, invalid } = counts;
    let mut text =
        format!("{read} events read: {rated} rated, {held} held, {duplicate} duplicate, {invalid} invalid\n");
    for problem in problems {
        let Problem { file, line, id, reason } = problem;
        let id = if id.is_empty() { String::new() } else { format!(" {id}:") };
        let _ = writeln!(text, "  {file}:{line}:{id} {reason}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::plural;

    #[test]
    fn quantities_read_as_words() {
        let cases = [
            ("1", "document", "1 document"),
            ("2", "document", "2 documents"),
            ("0", "request", "0 requests"),
            ("3.5", "1k tokens", "3.5 × 1k tokens"),
            ("7", "tokens", "7 tokens"),
            ("7", "", "7"),
        ];
        for (quantity, unit, words) in cases {
            assert_eq!(plural(quantity, unit), words);
        }
    }
}
