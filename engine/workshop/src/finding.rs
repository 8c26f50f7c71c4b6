//! What the workshop finds out about a plugin: each finding says what is, and what to do about it.

use std::fmt;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// As it should be.
    Good,
    /// It works, and could be better.
    Advice,
    /// It does not work, or would charge wrongly.
    Wrong,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub weight: Weight,
    /// What was looked at: `imports`.
    pub about: &'static str,
    /// What is.
    pub what: String,
    /// What to do; empty where nothing is to be done.
    pub fix: String,
}

impl Finding {
    pub(crate) fn good(about: &'static str, what: impl Into<String>) -> Self {
        Self { weight: Weight::Good, about, what: what.into(), fix: String::new() }
    }

    pub(crate) fn advice(about: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { weight: Weight::Advice, about, what: what.into(), fix: fix.into() }
    }

    pub(crate) fn wrong(about: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { weight: Weight::Wrong, about, what: what.into(), fix: fix.into() }
    }
}

/// One line for what is, one more for what to do.
impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.weight {
            Weight::Good => "ok    ",
            Weight::Advice => "advice",
            Weight::Wrong => "WRONG ",
        };
        writeln!(out, "{mark}  {:<11} {}", self.about, self.what.replace('\n', "\n                    "))?;
        if !self.fix.is_empty() {
            writeln!(out, "        {:<11} fix: {}", "", self.fix)?;
        }
        Ok(())
    }
}
