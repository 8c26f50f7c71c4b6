//! What a plugin says about itself: its units, lines and refusals. Written by the `plugin` macro.

/// How a unit's quantities become one number for each customer and period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// The counter grows by each quantity.
    Sum,
    /// The counter is the largest quantity seen.
    Max,
    /// The counter grows when a key is seen for the first time in the period.
    Distinct,
}

/// Which sign a line's amounts may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Zero or more: the customer owes it.
    Charge,
    /// Zero or less: the customer is given it.
    Credit,
    /// Either: a true-up.
    Adjustment,
}

/// A unit of this plugin, by the constant that `unit(...)` declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    pub(crate) position: u32,
    pub(crate) aggregation: Aggregation,
}

/// A kind of row on the statement, by the constant that `line(...)` declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineCode {
    pub(crate) position: u32,
    pub(crate) code: &'static str,
}

/// A reason why an event should not run, by the constant that `refusal(...)` declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusalCode {
    pub(crate) position: u32,
}

impl Unit {
    #[doc(hidden)]
    pub const fn declared(position: u32, aggregation: Aggregation) -> Self {
        Self { position, aggregation }
    }
}

impl LineCode {
    #[doc(hidden)]
    pub const fn declared(position: u32, code: &'static str) -> Self {
        Self { position, code }
    }

    /// The stable word for programs: `overage`.
    pub const fn code(self) -> &'static str {
        self.code
    }
}

impl RefusalCode {
    #[doc(hidden)]
    pub const fn declared(position: u32) -> Self {
        Self { position }
    }
}

/// A unit as the descriptor gives it; see `unit` in the contract.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)] // The contract documents each.
pub struct UnitDeclaration {
    pub name: &'static str,
    pub aggregation: Aggregation,
    pub pooled: bool,
    pub group_by: &'static [&'static str],
}

/// A line as the descriptor gives it; see `line` in the contract.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct LineDeclaration {
    pub code: &'static str,
    pub title: &'static str,
    pub unit: &'static str,
    pub kind: LineKind,
}

/// A refusal as the descriptor gives it; see `refusal-code` in the contract.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct RefusalDeclaration {
    pub code: &'static str,
    pub title: &'static str,
}

/// A plugin's declarations, implemented by the [`plugin`](crate::plugin) macro.
#[diagnostic::on_unimplemented(
    message = "`{Self}` declares no units and lines",
    note = "write `#[plugin(unit(...), line(...))]` above the `impl Pricing`"
)]
pub trait Declared {
    /// The crate's name.
    const NAME: &'static str;
    /// The crate's version.
    const VERSION: &'static str;
    /// One sentence: what this plugin charges for.
    const SUMMARY: &'static str;
    /// Every unit, at the position its constant has.
    const UNITS: &'static [UnitDeclaration];
    /// Every line, at the position its constant has.
    const LINES: &'static [LineDeclaration];
    /// Every refusal, at the position its constant has.
    const REFUSALS: &'static [RefusalDeclaration];
}
