//! `payout`: plans, agrees to, follows and explains what Builders are paid.

mod export;
mod files;
pub mod remittance;

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::json;
use tollgate_core::engine::{Engine, EngineError, PayoutKey, Planned, Skipped};
use tollgate_core::money::{Amount, format_money, format_nano};
use tollgate_core::payout::{Destination, Payout as Payable, PayoutState};
use tollgate_core::period::Period;
use tollgate_payments::bank;
use tollgate_payments::payout_file::end_to_end_id;

use crate::arguments::{
    Format, OnePayout, Payout, PayoutApprove, PayoutList, PayoutPaid, PayoutReturned, PayoutRun, PayoutShow,
};
use crate::exit::{REFUSED, Refused};
use crate::{session, table};

pub use export::{Order, export};
pub use files::PaymentFiles;

/// Runs one of the commands; gives back the exit code.
pub fn run(command: &Payout) -> anyhow::Result<u8> {
    match command {
        Payout::Run(arguments) => plan(arguments),
        Payout::List(arguments) => list(arguments),
        Payout::Show(arguments) => show(arguments),
        Payout::Approve(arguments) => approve(arguments),
        Payout::Export(arguments) => export::run(arguments),
        Payout::Paid(arguments) => paid(arguments),
        Payout::Returned(arguments) => returned(arguments),
        Payout::Remittance(arguments) => remittance::run(arguments),
    }
}

fn plan(arguments: &PayoutRun) -> anyhow::Result<u8> {
    let PayoutRun { data, period, dry_run, format } = arguments;
    let engine = session::open(&data.data)?;
    let planned = engine.plan_payouts(*period, super::now(), *dry_run)?;
    super::print(&match format {
        Format::Json => json_of_plan(&planned, *dry_run)?,
        Format::Table => {
            let heading = if *dry_run { "Would be paid (nothing was kept)" } else { "To be paid" };
            format!("{heading} for {period}\n{}{}", planned_in_words(&planned), open_apps(&engine, *period)?)
        }
    })?;
    Ok(0)
}

/// The payouts of a run, and who is not paid.
pub fn planned_in_words(planned: &Planned) -> String {
    let payouts = planned.payouts.iter().map(|one| (&one.key, &one.payout));
    let mut text = if planned.payouts.is_empty() { "  nobody\n".to_owned() } else { in_words(payouts) };
    for Skipped { builder, currency, carried, reason } in &planned.skipped {
        let carried = format_money(*carried, currency);
        let _ = writeln!(text, "  {builder} is not paid: {reason}; {carried} is carried forward");
    }
    text
}

/// What stands in the way of paying all that was earned: apps whose period is still open.
fn open_apps(engine: &Engine, period: Period) -> anyhow::Result<String> {
    let mut text = String::new();
    for app in engine.rules().catalog().apps() {
        if !engine.store().closed_periods(&app.id)?.contains(&period) {
            let _ = writeln!(text, "  {period} of {} is not closed: it is not paid yet", app.id);
        }
    }
    Ok(text)
}

fn json_of_plan(planned: &Planned, is_dry: bool) -> anyhow::Result<String> {
    let payouts = planned.payouts.iter().map(|one| json_of(&one.key, &one.payout));
    let skipped = planned.skipped.iter().map(|skipped| {
        let Skipped { builder, currency, carried, reason } = skipped;
        json!({ "builder": builder, "currency": currency, "carried": format_nano(*carried), "reason": reason })
    });
    let plan = json!({
        "dry_run": is_dry,
        "payouts": payouts.collect::<anyhow::Result<Vec<_>>>()?,
        "skipped": skipped.collect::<Vec<_>>(),
    });
    Ok(format!("{plan}\n"))
}

/// A payout as JSON: its builder, and all that is kept of it.
fn json_of(key: &PayoutKey, payout: &Payable) -> anyhow::Result<serde_json::Value> {
    let mut value = serde_json::to_value(payout)?;
    value.as_object_mut().context("a payout")?.insert("builder".to_owned(), json!(key.builder));
    Ok(value)
}

fn list(arguments: &PayoutList) -> anyhow::Result<u8> {
    let engine = session::open(&arguments.data.data)?;
    let mut payouts = engine.payouts(arguments.builder.as_deref())?;
    payouts.retain(|(key, _)| arguments.period.is_none_or(|period| period == key.period));
    super::print(&match arguments.format {
        Format::Json => {
            let lines = payouts.iter().map(|(key, payout)| Ok(format!("{}\n", json_of(key, payout)?)));
            lines.collect::<anyhow::Result<String>>()?
        }
        Format::Table if payouts.is_empty() => "There are no payouts.\n".to_owned(),
        Format::Table => in_words(payouts.iter().map(|(key, payout)| (key, payout))),
    })?;
    Ok(0)
}

/// One line a payout.
pub fn in_words<'a>(payouts: impl Iterator<Item = (&'a PayoutKey, &'a Payable)>) -> String {
    let rows = payouts.map(|(key, payout)| {
        let money = |nano: i128| format_money(nano, &key.currency);
        vec![
            key.builder.clone(),
            key.period.to_string(),
            payout.state.code().to_owned(),
            money(earned(payout)),
            money(moved_by(payout)),
            money(nano(payout.reserved)),
            money(nano(payout.amount)),
            money(nano(payout.carried)),
        ]
    });
    let header =
        ["Builder", "period", "state", "earned", "brought forward", "kept back", "paid", "carried forward"];
    table::table(&header, 3, rows)
}

fn nano(amount: Amount) -> i128 {
    i128::from(amount.nano())
}

/// What the payout's periods earned.
pub fn earned(payout: &Payable) -> i128 {
    payout.earned.iter().map(|earned| nano(earned.amount)).sum()
}

/// What was on the account before, and what earlier reserves were released.
fn moved_by(payout: &Payable) -> i128 {
    nano(payout.brought_forward).saturating_add(nano(payout.released))
}

/// The payout that a command line names.
fn find(engine: &Engine, named: &OnePayout) -> anyhow::Result<(PayoutKey, Payable)> {
    let OnePayout { period, builder, currency, .. } = named;
    let mut payouts = engine.payouts(Some(builder))?;
    payouts.retain(|(key, _)| {
        key.period == *period && currency.as_ref().is_none_or(|currency| *currency == key.currency)
    });
    let refuse = |message: String| Err(anyhow::anyhow!(message).context(Refused));
    match payouts.len() {
        0 => {
            refuse(format!("there is no payout of {builder:?} for {period}; `tollgate payout list` has all"))
        }
        1 => payouts.pop().context("the one payout"),
        _ => {
            let currencies: Vec<_> = payouts.iter().map(|(key, _)| key.currency.as_str()).collect();
            refuse(format!("{builder:?} is paid in {}: say which with --currency", currencies.join(" and ")))
        }
    }
}

fn show(arguments: &PayoutShow) -> anyhow::Result<u8> {
    let engine = session::open(&arguments.payout.data.data)?;
    let (key, payout) = find(&engine, &arguments.payout)?;
    super::print(&match arguments.format {
        Format::Json => format!("{}\n", json_of(&key, &payout)?),
        Format::Table => one_in_words(&key, &payout),
    })?;
    Ok(0)
}

/// From what was earned to what is paid, and where it goes.
fn one_in_words(key: &PayoutKey, payout: &Payable) -> String {
    let PayoutKey { builder, period, currency } = key;
    let mut rows: Vec<(String, i128)> = Vec::new();
    for earned in &payout.earned {
        rows.push((format!("Earned by {}, {}", earned.app, earned.period), nano(earned.amount)));
    }
    for (title, amount) in [
        ("Brought forward", nano(payout.brought_forward)),
        ("Reserve released", nano(payout.released)),
        ("Kept back as reserve", nano(payout.reserved).saturating_neg()),
        ("Carried forward", nano(payout.carried).saturating_neg()),
    ] {
        if amount != 0 {
            rows.push((title.to_owned(), amount));
        }
    }
    rows.push(("Paid".to_owned(), nano(payout.amount)));
    let rows = rows.into_iter().map(|(title, amount)| vec![title, format_money(amount, currency)]);
    let mut text = format!("{builder} — {period} ({})\n", payout.state.code());
    text += &table::table(&["", "amount"], 1, rows);
    let _ = writeln!(text, "  To: {}", destination(payout));
    let reference = payout.reference.clone().or_else(|| match payout.destination {
        Some(Destination::Bank { .. }) => Some(end_to_end_id(builder, *period, currency)),
        _ => None,
    });
    if let Some(reference) = reference {
        let _ = writeln!(text, "  Reference: {reference}");
    }
    let _ = writeln!(text, "  Planned: {}", table::moment(payout.planned_at));
    let since = match &payout.state {
        PayoutState::Submitted { at } => format!("  Submitted: {}\n", table::moment(*at)),
        PayoutState::Paid { at } => format!("  Arrived: {}\n", table::moment(*at)),
        PayoutState::Returned { at, reason } => {
            format!("  Came back: {}: {reason}\n", table::moment(*at))
        }
        PayoutState::Planned | PayoutState::Approved => String::new(),
    };
    text + &since
}

fn destination(payout: &Payable) -> String {
    match &payout.destination {
        Some(Destination::Bank { name, iban, .. }) => format!("{name}, {}", bank::masked(iban)),
        Some(Destination::Account { provider, account }) => format!("{provider} {account}"),
        None => "nobody knows: set payouts.destination of the Builder".to_owned(),
    }
}

fn approve(arguments: &PayoutApprove) -> anyhow::Result<u8> {
    let PayoutApprove { data, period, builder, currency } = arguments;
    let engine = session::open(&data.data)?;
    let mut keys: Vec<PayoutKey> =
        engine.payouts(builder.as_deref())?.into_iter().map(|(key, _)| key).collect();
    keys.retain(|key| {
        key.period == *period && currency.as_ref().is_none_or(|currency| *currency == key.currency)
    });
    let (mut text, mut refused) = (String::new(), 0_u32);
    for key in &keys {
        let is_one_of_all = builder.is_none();
        match engine.approve_payout(key, super::now()) {
            Ok(payout) => {
                let amount = format_money(nano(payout.amount), &key.currency);
                let _ = writeln!(text, "{}: {amount} is {}", key.builder, payout.state.code());
            }
            Err(EngineError::Money(refusal)) if is_one_of_all => {
                refused = refused.saturating_add(1);
                let _ = writeln!(text, "{}: not approved: {refusal}", key.builder);
            }
            Err(error) => return Err(error.into()),
        }
    }
    if keys.is_empty() {
        text = format!("There is no payout for {period}; `tollgate payout run` plans them.\n");
    }
    super::print(&text)?;
    Ok(if refused > 0 { REFUSED } else { 0 })
}

fn paid(arguments: &PayoutPaid) -> anyhow::Result<u8> {
    let engine = session::open(&arguments.payout.data.data)?;
    let (key, _) = find(&engine, &arguments.payout)?;
    let in_file = || end_to_end_id(&key.builder, key.period, &key.currency);
    let reference = arguments.reference.clone().unwrap_or_else(in_file);
    let payout = engine.payout_paid(&key, &reference, super::now())?;
    super::print(&one_in_words(&key, &payout))?;
    Ok(0)
}

fn returned(arguments: &PayoutReturned) -> anyhow::Result<u8> {
    let engine = session::open(&arguments.payout.data.data)?;
    let (key, _) = find(&engine, &arguments.payout)?;
    let payout = engine.payout_returned(&key, &arguments.reason, super::now())?;
    super::print(&one_in_words(&key, &payout))?;
    Ok(0)
}
