//! The contract in plain Rust: the tables that cross it, and a plugin's functions over whole batches.
//!
//! The component's exports, the [test bench](crate::TestBench) and native benchmarks all run these very
//! functions. A decimal is two words, as in the contract; so a list of n decimals has 2n entries.

mod dispatch;

pub use dispatch::{check, close, describe, meter, rate};

use crate::{LineDeclaration, RefusalDeclaration, UnitDeclaration};

/// What a plugin is; see `descriptor` in the contract.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // The contract documents each.
pub struct Descriptor {
    pub name: &'static str,
    pub version: &'static str,
    pub summary: &'static str,
    pub units: &'static [UnitDeclaration],
    pub lines: &'static [LineDeclaration],
    pub refusals: &'static [RefusalDeclaration],
    /// A JSON Schema (draft 2020-12), as JSON text.
    pub settings_schema: String,
}

/// What is wrong with one value of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A JSON pointer (RFC 6901) to the value; empty for the whole.
    pub pointer: String,
    /// What is wrong and what would be right, as a sentence.
    pub message: String,
}

/// A text column: an index into the frame's strings for each row.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct TextColumn {
    pub name: String,
    pub ids: Vec<u32>,
}

/// A number column: a decimal for each row.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct NumberColumn {
    pub name: String,
    pub words: Vec<u64>,
}

/// A batch of events as columns; see `frame` in the contract.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// How many events.
    pub rows: u32,
    /// The string table; entry 0 is the empty string.
    pub strings: Vec<String>,
    /// When each event happened, in milliseconds since 1970.
    pub times: Vec<i64>,
    /// The text columns.
    pub texts: Vec<TextColumn>,
    /// The number columns.
    pub numbers: Vec<NumberColumn>,
}

/// An event that cannot be priced.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct EventFault {
    /// The event's row in the frame.
    pub event: u32,
    pub message: String,
}

/// The units each event is worth; see `metered` in the contract.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct Metered {
    pub counts: Vec<u32>,
    pub units: Vec<u32>,
    pub keys: Vec<u32>,
    pub quantities: Vec<u64>,
    pub strings: Vec<String>,
    pub faults: Vec<EventFault>,
}

/// The usage rows with the host's counters around each; see `counted` in the contract.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct Counted {
    pub counts: Vec<u32>,
    pub units: Vec<u32>,
    pub quantities: Vec<u64>,
    pub before: Vec<u64>,
    pub after: Vec<u64>,
}

/// An event that should not run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Refusal {
    /// The event's row in the frame.
    pub event: u32,
    /// A position in the descriptor's refusals.
    pub code: u32,
    pub detail: String,
}

/// What each event costs; see `rated` in the contract.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct Rated {
    pub counts: Vec<u32>,
    pub lines: Vec<u32>,
    pub quantities: Vec<u64>,
    pub unit_prices: Vec<u64>,
    pub amounts: Vec<u64>,
    pub refusals: Vec<Refusal>,
    pub faults: Vec<EventFault>,
}

/// The counters of a period that ends; see `totals` in the contract.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct Totals {
    pub counts: Vec<u32>,
    pub units: Vec<u32>,
    pub groups: Vec<u32>,
    pub totals: Vec<u64>,
}

/// A length as the contract counts it. No table of a batch comes near the limit.
#[inline]
pub(crate) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
