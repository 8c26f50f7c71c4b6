//! A notice on its way to an endpoint: how often it was tried, when it is tried next, when it is given up.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tollgate_core::store::record::Document;
use tollgate_core::store::{NoticeKind, NoticeNumber, RecordKey, RecordKind};

use super::{Answer, Attempt};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// How long after each failed attempt the next is made, in milliseconds: what Standard Webhooks suggests.
/// After the last of them a delivery is dead.
const DELAYS: [i64; 9] =
    [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/// The longest wait that a receiver may ask for, in milliseconds.
const RETRY_AFTER_MAX: i64 = 24 * HOUR;

/// The most that chance adds to a delay, in thousandths of it: what failed together is not tried together.
const JITTER: i64 = 200;

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// It is tried, now or later.
    Pending,
    /// The endpoint took it.
    Delivered,
    /// It was given up. Somebody may replay it.
    Dead,
}

/// A notice on its way to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delivery {
    /// Which notice.
    pub notice: NoticeNumber,
    /// What it tells of.
    pub kind: NoticeKind,
    /// How it stands.
    pub state: State,
    /// Attempts, since the beginning or the last replay.
    pub attempts: u32,
    /// When it is tried next, while it is pending. During an attempt: when that counts as lost.
    pub next_at: Option<i64>,
    /// An attempt is being made.
    pub is_underway: bool,
    /// When it was made.
    pub made_at: i64,
    /// What came of the last attempt.
    pub last: Option<Last>,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Last {
    /// When it ended.
    pub at: i64,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// What went wrong, or the beginning of a refusing answer; empty when nothing did.
    pub words: String,
    /// How long it took, in milliseconds.
    pub took: u64,
}

impl Document for Delivery {
    const KIND: RecordKind = RecordKind::Delivery;

    fn due(&self) -> Option<i64> {
        self.next_at
    }
}

/// What an attempt led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The endpoint took it.
    Delivered,
    /// It will be tried again.
    Failed,
    /// It is given up.
    Dead,
    /// The endpoint says that it is gone: nothing more should be sent to it.
    Gone,
}

impl Delivery {
    /// One that is due at once.
    pub(crate) fn new(notice: NoticeNumber, kind: NoticeKind, now: i64) -> Self {
        Self {
            notice,
            kind,
            state: State::Pending,
            attempts: 0,
            next_at: Some(now),
            is_underway: false,
            made_at: now,
            last: None,
        }
    }

    /// Takes it for an attempt, which counts as lost after `lease` milliseconds.
    pub(crate) fn claim(&mut self, now: i64, lease: i64) {
        self.attempts = self.attempts.saturating_add(1);
        self.next_at = Some(now.saturating_add(lease));
        self.is_underway = true;
    }

    /// Decides what an attempt led to. `chance` is any number: it spreads the next attempts.
    pub(crate) fn settle(&mut self, attempt: &Attempt, now: i64, chance: u32) -> Step {
        let (status, words, retry_after) = match &attempt.answer {
            Answer::Status { code, words, retry_after } => (Some(*code), words.clone(), *retry_after),
            Answer::None(words) => (None, words.clone(), None),
        };
        self.last = Some(Last { at: now, status, words, took: attempt.took_millis() });
        self.is_underway = false;
        let delay =
            usize::try_from(self.attempts.max(1)).ok().and_then(|made| DELAYS.get(made.checked_sub(1)?));
        let (state, step) = match (status, delay) {
            (Some(200..=299), _) => (State::Delivered, Step::Delivered),
            (Some(410), _) => (State::Dead, Step::Gone),
            (_, None) => (State::Dead, Step::Dead),
            (_, Some(_)) => (State::Pending, Step::Failed),
        };
        self.state = state;
        self.next_at = match (step, delay) {
            (Step::Failed, Some(delay)) => Some(now.saturating_add(spread(*delay, retry_after, chance))),
            _ => None,
        };
        step
    }

    /// Gives it up without an attempt.
    pub(crate) fn give_up(&mut self, words: &str, now: i64) {
        (self.state, self.next_at, self.is_underway) = (State::Dead, None, false);
        self.last = Some(Last { at: now, status: None, words: words.to_owned(), took: 0 });
    }

    /// Begins anew, unless an attempt is being made. Says whether it did.
    pub(crate) fn replay(&mut self, now: i64) -> bool {
        let is_in_work = self.is_underway && self.next_at.is_some_and(|lost_at| now < lost_at);
        if is_in_work {
            return false;
        }
        (self.state, self.attempts, self.next_at, self.is_underway) = (State::Pending, 0, Some(now), false);
        true
    }
}

/// A delay, or what the receiver asked for if that is longer, and a little by chance.
fn spread(delay: i64, retry_after: Option<Duration>, chance: u32) -> i64 {
    let asked = retry_after.map_or(0, |asked| i64::try_from(asked.as_millis()).unwrap_or(i64::MAX));
    let delay = delay.max(asked.min(RETRY_AFTER_MAX));
    let thousandths = i64::from(chance) % (JITTER + 1);
    delay.saturating_add(delay.saturating_mul(thousandths) / 1000)
}

/// Whose the deliveries of an endpoint are, as records.
pub(crate) fn owner(endpoint_owner: &str, endpoint: &str) -> String {
    format!("{endpoint_owner}/{endpoint}")
}

/// The endpoint's owner and id in a delivery's owner. No endpoint's id has a slash.
pub(crate) fn endpoint_of(owner: &str) -> Option<(&str, &str)> {
    owner.rsplit_once('/')
}

/// The name of a delivery among records: the latest comes first.
pub(crate) fn key(endpoint_owner: &str, endpoint: &str, notice: NoticeNumber) -> RecordKey {
    let id = format!("{:020}", u64::MAX - notice);
    RecordKey::new(RecordKind::Delivery, owner(endpoint_owner, endpoint), id)
}

/// A delivery's public id, which is its `webhook-id`: the same in every attempt, another for each endpoint.
pub(crate) fn public_id(endpoint: &str, notice: NoticeNumber) -> String {
    format!("msg_{endpoint}_{notice}")
}

/// The notice that a public id of an endpoint's delivery names.
pub(crate) fn notice_of(endpoint: &str, public_id: &str) -> Option<NoticeNumber> {
    let number = public_id.strip_prefix("msg_")?.strip_prefix(endpoint)?.strip_prefix('_')?;
    let notice: NoticeNumber = number.parse().ok()?;
    (notice.to_string() == number).then_some(notice)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn answered(code: u16, retry_after: Option<u64>) -> Attempt {
        let retry_after = retry_after.map(Duration::from_secs);
        let answer = Answer::Status { code, words: String::new(), retry_after };
        Attempt { answer, took: Duration::from_millis(3) }
    }

    fn claimed() -> Delivery {
        let mut delivery = Delivery::new(7, NoticeKind::WalletLow, 0);
        delivery.claim(0, 75 * SECOND);
        delivery
    }

    #[test]
    fn is_tried_ten_times_over_three_days() {
        let mut delivery = Delivery::new(7, NoticeKind::WalletLow, 0);
        let mut moments = Vec::new();
        while let Some(now) = delivery.next_at {
            moments.push(now);
            delivery.claim(now, 75 * SECOND);
            assert_eq!(delivery.due(), Some(now + 75 * SECOND));
            let step = delivery.settle(&answered(500, None), now, 0);
            assert_eq!(step, if delivery.next_at.is_some() { Step::Failed } else { Step::Dead });
        }
        let delays: Vec<i64> = moments.windows(2).map(|pair| (pair[1] - pair[0]) / SECOND).collect();
        assert_eq!(delays, [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
        assert_eq!((delivery.state, delivery.attempts), (State::Dead, 10));
    }

    #[test]
    fn an_answer_decides() {
        for (status, step) in [
            (200, Step::Delivered),
            (204, Step::Delivered),
            (299, Step::Delivered),
            (301, Step::Failed),
            (400, Step::Failed),
            (404, Step::Failed),
            (410, Step::Gone),
            (429, Step::Failed),
            (503, Step::Failed),
        ] {
            let mut delivery = claimed();
            assert_eq!(delivery.settle(&answered(status, None), 10, 0), step, "{status}");
            assert_eq!(delivery.due().is_some(), step == Step::Failed, "{status}");
        }
    }

    #[test]
    fn a_receiver_may_ask_for_time_within_a_day() {
        for (asked, chance, seconds) in [
            (None, 0, 5),
            (None, 200, 6),
            (Some(1), 0, 5),
            (Some(60), 0, 60),
            (Some(60), 100, 66),
            (Some(10_000_000), 0, 86_400),
        ] {
            let mut delivery = claimed();
            delivery.settle(&answered(503, asked), 0, chance);
            assert_eq!(delivery.due(), Some(seconds * SECOND), "{asked:?} {chance}");
        }
    }

    #[test]
    fn is_not_begun_anew_while_it_is_tried() {
        let mut delivery = claimed();
        assert!(!delivery.replay(74 * SECOND));
        assert!(delivery.replay(75 * SECOND), "the attempt counts as lost");
        assert_eq!((delivery.attempts, delivery.due()), (0, Some(75 * SECOND)));
    }

    #[test]
    fn is_named_by_its_endpoint_and_notice() {
        let names = (key("acme", "4f1c", 7), key("acme", "4f1c", 8));
        assert!(names.0 > names.1, "the latest first");
        assert_eq!(endpoint_of(&names.0.owner), Some(("acme", "4f1c")));
        assert_eq!(endpoint_of(&key("a/b", "4f1c", 7).owner), Some(("a/b", "4f1c")));
        assert_eq!(notice_of("4f1c", &public_id("4f1c", 7)), Some(7));
        for other in ["msg_4f1c_07", "msg_4f1c_+7", "msg_4f1d_7", "4f1c_7", "msg_4f1c_"] {
            assert_eq!(notice_of("4f1c", other), None, "{other}");
        }
    }
}
