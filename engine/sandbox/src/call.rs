//! What one call of a plugin took, told to whoever measures.

use std::sync::Arc;

/// One call that has ended, whether it answered or failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The function, as the contract names it: `meter`.
    pub function: String,
    /// How many events it was about.
    pub events: usize,
    /// The fuel it burnt. The same call always burns the same.
    pub fuel: u64,
    /// The most fuel it might have burnt.
    pub fuel_max: u64,
    /// Bytes of memory that the instance has had by its end.
    pub memory_bytes: usize,
}

/// Is told of each call, on the thread that runs the plugin.
pub type CallSink = Arc<dyn Fn(&Call) + Send + Sync>;
