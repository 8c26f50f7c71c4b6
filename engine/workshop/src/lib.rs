//! What the author of a plugin needs, from an idea for a price to a component.
//!
//! [`project`] writes a new one, [`build`] makes a component out of it, [`inspect`] and [`check`] look
//! into it, [`trial`] runs it, [`fixture`] and [`laws`] test it, [`mod@bench`] measures it and [`plot`] draws
//! what customers would pay. What is tried here is what runs elsewhere: the same sandbox, the same engine,
//! over a store in memory.

pub mod bench;
mod build;
mod cargo;
mod check;
mod columns;
mod diff;
mod finding;
pub mod fixture;
mod inspect;
mod language;
pub mod laws;
pub mod plot;
pub mod prebuilt;
pub mod project;
mod provenance;
pub mod show;
mod toolchain;
pub mod trial;
pub mod watch;

pub use build::{BuildError, BuildOptions, Built, build};
pub use check::{Checked, Tried, check};
pub use finding::{Finding, Weight};
pub use inspect::{InspectError, Inspection, inspect};
pub use language::Language;
pub use provenance::Provenance;
pub use tollgate_sandbox::CONTRACT_VERSION;
pub use toolchain::{NoToolchain, Toolchain};
