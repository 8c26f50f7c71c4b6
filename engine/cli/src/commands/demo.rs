//! `demo`: a sample month of three Builders, end to end and for real, in one go and by a clock of its own.

mod month;
mod telling;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use tollgate_core::engine::{Engine, Planned};
use tollgate_core::payout::PayoutState;
use tollgate_core::period::Period;
use tollgate_core::statement::statements;
use tollgate_core::store::StatementFilter;
use tollgate_payments::payout_file::Payer;

use super::ledger;
use super::payout::{Order, PaymentFiles, export};
use crate::arguments::{Demo, FileFormat};
use crate::{definitions, session};

const DEFINITIONS: &str = include_str!("../../../../examples/month/definitions.json");

const PERIOD: &str = "2026-10";

/// When everything is set up.
const FOUNDED: &str = "2026-09-30T09:00:00Z";
/// When Builders are paid, and when that has arrived.
const PAYDAY: &str = "2026-11-06T09:00:00Z";
const ARRIVED: &str = "2026-11-09T09:00:00Z";

/// Runs the demo.
pub fn run(arguments: &Demo) -> anyhow::Result<u8> {
    let temporary = tempfile::tempdir().context("cannot make a temporary directory")?;
    let directory = arguments.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    let engine = session::create(&directory)?;
    let period: Period = PERIOD.parse()?;

    super::print("Tollgate demo: October 2026 of three Builders, priced by four WebAssembly plugins.\n\n")?;
    let name = "examples/month/definitions.json";
    definitions::define(&engine, name, DEFINITIONS, Path::new("examples/month"), at(FOUNDED)?)?;
    super::print(&month::run(&engine, period)?)?;
    close(&engine, period)?;
    let planned = pay(&engine, &directory, period)?;

    super::print(&telling::money(&engine)?)?;
    let filter = StatementFilter { period: Some(period), ..StatementFilter::default() };
    let statements = statements(&engine, &filter)?;
    let rules = engine.rules();
    super::print(&telling::customer_statements(rules.catalog(), &statements)?)?;
    super::print(&telling::earnings(rules.catalog(), &statements))?;
    super::print(&telling::payouts(&engine, &planned, &statements)?)?;
    super::print(&format!("\nThe ledger, proven\n{}", ledger::in_words(&ledger::check(&engine)?)))?;
    super::print(&next_steps(arguments.data.as_ref()))?;
    Ok(0)
}

/// A moment of the demo's clock.
fn at(moment: &str) -> anyhow::Result<i64> {
    Ok(moment.parse::<Timestamp>()?.as_millisecond())
}

fn close(engine: &Engine, period: Period) -> anyhow::Result<()> {
    for app in engine.rules().catalog().apps() {
        if !engine.store().closed_periods(&app.id)?.contains(&period) {
            engine.close(&app.id, period)?;
        }
    }
    Ok(())
}

/// Pays the Builders by one payment file, which arrives.
fn pay(engine: &Engine, directory: &Path, period: Period) -> anyhow::Result<Planned> {
    let (payday, arrived) = (at(PAYDAY)?, at(ARRIVED)?);
    let planned = engine.plan_payouts(period, payday, false)?;
    let mut is_new = false;
    for one in &planned.payouts {
        let payout = engine.approve_payout(&one.key, payday)?;
        is_new = is_new || payout.state == PayoutState::Approved;
    }
    if is_new {
        let name = "Tollgate demo platform".to_owned();
        let payer = Payer { name, iban: "CH9300762011623852957".to_owned(), bic: None };
        let execute_on = PAYDAY.parse::<Timestamp>()?;
        let execute_on = jiff::tz::TimeZone::UTC.to_datetime(execute_on).date();
        let order = Order { period, format: FileFormat::Pain001, payer, execute_on };
        export(engine, &PaymentFiles::open(directory)?, &order, payday)?;
    }
    for one in &planned.payouts {
        engine.payout_paid(&one.key, "bank statement of 9 November", arrived)?;
    }
    Ok(planned)
}

fn next_steps(data: Option<&PathBuf>) -> String {
    let first = match data {
        Some(directory) => {
            let directory = directory.display();
            format!(
                "  tollgate statement --data {directory} --customer harbor-legal --period {PERIOD}\n  \
                 tollgate payout show --data {directory} --builder paperwise --period {PERIOD}\n  \
                 tollgate held --data {directory}                  the event that has no price yet\n  \
                 tollgate ledger verify --data {directory}\n"
            )
        }
        None => {
            "  tollgate demo --data DIR                  keep the database and look around in it\n".to_owned()
        }
    };
    format!(
        "\nWhat to try next\n{first}  tollgate rate --plugin included-overage --settings \
         examples/rate/included-overage.json \\\n      --prices examples/rate/prices.json EVENTS.jsonl\n  \
         tollgate plugin inspect tiered\n"
    )
}
