//! Events as the store keeps them: as they were received.

use serde_json::value::RawValue;
use tollgate_core::door;
use tollgate_core::event::Event;

use crate::problem::Problem;

/// A kept event as JSON, exactly as it was received.
///
/// # Errors
/// 500 when it is no JSON any more.
pub(in crate::routes) fn as_received(received: &str) -> Result<Box<RawValue>, Problem> {
    RawValue::from_string(received.to_owned()).map_err(|error| unreadable(&error))
}

/// A kept event, read again.
///
/// # Errors
/// 500 when the door would not let it in any more.
pub(in crate::routes) fn parsed(received: &str) -> Result<Event, Problem> {
    door::parse(received.as_bytes()).map_err(|error| unreadable(&error))
}

fn unreadable(error: &dyn std::error::Error) -> Problem {
    tracing::error!(%error, "a kept event is unreadable");
    Problem::internal()
}
