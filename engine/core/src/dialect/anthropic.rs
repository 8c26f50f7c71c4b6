//! Anthropic's messages: input excludes cache reads and writes, and writes are split by how long they last.

use super::inclusive::{Output, exceeded};
use super::section::{Section, quantities};
use super::{Counts, UsageFault};
use crate::measure;

/// Fields that only Anthropic's body has.
pub(super) const OWN_FIELDS: [&str; 4] =
    ["cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation", "server_tool_use"];

/// The body of a message. `iterations` repeats what the totals already hold, and fetches cost nothing.
pub(super) fn messages(usage: &Section<'_>) -> Result<Counts, UsageFault> {
    refuse_two_conventions(usage)?;
    let kept = usage.section(&["cache_creation"])?;
    let (minutes, hour) =
        (kept.count(&["ephemeral_5m_input_tokens"])?, kept.count(&["ephemeral_1h_input_tokens"])?);
    let both = minutes.value + hour.value;
    let mut written = usage.count(&["cache_creation_input_tokens"])?;
    if !usage.has("cache_creation_input_tokens") {
        written = written.with(both);
    }
    if both > written.value {
        return Err(exceeded(written, [minutes, hour].into_iter()));
    }
    let output = Output {
        total: usage.count(&["output_tokens"])?,
        reasoning: usage.section(&["output_tokens_details"])?.count(&["thinking_tokens"])?,
        ..Output::default()
    };
    let mut counts = output.split()?;
    counts.extend([
        (measure::INPUT, usage.count(&["input_tokens"])?.value),
        (measure::CACHE_READ, usage.count(&["cache_read_input_tokens"])?.value),
        (measure::CACHE_WRITE, written.value - hour.value),
        (measure::CACHE_WRITE_HOUR, hour.value),
        (measure::WEB_SEARCHES, usage.section(&["server_tool_use"])?.count(&["web_search_requests"])?.value),
    ]);
    Ok(quantities(&counts))
}

/// A body that counts cached input both OpenAI's way (included) and Anthropic's (excluded) says two things.
fn refuse_two_conventions(usage: &Section<'_>) -> Result<(), UsageFault> {
    let included = usage.section(&["input_tokens_details"])?.count(&["cached_tokens"])?;
    let excluded = usage.count(&["cache_read_input_tokens"])?;
    if included.value == 0 || excluded.value == 0 {
        return Ok(());
    }
    Err(UsageFault {
        field: excluded.field(),
        problem: format!(
            "stands beside {}: whether input_tokens includes what was cached cannot be told",
            included.field()
        ),
        remedy: "send the provider's own usage object, which has only one of the two",
    })
}
