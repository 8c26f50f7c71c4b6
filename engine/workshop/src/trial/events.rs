//! Reads events through the engine's own door, one a line.

use std::sync::Arc;

use tollgate_core::{door, event::Event, money::Amount};

/// A line that is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct EventsError {
    /// Counted from 1.
    pub line: usize,
    /// Which field is wrong, how, and what would be right.
    pub reason: String,
}

/// The events of newline-delimited JSON, in order. Unless `costs_from_prices`, an event that does not report
/// what it cost the network cost it nothing.
///
/// # Errors
/// The first line that the door refuses.
pub fn read_events(text: &str, costs_from_prices: bool) -> Result<Vec<Arc<Event>>, EventsError> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(line, text)| {
            let mut event = door::parse(text.as_bytes())
                .map_err(|refusal| EventsError { line, reason: refusal.to_string() })?;
            if !costs_from_prices {
                event.reported_cost.get_or_insert(Amount::ZERO);
            }
            Ok(Arc::new(event))
        })
        .collect()
}
