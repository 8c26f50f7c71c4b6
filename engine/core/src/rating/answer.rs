//! Checks everything a plugin returned before it is believed.
//!
//! The shapes come from `sdk/wit/pricing.wit`. What passes here is within bounds: every index names
//! something, every decimal is canonical, every event is answered once.

use rust_decimal::Decimal;

use crate::frame::{Fault, Frame, Metered, Rated};
use crate::money::Amount;
use crate::plugin::{Aggregation, LineKind};
use crate::quantity::Quantity;
use crate::rating::terms::Terms;
use crate::words;

/// The most usage rows, and the most lines, that one event may have.
pub const ROWS_PER_EVENT_MAX: u32 = 64;

/// What is wrong with an answer, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadAnswer(pub String);

/// One usage row, believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Position in the terms' units.
    pub unit: usize,
    /// String id of the key; 0 unless the unit is distinct.
    pub key: u32,
    /// Zero or more.
    pub quantity: Quantity,
}

/// One line, believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineRow {
    /// Position in the terms' lines.
    pub line: usize,
    /// Zero or more.
    pub quantity: Quantity,
    /// The price of one, where there is a single one.
    pub unit_price: Option<Decimal>,
    /// Rounded half to even to nano, of the sign that the line's kind allows.
    pub amount: Amount,
}

/// The usage rows of an answer of `meter`.
///
/// # Errors
/// [`BadAnswer`] for the first thing that is wrong.
pub fn usage(terms: &Terms, frame: &Frame, answer: &Metered) -> Result<Vec<Usage>, BadAnswer> {
    check_counts("meter", frame.rows, &answer.counts, answer.units.len(), &answer.faults)?;
    check_length("keys", answer.keys.len(), answer.units.len())?;
    let strings = frame.strings.len().saturating_add(answer.strings.len());
    let quantities = decimals("quantities", &answer.quantities, answer.units.len())?;
    let rows = answer.units.iter().zip(&answer.keys).zip(quantities);
    rows.map(|((unit, key), quantity)| {
        let unit = *unit as usize;
        let declared = terms.units.get(unit);
        let declared = declared.ok_or_else(|| bad_index("unit", unit, terms.units.len()))?;
        let quantity = not_negative("a usage quantity", quantity?)?;
        if *key as usize >= strings {
            return Err(bad_index("string", *key as usize, strings));
        }
        match (declared.aggregation, *key) {
            (Aggregation::Distinct, 0) => {
                Err(BadAnswer(format!("it gave a {} without a key to tell it from others", declared.name)))
            }
            (Aggregation::Sum | Aggregation::Max, 1..) => Err(BadAnswer(format!(
                "it gave a {} with a key, but the unit is not distinct",
                declared.name
            ))),
            _ => Ok(Usage { unit, key: *key, quantity }),
        }
    })
    .collect()
}

/// The lines of an answer of `rate` or `close`.
///
/// # Errors
/// [`BadAnswer`] for the first thing that is wrong.
pub fn lines(terms: &Terms, rows: u32, answer: &Rated) -> Result<Vec<LineRow>, BadAnswer> {
    check_counts("rate", rows, &answer.counts, answer.lines.len(), &answer.faults)?;
    check_refusals(terms, rows, answer)?;
    let quantities = decimals("quantities", &answer.quantities, answer.lines.len())?;
    let unit_prices = decimals("unit-prices", &answer.unit_prices, answer.lines.len())?;
    let amounts = decimals("amounts", &answer.amounts, answer.lines.len())?;
    let rows = answer.lines.iter().zip(quantities).zip(unit_prices).zip(amounts);
    rows.map(|(((line, quantity), unit_price), amount)| {
        let line = *line as usize;
        let declared = terms.lines.get(line);
        let declared = declared.ok_or_else(|| bad_index("line code", line, terms.lines.len()))?;
        let amount = Amount::rounded(amount?)
            .map_err(|error| BadAnswer(format!("the amount of line `{}`: {error}", declared.code)))?;
        let allowed = match declared.kind {
            LineKind::Charge => amount >= Amount::ZERO,
            LineKind::Credit => amount <= Amount::ZERO,
            LineKind::Adjustment => true,
        };
        if !allowed {
            let (kind, sign) =
                if amount < Amount::ZERO { ("charge", "negative") } else { ("credit", "positive") };
            let code = &declared.code;
            return Err(BadAnswer(format!("line `{code}` is a {kind} but its amount is {sign}: {amount}")));
        }
        let unit_price = Some(unit_price?.normalize()).filter(|price| !price.is_zero());
        Ok(LineRow { line, quantity: not_negative("a line quantity", quantity?)?, unit_price, amount })
    })
    .collect()
}

fn check_refusals(terms: &Terms, rows: u32, answer: &Rated) -> Result<(), BadAnswer> {
    for refusal in &answer.refusals {
        if refusal.event >= rows {
            return Err(bad_index("event", refusal.event as usize, rows as usize));
        }
        if refusal.code as usize >= terms.refusals.len() {
            return Err(bad_index("refusal code", refusal.code as usize, terms.refusals.len()));
        }
    }
    Ok(())
}

/// Every event answered once: a count for each row, which together are all rows of the answer, and none
/// for an event that is faulted.
fn check_counts(
    call: &str,
    rows: u32,
    counts: &[u32],
    total: usize,
    faults: &[Fault],
) -> Result<(), BadAnswer> {
    if counts.len() != rows as usize {
        return Err(BadAnswer(format!("its {call} answered {} events of {rows}", counts.len())));
    }
    if let Some(count) = counts.iter().find(|count| **count > ROWS_PER_EVENT_MAX) {
        return Err(BadAnswer(format!(
            "it gave {count} rows for one event; at most {ROWS_PER_EVENT_MAX} are taken"
        )));
    }
    let sum = counts.iter().fold(0_usize, |sum, count| sum.saturating_add(*count as usize));
    if sum != total {
        return Err(BadAnswer(format!("its {call} counts {sum} rows but gave {total}")));
    }
    for fault in faults {
        match counts.get(fault.event as usize) {
            None => return Err(bad_index("event", fault.event as usize, rows as usize)),
            Some(0) => {}
            Some(_) => return Err(BadAnswer("it both faulted an event and gave rows for it".to_owned())),
        }
    }
    Ok(())
}

fn check_length(column: &str, length: usize, expected: usize) -> Result<(), BadAnswer> {
    if length == expected {
        return Ok(());
    }
    Err(BadAnswer(format!("its column `{column}` has {length} entries where {expected} were due")))
}

/// The decimals of a column, each to be checked as it is read.
fn decimals<'a>(
    column: &'a str,
    words: &'a [u64],
    rows: usize,
) -> Result<impl Iterator<Item = Result<Decimal, BadAnswer>> + 'a, BadAnswer> {
    check_length(column, words.len(), rows.saturating_mul(2))?;
    let (pairs, _) = words.as_chunks::<2>();
    Ok(pairs.iter().map(move |pair| {
        words::decode(*pair).map_err(|error| BadAnswer(format!("its column `{column}`: {error}")))
    }))
}

fn not_negative(what: &str, decimal: Decimal) -> Result<Quantity, BadAnswer> {
    let quantity = Quantity::new(decimal).map_err(|error| BadAnswer(format!("{what}: {error}")))?;
    if quantity.is_negative() {
        return Err(BadAnswer(format!("{what} is negative: {quantity}")));
    }
    Ok(quantity)
}

fn bad_index(what: &str, index: usize, length: usize) -> BadAnswer {
    BadAnswer(format!("it named {what} {index} where there are {length}"))
}
