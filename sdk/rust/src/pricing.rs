//! The trait an author implements, and what its optional functions need.

use crate::{Bill, Closing, Counted, Decimal, Declared, Event, Fault, Outcome, Totals, Usage, native};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// A pricing plugin. Written under the [`plugin`](crate::plugin) macro.
///
/// Each function is pure: its answer depends on its arguments and on nothing else. An event's price may
/// not depend on its neighbours in the batch, only on the counters that come with it.
pub trait Pricing: Declared {
    /// What the author of a tariff may set; see [`settings`](crate::settings).
    type Settings: DeserializeOwned + JsonSchema + 'static;

    /// What is wrong with the settings beyond what their types can say.
    fn check(settings: &Self::Settings, problems: &mut Problems) {
        let _ = (settings, problems);
    }

    /// Which units the event is worth. None is a valid answer.
    ///
    /// # Errors
    /// When the event cannot be priced: the host then holds it and shows the reason.
    fn meter(settings: &Self::Settings, event: &Event, usage: &mut Usage) -> Outcome;

    /// What the event costs, given the counters around it. No line at all means it is free.
    ///
    /// # Errors
    /// When the event cannot be priced: the host then holds it and shows the reason.
    fn rate(settings: &Self::Settings, event: &Event, counted: &Counted, bill: &mut Bill) -> Outcome;

    /// What a customer is charged when the period ends: a minimum, a flat fee, a true-up.
    ///
    /// # Errors
    /// When it cannot be worked out.
    fn close(settings: &Self::Settings, customer: &Closing, totals: &Totals, bill: &mut Bill) -> Outcome {
        let _ = (settings, customer, totals, bill);
        Ok(())
    }
}

/// What is wrong with a tariff's settings, collected by [`Pricing::check`].
#[derive(Debug, Default)]
pub struct Problems {
    pub(crate) found: Vec<native::Problem>,
}

impl Problems {
    /// Adds a problem: a JSON pointer to the value (`/tiers/2/up_to`), and a sentence that says what is
    /// wrong and what would be right.
    pub fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.found.push(native::Problem { pointer: pointer.into(), message: message.into() });
    }

    /// Adds a problem if the value is negative.
    pub fn refuse_negative(&mut self, pointer: impl Into<String>, value: Decimal) {
        if value.is_negative() {
            self.add(pointer, format!("{value} is negative; use zero or more"));
        }
    }
}

/// What one step of a cumulative formula charges: `f(after) - f(before)`, each rounded half to even to
/// nine places. Added up over a period this is exactly `f(total)` rounded, however many steps made it.
///
/// # Errors
/// When the formula faults, or the result has more digits than a decimal can hold.
#[inline]
pub fn cumulative(
    before: Decimal,
    after: Decimal,
    formula: impl Fn(Decimal) -> Result<Decimal, Fault>,
) -> Result<Decimal, Fault> {
    if before == after {
        return Ok(Decimal::ZERO);
    }
    formula(after)?.rounded_to_nano().minus(formula(before)?.rounded_to_nano())
}

/// A JSON pointer (RFC 6901) to a value inside the settings, for [`Problems::add`]: the names of its fields
/// from the outside in, with whatever needs it escaped.
pub fn pointer<'a>(segments: impl IntoIterator<Item = &'a str>) -> String {
    let mut pointer = String::new();
    for segment in segments {
        pointer.push('/');
        pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
    }
    pointer
}
