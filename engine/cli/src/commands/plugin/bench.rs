//! `plugin bench`: what events take.

use std::fmt::Write as _;

use anyhow::Context as _;
use tollgate_workshop::bench::{Ceilings, measure};

use super::target::Found;
use crate::arguments::PluginBench;
use crate::exit::{Refused, UNFIT};

/// Measures a plugin.
pub fn run(arguments: &PluginBench) -> anyhow::Result<u8> {
    let found = Found::from(&arguments.target.plugin)?;
    let plugin = found.load()?;
    let settings = found.settings(arguments.settings.as_deref())?;
    let events = found.events(arguments.events.as_deref(), false)?;
    let named = || settings.name.clone();
    let trial = plugin.with_settings(&settings.settings).with_context(named).context(Refused)?;
    let measured = measure(&trial, &events)?;
    let ceilings = Ceilings { fuel_max: arguments.fuel_max, nanoseconds_max: arguments.ns_max };
    let exceeded = measured.exceeded(ceilings);
    let mut text = format!("{} with {}\n{measured}", plugin.label(), settings.name);
    for sentence in &exceeded {
        let _ = writeln!(text, "OVER   {sentence}");
    }
    super::super::print(&text)?;
    Ok(if exceeded.is_empty() { 0 } else { UNFIT })
}
