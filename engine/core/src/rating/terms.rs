//! A tariff with its plugin's descriptor resolved against its settings: what a charge is made under.

use std::sync::Arc;

use serde_json::Value;

use crate::catalog::{App, Tariff};
use crate::plugin::{Aggregation, Descriptor, LineKind};

/// A unit with its names resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitTerms {
    /// What the customer sees; it names the counter.
    pub name: Arc<str>,
    /// How it is counted.
    pub aggregation: Aggregation,
    /// Counted for the customer's parent.
    pub pooled: bool,
    /// Text columns whose values have a counter each.
    pub group_by: Vec<String>,
}

/// A line with its unit resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineTerms {
    /// A stable word for programs.
    pub code: Arc<str>,
    /// What the customer reads.
    pub title: String,
    /// What its quantity counts.
    pub unit: String,
    /// Its sign.
    pub kind: LineKind,
}

/// Everything an event is rated under.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The app.
    pub app: Arc<App>,
    /// The tariff.
    pub tariff: Arc<Tariff>,
    /// The tariff's id, as charges carry it.
    pub tariff_id: Arc<str>,
    /// `name version`, as messages carry it.
    pub plugin: String,
    /// Units, as the plugin numbers them.
    pub units: Vec<UnitTerms>,
    /// Lines, as the plugin numbers them.
    pub lines: Vec<LineTerms>,
    /// Refusal codes, as the plugin numbers them.
    pub refusals: Vec<Arc<str>>,
}

/// A pointer in a descriptor that the settings do not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the settings have no text at {pointer}, which plugin {plugin} needs to name a unit or column")]
pub struct UnresolvedPointer {
    plugin: String,
    pointer: String,
}

impl Terms {
    /// Resolves a tariff.
    ///
    /// # Errors
    /// [`UnresolvedPointer`] when the descriptor points to a setting that is not a string and has no default.
    pub fn new(
        app: &Arc<App>,
        tariff: &Arc<Tariff>,
        descriptor: &Descriptor,
    ) -> Result<Self, UnresolvedPointer> {
        let plugin = format!("{} {}", descriptor.name, descriptor.version);
        let names = Names::new(&plugin, &tariff.settings, &descriptor.settings_schema);
        let units = descriptor.units.iter().map(|unit| {
            Ok(UnitTerms {
                name: names.resolve(&unit.name)?.into(),
                aggregation: unit.aggregation,
                pooled: unit.pooled,
                group_by: unit.group_by.iter().map(|name| names.resolve(name)).collect::<Result<_, _>>()?,
            })
        });
        let lines = descriptor.lines.iter().map(|line| {
            Ok(LineTerms {
                code: line.code.as_str().into(),
                title: line.title.clone(),
                unit: names.resolve(&line.unit)?,
                kind: line.kind,
            })
        });
        Ok(Self {
            units: units.collect::<Result<_, _>>()?,
            lines: lines.collect::<Result<_, _>>()?,
            refusals: descriptor.refusals.iter().map(|refusal| refusal.code.as_str().into()).collect(),
            app: Arc::clone(app),
            tariff: Arc::clone(tariff),
            tariff_id: tariff.id.as_str().into(),
            plugin,
        })
    }
}

/// Resolves names that may be pointers into the settings, or into the defaults of their schema.
struct Names<'a> {
    plugin: &'a str,
    settings: Value,
    schema: Value,
}

impl<'a> Names<'a> {
    fn new(plugin: &'a str, settings: &str, schema: &str) -> Self {
        // Both were parsed when the tariff was checked; what does not parse resolves nothing.
        let parse = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        Self { plugin, settings: parse(settings), schema: parse(schema) }
    }

    fn resolve(&self, name: &str) -> Result<String, UnresolvedPointer> {
        if !name.starts_with('/') {
            return Ok(name.to_owned());
        }
        let default = || self.schema.pointer(&format!("/properties{name}/default"));
        match self.settings.pointer(name).or_else(default) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            _ => Err(UnresolvedPointer { plugin: self.plugin.to_owned(), pointer: name.to_owned() }),
        }
    }
}
