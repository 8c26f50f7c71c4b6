//! Each provider's shape, what is refused, and the real bodies of pydantic/genai-prices.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::*;
use crate::measure;

fn counts(usage: &str) -> String {
    match normalise(usage) {
        Ok(mut counts) => {
            counts.sort_unstable();
            counts.iter().map(|(name, quantity)| format!("{name} {quantity}")).collect::<Vec<_>>().join(", ")
        }
        Err(fault) => format!("refused: {fault}"),
    }
}

#[test]
fn each_shape_is_taken_apart() {
    let bodies = [
        (
            "OpenAI chat",
            r#"{"prompt_tokens":1000,"completion_tokens":300,"total_tokens":1300,"prompt_tokens_details":{"cached_tokens":600,"audio_tokens":50},"completion_tokens_details":{"reasoning_tokens":200,"audio_tokens":20,"rejected_prediction_tokens":9}}"#,
        ),
        ("OpenAI embeddings", r#"{"prompt_tokens":8,"total_tokens":8}"#),
        (
            "cached audio",
            r#"{"prompt_tokens":100,"completion_tokens":0,"prompt_tokens_details":{"cached_tokens":50,"audio_tokens":80}}"#,
        ),
        (
            "DeepSeek",
            r#"{"prompt_tokens":976,"completion_tokens":61,"prompt_cache_hit_tokens":896,"prompt_cache_miss_tokens":80}"#,
        ),
        (
            "xAI: reasoning besides",
            r#"{"prompt_tokens":32,"completion_tokens":9,"total_tokens":210,"completion_tokens_details":{"reasoning_tokens":169}}"#,
        ),
        (
            "OpenRouter",
            r#"{"prompt_tokens":70,"completion_tokens":5,"cost":0.00034,"prompt_tokens_details":{"cached_tokens":10,"cache_write_tokens":20,"video_tokens":30,"audio_tokens":9},"cost_details":{"upstream_inference_cost":null}}"#,
        ),
        (
            "OpenAI responses",
            r#"{"input_tokens":115886,"input_tokens_details":{"cached_tokens":92160},"output_tokens":1720,"output_tokens_details":{"reasoning_tokens":1472},"total_tokens":117606}"#,
        ),
        (
            "OpenAI realtime",
            r#"{"input_tokens":120,"input_token_details":{"cached_tokens":64,"text_tokens":20,"audio_tokens":100,"cached_tokens_details":{"text_tokens":10,"audio_tokens":54}},"output_tokens":40,"output_token_details":{"text_tokens":10,"audio_tokens":30}}"#,
        ),
        (
            "Anthropic",
            r#"{"input_tokens":3,"cache_creation_input_tokens":418,"cache_read_input_tokens":1111,"cache_creation":{"ephemeral_5m_input_tokens":18,"ephemeral_1h_input_tokens":400},"output_tokens":33,"output_tokens_details":{"thinking_tokens":10},"server_tool_use":{"web_search_requests":2,"web_fetch_requests":1},"service_tier":"standard"}"#,
        ),
        ("Anthropic, bare", r#"{"input_tokens":3,"output_tokens":33}"#),
        (
            "Google",
            r#"{"promptTokenCount":3297,"cachedContentTokenCount":2918,"candidatesTokenCount":55,"thoughtsTokenCount":95,"toolUsePromptTokenCount":3,"promptTokensDetails":[{"modality":"TEXT","tokenCount":83},{"modality":"VIDEO","tokenCount":2893},{"modality":"AUDIO","tokenCount":321}],"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":284},{"modality":"TEXT","tokenCount":73},{"modality":"VIDEO","tokenCount":2561}]}"#,
        ),
        (
            "Bedrock",
            r#"{"inputTokens":3,"outputTokens":227,"cacheReadInputTokens":5,"cacheWriteInputTokens":1712,"cacheDetails":[{"inputTokens":1700,"ttl":"1h"},{"inputTokens":12,"ttl":"5m"}],"serverToolUsage":{}}"#,
        ),
        (
            "OpenTelemetry",
            r#"{"gen_ai.usage.input_tokens":100,"gen_ai.usage.cache_read.input_tokens":60,"gen_ai.usage.cache_creation.input_tokens":30,"gen_ai.usage.output_tokens":50,"gen_ai.usage.reasoning.output_tokens":20}"#,
        ),
        ("nothing used", r#"{"prompt_tokens":0,"completion_tokens":0}"#),
        ("nulls", r#"{"prompt_tokens":5,"completion_tokens":null,"prompt_tokens_details":null}"#),
    ];
    let table: Vec<String> =
        bodies.iter().map(|(name, usage)| format!("{name}: {}", counts(usage))).collect();
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("shapes", table.join("\n"));
    });
}

#[test]
fn what_does_not_add_up_is_refused() {
    let bodies = [
        r#"{"prompt_tokens":100,"prompt_tokens_details":{"cached_tokens":140}}"#,
        r#"{"prompt_tokens":100,"prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":60}}"#,
        r#"{"prompt_tokens":100,"prompt_tokens_details":{"audio_tokens":140}}"#,
        r#"{"prompt_tokens":1,"completion_tokens":5,"completion_tokens_details":{"reasoning_tokens":9}}"#,
        r#"{"input_tokens":10,"input_tokens_details":{"cached_tokens":11},"output_tokens":1}"#,
        r#"{"input_tokens":10,"input_tokens_details":{"cached_tokens":5},"cache_read_input_tokens":5,"output_tokens":1}"#,
        r#"{"input_tokens":10,"output_tokens":1,"cache_creation_input_tokens":5,"cache_creation":{"ephemeral_1h_input_tokens":6}}"#,
        r#"{"promptTokenCount":10,"cachedContentTokenCount":11}"#,
        r#"{"promptTokenCount":10,"promptTokensDetails":{"modality":"TEXT"}}"#,
        r#"{"inputTokens":1,"cacheWriteInputTokens":5,"cacheDetails":[{"inputTokens":6,"ttl":"1h"}]}"#,
        r#"{"gen_ai.usage.input_tokens":10,"gen_ai.usage.cache_read.input_tokens":11}"#,
        r#"{"input_tokens":-1,"output_tokens":1}"#,
        r#"{"input_tokens":"12","output_tokens":1}"#,
        r#"{"input_tokens":12,"output_tokens":1000000000000000}"#,
        r#"{"input_tokens":12,"input_tokens_details":7}"#,
        r#"{"input_tokens":12,"input_tokens":13}"#,
        r#"{"total_tokens":12}"#,
        "7",
        "{",
    ];
    let table: Vec<String> = bodies.iter().map(|usage| format!("{usage}\n    {}", counts(usage))).collect();
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("usage_refusals", table.join("\n"));
    });
}

/// The shape of a real body, and the reading of it that its expected counts are found under.
fn shape(body: &Value) -> Option<(&'static str, &'static str, &Value)> {
    if let Some(usage) = body.get("usageMetadata") {
        return Some(("Google", "google:default", usage));
    }
    let usage = body.get("usage")?;
    let has = |name| usage.get(name).is_some();
    if has("prompt_tokens") {
        Some(("OpenAI chat", "openai:chat", usage))
    } else if has("cache_read_input_tokens") {
        Some(("Anthropic", "anthropic:default", usage))
    } else if has("input_tokens_details") {
        Some(("OpenAI responses", "openai:responses", usage))
    } else if has("inputTokens") {
        Some(("Bedrock", "aws:default", usage))
    } else {
        None
    }
}

/// The counts that the data expects: those extracted under this reading.
fn expected<'a>(entry: &'a Value, reading: &str) -> Option<&'a Value> {
    let is_it = |extractor: &Value| {
        format!(
            "{}:{}",
            extractor["provider_id"].as_str().unwrap(),
            extractor["api_flavor"].as_str().unwrap()
        ) == reading
    };
    let found = entry["extracted"]
        .as_array()?
        .iter()
        .find(|one| one["extractors"].as_array().unwrap().iter().any(is_it));
    Some(&found?["usage"])
}

/// Our disjoint counts, summed the way the data counts: its input includes caches and every modality, its
/// output includes reasoning.
fn as_expected(counts: &Counts) -> BTreeMap<&'static str, u64> {
    let of = |names: &[&str]| {
        let quantities = counts.iter().filter(|(name, _)| names.contains(name)).map(|(_, quantity)| quantity);
        quantities.map(|quantity| quantity.to_string().parse::<u64>().unwrap()).sum::<u64>()
    };
    let input: Vec<&str> = measure::ALL.into_iter().filter(|name| measure::is_input(name)).collect();
    BTreeMap::from([
        ("input_tokens", of(&input)),
        ("cache_read_tokens", of(&[measure::CACHE_READ, measure::CACHE_READ_AUDIO])),
        ("cache_audio_read_tokens", of(&[measure::CACHE_READ_AUDIO])),
        ("cache_write_tokens", of(&[measure::CACHE_WRITE, measure::CACHE_WRITE_HOUR])),
        ("cache_write_1h_tokens", of(&[measure::CACHE_WRITE_HOUR])),
        ("input_audio_tokens", of(&[measure::INPUT_AUDIO, measure::CACHE_READ_AUDIO])),
        ("fresh image tokens", of(&[measure::INPUT_IMAGE])),
        ("fresh video tokens", of(&[measure::INPUT_VIDEO])),
        (
            "output_tokens",
            of(&[measure::OUTPUT, measure::REASONING, measure::OUTPUT_AUDIO, measure::OUTPUT_IMAGE]),
        ),
        ("output_reasoning_tokens", of(&[measure::REASONING])),
        ("web_searches", of(&[measure::WEB_SEARCHES])),
    ])
}

fn matches(counts: &Counts, expected: &Value) -> bool {
    let number = |name: &str| expected.get(name).map_or(0, |count| count.as_u64().unwrap());
    as_expected(counts).into_iter().all(|(name, ours)| {
        ours == match name {
            "fresh image tokens" => number("input_image_tokens") - number("cache_image_read_tokens"),
            "fresh video tokens" => number("input_video_tokens") - number("cache_video_read_tokens"),
            _ => number(name),
        }
    })
}

#[test]
fn real_bodies_come_to_the_counts_that_others_expect() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/genai-usages.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: no ../shared/data/genai-usages.json beside the repository");
        return;
    };
    let entries: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut tally: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    let mut others = 0;
    for entry in &entries {
        let Some((shape, reading, usage)) = shape(&entry["body"]) else {
            others += 1;
            continue;
        };
        let expected = expected(entry, reading).unwrap_or_else(|| panic!("no {reading} in {entry}"));
        let counts = normalise(&usage.to_string());
        let (matching, all) = tally.entry(shape).or_default();
        *all += 1;
        match counts {
            Ok(counts) if matches(&counts, expected) => *matching += 1,
            counts => println!("{shape}: {usage}\n  ours {counts:?}\n  expected {expected}"),
        }
    }
    for (shape, (matching, all)) in &tally {
        println!("{shape}: {matching} of {all} bodies match digit for digit");
    }
    println!("{others} bodies of other shapes, of {}", entries.len());
    assert!(tally.values().all(|(matching, all)| matching == all), "{tally:?}");
    assert_eq!(tally.values().map(|(_, all)| all).sum::<u32>() + others, 526);
}
