//! What was posted to a customer's account in a period by its events: their charges, and the reversals of
//! those taken back. What the close of a period charges is not of an event, and not here.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tollgate_core::catalog::App;
use tollgate_core::charge::Charge;
use tollgate_core::engine::Engine;
use tollgate_core::event::Event;
use tollgate_core::period::Period;
use tollgate_core::store::{Outcome, Placement, StoredEvent};

use crate::problem::Problem;
use crate::routes::events::parsed;

/// How many events are read at a time.
const PAGE: usize = 1_000;

/// One entry of an event: its charge, or what took that back.
#[derive(Clone, Copy, Debug)]
pub(in crate::routes) struct Posting<'a> {
    /// The event.
    pub event: &'a Event,
    /// The charge, or the opposite one.
    pub charge: &'a Charge,
    /// 1 for a charge, −1 for what took one back.
    pub sign: i64,
}

/// What looks at a posting.
pub(in crate::routes) type Visit<'v> = dyn FnMut(Posting<'_>) -> Result<(), Problem> + 'v;

/// Goes through what a customer's events posted in a period. Blocks.
///
/// # Errors
/// When the store fails, or `visit` does.
pub(in crate::routes) fn each_posting(
    engine: &Engine,
    app: &str,
    customer: &str,
    period: Period,
    visit: &mut Visit<'_>,
) -> Result<(), Problem> {
    for source in sources(period, &engine.store().closed_periods(app)?) {
        let mut before: Option<Placement> = None;
        loop {
            let events = engine.store().events_of(app, customer, Some(source), before, PAGE)?;
            let Some((last, _)) = events.last() else { break };
            before = Some(*last);
            for (_, stored) in &events {
                visit_event(stored, period, visit)?;
            }
        }
    }
    Ok(())
}

/// The periods whose events post to a period: itself; and the closed ones just before it, since an event of a
/// closed period is taken back in the first open one after it.
fn sources(period: Period, closed: &[Period]) -> Vec<Period> {
    let mut sources = vec![period];
    let mut earliest = period;
    for earlier in closed.iter().rev().filter(|closed| **closed < period) {
        if earlier.next() != Some(earliest) {
            break;
        }
        earliest = *earlier;
        sources.push(earliest);
    }
    sources
}

fn visit_event(stored: &StoredEvent, period: Period, visit: &mut Visit<'_>) -> Result<(), Problem> {
    let charge = match &stored.outcome {
        Outcome::Rated(charge) => Some(charge).filter(|charge| charge.period == period),
        Outcome::Held(_) => None,
    };
    let reversal = stored.voided.as_ref().and_then(|voided| voided.reversal.as_ref());
    let reversal = reversal.filter(|reversal| reversal.period == period);
    if charge.is_none() && reversal.is_none() {
        return Ok(());
    }
    let event = parsed(&stored.received)?;
    let signed = charge.map(|charge| (charge, 1)).into_iter().chain(reversal.map(|reversal| (reversal, -1)));
    for (charge, sign) in signed {
        visit(Posting { event: &event, charge, sign })?;
    }
    Ok(())
}

/// Calendar days in one time zone.
#[derive(Clone, Debug)]
pub(in crate::routes) struct Days(TimeZone);

impl Days {
    /// Days as an app counts them.
    ///
    /// # Errors
    /// 500 when its time zone is not known any more.
    pub fn of(app: &App) -> Result<Self, Problem> {
        TimeZone::get(&app.time_zone).map(Self).map_err(|error| {
            tracing::error!(%error, app = app.id, "an app's time zone is unknown");
            Problem::internal()
        })
    }

    /// The day in which a moment (milliseconds since 1970) lies: `2026-11-03`.
    pub fn day(&self, moment: i64) -> String {
        Timestamp::from_millisecond(moment)
            .map_or_else(|_| String::new(), |moment| self.0.to_datetime(moment).date().to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn milliseconds(time: &str) -> i64 {
        time.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn a_day_begins_at_local_midnight_also_when_clocks_change() {
        let days = Days(TimeZone::get("Europe/Paris").unwrap());
        for (time, day) in [
            ("2026-11-02T22:59:59.999Z", "2026-11-02"),
            ("2026-11-02T23:00:00Z", "2026-11-03"),
            // Summer time: midnight is an hour earlier, and the day of the change has 25 hours.
            ("2026-10-24T21:59:59Z", "2026-10-24"),
            ("2026-10-24T22:00:00Z", "2026-10-25"),
            ("2026-10-25T22:59:59Z", "2026-10-25"),
            ("2026-10-25T23:00:00Z", "2026-10-26"),
        ] {
            assert_eq!(days.day(milliseconds(time)), day, "{time}");
        }
    }

    #[test]
    fn voids_come_from_the_closed_periods_just_before() {
        let period = |text: &str| text.parse::<Period>().unwrap();
        let closed: Vec<_> = ["2026-06", "2026-08", "2026-09", "2026-12"].map(period).into();
        assert_eq!(sources(period("2026-10"), &closed), ["2026-10", "2026-09", "2026-08"].map(period));
        assert_eq!(sources(period("2026-11"), &closed), ["2026-11"].map(period));
        assert_eq!(sources(period("2026-07"), &closed), ["2026-07", "2026-06"].map(period));
    }
}
