//! OpenTelemetry's `gen_ai.usage.*`: flat names, input includes what was cached, output includes reasoning.

use super::inclusive::{Input, Output};
use super::section::{Section, quantities};
use super::{Counts, UsageFault};

/// What all of its names begin with.
pub(crate) const PREFIX: &str = "gen_ai.usage.";

/// Whether a field's name is one of OpenTelemetry's.
pub(super) fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// The attributes of a span, by today's names and by those they replaced.
pub(super) fn attributes(usage: &Section<'_>) -> Result<Counts, UsageFault> {
    let input = Input {
        total: usage.count(&["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"])?,
        cached: usage.count(&["gen_ai.usage.cache_read.input_tokens"])?,
        written: usage.count(&["gen_ai.usage.cache_creation.input_tokens"])?,
        ..Input::default()
    };
    let output = Output {
        total: usage.count(&["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"])?,
        reasoning: usage.count(&["gen_ai.usage.reasoning.output_tokens"])?,
        ..Output::default()
    };
    let mut counts = input.split()?;
    counts.append(&mut output.split()?);
    Ok(quantities(&counts))
}
