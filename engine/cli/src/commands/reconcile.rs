//! `reconcile`: the ledger beside what a payment provider booked.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use anyhow::Context as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use tollgate_core::engine::Reconciliation;
use tollgate_core::money::format_money;
use tollgate_core::payment::{PaymentProvider as _, Reported};
use tollgate_payments::{Manual, report_csv};

use crate::arguments::Reconcile;
use crate::exit::{DIFFERENT, Refused};
use crate::{session, settings, table};

/// Compares, and says what matched and what did not.
pub fn run(arguments: &Reconcile) -> anyhow::Result<u8> {
    let Reconcile { data, provider, report, .. } = arguments;
    let engine = session::open(&data.data)?;
    let imported = report.as_deref().map(import).transpose()?;
    let span = span(arguments, imported.as_deref().unwrap_or_default())?;
    let report = imported.map_or_else(|| ask(arguments, &span), Ok)?;
    let found = engine.reconcile(provider, &report, &span, super::now())?;
    super::print(&in_words(provider, &span, &found))?;
    Ok(if found.differences.is_empty() { 0 } else { DIFFERENT })
}

fn import(path: &Path) -> anyhow::Result<Vec<Reported>> {
    let named = || path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(named).context(Refused)?;
    report_csv::read(&text).with_context(named).context(Refused)
}

/// Asks the provider. A bank is not asked: it sends statements.
fn ask(arguments: &Reconcile, span: &Range<i64>) -> anyhow::Result<Vec<Reported>> {
    let providers = settings::providers(arguments.config.config.as_deref())?;
    let mut askable = providers.iter().filter(|known| known.name() != Manual.name());
    let known = askable.find(|known| known.name() == arguments.provider);
    let known = known.with_context(|| {
        format!("{:?} cannot be asked: give its --report, or set it up in the settings", arguments.provider)
    });
    Ok(known.context(Refused)?.report(span.start, span.end)?)
}

/// Whole days in UTC: those asked for, or those of the report.
fn span(arguments: &Reconcile, report: &[Reported]) -> anyhow::Result<Range<i64>> {
    let day =
        |at: i64| Ok::<Date, jiff::Error>(TimeZone::UTC.to_datetime(Timestamp::from_millisecond(at)?).date());
    let start = |date: Date| {
        Ok::<i64, jiff::Error>(date.to_zoned_datetime(TimeZone::UTC)?.timestamp().as_millisecond())
    };
    let first = report.iter().map(|row| row.at).min().map(day).transpose()?;
    let last = report.iter().map(|row| row.at).max().map(day).transpose()?;
    let last = last.map(|last| last.checked_add(1.day())).transpose()?;
    let from = arguments.from.or(first);
    let to = arguments.to.or(last);
    let (Some(from), Some(to)) = (from, to) else {
        return Err(anyhow::anyhow!("the report is empty: say which days it is of with --from and --to")
            .context(Refused));
    };
    if from >= to {
        return Err(anyhow::anyhow!("--to must be later than --from").context(Refused));
    }
    Ok(start(from)?..start(to)?)
}

fn in_words(provider: &str, span: &Range<i64>, found: &Reconciliation) -> String {
    let Reconciliation { matched, differences, booked, held } = found;
    let (from, to) = (table::moment(span.start), table::moment(span.end));
    let mut text = format!(
        "Compared with {provider}, from {from} up to {to}:\n  {matched} the same, {} different\n",
        differences.len()
    );
    for difference in differences {
        let _ = writeln!(text, "    {difference}");
    }
    if *booked > 0 {
        let _ = writeln!(text, "  {booked} fees and withdrawals of the report are booked now");
    }
    for (currency, nano) in held {
        let _ = writeln!(text, "  By the ledger {provider} holds {}", format_money(*nano, currency));
    }
    text
}
