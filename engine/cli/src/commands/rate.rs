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
    let Rate { plugin, settings, prices, terms, events } = arguments;
    let tariff = OneTariff::new(&engine, plugin, settings, prices, terms.clone())?;
    ingest(&engine, Some(&tariff), events)
}

/// Rates events and keeps them.
pub fn record(arguments: &Record) -> anyhow::Result<u8> {
    let engine = session::create(&arguments.data.data)?;
    let tariff = match (&arguments.plugin, &arguments.settings, &arguments.prices) {
        (Some(plugin), Some(settings), Some(prices)) => {
            Some(OneTariff::new(&engine, plugin, settings, prices, arguments.terms.clone())?)
        }
        _ => None,
    };
    ingest(&engine, tariff.as_ref(), &arguments.events)
}

fn ingest(engine: &Engine, tariff: Option<&OneTariff>, events: &Events) -> anyhow::Result<u8> {
    let batch = usize::try_from(events.batch).context("--batch")?;
    let mut ingest = Ingest::new(engine, tariff, batch);
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
