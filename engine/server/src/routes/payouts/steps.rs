//! A payout's way: approved, submitted, paid, or returned. Each step is made once; asking again changes nothing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use tollgate_core::engine::{Engine, EngineError, PayoutKey};
use tollgate_core::payout::Payout;
use utoipa::ToSchema;

use super::Place;
use super::body::PayoutBody;
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::Body;
use crate::extract::Path;
use crate::problem::{Fault, Problem};

/// The most bytes of what somebody says of a payout.
const WORDS_BYTES_MAX: usize = 256;

/// A payout that arrived.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PaidPayout {
    /// What the bank's statement says.
    #[schema(example = "2026-12-09/4711", min_length = 1, max_length = 256, pattern = r"\S")]
    reference: String,
}

/// A payout that came back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReturnedPayout {
    /// Why.
    #[schema(example = "the account is closed", min_length = 1, max_length = 256, pattern = r"\S")]
    reason: String,
}

/// Approve a payout
///
/// For the platform. From now on it may be paid: by its payment provider, which is asked at once, or by a payment
/// file. One that is further on stays as it is.
#[utoipa::path(
    post, path = "/v1/builders/{id}/payouts/{period}/{currency}/approve", tag = "Payouts",
    operation_id = "approve_payout", params(Place),
    responses(
        (status = 200, description = "As it is now.", body = PayoutBody),
        (status = 409, description = "Nobody knows where it goes, or it came back."),
    ),
)]
pub(super) async fn approve_payout(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(place): Path<Place>,
) -> Result<Json<PayoutBody>, Problem> {
    step(&backend, &caller, place, Engine::approve_payout).await
}

/// Submit a payout
///
/// For the platform: notes that an approved payout to a bank is in a payment file. One that is further on stays
/// as it is.
#[utoipa::path(
    post, path = "/v1/builders/{id}/payouts/{period}/{currency}/submit", tag = "Payouts",
    operation_id = "submit_payout", params(Place),
    responses(
        (status = 200, description = "As it is now.", body = PayoutBody),
        (status = 409, description = "It is not approved, does not go to a bank, or came back."),
    ),
)]
pub(super) async fn submit_payout(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(place): Path<Place>,
) -> Result<Json<PayoutBody>, Problem> {
    step(&backend, &caller, place, Engine::submit_payout).await
}

/// Mark a payout as paid
///
/// For the platform: a submitted payout arrived. One that is paid stays as it is.
#[utoipa::path(
    post, path = "/v1/builders/{id}/payouts/{period}/{currency}/paid", tag = "Payouts",
    operation_id = "mark_payout_paid", params(Place),
    request_body(content = PaidPayout, example = json!({"reference": "2026-12-09/4711"})),
    responses(
        (status = 200, description = "As it is now.", body = PayoutBody),
        (status = 409, description = "It is not submitted, or came back."),
    ),
)]
pub(super) async fn mark_payout_paid(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(place): Path<Place>,
    Body(paid): Body<PaidPayout>,
) -> Result<Json<PayoutBody>, Problem> {
    let reference = said("/reference", paid.reference)?;
    step(&backend, &caller, place, move |engine, key, now| engine.payout_paid(key, &reference, now)).await
}

/// Mark a payout as returned
///
/// For the platform: it came back, or will not leave. What it was to pay is part of the next payout. One that came
/// back stays as it is.
#[utoipa::path(
    post, path = "/v1/builders/{id}/payouts/{period}/{currency}/returned", tag = "Payouts",
    operation_id = "mark_payout_returned", params(Place),
    request_body(content = ReturnedPayout, example = json!({"reason": "the account is closed"})),
    responses((status = 200, description = "As it is now.", body = PayoutBody)),
)]
pub(super) async fn mark_payout_returned(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(place): Path<Place>,
    Body(returned): Body<ReturnedPayout>,
) -> Result<Json<PayoutBody>, Problem> {
    let reason = said("/reason", returned.reason)?;
    step(&backend, &caller, place, move |engine, key, now| engine.payout_returned(key, &reason, now)).await
}

async fn step(
    backend: &Backend,
    caller: &Caller,
    place: Place,
    change: impl FnOnce(&Engine, &PayoutKey, i64) -> Result<Payout, EngineError> + Send + 'static,
) -> Result<Json<PayoutBody>, Problem> {
    caller.platform()?;
    let key = place.key(caller, backend)?;
    let work = move |engine: &Engine| {
        let payout = change(engine, &key, Timestamp::now().as_millisecond())?;
        Ok::<_, Problem>(Json(PayoutBody::of(key, payout)))
    };
    backend.call(work).await
}

fn said(pointer: &str, words: String) -> Result<String, Problem> {
    if !words.trim().is_empty() && words.len() <= WORDS_BYTES_MAX {
        return Ok(words);
    }
    let message = format!("must say something, in at most {WORDS_BYTES_MAX} bytes");
    Err(Problem::invalid(vec![Fault::at(pointer, message)]))
}
