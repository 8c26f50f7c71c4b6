//! Payouts as an ISO 20022 credit transfer initiation (`pain.001.001.09`).
//!
//! One group of transfers for each currency. Those in euros are SEPA credit transfers, within the rules of the
//! European Payments Council (EPC 132-08); of others, payer and payee share the charges.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use tollgate_core::money::{Amount, format_nano};
use tollgate_core::payout::Destination;

use super::{Due, FileError, Payer, in_order};
use crate::bank::{BankError, bic, iban, plain};
use crate::code::short;

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";
/// Letters of a name in SEPA; the schema alone would take 140.
const NAME_MAX: usize = 70;
/// The most that one SEPA transfer moves: 999,999,999.99 euros.
const SEPA_NANO_MAX: i64 = 999_999_999_990_000_000;

/// The file for a bank. `created_at` is in milliseconds since 1970; the bank is to pay on the day `execute_on`.
/// A bank takes a file once: its name (`MsgId`) is made of when it was created and what is in it.
///
/// # Errors
/// [`FileError`] naming the Builder and the field.
pub fn pain001(
    payer: &Payer,
    due: &[Due<'_>],
    created_at: i64,
    execute_on: Date,
) -> Result<String, FileError> {
    let due = in_order(due)?;
    let payer = Account::of_payer(payer)?;
    let transfers = due.iter().map(Transfer::of).collect::<Result<Vec<_>, _>>()?;
    let created = Timestamp::from_millisecond(created_at).map_err(|_| FileError::Time(created_at))?;
    let message = message_id(created, &transfers);

    let mut xml = Xml::new();
    xml.line("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    xml.open(&format!("Document xmlns=\"{NAMESPACE}\""));
    xml.open("CstmrCdtTrfInitn");
    xml.open("GrpHdr");
    xml.leaf("MsgId", &message);
    xml.leaf("CreDtTm", &created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    xml.totals(&transfers);
    xml.open("InitgPty");
    xml.leaf("Nm", &payer.name);
    xml.close("InitgPty");
    xml.close("GrpHdr");
    for group in transfers.chunk_by(|one, next| one.currency == next.currency) {
        xml.group(&message, &payer, group, execute_on);
    }
    xml.close("CstmrCdtTrfInitn");
    xml.close("Document");
    Ok(xml.text)
}

/// 31 letters, of 35 that there may be: room for a currency.
fn message_id(created: Timestamp, transfers: &[Transfer]) -> String {
    let parts = transfers.iter().map(|transfer| format!("{} {}\n", transfer.id, transfer.amount));
    let content: String = parts.collect();
    format!("TG-{}-{}", created.strftime("%Y%m%dT%H%M%S"), short(&format!("{created}\n{content}"), 12))
}

/// A bank account, checked.
struct Account {
    name: String,
    iban: String,
    bic: Option<String>,
}

impl Account {
    fn of_payer(payer: &Payer) -> Result<Self, FileError> {
        fn at<T>(field: &'static str, checked: Result<T, BankError>) -> Result<T, FileError> {
            checked.map_err(|fault| FileError::Payer { field, fault })
        }
        Ok(Self {
            name: at("name", plain(&payer.name, NAME_MAX))?,
            iban: at("iban", iban(&payer.iban))?,
            bic: at("bic", payer.bic.as_deref().map(bic).transpose())?,
        })
    }

    fn of_payee(due: &Due<'_>) -> Result<Self, FileError> {
        match due.destination()? {
            Destination::Bank { name, iban: number, bic: bank } => Ok(Self {
                name: due.at("name", plain(name, NAME_MAX))?,
                iban: due.at("iban", iban(number))?,
                bic: due.at("bic", bank.as_deref().map(bic).transpose())?,
            }),
            Destination::Account { provider, .. } => {
                Err(due.no_bank(format!("it is an account with {provider:?}, which no payment file reaches")))
            }
        }
    }
}

struct Transfer {
    id: String,
    about: String,
    currency: String,
    amount: String,
    nano: Amount,
    payee: Account,
}

impl Transfer {
    fn of(due: &Due<'_>) -> Result<Self, FileError> {
        let payout = due.payout;
        if payout.currency == "EUR" && payout.amount > Amount::from_nano(SEPA_NANO_MAX) {
            let (builder, fault) = (due.builder.to_owned(), "more than one SEPA transfer moves");
            return Err(FileError::Amount { builder, payout: due.id(), amount: payout.amount, fault });
        }
        Ok(Self {
            id: due.end_to_end_id(),
            about: format!("Payout {}", payout.period),
            currency: payout.currency.clone(),
            amount: due.amount(),
            nano: payout.amount,
            payee: Account::of_payee(due)?,
        })
    }
}

struct Xml {
    text: String,
    depth: usize,
}

impl Xml {
    fn new() -> Self {
        Self { text: String::new(), depth: 0 }
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.text, "{:width$}{text}", "", width = self.depth.saturating_mul(2));
    }

    fn open(&mut self, element: &str) {
        self.line(&format!("<{element}>"));
        self.depth = self.depth.saturating_add(1);
    }

    fn close(&mut self, name: &str) {
        self.depth = self.depth.saturating_sub(1);
        self.line(&format!("</{name}>"));
    }

    fn leaf(&mut self, name: &str, text: &str) {
        self.leaf_with(name, "", text);
    }

    fn leaf_with(&mut self, name: &str, attributes: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        self.line(&format!("<{name}{attributes}>{text}</{name}>"));
    }

    /// Elements with nothing beside the last: `Id`, `IBAN`.
    fn nested(&mut self, names: &[&str], text: &str) {
        let Some((last, around)) = names.split_last() else { return };
        for name in around {
            self.open(name);
        }
        self.leaf(last, text);
        for name in around.iter().rev() {
            self.close(name);
        }
    }

    /// How many there are, and the sum over them, whatever their currencies: banks check that nothing is lost.
    fn totals(&mut self, transfers: &[Transfer]) {
        let sum =
            transfers.iter().fold(0_i128, |sum, transfer| sum.saturating_add(transfer.nano.nano().into()));
        self.leaf("NbOfTxs", &transfers.len().to_string());
        self.leaf("CtrlSum", &format_nano(sum));
    }

    fn group(&mut self, message: &str, payer: &Account, transfers: &[Transfer], execute_on: Date) {
        let currency = transfers.first().map(|transfer| transfer.currency.as_str()).unwrap_or_default();
        let is_sepa = currency == "EUR";
        self.open("PmtInf");
        self.leaf("PmtInfId", &format!("{message}-{currency}"));
        self.leaf("PmtMtd", "TRF");
        self.totals(transfers);
        if is_sepa {
            self.nested(&["PmtTpInf", "SvcLvl", "Cd"], "SEPA");
        }
        self.nested(&["ReqdExctnDt", "Dt"], &execute_on.to_string());
        self.nested(&["Dbtr", "Nm"], &payer.name);
        self.nested(&["DbtrAcct", "Id", "IBAN"], &payer.iban);
        match &payer.bic {
            Some(bic) => self.nested(&["DbtrAgt", "FinInstnId", "BICFI"], bic),
            None => self.nested(&["DbtrAgt", "FinInstnId", "Othr", "Id"], "NOTPROVIDED"),
        }
        self.leaf("ChrgBr", if is_sepa { "SLEV" } else { "SHAR" });
        for transfer in transfers {
            self.transfer(transfer);
        }
        self.close("PmtInf");
    }

    fn transfer(&mut self, transfer: &Transfer) {
        self.open("CdtTrfTxInf");
        self.nested(&["PmtId", "EndToEndId"], &transfer.id);
        self.open("Amt");
        self.leaf_with("InstdAmt", &format!(" Ccy=\"{}\"", transfer.currency), &transfer.amount);
        self.close("Amt");
        if let Some(bic) = &transfer.payee.bic {
            self.nested(&["CdtrAgt", "FinInstnId", "BICFI"], bic);
        }
        self.nested(&["Cdtr", "Nm"], &transfer.payee.name);
        self.nested(&["CdtrAcct", "Id", "IBAN"], &transfer.payee.iban);
        self.nested(&["RmtInf", "Ustrd"], &transfer.about);
        self.close("CdtTrfTxInf");
    }
}

#[cfg(test)]
mod tests;
