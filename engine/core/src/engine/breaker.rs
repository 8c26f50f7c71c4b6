//! The circuit breaker: a plugin that keeps failing is not run for a while, and everybody else's events
//! need not wait for it.
//!
//! It counts events, not time: the engine has no clock. Whoever runs the engine asks it now and then to try
//! a suspended tariff again.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::store::{HoldCause, HoldReason, Outcome};

/// A tariff is suspended when its plugin has failed on so many events with none rated in between.
pub const FAILURES_MAX: u32 = 100;

/// The suspended tariffs by id, each with the reason.
pub type Suspended = BTreeMap<Arc<str>, HoldReason>;

/// What has been learnt of tariffs whose plugins failed lately. The others are not in it.
#[derive(Debug, Default)]
pub(super) struct Breakers {
    failing: BTreeMap<Arc<str>, Failing>,
}

#[derive(Debug, Default)]
struct Failing {
    in_a_row: u32,
    reason: String,
    /// That it is suspended has been told.
    is_told: bool,
}

impl Breakers {
    /// Of each suspended tariff, why its events are held without a run.
    pub(super) fn suspended(&self) -> Suspended {
        let suspended = self.failing.iter().filter(|(_, failing)| failing.in_a_row >= FAILURES_MAX);
        let reasons = suspended.map(|(tariff, failing)| {
            let message = format!(
                "tariff {tariff} is suspended: its plugin failed on {FAILURES_MAX} events in a row, last: {}",
                failing.reason
            );
            (Arc::clone(tariff), HoldReason { cause: HoldCause::Suspended, message })
        });
        reasons.collect()
    }

    /// Learns from what became of events that a tariff's plugin was run for.
    pub(super) fn learn<'o>(&mut self, tariff: &Arc<str>, outcomes: impl Iterator<Item = &'o Outcome>) {
        for outcome in outcomes {
            match outcome {
                Outcome::Held(reason) if reason.cause == HoldCause::Plugin => {
                    let failing = self.failing.entry(Arc::clone(tariff));
                    let failing = failing.or_default();
                    failing.in_a_row = failing.in_a_row.saturating_add(1);
                    failing.reason.clone_from(&reason.message);
                }
                Outcome::Held(reason) if reason.cause != HoldCause::Fault => {}
                _ => {
                    self.failing.remove(tariff);
                }
            }
        }
    }

    /// The tariffs that were suspended since this was last asked, each with its last failure.
    pub(super) fn newly_suspended(&mut self) -> Vec<(Arc<str>, String)> {
        let suspended = self.failing.iter_mut().filter(|(_, failing)| failing.in_a_row >= FAILURES_MAX);
        let new = suspended.filter_map(|(tariff, failing)| {
            let is_told = std::mem::replace(&mut failing.is_told, true);
            (!is_told).then(|| (Arc::clone(tariff), failing.reason.clone()))
        });
        new.collect()
    }

    /// Lets those suspended tariffs be tried again that are meant; one more failure suspends such a tariff anew.
    pub(super) fn try_again(&mut self, is_meant: impl Fn(&str) -> bool) {
        for (_, failing) in self.failing.iter_mut().filter(|(tariff, _)| is_meant(tariff)) {
            failing.in_a_row = failing.in_a_row.min(FAILURES_MAX.saturating_sub(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(cause: HoldCause) -> Outcome {
        Outcome::Held(HoldReason { cause, message: "it trapped".into() })
    }

    #[test]
    fn only_failures_in_a_row_suspend_and_one_more_suspends_again() {
        let (mut breakers, tariff) = (Breakers::default(), Arc::from("t"));
        let failures = |count| std::iter::repeat_n(held(HoldCause::Plugin), count).collect::<Vec<_>>();
        breakers.learn(&tariff, failures(99).iter());
        assert_eq!(breakers.suspended().get("t"), None);
        // An event that the plugin would not price shows that the plugin works.
        breakers.learn(&tariff, [held(HoldCause::Fault)].iter());
        breakers.learn(&tariff, failures(99).iter());
        assert_eq!(breakers.suspended().get("t"), None);
        breakers.learn(&tariff, failures(1).iter());
        let told = breakers.newly_suspended();
        assert_eq!(told, [(Arc::clone(&tariff), "it trapped".to_owned())]);
        let reason = breakers.suspended().remove("t").unwrap();
        assert_eq!(reason.cause, HoldCause::Suspended);
        assert_eq!(
            reason.message,
            "tariff t is suspended: its plugin failed on 100 events in a row, last: it trapped"
        );
        breakers.try_again(|tariff| tariff != "t");
        assert_eq!(breakers.suspended().len(), 1, "another was meant");
        breakers.try_again(|tariff| tariff == "t");
        assert_eq!(breakers.suspended(), Suspended::new());
        breakers.learn(&tariff, failures(1).iter());
        assert_eq!(breakers.suspended().len(), 1);
        assert_eq!(breakers.newly_suspended(), [], "it is told once");
    }
}
