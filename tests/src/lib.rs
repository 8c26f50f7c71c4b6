//! What the tests in `tests/` share: the real program, events to give it, and what must come out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test may panic

pub mod conversation;
pub mod database;
pub mod definitions;
pub mod events;
pub mod native;
pub mod oracle;
pub mod priced;
pub mod project;
pub mod psp;
pub mod registry;
pub mod server;
pub mod tollgate;
