//! How badly a fake behaves: by chance, from a seed, or by a script.

use std::collections::VecDeque;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Good,
    /// It is answered after so many milliseconds.
    Slow(u64),
    /// 429, and nothing was done.
    TooMany,
    /// 500, and nothing was done.
    FailedBefore,
    /// 500, though it was done; repeating it with its key is answered the same.
    FailedAfter,
    /// The connection breaks, and nothing was done.
    LostBefore,
    /// The connection breaks, though it was done.
    LostAfter,
}

/// How often what goes wrong, of 1,000.
#[derive(Clone, Debug, Default)]
pub struct Conduct {
    /// Where chance begins.
    pub seed: u64,
    /// Requests whose fate is not good, evenly among the fates.
    pub bad_requests: u64,
    /// Messages that never come.
    pub dropped: u64,
    /// Messages that come again.
    pub duplicated: u64,
    /// Messages that come a round later.
    pub delayed: u64,
    /// Messages come in any order.
    pub shuffled: bool,
    /// What becomes of the next requests, before chance decides again.
    pub script: VecDeque<Fate>,
}

impl Conduct {
    /// Nothing goes wrong.
    pub fn good() -> Self {
        Self::default()
    }

    /// A third of everything goes wrong.
    pub fn bad(seed: u64) -> Self {
        Self {
            seed,
            bad_requests: 333,
            dropped: 200,
            duplicated: 300,
            delayed: 300,
            shuffled: true,
            ..Self::good()
        }
    }

    /// What becomes of the next request.
    pub(super) fn fate(&mut self) -> Fate {
        if let Some(fate) = self.script.pop_front() {
            return fate;
        }
        if !self.happens(self.bad_requests) {
            return Fate::Good;
        }
        match self.chance(6) {
            0 => Fate::Slow(self.chance(5)),
            1 => Fate::TooMany,
            2 => Fate::FailedBefore,
            3 => Fate::FailedAfter,
            4 => Fate::LostBefore,
            _ => Fate::LostAfter,
        }
    }

    /// Whether something happens that happens so often of 1,000 times.
    pub(super) fn happens(&mut self, of_1000: u64) -> bool {
        of_1000 > 0 && self.chance(1_000) < of_1000
    }

    /// A number below `bound` (splitmix64).
    pub(super) fn chance(&mut self, bound: u64) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
