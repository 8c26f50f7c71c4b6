//! The server over real sockets and real stores: what it answers, what it refuses, and how it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // all of it is test code

mod accounts;
mod bodies;
mod connections;
mod definitions;
mod description;
mod endpoints;
mod events;
mod fixture;
mod holds;
mod money;
mod operating;
mod pages;
mod paying;
mod payouts;
mod problems;
mod reach;
mod receiver;
mod recording;
mod replacing;
mod stopping;
mod tenants;
mod till;
mod tls;
mod webhooks;
mod writing;
