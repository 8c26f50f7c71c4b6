//! The contract as Rust, generated from `sdk/wit`. Parameters borrow, so that a frame is copied once: from
//! the host's columns into the instance's memory.

#![allow(missing_docs, clippy::pedantic, clippy::unwrap_used)] // generated

wasmtime::component::bindgen!({
    path: "../../sdk/wit",
    world: "pricing",
    ownership: Borrowing { duplicate_if_necessary: false },
});
