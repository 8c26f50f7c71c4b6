//! The oracle: what events cost, calculated a second time, with exact fractions, from the words of the
//! specification alone.
//!
//! It shares no code with the engine, on purpose: no decimal type, no rounding, no plugin, no price book.
//! It is slow and says so plainly; it must not be made clever.

mod event;
mod fraction;
mod month;
mod network;
mod plugin;

pub use month::{Terms, expected};
