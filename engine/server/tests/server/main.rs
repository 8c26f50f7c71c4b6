//! The server over real sockets and real stores: what it answers, what it refuses, and how it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // all of it is test code

mod accounts;
mod bodies;
mod connections;
mod definitions;
mod description;
mod events;
mod fixture;
mod operating;
mod pages;
mod problems;
mod recording;
mod stopping;
mod tenants;
mod tls;
