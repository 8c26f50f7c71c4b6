//! Google's `usageMetadata`: the prompt includes what was cached; thoughts stand beside the candidates.

use super::inclusive::{Input, Modality, Output};
use super::section::{Count, Section, quantities};
use super::{Counts, UsageFault};

/// Fields that only Google's body has, as its interface and as its Python library write them.
pub(super) const OWN_FIELDS: [&str; 6] = [
    "promptTokenCount",
    "candidatesTokenCount",
    "totalTokenCount",
    "prompt_token_count",
    "candidates_token_count",
    "total_token_count",
];

/// The body. What tools put into the prompt is input like the rest.
pub(super) fn usage_metadata(usage: &Section<'_>) -> Result<Counts, UsageFault> {
    let prompt = usage.count(&["promptTokenCount", "prompt_token_count"])?;
    let tools = usage.count(&["toolUsePromptTokenCount", "tool_use_prompt_token_count"])?;
    let mut all = kinds(usage, &["promptTokensDetails", "prompt_tokens_details"])?;
    let of_tools = kinds(usage, &["toolUsePromptTokensDetails", "tool_use_prompt_tokens_details"])?;
    let cached = kinds(usage, &["cacheTokensDetails", "cache_tokens_details"])?;
    for (sum, more) in all.iter_mut().zip(of_tools) {
        *sum = if sum.value == 0 { more } else { sum.with(sum.value + more.value) };
    }
    let [audio, image, video] = all;
    let [cached_audio, cached_image, cached_video] = cached;
    let input = Input {
        total: prompt.with(prompt.value + tools.value),
        cached: usage.count(&["cachedContentTokenCount", "cached_content_token_count"])?,
        written: Count::default(),
        audio: Modality { all: audio, cached: cached_audio },
        image: Modality { all: image, cached: cached_image },
        video: Modality { all: video, cached: cached_video },
    };
    let candidates = usage.count(&[
        "candidatesTokenCount",
        "candidates_token_count",
        "responseTokenCount",
        "response_token_count",
    ])?;
    let thoughts = usage.count(&["thoughtsTokenCount", "thoughts_token_count"])?;
    let [audio, image, _] = kinds(
        usage,
        &[
            "candidatesTokensDetails",
            "candidates_tokens_details",
            "responseTokensDetails",
            "response_tokens_details",
        ],
    )?;
    let output = Output {
        total: candidates.with(candidates.value + thoughts.value),
        reasoning: thoughts,
        audio,
        image,
    };
    let mut counts = input.split()?;
    counts.append(&mut output.split()?);
    Ok(quantities(&counts))
}

/// Audio, image and video in a list of counts by modality. Documents are priced as the images they become;
/// text is what remains of the total.
fn kinds(usage: &Section<'_>, names: &[&'static str]) -> Result<[Count; 3], UsageFault> {
    let mut kinds = [Count::default(); 3];
    for entry in usage.list(names)? {
        let count = entry.count(&["tokenCount", "token_count"])?;
        let [audio, image, video] = &mut kinds;
        let kind = match entry.word("modality").as_deref() {
            Some("AUDIO") => audio,
            Some("IMAGE" | "DOCUMENT") => image,
            Some("VIDEO") => video,
            _ => continue,
        };
        *kind = count.with(kind.value + count.value);
    }
    Ok(kinds)
}
