//! `payout export`: a payment file of everything approved, and of each payout once.

use std::fmt::Write as _;

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tollgate_core::engine::{Engine, EngineError, PayoutKey};
use tollgate_core::money::format_money;
use tollgate_core::payout::{Destination, Payout, PayoutState};
use tollgate_core::period::Period;
use tollgate_payments::payout_file::{self, Due, Payer};

use super::files::{PaymentFile, PaymentFiles, free, give_out};
use crate::arguments::{FileFormat, PayoutExport};
use crate::exit::Refused;
use crate::{session, settings};

/// What file is wanted.
pub struct Order {
    pub period: Period,
    pub format: FileFormat,
    /// Whose account pays.
    pub payer: Payer,
    /// The day on which the bank is to pay.
    pub execute_on: Date,
}

impl Order {
    fn extension(&self) -> &'static str {
        match self.format {
            FileFormat::Pain001 => "xml",
            FileFormat::Csv => "csv",
        }
    }
}

/// A file that was made, whose payouts are submitted.
pub struct Made {
    /// What it is called in the data directory.
    pub name: String,
    /// What it says.
    pub text: String,
    /// What is in it.
    pub payouts: Vec<(PayoutKey, Payout)>,
}

/// Writes a file, or one that was made before.
pub fn run(arguments: &PayoutExport) -> anyhow::Result<u8> {
    let PayoutExport { data, period, output, again, .. } = arguments;
    let engine = session::open(&data.data)?;
    let files = PaymentFiles::open(&data.data)?;
    if let Some(name) = again {
        let file = made_before(&files, *period, name)?;
        give_out(output, &file.text)?;
        super::super::print(&format!("{} is {} once more\n", output.display(), file.name))?;
        return Ok(0);
    }
    // Before anything is done: what is made must have a place.
    free(output, None)?;
    let now = super::super::now();
    let order = Order {
        period: *period,
        format: arguments.format,
        payer: settings::payer(&arguments.payer)?,
        execute_on: arguments.execute_on.map_or_else(|| day_of(now), Ok)?,
    };
    let made = export(&engine, &files, &order, now)?;
    give_out(output, &made.text)
        .with_context(|| format!("its payouts are submitted; --again writes {}", made.name))?;
    super::super::print(&format!("{} has {}", output.display(), in_words(&made)))?;
    Ok(0)
}

fn day_of(now: i64) -> anyhow::Result<Date> {
    Ok(TimeZone::UTC.to_datetime(Timestamp::from_millisecond(now)?).date())
}

/// `2 payouts, now submitted:` and a line each.
fn in_words(made: &Made) -> String {
    let count = made.payouts.len();
    let mut text = format!("{count} {}, now submitted:\n", if count == 1 { "payout" } else { "payouts" });
    for (key, payout) in &made.payouts {
        let amount = format_money(i128::from(payout.amount.nano()), &key.currency);
        let _ = writeln!(text, "  {}: {amount}", key.builder);
    }
    text
}

/// The file of this name, or the only one.
fn made_before(files: &PaymentFiles, period: Period, name: &str) -> anyhow::Result<PaymentFile> {
    let mut made = files.ready(period)?;
    let names = made.iter().map(|file| file.name.clone()).collect::<Vec<_>>().join(", ");
    made.retain(|file| name.is_empty() || file.name == name);
    let refuse = |message: String| Err(anyhow::anyhow!(message).context(Refused));
    match made.len() {
        1 => made.pop().context("the one file"),
        0 if names.is_empty() => refuse(format!("no payment file has been made for {period}")),
        _ => refuse(format!("there are several payment files for {period}: --again and one of {names}")),
    }
}

/// Makes a file of the approved payouts to bank accounts, and marks them as submitted. The file is on disk before
/// the first is marked, and is given back when all are.
pub fn export(engine: &Engine, files: &PaymentFiles, order: &Order, now: i64) -> anyhow::Result<Made> {
    let interrupted = files.interrupted(order.period)?;
    let last = files.ready(order.period)?.last().map_or(i64::MIN, |last| last.made_at);
    // What was interrupted is made again as of then: what it has marked is known by that moment, so no two files
    // are made at the same.
    let now = interrupted.first().map_or_else(|| now.max(last.saturating_add(1)), |file| file.made_at);
    let mut payouts = engine.payouts(None)?;
    payouts.retain(|(key, payout)| {
        let is_in_bank = matches!(payout.destination, Some(Destination::Bank { .. }));
        key.period == order.period
            && is_in_bank
            && match payout.state {
                PayoutState::Approved => true,
                PayoutState::Submitted { at } => at == now && interrupted.iter().any(|file| file.has(key)),
                _ => false,
            }
    });
    let name = format!("{}-{now}.{}", order.period, order.extension());
    let text = text_of(order, &payouts, now)?;
    files.keep_unready(&name, &text)?;
    for file in interrupted.iter().filter(|file| !file.name.starts_with(&name)) {
        files.forget(file)?;
    }
    let mut submitted = Vec::with_capacity(payouts.len());
    for (key, _) in payouts {
        match engine.submit_payout(&key, now) {
            Ok(payout) if payout.state == (PayoutState::Submitted { at: now }) => {
                submitted.push((key, payout));
            }
            // Somebody else submitted it, or it has come back: this file does not pay it.
            Ok(_) | Err(EngineError::Money(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let text = text_of(order, &submitted, now)?;
    files.keep_unready(&name, &text)?;
    files.is_ready(&name)?;
    Ok(Made { name, text, payouts: submitted })
}

fn text_of(order: &Order, payouts: &[(PayoutKey, Payout)], now: i64) -> anyhow::Result<String> {
    let due: Vec<Due<'_>> =
        payouts.iter().map(|(key, payout)| Due { builder: &key.builder, payout }).collect();
    if due.is_empty() {
        let message = format!("no approved payout for {} goes to a bank account", order.period);
        return Err(anyhow::anyhow!(message).context(Refused));
    }
    let text = match order.format {
        FileFormat::Pain001 => payout_file::pain001(&order.payer, &due, now, order.execute_on),
        FileFormat::Csv => payout_file::csv(&due),
    };
    text.context(Refused)
}
