//! `rate` and `record`: the same walk, without and with a database.

use anyhow::Context as _;
use tollgate_core::engine::Engine;
use tollgate_core::statement::statements;
use tollgate_core::store::StatementFilter;

use crate::arguments::{Events, Format, Rate, Record};
use crate::definitions::OneTariff;
use crate::ingest::Ingest;
use crate::report::Report;
use crate::{exit, session, table};

/// Rates events without a database.
pub fn rate(arguments: &Rate) -> anyhow::Result<u8> {
    let engine = session::in_memory()?;
    let Rate { plugin, settings, prices, agreed, events } = arguments;
    let tariff = OneTariff::new(&engine, plugin, settings, prices, agreed)?;
    send(Ingest::new(&engine, Some(&tariff), batch_size(events)?), &engine, events)
}

/// Rates events and keeps them.
pub fn record(arguments: &Record) -> anyhow::Result<u8> {
    let engine = session::create(&arguments.data.data)?;
    let tariff = match (&arguments.plugin, &arguments.settings, &arguments.prices) {
        (Some(plugin), Some(settings), Some(prices)) => {
            Some(OneTariff::new(&engine, plugin, settings, prices, &arguments.agreed)?)
        }
        _ => None,
    };
    let ingest = Ingest::new(&engine, tariff.as_ref(), batch_size(&arguments.events)?);
    send(ingest.acknowledging(arguments.acknowledge), &engine, &arguments.events)
}

fn batch_size(events: &Events) -> anyhow::Result<usize> {
    usize::try_from(events.batch).context("--batch")
}

/// Sends the files, and prints what came of them.
fn send(mut ingest: Ingest<'_>, engine: &Engine, events: &Events) -> anyhow::Result<u8> {
    for file in &events.files {
        ingest.file(file)?;
    }
    let ingested = ingest.finish()?;
    let statements = statements(engine, &StatementFilter::default())?;
    let has_problems = !ingested.problems.is_empty();
    super::print(&match events.format {
        Format::Json => {
            let report = Report::new(ingested.counts, ingested.problems, &statements);
            format!("{}\n", serde_json::to_string(&report)?)
        }
        Format::Table => {
            let customers = table::customers(&statements);
            format!("{}\n{customers}", table::ingested(ingested.counts, &ingested.problems))
        }
    })?;
    Ok(if events.strict && has_problems { exit::PROBLEMS } else { 0 })
}
