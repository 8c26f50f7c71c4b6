//! `plugin plot`: what a customer would pay over usage.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tollgate_core::event::Event;
use tollgate_workshop::Tried;
use tollgate_workshop::plot::{self, Range};
use tollgate_workshop::trial::read_events;

use super::target::{Found, prices, tried};
use crate::arguments::PluginPlot;
use crate::exit::Refused;

/// Draws the curve of every plugin with every settings.
pub fn run(arguments: &PluginPlot) -> anyhow::Result<u8> {
    let found =
        arguments.plugins.iter().map(|plugin| Found::from(plugin)).collect::<anyhow::Result<Vec<_>>>()?;
    let example = example(arguments, &found)?;
    let plugins = found.iter().map(Found::load).collect::<anyhow::Result<Vec<_>>>()?;
    let settings = settings(arguments, &found)?;
    let prices = prices(arguments.prices.as_deref())?;
    let mut curves = Vec::new();
    for (plugin, name) in plugins.iter().zip(&arguments.plugins) {
        let name =
            if found.len() > 1 { format!("{} ({})", plugin.label(), short(name)) } else { plugin.label() };
        for tried in &settings {
            let named = || tried.name.clone();
            let mut trial = plugin.with_settings(&tried.settings).with_context(named).context(Refused)?;
            if let Some(prices) = &prices {
                trial = trial.with_prices(prices.clone());
            }
            curves.push((format!("{name}, {}", short(&tried.name)), trial));
        }
    }
    let mut range =
        Range { over: arguments.over.clone(), up_to: arguments.up_to, per_event: arguments.per_event };
    if range.up_to.is_none() {
        // Curves that are drawn over each other go equally far.
        let reach = curves.iter().map(|(_, trial)| plot::reach(trial, &example, &range));
        range.up_to = reach.collect::<Result<Vec<_>, _>>()?.into_iter().max();
    }
    let mut all = Vec::new();
    for (label, trial) in &curves {
        all.push(plot::series(label, trial, &example, &range).with_context(|| label.clone())?);
    }
    let title = all.first().map(|series| series.label.clone()).unwrap_or_default();
    let title = if all.len() == 1 { title } else { format!("{} and {} more", title, all.len() - 1) };
    let currency = curves.first().map_or("", |(_, trial)| trial.currency());
    let mut text = plot::sketch(&all, currency);
    text.push('\n');
    for series in &all {
        text.push_str(&series.in_words(currency));
    }
    if let Some(path) = &arguments.svg {
        fs::write(path, plot::as_svg(&all, &title, currency)).with_context(|| path.display().to_string())?;
    }
    if let Some(path) = &arguments.png {
        fs::write(path, plot::as_png(&all, &title, currency)?).with_context(|| path.display().to_string())?;
    }
    super::super::print(&text)?;
    Ok(0)
}

/// The settings that are given, or those of the first fixture of any of the plugins: a component alone has
/// none, but another version of it may.
fn settings(arguments: &PluginPlot, found: &[Found]) -> anyhow::Result<Vec<Tried>> {
    if !arguments.settings.is_empty() {
        return arguments.settings.iter().map(|path| tried(path)).collect();
    }
    let with_fixtures = found.iter().find(|found| !found.fixtures().is_empty()).or(found.first());
    with_fixtures.map(|found| found.settings(None)).into_iter().collect()
}

/// What tells settings apart: a file's own name, or its folder's where that says nothing.
fn short(file: &str) -> String {
    let path = Path::new(file);
    let name = match path.file_stem() {
        Some(stem) if stem == "settings" => path.parent().and_then(Path::file_name).unwrap_or(stem),
        Some(stem) => stem,
        None => path.as_os_str(),
    };
    name.to_string_lossy().into_owned()
}

/// The event that is given, or the first of the fixtures, or a bare one.
fn example(arguments: &PluginPlot, found: &[Found]) -> anyhow::Result<Arc<Event>> {
    let bare = r#"{"specversion":"1.0","id":"1","source":"plot","type":"ai.usage","subject":"customer","time":"2026-10-01T09:00:00Z","data":{}}"#;
    let first = found.iter().find_map(|found| found.fixtures().into_iter().next());
    let (name, text) = match (&arguments.event, first) {
        (Some(path), _) => (path.display().to_string(), fs::read_to_string(path)),
        (None, Some(case)) => (case.shown("events.ndjson"), fs::read_to_string(case.file("events.ndjson"))),
        (None, None) => (String::new(), Ok(bare.to_owned())),
    };
    let text = text.with_context(|| name.clone()).context(Refused)?;
    let events =
        read_events(&text, arguments.prices.is_some()).with_context(|| name.clone()).context(Refused)?;
    events.into_iter().next().with_context(|| format!("{name} holds no event"))
}
