//! A payment provider's report as CSV: for providers without an interface, and for banks' statements.
//!
//! The first line names the columns, in any order: `id, kind, reference, amount, fee, currency, at`.
//!
//! | column | what |
//! |---|---|
//! | `id` | the provider's id of the booking, unique |
//! | `kind` | `payment`, `refund`, `dispute`, `dispute_won`, `transfer`, `transfer_returned`, `withdrawal` or `other` |
//! | `reference` | the payment's or transfer's name at the provider; may be empty |
//! | `amount` | a decimal number before the fee: positive came in, negative went out |
//! | `fee` | a decimal number; empty for none |
//! | `currency` | ISO 4217 code |
//! | `at` | when: `2026-11-30T12:00:00Z` |

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord, Trim};
use jiff::Timestamp;
use tollgate_core::money::Amount;
use tollgate_core::payment::{Reported, ReportedKind};
use tollgate_core::payout::minor_unit;

const COLUMNS: [&str; 7] = ["id", "kind", "reference", "amount", "fee", "currency", "at"];

const KINDS: [(&str, ReportedKind); 8] = [
    ("payment", ReportedKind::Payment),
    ("refund", ReportedKind::Refund),
    ("dispute", ReportedKind::Dispute),
    ("dispute_won", ReportedKind::DisputeWon),
    ("transfer", ReportedKind::Transfer),
    ("transfer_returned", ReportedKind::TransferReturned),
    ("withdrawal", ReportedKind::Withdrawal),
    ("other", ReportedKind::Other),
];

/// Why a report cannot be read. Lines count from 1, the names of the columns among them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Not CSV at all.
    #[error("line {line}: {fault}")]
    Line {
        /// The line.
        line: u64,
        /// What is wrong with it, and what to do.
        fault: String,
    },
    /// A cell that does not say what its column says.
    #[error("line {line}, column {column}: {fault}")]
    Cell {
        /// The line.
        line: u64,
        /// The column's name.
        column: &'static str,
        /// What is wrong with it, and what to do.
        fault: String,
    },
}

/// Reads a report. Empty lines are passed over.
///
/// # Errors
/// [`ReportError`] for the first thing that is wrong.
pub fn read(text: &str) -> Result<Vec<Reported>, ReportError> {
    // Spreadsheets begin a file with a mark of its encoding.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text.as_bytes());
    let head = reader.headers().map_err(|error| broken(&error, 1))?.clone();
    let columns = columns(&head)?;
    let (mut all, mut lines) = (Vec::new(), HashMap::new());
    for row in reader.records() {
        let row = row.map_err(|error| broken(&error, 0))?;
        let row = Row { line: row.position().map_or(0, csv::Position::line), columns, cells: row };
        let reported = row.reported()?;
        if let Some(first) = lines.insert(reported.id.clone(), row.line) {
            return Err(
                row.fault("id", format!("{:?} is on line {first} already: remove one of them", reported.id))
            );
        }
        all.push(reported);
    }
    Ok(all)
}

/// Where each of [`COLUMNS`] is.
fn columns(head: &StringRecord) -> Result<[usize; 7], ReportError> {
    let mut places = [0; 7];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        let found: Vec<usize> =
            head.iter().enumerate().filter(|(_, name)| *name == column).map(|(index, _)| index).collect();
        let fault = match found.as_slice() {
            [index] => {
                *place = *index;
                continue;
            }
            [] => format!("the first line names the columns {}: {column} is missing", COLUMNS.join(",")),
            _ => format!("the column {column} is there twice: remove one of them"),
        };
        return Err(ReportError::Line { line: 1, fault });
    }
    Ok(places)
}

fn broken(error: &csv::Error, line: u64) -> ReportError {
    let line = error.position().map_or(line, csv::Position::line);
    let fault = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!(
                "there are {len} cells under {expected_len} columns: a cell with a comma needs quotes (\"1,5\")"
            )
        }
        other => format!("it is not CSV: {other:?}"),
    };
    ReportError::Line { line, fault }
}

struct Row {
    line: u64,
    columns: [usize; 7],
    cells: StringRecord,
}

impl Row {
    fn fault(&self, column: &'static str, fault: String) -> ReportError {
        ReportError::Cell { line: self.line, column, fault }
    }

    fn cell(&self, column: &str) -> &str {
        let place = COLUMNS.iter().zip(self.columns).find(|(name, _)| **name == column);
        place.and_then(|(_, index)| self.cells.get(index)).unwrap_or_default()
    }

    fn reported(&self) -> Result<Reported, ReportError> {
        let id = self.cell("id");
        if id.is_empty() {
            return Err(self.fault("id", "it is empty: every booking has an id of its own".into()));
        }
        let fee = if self.cell("fee").is_empty() { Amount::ZERO } else { self.amount("fee")? };
        Ok(Reported {
            id: id.to_owned(),
            kind: self.kind()?,
            reference: self.cell("reference").to_owned(),
            amount: self.amount("amount")?,
            fee,
            currency: self.currency()?,
            at: self.at()?,
        })
    }

    fn kind(&self) -> Result<ReportedKind, ReportError> {
        let word = self.cell("kind");
        let kind = KINDS.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind);
        kind.ok_or_else(|| {
            let words = KINDS.map(|(name, _)| name).join(", ");
            self.fault("kind", format!("{word:?} is none of {words}"))
        })
    }

    fn amount(&self, column: &'static str) -> Result<Amount, ReportError> {
        self.cell(column).parse().map_err(|error| self.fault(column, format!("{error}")))
    }

    fn currency(&self) -> Result<String, ReportError> {
        let currency = self.cell("currency");
        match minor_unit(currency) {
            Some(_) => Ok(currency.to_owned()),
            None => {
                Err(self
                    .fault("currency", format!("{currency:?} is not a code of ISO 4217, such as \"EUR\"")))
            }
        }
    }

    fn at(&self) -> Result<i64, ReportError> {
        let at = self.cell("at");
        let moment: Result<Timestamp, _> = at.parse();
        moment.map(Timestamp::as_millisecond).map_err(|_| {
            self.fault(
                "at",
                format!("{at:?} is not a moment with its zone, such as \"2026-11-30T12:00:00Z\""),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "id,kind,reference,amount,fee,currency,at\n";

    #[test]
    fn a_report_is_read_whatever_the_order_of_its_columns() {
        let text = "\u{feff}at, currency ,id,kind,note,reference,amount,fee\r\n\
            2026-11-30T12:00:00Z,EUR,b-1,payment,\"a, \"\"b\"\"\",RF71ETZD,50.00,\r\n\r\n\
            2026-11-30T13:00:00+01:00,EUR,b-2,dispute_won,,,-0.5,1.25\r\n";
        let read = read(text).unwrap();
        let at = read[0].at;
        let expected = |id: &str, kind, reference: &str, amount: &str, fee: &str| Reported {
            id: id.into(),
            kind,
            reference: reference.into(),
            amount: amount.parse().unwrap(),
            fee: fee.parse().unwrap(),
            currency: "EUR".into(),
            at,
        };
        assert_eq!(
            read,
            [
                expected("b-1", ReportedKind::Payment, "RF71ETZD", "50", "0"),
                expected("b-2", ReportedKind::DisputeWon, "", "-0.5", "1.25"),
            ]
        );
    }

    #[test]
    fn a_mistake_is_told_by_line_and_column_with_its_fix() {
        let row = "b-1,payment,r,1,0,EUR,2026-11-30T12:00:00Z\n";
        let texts = [
            "",
            "id,kind\n",
            &format!("id,{HEAD}"),
            &format!("{HEAD}{row}b-2,payment,r,1,5,0,EUR,2026-11-30T12:00:00Z\n"),
            &format!("{HEAD}{row}{row}"),
            &format!("{HEAD},payment,r,1,0,EUR,2026-11-30T12:00:00Z\n"),
            &format!("{HEAD}\n{row}b-2,gift,r,1,0,EUR,2026-11-30T12:00:00Z\n"),
            &format!("{HEAD}b-2,payment,r,\"1,00\",0,EUR,2026-11-30T12:00:00Z\n"),
            &format!("{HEAD}b-2,payment,r,1,0.0000000001,EUR,2026-11-30T12:00:00Z\n"),
            &format!("{HEAD}b-2,payment,r,1,0,eur,2026-11-30T12:00:00Z\n"),
            &format!("{HEAD}b-2,payment,r,1,0,EUR,30.11.2026\n"),
        ];
        let faults = texts.map(|text| read(text).unwrap_err().to_string()).join("\n");
        insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!("report_faults", faults);
        });
    }
}
