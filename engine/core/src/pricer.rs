//! The trait behind which pricing plugins run.
//!
//! The engine calls it and trusts nothing it returns: see `answer`.

use crate::frame::{Counted, Frame, Metered, Rated, Totals};
use crate::plugin::{Descriptor, Digest, Problem};

/// Why a plugin gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PricerError {
    /// The component cannot be a pricing plugin: it is not a component, imports something, has another
    /// contract version, describes itself wrongly. The message names the cause and the fix.
    #[error("{0}")]
    NotAPlugin(String),
    /// No plugin of this digest has been admitted.
    #[error("no plugin {0} is loaded")]
    Unknown(Digest),
    /// The plugin trapped, ran out of its budget, or returned something that cannot be read. It would do
    /// so again: the fault is the plugin's.
    #[error("{reason}")]
    Failed {
        /// Plugin name, version, what happened and where, as a sentence.
        reason: String,
    },
    /// The host could not run it: out of instances, too slow by the wall clock. Trying again may work; it
    /// never becomes a price.
    #[error("{0}")]
    Infrastructure(String),
}

/// Runs pricing plugins.
pub trait Pricer: Send + Sync {
    /// Takes a component in: validates, compiles and describes it. Admitting it again is cheap.
    ///
    /// # Errors
    /// [`PricerError::NotAPlugin`] with the reason, [`PricerError::Failed`] when `describe` fails.
    fn admit(&self, component: &[u8]) -> Result<(Digest, Descriptor), PricerError>;

    /// What is wrong with these settings: first by the plugin's schema, then by its own `check`.
    ///
    /// # Errors
    /// When the plugin is unknown or its `check` fails.
    fn check(&self, plugin: &Digest, settings: &str) -> Result<Vec<Problem>, PricerError>;

    /// A fresh instance for one batch. Nothing it keeps outlives the returned value.
    ///
    /// # Errors
    /// When the plugin is unknown or cannot be started.
    fn open<'a>(&'a self, plugin: &Digest, settings: &'a str) -> Result<Box<dyn Pricing + 'a>, PricerError>;

    /// The most fuel that one call over so many rows may burn.
    fn fuel_budget(&self, rows: usize) -> u64;
}

/// One plugin instance, for one batch.
pub trait Pricing {
    /// Which units each event is worth.
    ///
    /// # Errors
    /// When the plugin gave no answer.
    fn meter(&mut self, frame: &Frame) -> Result<Metered, PricerError>;

    /// What each event costs.
    ///
    /// # Errors
    /// When the plugin gave no answer.
    fn rate(&mut self, frame: &Frame, counted: &Counted) -> Result<Rated, PricerError>;

    /// What is due at a period's end.
    ///
    /// # Errors
    /// When the plugin gave no answer.
    fn close(&mut self, frame: &Frame, totals: &Totals) -> Result<Rated, PricerError>;

    /// Fuel burnt by the calls so far, whether they answered or failed.
    fn fuel_spent(&self) -> u64;
}
