//! Totals that include their parts, taken apart so that nothing is counted twice.

use super::UsageFault;
use super::section::Count;
use crate::measure;

const REMEDY: &str =
    "the whole must include its parts: send the provider's own counts, or measures that are already disjoint";

/// A kind of content other than text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Modality {
    /// All of it, cached or not.
    pub all: Count,
    /// What of it was read from a cache, where the body says so.
    pub cached: Count,
}

/// An input total and what it includes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Input {
    /// Everything that went in.
    pub total: Count,
    /// Read from a cache, of every kind.
    pub cached: Count,
    /// Written to a cache.
    pub written: Count,
    pub audio: Modality,
    pub image: Modality,
    pub video: Modality,
}

impl Input {
    /// The disjoint counts. Cached tokens of no named kind are taken from text first, then from audio,
    /// images and video: the sum is exact whichever it was.
    pub fn split(&self) -> Result<Vec<(&'static str, i64)>, UsageFault> {
        let kinds = [self.audio, self.image, self.video];
        // A body may name a kind only where it was cached.
        let mut fresh = kinds.map(|kind| kind.all.value.max(kind.cached.value));
        let named: i64 = fresh.iter().sum();
        let mut text = self.total.value - named;
        let mut unnamed = self.cached.value;
        let mut cached_audio = 0;
        for (position, (kind, left)) in kinds.iter().zip(&mut fresh).enumerate() {
            *left -= kind.cached.value;
            unnamed -= kind.cached.value;
            cached_audio += if position == 0 { kind.cached.value } else { 0 };
        }
        if text < 0 || unnamed < 0 {
            return Err(self.exceeded());
        }
        take(&mut text, &mut unnamed);
        for (position, left) in fresh.iter_mut().enumerate() {
            let taken = take(left, &mut unnamed);
            cached_audio += if position == 0 { taken } else { 0 };
        }
        let mut written = self.written.value;
        take(&mut text, &mut written);
        for left in &mut fresh {
            take(left, &mut written);
        }
        if unnamed > 0 || written > 0 {
            return Err(self.exceeded());
        }
        let [audio, image, video] = fresh;
        Ok(vec![
            (measure::INPUT, text),
            (measure::INPUT_AUDIO, audio),
            (measure::INPUT_IMAGE, image),
            (measure::INPUT_VIDEO, video),
            (measure::CACHE_READ, self.cached.value - cached_audio),
            (measure::CACHE_READ_AUDIO, cached_audio),
            (measure::CACHE_WRITE, self.written.value),
        ])
    }

    fn exceeded(&self) -> UsageFault {
        let kinds = [self.audio, self.image, self.video];
        let parts = [self.cached, self.written]
            .into_iter()
            .chain(kinds.iter().flat_map(|kind| [kind.all, kind.cached]));
        exceeded(self.total, parts)
    }
}

/// Moves as much of `wanted` as there is in `left`; what was moved.
fn take(left: &mut i64, wanted: &mut i64) -> i64 {
    let taken = (*left).min(*wanted);
    *left -= taken;
    *wanted -= taken;
    taken
}

/// An output total and what it includes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Output {
    /// Everything that came out.
    pub total: Count,
    pub reasoning: Count,
    pub audio: Count,
    pub image: Count,
}

impl Output {
    /// The disjoint counts.
    pub fn split(&self) -> Result<Vec<(&'static str, i64)>, UsageFault> {
        let parts = [self.reasoning, self.audio, self.image];
        let rest = self.total.value - parts.iter().map(|part| part.value).sum::<i64>();
        if rest < 0 {
            return Err(exceeded(self.total, parts.into_iter()));
        }
        Ok(vec![
            (measure::OUTPUT, rest),
            (measure::REASONING, self.reasoning.value),
            (measure::OUTPUT_AUDIO, self.audio.value),
            (measure::OUTPUT_IMAGE, self.image.value),
        ])
    }
}

/// `whole` is smaller than the parts that it should include.
pub(super) fn exceeded(whole: Count, parts: impl Iterator<Item = Count>) -> UsageFault {
    let parts: Vec<String> =
        parts.filter(|part| part.value > 0).map(|part| format!("{} {}", part.field(), part.value)).collect();
    UsageFault {
        field: whole.field(),
        problem: format!("is {}, less than what it includes: {}", whole.value, parts.join(", ")),
        remedy: REMEDY,
    }
}
