//! What the door says when it lets an event not in.

use std::borrow::Cow;
use std::fmt;

/// An event that cannot be accepted: where it is wrong, how, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Rejected {
    /// The event's id, where it could be read; else empty.
    pub id: String,
    /// The field at fault, dotted from the event's top: `data.measures.input_tokens`.
    pub field: Cow<'static, str>,
    /// What is wrong with it.
    pub problem: Cow<'static, str>,
    /// What would be right.
    pub remedy: Cow<'static, str>,
}

impl Rejected {
    pub(super) fn new(
        field: impl Into<Cow<'static, str>>,
        problem: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { id: String::new(), field: field.into(), problem: problem.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}; {}", self.field, self.problem, self.remedy)
    }
}
