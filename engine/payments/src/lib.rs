//! Who moves money, and the files that a bank is given.
//!
//! Payment providers behind the core's [`PaymentProvider`](tollgate_core::payment::PaymentProvider):
//! [`Manual`], where people send money by bank transfer and somebody marks it as received, and [`Stripe`].
//! [`payout_file`] writes what a bank is to pay, [`report_csv`] reads what a provider booked, and [`remittance`]
//! prints what a Builder is paid for.
//!
//! Nothing here decides what is paid or booked: the core does, and stores it before it asks anyone here.

pub mod bank;
mod code;
mod manual;
pub mod payout_file;
pub mod remittance;
pub mod report_csv;
mod stripe;

pub use manual::Manual;
pub use stripe::{ConfigError, Stripe, StripeConfig};
