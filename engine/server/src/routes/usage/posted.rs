//! What was posted to a customer's account in a period by its events: their charges, and the reversals of
//! those taken back. What the close of a period charges is not of an event, and not here.

use tollgate_core::charge::Charge;
use tollgate_core::engine::Engine;
use tollgate_core::event::Event;
use tollgate_core::period::Period;
use tollgate_core::store::{Outcome, StoredEvent, each_event_of, each_late_reversal};

use crate::backend::Awaited;
use crate::problem::Problem;

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

/// Goes through what a customer's events posted in a period. Blocks, and ends when nobody waits for it.
///
/// # Errors
/// When the store fails, or `visit` does.
pub(in crate::routes) fn each_posting(
    engine: &Engine,
    awaited: &Awaited,
    app: &str,
    customer: &str,
    period: Period,
    visit: &mut Visit<'_>,
) -> Result<(), Problem> {
    let store = engine.store();
    let mut visit = |stored: &StoredEvent| {
        awaited.check()?;
        visit_event(stored, period, visit)
    };
    each_event_of(store, app, customer, period, &mut visit)?;
    each_late_reversal(store, app, customer, period, &mut visit)
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
    let event = stored.event()?;
    let signed = charge.map(|charge| (charge, 1)).into_iter().chain(reversal.map(|reversal| (reversal, -1)));
    for (charge, sign) in signed {
        visit(Posting { event: &event, charge, sign })?;
    }
    Ok(())
}
