//! Amazon Bedrock's converse: input excludes cache reads and writes.

use super::inclusive::exceeded;
use super::section::{Section, quantities};
use super::{Counts, UsageFault};
use crate::measure;

/// The body. Writes kept for an hour are told by `cacheDetails`.
pub(super) fn converse(usage: &Section<'_>) -> Result<Counts, UsageFault> {
    let written = usage.count(&["cacheWriteInputTokens", "cacheWriteInputTokenCount"])?;
    let mut hour = written.with(0);
    for entry in usage.list(&["cacheDetails"])? {
        if entry.word("ttl").as_deref() == Some("1h") {
            let count = entry.count(&["inputTokens"])?;
            hour = count.with(hour.value + count.value);
        }
    }
    if hour.value > written.value {
        return Err(exceeded(written, [hour].into_iter()));
    }
    Ok(quantities(&[
        (measure::INPUT, usage.count(&["inputTokens"])?.value),
        (measure::CACHE_READ, usage.count(&["cacheReadInputTokens", "cacheReadInputTokenCount"])?.value),
        (measure::CACHE_WRITE, written.value - hour.value),
        (measure::CACHE_WRITE_HOUR, hour.value),
        (measure::OUTPUT, usage.count(&["outputTokens"])?.value),
    ]))
}
