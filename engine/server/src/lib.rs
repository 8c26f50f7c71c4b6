//! The host API over HTTP: accepts requests, hands events over to one recorder, answers once they are durable.
//!
//! It owns no rule of pricing: every route makes the same calls into `tollgate-core` as the command line.
//! Read [`server`] first: it composes the rest. [`accept`] serves connections; [`telemetry`], [`limits`] and
//! [`body`] stand around every request; [`extract`], [`page`] and [`problem`] are what routes are written
//! with; [`recorder`] is the one way in for events and `authorizer` for authorisations, each a [`lane`];
//! [`money`] asks payment providers; `housekeeping` does what no request asks for, and [`observed`] watches
//! plugins at work.

pub mod accept;
pub mod auth;
mod authorizer;
pub mod backend;
pub mod body;
pub mod config;
pub mod extract;
mod health;
mod housekeeping;
pub mod idempotency;
pub mod keys;
pub mod lane;
pub mod limits;
mod misfit;
pub mod money;
pub mod observed;
mod openapi;
pub mod page;
pub mod parameters;
pub mod problem;
pub mod recorder;
pub mod rest;
mod routes;
pub mod server;
pub mod telemetry;
pub mod tls;
mod webhooks;
