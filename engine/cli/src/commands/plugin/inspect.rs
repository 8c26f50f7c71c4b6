//! `plugin inspect`: what a component is.

use std::path::Path;

use tollgate_core::plugin::{Descriptor, Digest};
use tollgate_core::pricer::Pricer as _;
use tollgate_sandbox::{Sandbox, SandboxConfig};
use tollgate_workshop::Inspection;

use crate::exit::Refused;
use crate::{bundled, table};

/// Shows what a component is.
pub fn run(plugin: &str) -> anyhow::Result<u8> {
    let component = bundled::component(plugin, Path::new(""))?;
    let inspection = tollgate_workshop::inspect(&component)
        .map_err(|error| anyhow::Error::new(error).context(plugin.to_owned()).context(Refused))?;
    super::super::print(&anatomy(&Digest::of(&component), &inspection))?;
    inspection
        .verify()
        .map_err(|error| anyhow::Error::new(error).context(plugin.to_owned()).context(Refused))?;
    let sandbox = Sandbox::new(SandboxConfig::default())?;
    let (_, descriptor) = sandbox
        .admit(&component)
        .map_err(|error| anyhow::Error::new(error).context(plugin.to_owned()).context(Refused))?;
    super::super::print(&description(&descriptor)?)?;
    Ok(0)
}

fn anatomy(digest: &Digest, inspection: &Inspection) -> String {
    let none = || "none".to_owned();
    let list = |names: &[String]| if names.is_empty() { none() } else { names.join(", ") };
    let sections = inspection.sections.iter().map(|(name, size)| vec![name.clone(), size.to_string()]);
    format!(
        "digest    {digest}\nsize      {} bytes\ncontract  {}\nimports   {}\nexports   {}\nmade by   {}\nrevision  {}\n\n{}\n",
        inspection.size,
        inspection.contract.clone().unwrap_or_else(none),
        list(&inspection.imports),
        list(&inspection.exports),
        list(&inspection.producers),
        inspection.revision.clone().unwrap_or_else(none),
        table::table(&["section", "bytes"], 1, sections),
    )
}

fn description(descriptor: &Descriptor) -> anyhow::Result<String> {
    let units = descriptor.units.iter().map(|unit| {
        let counted = format!("{:?}", unit.aggregation).to_lowercase();
        let place = if unit.pooled { "parent" } else { "customer" };
        vec![unit.name.clone(), counted, place.to_owned(), unit.group_by.join(", ")]
    });
    let lines = descriptor.lines.iter().map(|line| {
        let kind = format!("{:?}", line.kind).to_lowercase();
        vec![line.code.clone(), line.title.clone(), line.unit.clone(), kind]
    });
    let schema: serde_json::Value = serde_json::from_str(&descriptor.settings_schema)?;
    Ok(format!(
        "{} {}: {}\n\n{}\n{}\nsettings schema\n{}\n",
        descriptor.name,
        descriptor.version,
        descriptor.summary,
        table::table(&["unit", "counted", "for each", "by"], 4, units),
        table::table(&["line", "title", "unit", "kind"], 4, lines),
        serde_json::to_string_pretty(&schema)?,
    ))
}
