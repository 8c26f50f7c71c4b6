//! Runs pricing plugins in a WebAssembly sandbox: [`tollgate_core::pricer::Pricer`] with wasmtime.
//!
//! It owns everything between untrusted bytes and plain columns: admission, compilation and its cache,
//! limits, instances, and what a trap is called. It must not judge prices: that the columns a plugin returns
//! make sense is for the core to check.
//!
//! Read [`Sandbox`] first, then [`Limits`], then `engine.rs`, where every setting has its reason.

mod answers;
mod bindings;
mod cache;
mod call;
mod compile;
mod contract;
mod description;
mod engine;
mod frames;
mod limits;
mod log;
mod plugin;
mod run;
mod sandbox;
mod schema;
mod store;
mod trap;

pub use call::{Call, CallSink};
pub use compile::{Compiler, compile_in_child};
pub use contract::{CONTRACT_VERSION, is_spoken};
pub use limits::{InterpretedLimits, Limits};
pub use log::{LogLevel, LogLine, LogSink};
pub use sandbox::{Sandbox, SandboxConfig};
