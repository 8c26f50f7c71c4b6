//! The pricing engine, pure and synchronous.
//!
//! It owns every rule about money, metering and what is charged: events at the door, price books, usage
//! counters, tariffs, charges, the double-entry ledger, statements and payouts. It knows no database, no
//! WebAssembly, no network and no clock: it calls two traits, [`Pricer`](pricer::Pricer) and
//! [`Store`](store::Store), and whoever composes it provides them. Read [`Engine`](engine::Engine) first: it
//! is the control flow, top to bottom.

pub mod access;
pub mod catalog;
pub mod causes;
pub mod charge;
mod dialect;
pub mod door;
pub mod engine;
pub mod event;
pub mod frame;
mod json;
pub mod ledger;
mod measure;
pub mod money;
mod number;
pub mod payment;
pub mod payout;
pub mod period;
pub mod plugin;
pub mod price_book;
pub mod pricer;
pub mod publisher;
pub mod quantity;
pub mod rating;
pub mod statement;
pub mod store;
pub mod verify;
pub mod wallet;
pub mod words;
