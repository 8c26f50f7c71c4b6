//! `demo`: a sample month of three Builders, end to end and for real, in one go.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use indicatif::ProgressBar;
use tollgate_core::catalog::{App, Catalog};
use tollgate_core::engine::Engine;
use tollgate_core::money::format_money;
use tollgate_core::payout;
use tollgate_core::period::Period;
use tollgate_core::statement::{Statement, statements};
use tollgate_core::store::StatementFilter;

use crate::arguments::Demo;
use crate::ingest::{Ingest, Ingested};
use crate::{definitions, session, table};

use super::ledger;

const DEFINITIONS: &str = include_str!("../../../../examples/month/definitions.json");

const PERIOD: &str = "2026-10";

/// Files of events, as `examples/` has them.
const EVENTS: [(&str, &str); 5] = [
    ("examples/month/paperwise.jsonl", include_str!("../../../../examples/month/paperwise.jsonl")),
    ("examples/month/smile-dental.jsonl", include_str!("../../../../examples/month/smile-dental.jsonl")),
    (
        "examples/month/keystone-realty.jsonl",
        include_str!("../../../../examples/month/keystone-realty.jsonl"),
    ),
    ("examples/month/apex-motors.jsonl", include_str!("../../../../examples/month/apex-motors.jsonl")),
    ("examples/month/glimmer-notes.jsonl", include_str!("../../../../examples/month/glimmer-notes.jsonl")),
];

/// Runs the demo.
pub fn run(arguments: &Demo) -> anyhow::Result<u8> {
    let temporary = tempfile::tempdir().context("cannot make a temporary directory")?;
    let directory = arguments.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    let engine = session::create(&directory)?;
    let period: Period = PERIOD.parse()?;

    super::print("Tollgate demo: October 2026 of three Builders, priced by four WebAssembly plugins.\n\n")?;
    definitions::define(
        &engine,
        "examples/month/definitions.json",
        DEFINITIONS,
        Path::new("examples/month"),
    )?;
    super::print(&record(&engine)?)?;
    close(&engine, period)?;
    let statements =
        statements(&engine, &StatementFilter { period: Some(period), ..StatementFilter::default() })?;
    super::print(&customer_statements(engine.rules().catalog(), &statements)?)?;
    super::print(&earnings(engine.rules().catalog(), &statements)?)?;
    super::print(&format!("\nThe ledger, proven\n{}", ledger::in_words(&ledger::check(&engine)?)))?;
    super::print(&next_steps(arguments.data.as_ref()))?;
    Ok(0)
}

/// Records every event of the month.
fn record(engine: &Engine) -> anyhow::Result<String> {
    let started = Instant::now();
    let mut ingest = Ingest::new(engine, None, 1_000);
    for (name, events) in EVENTS {
        ingest.lines(name, events.as_bytes(), &ProgressBar::hidden())?;
    }
    let Ingested { counts, problems } = ingest.finish()?;
    let ingested = table::ingested(counts, &problems);
    Ok(format!("Recorded, durably, in {} ms:\n{ingested}\n", started.elapsed().as_millis()))
}

fn close(engine: &Engine, period: Period) -> anyhow::Result<()> {
    for app in engine.rules().catalog().apps() {
        if !engine.store().closed_periods(&app.id)?.contains(&period) {
            engine.close(&app.id, period)?;
        }
    }
    Ok(())
}

/// What each customer gets to read, app by app.
fn customer_statements(catalog: &Catalog, statements: &[Statement]) -> anyhow::Result<String> {
    let mut text = String::new();
    for app in catalog.apps() {
        writeln!(text, "== {} (Builder: {})\n", app.name, builder_name(catalog, app))?;
        for statement in statements.iter().filter(|statement| statement.app == app.id) {
            writeln!(text, "{}", table::statement(statement))?;
        }
    }
    Ok(text)
}

/// What each Builder earned, and what would be paid out.
fn earnings(catalog: &Catalog, statements: &[Statement]) -> anyhow::Result<String> {
    let mut rows = Vec::new();
    for builder in catalog.builders() {
        let of_builder =
            |statement: &&Statement| catalog.app(&statement.app).is_some_and(|app| app.builder == builder.id);
        let own: Vec<&Statement> = statements.iter().filter(of_builder).collect();
        let currency = own.first().map_or("USD", |statement| &statement.currency);
        let sum = |part: fn(&Statement) -> i128| own.iter().map(|statement| part(statement)).sum::<i128>();
        let earned = sum(|statement| statement.builder_earnings);
        let payable = payout::payable(currency, earned).context("the currency has no minor unit")?;
        rows.push(vec![
            builder.name.clone(),
            format_money(sum(|statement| statement.total), currency),
            format_money(sum(|statement| statement.network_cost), currency),
            format_money(sum(|statement| statement.platform_fee), currency),
            format_money(earned, currency),
            format_money(payable.paid, currency),
            format_money(payable.carried, currency),
        ]);
    }
    let header =
        ["Builder", "customers pay", "network cost", "platform fee", "earned", "paid out", "carried forward"];
    Ok(format!("What the Builders earned\n{}", table::table(&header, 1, rows)))
}

fn builder_name<'a>(catalog: &'a Catalog, app: &'a App) -> &'a str {
    catalog.builder(&app.builder).map_or(&app.builder, |builder| &builder.name)
}

fn next_steps(data: Option<&PathBuf>) -> String {
    let first = match data {
        Some(directory) => {
            let directory = directory.display();
            format!(
                "  tollgate statement --data {directory} --customer harbor-legal --period {PERIOD}\n  \
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
