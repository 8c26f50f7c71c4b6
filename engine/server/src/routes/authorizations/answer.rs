//! How an authorisation is written down: the answer to one that is asked for, and one that is kept.

use std::sync::Arc;

use serde::Serialize;
use tollgate_core::engine::{Denial, Remaining};
use tollgate_core::event::EventKey;
use tollgate_core::money::Amount;
use tollgate_core::wallet::{Hold, HoldState};
use utoipa::ToSchema;

use crate::routes::charge::{PaidFrom, Refusal, moment};
use crate::routes::wallets::RemainingBody;

/// Whether an event may run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthorizationAnswer)]
pub(super) struct Answer {
    /// Whether it may.
    #[schema(example = true)]
    allowed: bool,
    /// What it is expected to cost; null where that could not be told.
    #[schema(value_type = Option<String>, example = "0.42")]
    price: Option<Amount>,
    /// ISO 4217 code of every amount.
    #[schema(example = "USD")]
    currency: String,
    /// What is reserved, when it may run.
    hold: Option<HoldBody>,
    /// When what is reserved is given up, unless the event has been recorded.
    #[schema(format = DateTime, example = "2026-11-03T09:15:00Z")]
    expires_at: Option<String>,
    /// What the customer has left beside it.
    remaining: RemainingBody,
    /// Why it may not run: at least one reason, in the plugin's words or by the limit that stops it. Empty when
    /// it may.
    reasons: Vec<Refusal>,
}

/// Money reserved for an event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Authorization)]
pub(super) struct HoldBody {
    /// The app.
    #[schema(example = "acme-docs")]
    source: String,
    /// The event's id.
    #[schema(example = "req-0001")]
    id: String,
    /// The customer.
    #[schema(example = "legal")]
    customer: String,
    /// What became of it.
    state: State,
    /// What is, or was, reserved.
    #[schema(value_type = String, example = "0.42")]
    price: Amount,
    /// What was charged, when it is captured: more or less than was reserved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "0.49")]
    captured: Option<Amount>,
    /// ISO 4217 code of every amount.
    #[schema(example = "USD")]
    currency: String,
    /// Where it is reserved.
    reserved_from: Vec<PaidFrom>,
    /// The tariff that priced it.
    #[schema(value_type = String, example = "acme-docs-2026")]
    tariff: Arc<str>,
    /// When it was reserved.
    #[schema(format = DateTime, example = "2026-11-03T09:00:00Z")]
    placed_at: String,
    /// When it is given up, unless the event has been recorded.
    #[schema(format = DateTime, example = "2026-11-03T09:15:00Z")]
    expires_at: String,
    /// When it was given up, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2026-11-03T09:15:00Z")]
    ended_at: Option<String>,
}

/// What became of an authorisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AuthorizationState)]
pub(super) enum State {
    /// The money is reserved.
    Pending,
    /// The event was charged.
    Captured,
    /// It was given up.
    Voided,
    /// Its time was up.
    Expired,
}

impl Answer {
    pub fn allowed(key: &EventKey, hold: Hold, remaining: Remaining, currency: String) -> Self {
        Self {
            allowed: true,
            price: Some(hold.price),
            currency: currency.clone(),
            expires_at: Some(moment(hold.expires_at)),
            hold: Some(HoldBody::of(key, hold, currency)),
            remaining: remaining.into(),
            reasons: Vec::new(),
        }
    }

    pub fn denied(
        price: Option<Amount>,
        denials: Vec<Denial>,
        remaining: Remaining,
        currency: String,
    ) -> Self {
        let reasons = denials.into_iter();
        let reasons = reasons.map(|Denial { code, message }| Refusal { code: code.into(), detail: message });
        Self {
            allowed: false,
            price,
            currency,
            hold: None,
            expires_at: None,
            remaining: remaining.into(),
            reasons: reasons.collect(),
        }
    }
}

impl HoldBody {
    pub fn of(key: &EventKey, hold: Hold, currency: String) -> Self {
        let (state, captured, ended_at) = match hold.state {
            HoldState::Pending => (State::Pending, None, None),
            HoldState::Captured { amount } => (State::Captured, Some(amount), None),
            HoldState::Voided { at } => (State::Voided, None, Some(moment(at))),
            HoldState::Expired { at } => (State::Expired, None, Some(moment(at))),
        };
        Self {
            source: key.app.clone(),
            id: key.id.clone(),
            customer: hold.customer,
            state,
            price: hold.price,
            captured,
            currency,
            reserved_from: hold.draws.iter().map(PaidFrom::of).collect(),
            tariff: hold.tariff,
            placed_at: moment(hold.placed_at),
            expires_at: moment(hold.expires_at),
            ended_at,
        }
    }
}
