//! The contract's columns in plain Rust; see `sdk/wit/pricing.wit` for what each holds.
//!
//! These are data only. What a plugin returned is not to be believed before `answer` has checked it.

/// A named column of string ids, one for each row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextColumn {
    /// `customer`, `feature`, `attribute:department`, ...
    pub name: String,
    /// Indices into the frame's strings.
    pub ids: Vec<u32>,
}

/// A named column of decimals, two words for each row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberColumn {
    /// `network-cost`, `measure:input_tokens`, ...
    pub name: String,
    /// Two words a row.
    pub words: Vec<u64>,
}

/// A batch of events as columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The number of rows.
    pub rows: u32,
    /// The string table; entry 0 is empty.
    pub strings: Vec<String>,
    /// Milliseconds since 1970.
    pub times: Vec<i64>,
    /// Text columns.
    pub texts: Vec<TextColumn>,
    /// Number columns.
    pub numbers: Vec<NumberColumn>,
}

/// An event the plugin cannot price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The event's row.
    pub event: u32,
    /// Why.
    pub message: String,
}

/// The units each event is worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metered {
    /// Usage rows of each event.
    pub counts: Vec<u32>,
    /// Position in the descriptor's units.
    pub units: Vec<u32>,
    /// String id of the key; past the frame's table it continues in `strings`.
    pub keys: Vec<u32>,
    /// Two words a row.
    pub quantities: Vec<u64>,
    /// Keys that are not in the frame's table.
    pub strings: Vec<String>,
    /// Events that cannot be priced.
    pub faults: Vec<Fault>,
}

/// Usage rows with the counter around each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Usage rows of each event.
    pub counts: Vec<u32>,
    /// Position in the descriptor's units.
    pub units: Vec<u32>,
    /// Two words a row.
    pub quantities: Vec<u64>,
    /// Two words a row.
    pub before: Vec<u64>,
    /// Two words a row.
    pub after: Vec<u64>,
}

/// A reason why an event should not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The event's row.
    pub event: u32,
    /// Position in the descriptor's refusals.
    pub code: u32,
    /// What the customer reads beside the title.
    pub detail: String,
}

/// What each event costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rated {
    /// Lines of each event.
    pub counts: Vec<u32>,
    /// Position in the descriptor's lines.
    pub lines: Vec<u32>,
    /// Two words a line.
    pub quantities: Vec<u64>,
    /// Two words a line; zero when there is no single price.
    pub unit_prices: Vec<u64>,
    /// Two words a line.
    pub amounts: Vec<u64>,
    /// Reasons why events should not run.
    pub refusals: Vec<Refusal>,
    /// Events that cannot be priced.
    pub faults: Vec<Fault>,
}

/// The counters of a period that ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows of each customer.
    pub counts: Vec<u32>,
    /// Position in the descriptor's units.
    pub units: Vec<u32>,
    /// String id of the group's label; 0 for none.
    pub groups: Vec<u32>,
    /// Two words a row.
    pub totals: Vec<u64>,
}
