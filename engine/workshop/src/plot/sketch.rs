//! A drawing for a terminal: the total over usage, in letters.
#![allow(clippy::cast_possible_truncation)] // Columns and rows of a terminal.

use std::fmt::Write as _;

use tollgate_core::money::format_money;

use super::Series;
use crate::columns::thousands;

const COLUMNS: u64 = 72;
const ROWS: i128 = 16;
/// One for each curve.
const MARKS: [char; 6] = ['*', 'o', '+', 'x', '#', '@'];

pub(super) fn draw(series: &[Series], currency: &str) -> String {
    let up_to = series.iter().map(|series| series.up_to).max().unwrap_or(1).max(1);
    let units = |column: u64| up_to.saturating_mul(column) / (COLUMNS - 1);
    let totals: Vec<Vec<i128>> = (series.iter())
        .map(|one| (0..COLUMNS).map(|column| one.total_at(units(column).min(one.up_to))).collect())
        .collect();
    let top = totals.iter().flatten().copied().max().unwrap_or(0).max(1);
    let mut rows = vec![vec![' '; COLUMNS as usize]; ROWS as usize];
    for (place, totals) in totals.iter().enumerate().rev() {
        let mark = MARKS.get(place % MARKS.len()).copied().unwrap_or('*');
        for (column, total) in totals.iter().enumerate() {
            let height = (total.max(&0) * (ROWS - 1) + top / 2) / top;
            let row = usize::try_from(ROWS - 1 - height.min(ROWS - 1)).unwrap_or(0);
            if let Some(cell) = rows.get_mut(row).and_then(|row| row.get_mut(column)) {
                *cell = mark;
            }
        }
    }
    let label = format_money(top, currency);
    let width = label.chars().count();
    let mut text = String::new();
    for (place, row) in rows.iter().enumerate() {
        let name = match place {
            0 => label.clone(),
            _ if place + 1 == rows.len() => format_money(0, currency),
            _ => String::new(),
        };
        let line: String = row.iter().collect();
        let _ = writeln!(text, "{name:>width$} |{}", line.trim_end());
    }
    let mut axis: Vec<char> = vec!['-'; COLUMNS as usize];
    for one in series {
        for step in &one.steps {
            let column = (step.unit.saturating_mul(COLUMNS - 1) / up_to) as usize;
            if let Some(cell) = axis.get_mut(column).filter(|cell| **cell != '!') {
                *cell = if step.is_cliff { '!' } else { '^' };
            }
        }
    }
    let axis: String = axis.iter().collect();
    let over = series.first().map(|one| one.over.to_string()).unwrap_or_default();
    let far = format!("{} {over}", thousands(up_to));
    let _ = writeln!(text, "{:>width$} +{axis}", "");
    let _ = writeln!(text, "{:>width$}  0{far:>right$}", "", right = COLUMNS as usize - 1);
    let mut legend: Vec<String> = Vec::new();
    for (one, mark) in series.iter().zip(MARKS.iter().cycle()) {
        legend.push(format!("{mark} {}", one.label));
    }
    legend.push("^ a tier's edge".to_owned());
    legend.push("! a cliff".to_owned());
    let _ = writeln!(text, "{:>width$}  {}", "", legend.join("   "));
    text
}
