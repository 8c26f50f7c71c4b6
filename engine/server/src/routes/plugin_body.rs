//! What a plugin is, as answers write it.

use serde::Serialize;
use serde_json::value::RawValue;
use tollgate_core::catalog::PluginOwnership;
use tollgate_core::plugin::{self, Descriptor};
use utoipa::ToSchema;

use super::publishers::PublisherBody;
use crate::problem::Problem;

/// A plugin: what it says of itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plugin)]
pub(super) struct PluginBody {
    /// The SHA-256 of its component: its identity.
    #[schema(example = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    digest: String,
    /// Whose it is; null for the platform's, which every Builder may use.
    #[schema(example = "acme")]
    builder: Option<String>,
    /// A stable name.
    #[schema(example = "tiered")]
    name: String,
    /// Its own version.
    #[schema(example = "1.2.0")]
    version: String,
    /// One sentence.
    #[schema(example = "Prices pages by tiers that fill up over a month.")]
    summary: String,
    /// Which of the Builder's publishers signed it when it was taken in; null where it has none.
    published_by: Option<PublisherBody>,
    /// The units it counts.
    units: Vec<Unit>,
    /// The lines it may charge.
    lines: Vec<Line>,
    /// The refusals it may give.
    refusals: Vec<RefusalKind>,
    /// A JSON Schema of its settings.
    #[schema(value_type = Object, example = json!({"type": "object", "properties": {"price": {"type": "string"}}}))]
    settings_schema: Box<RawValue>,
}

/// What a list tells of a plugin.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PluginSummary {
    /// The SHA-256 of its component: its identity.
    #[schema(example = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    digest: String,
    /// Whose it is; null for the platform's, which every Builder may use.
    #[schema(example = "acme")]
    builder: Option<String>,
    /// A stable name.
    #[schema(example = "tiered")]
    name: String,
    /// Its own version.
    #[schema(example = "1.2.0")]
    version: String,
    /// Which of the Builder's publishers signed it when it was taken in; null where it has none.
    published_by: Option<PublisherBody>,
}

/// A unit that a plugin counts. A text that begins with `/` is a pointer to a string in the settings.
#[derive(Debug, Serialize, ToSchema)]
struct Unit {
    /// What the customer sees, in the singular, or a pointer to it.
    #[schema(example = "page")]
    name: String,
    /// How quantities become one counter for each customer and period: `sum`, `max` or `distinct`.
    #[schema(value_type = String, example = "sum")]
    aggregation: plugin::Aggregation,
    /// Counted for the customer's parent instead of the customer.
    pooled: bool,
    /// Text columns whose values have a counter each.
    group_by: Vec<String>,
}

/// A kind of row on a statement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LineKind)]
struct Line {
    /// A stable word for programs.
    #[schema(example = "pages")]
    code: String,
    /// What the customer reads.
    #[schema(example = "Pages reviewed")]
    title: String,
    /// The name of the unit its quantity counts, or a pointer to it.
    #[schema(example = "page")]
    unit: String,
    /// Its sign: `charge` (zero or more), `credit` (zero or less) or `adjustment` (either).
    #[schema(value_type = String, example = "charge")]
    kind: plugin::LineKind,
}

/// A reason why an event should not run.
#[derive(Debug, Serialize, ToSchema)]
struct RefusalKind {
    /// A stable word for programs.
    #[schema(example = "allowance_used_up")]
    code: String,
    /// What the customer reads.
    #[schema(example = "The allowance is used up")]
    title: String,
}

impl PluginBody {
    /// A plugin of an owner.
    pub fn of(owner: &PluginOwnership, descriptor: &Descriptor) -> Result<Self, Problem> {
        let schema = RawValue::from_string(descriptor.settings_schema.clone());
        Ok(Self {
            digest: owner.digest.to_string(),
            builder: owner.builder.clone(),
            name: descriptor.name.clone(),
            version: descriptor.version.clone(),
            summary: descriptor.summary.clone(),
            published_by: owner.published.as_ref().map(PublisherBody::from),
            units: descriptor.units.iter().map(Unit::from).collect(),
            lines: descriptor.lines.iter().map(Line::from).collect(),
            refusals: descriptor.refusals.iter().map(RefusalKind::from).collect(),
            // It was read when the plugin was taken in.
            settings_schema: schema.map_err(|_| Problem::internal())?,
        })
    }
}

impl From<&PluginOwnership> for PluginSummary {
    fn from(plugin: &PluginOwnership) -> Self {
        Self {
            digest: plugin.digest.to_string(),
            builder: plugin.builder.clone(),
            name: plugin.name.clone(),
            version: plugin.version.clone(),
            published_by: plugin.published.as_ref().map(PublisherBody::from),
        }
    }
}

impl From<&plugin::UnitDeclaration> for Unit {
    fn from(unit: &plugin::UnitDeclaration) -> Self {
        let plugin::UnitDeclaration { name, aggregation, pooled, group_by } = unit.clone();
        Self { name, aggregation, pooled, group_by }
    }
}

impl From<&plugin::LineDeclaration> for Line {
    fn from(line: &plugin::LineDeclaration) -> Self {
        let plugin::LineDeclaration { code, title, unit, kind } = line.clone();
        Self { code, title, unit, kind }
    }
}

impl From<&plugin::RefusalDeclaration> for RefusalKind {
    fn from(refusal: &plugin::RefusalDeclaration) -> Self {
        Self { code: refusal.code.clone(), title: refusal.title.clone() }
    }
}
