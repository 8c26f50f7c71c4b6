//! What the author of a plugin needs: [`build`] makes a component out of a crate, [`inspect`] looks into one.
//!
//! Nothing here runs a plugin: that is the sandbox's, and the workshop does not know it.

mod build;
mod cargo;
mod inspect;
pub mod prebuilt;
mod toolchain;

pub use build::{BuildError, BuildOptions, Built, build};
pub use inspect::{CONTRACT_VERSION, InspectError, Inspection, inspect};
pub use toolchain::{NoToolchain, Toolchain};
