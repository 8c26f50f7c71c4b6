//! `plugin check` and `plugin run`.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use tollgate_core::event::Event;
use tollgate_workshop::trial::{Answers, Trial};
use tollgate_workshop::{Weight, check as examine, show};

use super::target::{Found, prices, tried, workbench};
use crate::arguments::{Format, PluginCheck, PluginRun};
use crate::exit::{Refused, UNFIT};

/// Checks a component.
pub fn check(arguments: &PluginCheck) -> anyhow::Result<u8> {
    let found = Found::from(&arguments.target.plugin)?;
    let mut settings =
        arguments.settings.iter().map(|path| tried(path)).collect::<anyhow::Result<Vec<_>>>()?;
    if settings.is_empty() {
        settings = found.fixture_settings()?;
    }
    let checked = examine(&found.name, &found.component, &settings, &workbench());
    let mut text = String::new();
    for finding in &checked.findings {
        let _ = write!(text, "{finding}");
    }
    let count = |weight| checked.findings.iter().filter(|finding| finding.weight == weight).count();
    let _ = writeln!(
        text,
        "{}: {} wrong, {} to improve",
        found.name,
        count(Weight::Wrong),
        count(Weight::Advice)
    );
    super::super::print(&text)?;
    Ok(if checked.is_wrong() { UNFIT } else { 0 })
}

/// Prices events and shows what each took.
pub fn run(arguments: &PluginRun) -> anyhow::Result<u8> {
    let found = Found::from(&arguments.target.plugin)?;
    let plugin = found.load()?;
    let settings = found.settings(arguments.settings.as_deref())?;
    let events = found.events(arguments.events.as_deref(), arguments.prices.is_some())?;
    let named = || settings.name.clone();
    let mut trial = plugin.with_settings(&settings.settings).with_context(named).context(Refused)?;
    trial = trial.with_parents(found.parents(arguments.events.as_deref())?);
    if let Some(prices) = prices(arguments.prices.as_deref())? {
        trial = trial.with_prices(prices);
    }
    let run = price(&trial, &events, arguments)?;
    let mut text = match arguments.format {
        Format::Table => show::as_table(&run, &plugin.label(), trial.currency()),
        Format::Json => format!("{}\n", show::as_json(&run, &plugin.label(), trial.currency())),
    };
    if arguments.format == Format::Table {
        for line in plugin.take_log() {
            let level = format!("{:?}", line.level).to_lowercase();
            let _ = writeln!(text, "  log {level}: {}", line.message);
        }
    }
    super::super::print(&text)?;
    let held = run.outcomes.iter().any(|priced| priced.charge().is_none());
    Ok(if held { UNFIT } else { 0 })
}

fn price(
    trial: &Trial<'_>,
    events: &[Arc<Event>],
    arguments: &PluginRun,
) -> anyhow::Result<tollgate_workshop::trial::PeriodRun> {
    let batch = usize::try_from(arguments.batch).context("--batch")?;
    let batches: Vec<&[Arc<Event>]> = events.chunks(batch).collect();
    trial.plugin().take_log();
    Ok(if arguments.close {
        trial.period(&batches, Answers::First)?
    } else {
        trial.events(&batches, Answers::First)?
    })
}
