//! The explanation of an event: what it said, what became of it, and whether that comes out again.

use serde::Serialize;
use tollgate_core::access::Scope;
use tollgate_core::engine::{Engine, Explained};
use tollgate_core::event::EventKey;
use tollgate_core::plugin::Digest;
use tollgate_core::store::Outcome;
use utoipa::ToSchema;

use super::{KeptEvent, no_event};
use crate::problem::Problem;

/// An event with everything there is to say about it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Explanation {
    /// The event, and what became of it.
    #[serde(flatten)]
    kept: KeptEvent,
    /// What its charge was worked out by, when it is rated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pricing: Option<Pricing>,
    /// Its charge, executed again for this answer, when it is rated and its tariff can still be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    execution: Option<Execution>,
    /// The whole story, as sentences.
    #[schema(example = json!(["Event req-0001 of acme-docs is usage by legal at 2026-11-03T09:00:00Z."]))]
    #[serde(rename = "explanation")]
    sentences: Vec<String>,
}

/// What a charge was worked out by. Neither ever changes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Pricing {
    /// The tariff.
    #[schema(example = "acme-docs-2026")]
    tariff: String,
    /// SHA-256 of the plugin's component.
    #[schema(example = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    plugin_digest: String,
    /// SHA-256 of the settings' text.
    #[schema(example = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")]
    settings_digest: String,
}

/// A charge executed again.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Execution {
    /// Whether it came out identical.
    #[schema(example = true)]
    reproduced: bool,
    /// How it came out differently; null when it is identical.
    difference: Option<String>,
    /// What running the event alone burns.
    #[schema(example = 18_400)]
    fuel: u64,
}

/// Explains an event to whom a key belongs.
///
/// # Errors
/// 404 when there is no such event or it is not for this key; 503 when the store fails.
pub(super) fn explain(engine: &Engine, scope: &Scope, key: &EventKey) -> Result<Explanation, Problem> {
    let rules = engine.rules();
    let may_be_seen = match scope {
        Scope::CustomerRead { app, .. } => *app == key.app,
        _ => scope.ingests(rules.catalog(), &key.app),
    };
    // What is not the key's costs no look-up and no run: it is as if it were not there.
    let explained = if may_be_seen { engine.explain(key)? } else { None };
    let explained = explained
        .filter(|explained| scope.reads_event(rules.catalog(), &key.app, &explained.event.customer))
        .ok_or_else(|| no_event(key))?;
    let sentences = explained.sentences(scope.sees_margins());
    let Explained { stored, reproduced, .. } = explained;
    let pricing = match &stored.outcome {
        Outcome::Rated(charge) => rules.catalog().tariff(&charge.tariff).map(|tariff| Pricing {
            tariff: tariff.id.clone(),
            plugin_digest: tariff.plugin.to_string(),
            settings_digest: Digest::of(tariff.settings.as_bytes()).to_string(),
        }),
        Outcome::Held(_) => None,
    };
    let execution = reproduced.map(|reproduced| Execution {
        reproduced: reproduced.difference.is_none(),
        difference: reproduced.difference,
        fuel: reproduced.fuel,
    });
    Ok(Explanation { kept: KeptEvent::of(&stored, &rules, scope)?, pricing, execution, sentences })
}
