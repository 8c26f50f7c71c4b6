//! Events as the store keeps them: as they were received, with what became of them.

use serde::Serialize;
use serde_json::value::RawValue;
use tollgate_core::access::Scope;
use tollgate_core::engine::Rulebook;
use tollgate_core::store::StoredEvent;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::routes::charge::{Standing, moment};

/// A kept event as JSON, exactly as it was received.
///
/// # Errors
/// 500 when it is no JSON any more.
pub(in crate::routes) fn as_received(received: &str) -> Result<Box<RawValue>, Problem> {
    RawValue::from_string(received.to_owned()).map_err(|error| {
        tracing::error!(%error, "a kept event is unreadable");
        Problem::internal()
    })
}

/// An event with what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::routes) struct KeptEvent {
    /// The app.
    #[schema(example = "acme-docs")]
    source: String,
    /// Its id.
    #[schema(example = "req-0001")]
    id: String,
    /// When it happened.
    #[schema(format = DateTime, example = "2026-11-03T09:00:00Z")]
    time: String,
    /// For which feature; empty where none was named.
    #[schema(example = "review")]
    feature: String,
    /// The event as it was received. Not told to a customer's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    event: Option<Box<RawValue>>,
    /// What became of it.
    #[serde(flatten)]
    standing: Standing,
}

impl KeptEvent {
    pub fn of(stored: &StoredEvent, rules: &Rulebook, scope: &Scope) -> Result<Self, Problem> {
        let event = stored.event()?;
        Ok(Self {
            source: stored.key.app.clone(),
            id: stored.key.id.clone(),
            time: moment(event.time),
            feature: event.feature,
            event: scope.sees_margins().then(|| as_received(&stored.received)).transpose()?,
            standing: Standing::of(&stored.outcome, stored.voided.as_ref(), rules).for_scope(scope),
        })
    }
}
