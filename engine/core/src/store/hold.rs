//! Why events wait.

/// Why an event waits instead of being charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldReason {
    /// What stands in the way.
    pub cause: HoldCause,
    /// The whole story, as a sentence.
    pub message: String,
}

/// What stands in the way of rating an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldCause {
    /// No price for what it used.
    NoPrice,
    /// No tariff was in force.
    NoTariff,
    /// The plugin says that it cannot price this event.
    Fault,
    /// The plugin failed on it.
    Plugin,
    /// The plugin failed on so many events in a row that it is not run for now.
    Suspended,
    /// An amount or counter does not fit.
    OutOfRange,
    /// The host could not run the plugin.
    Infrastructure,
}

impl HoldCause {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::NoPrice,
        Self::NoTariff,
        Self::Fault,
        Self::Plugin,
        Self::Suspended,
        Self::OutOfRange,
        Self::Infrastructure,
    ];

    /// A stable word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoPrice => "no_price",
            Self::NoTariff => "no_tariff",
            Self::Fault => "fault",
            Self::Plugin => "plugin",
            Self::Suspended => "suspended",
            Self::OutOfRange => "out_of_range",
            Self::Infrastructure => "infrastructure",
        }
    }

    /// The cause that a word names.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.code() == code)
    }
}
