//! OpenAI's two shapes: input includes what was cached, output includes reasoning and audio.

use super::inclusive::{Input, Modality, Output};
use super::section::{Section, quantities};
use super::{Counts, UsageFault};
use crate::measure;

/// Chat completions. Spoken, with small additions, by most other providers: `OpenRouter` adds a cost and
/// cache writes, `DeepSeek` counts cache hits at the top, xAI leaves reasoning out of the completion.
pub(super) fn chat(usage: &Section<'_>) -> Result<Counts, UsageFault> {
    let prompt = usage.section(&["prompt_tokens_details"])?;
    let completion = usage.section(&["completion_tokens_details"])?;
    let mut cached = prompt.count(&["cached_tokens"])?;
    if !prompt.has("cached_tokens") {
        cached = usage.count(&["cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens"])?;
    }
    let mut written = prompt.count(&["cache_write_tokens", "cache_creation_tokens"])?;
    if written.value == 0 {
        written = usage.count(&["cache_creation_input_tokens"])?;
    }
    let input =
        Input { total: usage.count(&["prompt_tokens"])?, cached, written, ..kinds_of_input(&prompt)? };
    let mut output = Output {
        total: usage.count(&["completion_tokens"])?,
        reasoning: completion.count(&["reasoning_tokens"])?,
        audio: completion.count(&["audio_tokens"])?,
        image: completion.count(&["image_tokens"])?,
    };
    // Where the body's own total says that reasoning came on top of the completion, it did.
    let besides = output.total.value + output.reasoning.value;
    if output.reasoning.value > 0 && usage.count(&["total_tokens"])?.value == input.total.value + besides {
        output.total = output.total.with(besides);
    }
    counts(usage, &input, &output)
}

/// Responses; also the realtime, transcription and image interfaces, which write `token` for `tokens`.
pub(super) fn responses(usage: &Section<'_>) -> Result<Counts, UsageFault> {
    let into = usage.section(&["input_tokens_details", "input_token_details"])?;
    let out = usage.section(&["output_tokens_details", "output_token_details"])?;
    let input = Input {
        total: usage.count(&["input_tokens"])?,
        cached: into.count(&["cached_tokens"])?,
        written: into.count(&["cache_write_tokens"])?,
        ..kinds_of_input(&into)?
    };
    let output = Output {
        total: usage.count(&["output_tokens"])?,
        reasoning: out.count(&["reasoning_tokens", "thinking_tokens"])?,
        audio: out.count(&["audio_tokens"])?,
        image: out.count(&["image_tokens"])?,
    };
    counts(usage, &input, &output)
}

fn kinds_of_input(details: &Section<'_>) -> Result<Input, UsageFault> {
    let cached = details.section(&["cached_tokens_details"])?;
    let kind = |name| Ok(Modality { all: details.count(&[name])?, cached: cached.count(&[name])? });
    // The video_tokens that OpenRouter adds cost what text costs: they stay in the total.
    Ok(Input { audio: kind("audio_tokens")?, image: kind("image_tokens")?, ..Input::default() })
}

fn counts(usage: &Section<'_>, input: &Input, output: &Output) -> Result<Counts, UsageFault> {
    let searches = usage.section(&["server_tool_use"])?.count(&["web_search_requests"])?;
    let mut counts = input.split()?;
    counts.append(&mut output.split()?);
    counts.push((measure::WEB_SEARCHES, searches.value));
    Ok(quantities(&counts))
}
