//! Takes an event back, and records what comes in its place.
//!
//! Whatever can be wrong with the replacement is found before anything is voided. Both steps are idempotent,
//! so a request that broke off is simply sent again.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tollgate_core::door;
use tollgate_core::engine::{Engine, VoidReceipt};
use tollgate_core::event::{Event, EventKey};
use tollgate_core::store::StoredEvent;
use utoipa::ToSchema;

use super::{CloudEvent, fault, no_event};
use crate::backend::Backend;
use crate::problem::{Fault, Problem};
use crate::routes::charge::{Standing, Voided};

const REASON_CHARACTERS_MAX: usize = 250;

/// Why an event is taken back, and what comes in its place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Void {
    /// Why. The first reason stays.
    #[schema(min_length = 1, max_length = 250, pattern = r"\S", example = "sent twice under two ids")]
    reason: String,
    /// The event that corrects it: of the same source and subject, with an id of its own.
    #[serde(default)]
    #[schema(value_type = Option<CloudEvent>)]
    replacement: Option<Box<RawValue>>,
}

/// An event that was taken back.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VoidedEvent {
    /// How it was taken back.
    voided: Voided,
    /// What became of the replacement; null when none was given.
    replacement: Option<Replacement>,
}

/// The event that corrects another.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Replacement {
    /// The app.
    #[schema(example = "acme-docs")]
    source: String,
    /// Its id.
    #[schema(example = "req-0001-corrected")]
    id: String,
    /// What became of it.
    #[serde(flatten)]
    standing: Standing,
}

/// Voids an event of an app that the caller manages.
///
/// # Errors
/// 404 when there is no such event, 409 when it cannot be voided or the replacement's id is taken, 422 when
/// the reason or the replacement is wrong.
pub(super) async fn void(backend: &Backend, key: EventKey, void: Void) -> Result<VoidedEvent, Problem> {
    let Void { reason, replacement } = void;
    check_reason(&reason)?;
    let now = Timestamp::now().as_millisecond();
    let work = move |engine: &Engine| {
        let event = engine.store().stored_one(&key)?.ok_or_else(|| no_event(&key))?;
        let replacement = match replacement.filter(|raw| raw.get() != "null") {
            Some(raw) => Some(checked_replacement(engine, &event, raw.get())?),
            None => None,
        };
        let named = replacement.as_ref().map(|event| &*event.key.id);
        match engine.void(&key, &reason, named, now)? {
            VoidReceipt::Already(voided) if named.is_some() && voided.replacement.as_deref() != named => {
                Err(replaced_otherwise(&key, voided.replacement.as_deref()))
            }
            VoidReceipt::Voided(voided) | VoidReceipt::Already(voided) => {
                Ok((Voided::of(&voided, &engine.rules()), replacement))
            }
            VoidReceipt::Unknown => Err(no_event(&key)),
        }
    };
    let (voided, replacement) = backend.call(work).await?;
    let Some(event) = replacement else { return Ok(VoidedEvent { voided, replacement: None }) };
    backend.recorder.record(vec![Arc::clone(&event)], None).await?;
    let recorded = backend.call(move |engine| recorded(engine, &event)).await?;
    Ok(VoidedEvent { voided, replacement: Some(recorded) })
}

fn check_reason(reason: &str) -> Result<(), Problem> {
    let message = if reason.trim().is_empty() {
        "must say something".to_owned()
    } else if reason.chars().count() > REASON_CHARACTERS_MAX {
        format!("may have at most {REASON_CHARACTERS_MAX} characters")
    } else {
        return Ok(());
    };
    Err(Problem::invalid(vec![Fault::at("/reason", message)]))
}

/// The replacement, if it can be recorded in the event's place.
fn checked_replacement(engine: &Engine, stored: &StoredEvent, raw: &str) -> Result<Arc<Event>, Problem> {
    const BASE: &str = "/replacement";
    let refuse = |fault| Problem::invalid(vec![fault]);
    let event = door::parse(raw.as_bytes()).map_err(|rejected| refuse(fault(BASE, &rejected)))?;
    let voided = stored.event()?;
    if event.key.app != voided.key.app {
        let message = format!("must be that of the event it replaces: {:?}", voided.key.app);
        return Err(refuse(Fault::at(format!("{BASE}/source"), message)));
    }
    if event.customer != voided.customer {
        let message = format!("must be that of the event it replaces: {:?}", voided.customer);
        return Err(refuse(Fault::at(format!("{BASE}/subject"), message)));
    }
    if event.key.id == voided.key.id {
        let message = "must be another than that of the event it replaces, which stays taken";
        return Err(refuse(Fault::at(format!("{BASE}/id"), message)));
    }
    let known = engine.store().find(&[&event.key])?.into_iter().next().flatten();
    let is_repeated =
        stored.voided.as_ref().is_some_and(|voided| voided.replacement.as_ref() == Some(&event.key.id));
    if known.is_some_and(|known| !is_repeated || known.fingerprint != event.fingerprint) {
        return Err(taken(&event));
    }
    Ok(Arc::new(event))
}

/// An event is corrected once, or whoever asks again under a new id would be charged again.
fn replaced_otherwise(key: &EventKey, replacement: Option<&str>) -> Problem {
    let by = replacement
        .map_or_else(|| "without a replacement".to_owned(), |id| format!("and replaced by {id:?}"));
    Problem::conflict(format!(
        "event {:?} has been voided {by}: send what else is missing as an event of its own",
        key.id
    ))
}

/// What became of a replacement, now or when it was recorded before.
fn recorded(engine: &Engine, event: &Event) -> Result<Replacement, Problem> {
    let known = engine.store().find(&[&event.key])?.into_iter().next().flatten();
    let stored = engine.store().stored_one(&event.key)?.ok_or_else(Problem::internal)?;
    // Somebody may have taken the id meanwhile.
    if known.is_none_or(|known| known.fingerprint != event.fingerprint) {
        return Err(taken(event));
    }
    let standing = Standing::of(&stored.outcome, stored.voided.as_ref(), &engine.rules());
    Ok(Replacement { source: event.key.app.clone(), id: event.key.id.clone(), standing })
}

fn taken(event: &Event) -> Problem {
    Problem::conflict(format!("the replacement's id {:?} is that of another event already", event.key.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something_and_not_too_much() {
        assert!(
            check_reason("sent twice").is_ok() && check_reason(&"é".repeat(REASON_CHARACTERS_MAX)).is_ok()
        );
        for reason in [String::new(), "  \n".to_owned(), "é".repeat(REASON_CHARACTERS_MAX + 1)] {
            assert!(check_reason(&reason).is_err(), "{reason:?}");
        }
    }
}
