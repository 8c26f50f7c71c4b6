//! The names of the measures that a provider's usage object is normalised to.
//!
//! They are disjoint: no token is counted under two of them, so a request's input is the sum of all input
//! measures. Every other name is a Builder's own measure (documents, pages) and costs the network nothing
//! unless a price book says so.

/// Fresh input: neither read from a cache nor written to one, neither audio nor picture.
pub const INPUT: &str = "input_tokens";
/// Fresh audio input.
pub const INPUT_AUDIO: &str = "input_audio_tokens";
/// Fresh image or document input.
pub const INPUT_IMAGE: &str = "input_image_tokens";
/// Fresh video input.
pub const INPUT_VIDEO: &str = "input_video_tokens";
/// Input read from a cache.
pub const CACHE_READ: &str = "cache_read_tokens";
/// Audio input read from a cache.
pub const CACHE_READ_AUDIO: &str = "cache_read_audio_tokens";
/// Input written to a cache that keeps it for the usual time (Anthropic: five minutes).
pub const CACHE_WRITE: &str = "cache_write_tokens";
/// Input written to a cache that keeps it for an hour.
pub const CACHE_WRITE_HOUR: &str = "cache_write_1h_tokens";
/// Output that is neither reasoning nor audio nor picture.
pub const OUTPUT: &str = "output_tokens";
/// Output spent on reasoning.
pub const REASONING: &str = "reasoning_tokens";
/// Audio output.
pub const OUTPUT_AUDIO: &str = "output_audio_tokens";
/// Image output.
pub const OUTPUT_IMAGE: &str = "output_image_tokens";
/// Pictures made, where the provider counts pictures and not tokens.
pub const IMAGES: &str = "images";
/// Searches of the web that the provider ran for the model.
pub const WEB_SEARCHES: &str = "web_searches";

/// Every name that providers' counts are given, in alphabetical order.
pub const ALL: [&str; 14] = [
    CACHE_READ_AUDIO,
    CACHE_READ,
    CACHE_WRITE_HOUR,
    CACHE_WRITE,
    IMAGES,
    INPUT_AUDIO,
    INPUT_IMAGE,
    INPUT,
    INPUT_VIDEO,
    OUTPUT_AUDIO,
    OUTPUT_IMAGE,
    OUTPUT,
    REASONING,
    WEB_SEARCHES,
];

/// The measure whose price this one takes when it has none of its own.
pub fn parent(name: &str) -> Option<&'static str> {
    match name {
        CACHE_READ_AUDIO => Some(CACHE_READ),
        CACHE_WRITE_HOUR => Some(CACHE_WRITE),
        INPUT_AUDIO | INPUT_IMAGE | INPUT_VIDEO | CACHE_READ | CACHE_WRITE => Some(INPUT),
        REASONING | OUTPUT_AUDIO | OUTPUT_IMAGE => Some(OUTPUT),
        _ => None,
    }
}

/// Whether a provider is owed something for this measure, so that it may not go without a price.
pub fn is_a_providers(name: &str) -> bool {
    ALL.contains(&name)
}

/// Whether this measure counts towards the length of a request's input.
pub fn is_input(name: &str) -> bool {
    name == INPUT || is_a_providers(name) && lineage(name).any(|ancestor| ancestor == INPUT)
}

/// A measure, its parent, its parent's parent, ...
pub fn lineage(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| parent(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_has_its_lineage() {
        let lines: Vec<String> = ALL
            .iter()
            .map(|name| {
                let lineage: Vec<&str> = lineage(name).collect();
                format!("{}{}", lineage.join(" → "), if is_input(name) { "  (input)" } else { "" })
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        cache_read_audio_tokens → cache_read_tokens → input_tokens  (input)
        cache_read_tokens → input_tokens  (input)
        cache_write_1h_tokens → cache_write_tokens → input_tokens  (input)
        cache_write_tokens → input_tokens  (input)
        images
        input_audio_tokens → input_tokens  (input)
        input_image_tokens → input_tokens  (input)
        input_tokens  (input)
        input_video_tokens → input_tokens  (input)
        output_audio_tokens → output_tokens
        output_image_tokens → output_tokens
        output_tokens
        reasoning_tokens → output_tokens
        web_searches
        ");
    }

    #[test]
    fn names_are_distinct_and_in_order() {
        assert!(ALL.is_sorted(), "{ALL:?}");
        assert_eq!(ALL.iter().collect::<std::collections::BTreeSet<_>>().len(), ALL.len());
    }

    #[test]
    fn other_names_are_the_builders_own() {
        for name in ["documents", "pages", "", "INPUT_TOKENS", "input_tokens "] {
            assert!(!is_a_providers(name) && !is_input(name) && parent(name).is_none(), "{name:?}");
        }
    }
}
