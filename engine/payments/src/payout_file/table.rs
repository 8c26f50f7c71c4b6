//! Payouts as a table that a person opens, and that runs nothing when a spreadsheet opens it.

use tollgate_core::payout::Destination;

use super::{Due, FileError, in_order};
use crate::bank::{bic, iban};

const COLUMNS: [&str; 10] =
    ["builder", "period", "currency", "amount", "name", "iban", "bic", "provider", "account", "reference"];

/// The payouts as CSV (RFC 4180) with a head, one a row. The reference is what a bank's statement is to say.
///
/// # Errors
/// [`FileError`] naming the Builder and the field.
pub fn csv(due: &[Due<'_>]) -> Result<String, FileError> {
    let mut text = row(&COLUMNS.map(str::to_owned));
    for due in in_order(due)? {
        let [name, number, bank, provider, account] = match due.destination()? {
            Destination::Bank { name, iban: number, bic: bank } => {
                let bank = bank.as_deref().map(bic).transpose();
                [
                    name.clone(),
                    due.at("iban", iban(number))?,
                    due.at("bic", bank)?.unwrap_or_default(),
                    String::new(),
                    String::new(),
                ]
            }
            Destination::Account { provider, account } => {
                [String::new(), String::new(), String::new(), provider.clone(), account.clone()]
            }
        };
        let payout = due.payout;
        text.push_str(&row(&[
            due.builder.to_owned(),
            payout.period.to_string(),
            payout.currency.clone(),
            due.amount(),
            name,
            number,
            bank,
            provider,
            account,
            due.end_to_end_id(),
        ]));
    }
    Ok(text)
}

fn row(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    format!("{}\r\n", cells.join(","))
}

/// A cell. What a spreadsheet would take for a formula is made text by an apostrophe, as spreadsheets do it.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', ';', '\r', '\n', '\t', '\'']) || text != text.trim() {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{DUTCH, GERMAN, bank, payout};
    use super::*;

    #[test]
    fn a_table_is_the_same_in_whatever_order_and_runs_nothing() {
        let first = payout("1234.50", "EUR", bank("Müller & Söhne, \"Docs\"", GERMAN, Some("COBADEFF")));
        let second = payout("20", "EUR", bank("=HYPERLINK(\"http://x\")", DUTCH, None));
        let account = Destination::Account { provider: "stripe".into(), account: "acct_1".into() };
        let third = payout("300", "JPY", Some(account));
        let due = [
            Due { builder: "acme", payout: &first },
            Due { builder: "-beta", payout: &second },
            Due { builder: "gamma", payout: &third },
        ];
        let text = csv(&due).unwrap();
        let [first, second, third] = due;
        assert_eq!(csv(&[third, first, second]).unwrap(), text);
        insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!("table", text.replace('\r', ""));
        });
    }

    #[test]
    fn the_builder_and_the_field_are_named() {
        for (destination, words) in [
            (None, "Builder \"acme\", payout 2026-11/EUR, destination: there is none"),
            (bank("A", "DE00", None), "Builder \"acme\", payout 2026-11/EUR, destination iban: "),
            (bank("A", DUTCH, Some("X")), "destination bic: \"X\" is not a BIC"),
        ] {
            let payout = payout("1", "EUR", destination);
            let error = csv(&[Due { builder: "acme", payout: &payout }]).unwrap_err().to_string();
            assert!(error.starts_with("Builder \"acme\"") && error.contains(words), "{error}");
        }
        assert_eq!(csv(&[]), Err(FileError::Empty));
        for (amount, currency) in [("0", "EUR"), ("-1", "EUR"), ("0.001", "EUR"), ("1", "XYZ")] {
            let payout = payout(amount, currency, bank("A", DUTCH, None));
            let error = csv(&[Due { builder: "acme", payout: &payout }]).unwrap_err();
            assert!(matches!(error, FileError::Amount { .. }), "{error}");
        }
        let payout = payout("1", "EUR", bank("A", DUTCH, None));
        let due = Due { builder: "acme", payout: &payout };
        assert!(matches!(csv(&[due, due]), Err(FileError::Twice { .. })));
    }
}
