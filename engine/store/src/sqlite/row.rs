//! Single values between the core's types and columns.

use std::str::FromStr;

use rust_decimal::Decimal;
use tollgate_core::period::Period;
use tollgate_core::quantity::Quantity;

use super::trouble::Trouble;

/// A period as year × 100 + month.
pub fn period_number(period: Period) -> Result<i64, Trouble> {
    let text = period.to_string();
    let number = match text.split_once('-') {
        Some((year, month)) if text.len() == 7 => format!("{year}{month}").parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| Trouble::failed(format!("the period {text} is outside what the database holds")))
}

/// The period of such a number.
pub fn period(number: i64) -> Result<Period, Trouble> {
    let (year, month) = (number.div_euclid(100), number.rem_euclid(100));
    format!("{year:04}-{month:02}").parse().map_err(|_| Trouble::corrupt(format!("{number} is not a period")))
}

/// A quantity from its text.
pub fn quantity(text: &str) -> Result<Quantity, Trouble> {
    let decimal = Decimal::from_str_exact(text).ok();
    decimal
        .and_then(|decimal| Quantity::new(decimal).ok())
        .ok_or_else(|| Trouble::corrupt(format!("{text:?} is not a quantity")))
}

/// A whole number from its text.
pub fn whole<T: FromStr>(text: &str) -> Result<T, Trouble> {
    text.parse().map_err(|_| Trouble::corrupt(format!("{text:?} is not a whole number")))
}

/// The number of an event or the like as SQLite has it; one that it cannot have is larger than any it has.
pub fn number_column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The number of an event or the like from its column.
pub fn number(column: i64) -> Result<u64, Trouble> {
    u64::try_from(column).map_err(|_| Trouble::corrupt(format!("{column} is not a number that is given")))
}

/// A limit as SQLite has it.
pub fn limit_column(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
