//! `/v1/events/{source}/{id}/refunds`: gives back what an event was charged. The event stays counted; a void
//! takes the event itself back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tollgate_core::engine::{Engine, RefundRequest, Refunded};
use tollgate_core::event::EventKey;
use tollgate_core::ledger::Owner;
use tollgate_core::money::Amount;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::charge::moment;
use super::events::no_event;
use super::wallets::Bearer;
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::Body;
use crate::extract::Path;
use crate::problem::{Fault, Problem};

/// The most characters of a reason.
const REASON_CHARACTERS_MAX: usize = 250;

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(refund_event))
}

/// A charge, or a part of it, to be given back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRefund {
    /// Unique among the event's refunds: the same again gives nothing back.
    #[schema(
        example = "complaint-7",
        min_length = 1,
        max_length = 256,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]+$"
    )]
    id: String,
    /// How much; left out, all that is left of the charge.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "0.20")]
    amount: Option<Amount>,
    /// Who bears it. Only a platform key may say `platform`.
    borne_by: Bearer,
    /// Why, in somebody's words.
    #[schema(min_length = 1, max_length = 250, pattern = r"\S", example = "the answer was cut off")]
    reason: String,
}

/// A refund of an event's charge.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
struct RefundBody {
    /// The app.
    #[schema(example = "acme-docs")]
    source: String,
    /// The event's id.
    #[schema(example = "req-0001")]
    event: String,
    /// The refund's id.
    #[schema(example = "complaint-7")]
    id: String,
    /// How much it gave back.
    #[schema(value_type = String, example = "0.20")]
    amount: Amount,
    /// ISO 4217 code of every amount.
    #[schema(example = "USD")]
    currency: String,
    /// Where it went.
    returned_to: ReturnedTo,
    /// How much of the charge has been given back in all.
    #[schema(value_type = String, example = "0.20")]
    refunded: Amount,
    /// Who bears it.
    borne_by: Bearer,
    /// Why, in somebody's words.
    #[schema(example = "the answer was cut off")]
    reason: String,
    /// When.
    #[schema(format = DateTime, example = "2026-11-03T09:00:00Z")]
    at: String,
}

/// Where a refund went: it adds up to the amount.
#[derive(Debug, Default, Serialize, ToSchema)]
struct ReturnedTo {
    /// Granted credit.
    #[schema(value_type = String, example = "0.05")]
    granted: Amount,
    /// The customer's own money.
    #[schema(value_type = String, example = "0.15")]
    paid: Amount,
    /// What is owed, which is less by that.
    #[schema(value_type = String, example = "0")]
    owed: Amount,
}

/// Refund an event
///
/// Gives back what it was charged, in whole or in part, to where it came from: what was used last comes back
/// first. Never more than was charged. The same again gives nothing back and is answered 200.
#[utoipa::path(
    post, path = "/v1/events/{source}/{id}/refunds", tag = "Events", operation_id = "refund_event",
    params(
        ("source" = String, Path, description = "The app.", example = "acme-docs"),
        ("id" = String, Path, description = "The event's id, percent-encoded.", example = "req-0001"),
    ),
    request_body(content = NewRefund, example = json!({"id": "complaint-7", "amount": "0.20",
        "borne_by": "builder", "reason": "the answer was cut off"})),
    responses(
        (status = 201, description = "It is given back.", body = RefundBody),
        (status = 200, description = "It was given back before, the very same.", body = RefundBody),
        (status = 403, description = "Only a platform key lets the platform bear it."),
        (status = 409, description = "Another refund has the id, or nothing is left of the charge, or it was voided."),
    ),
)]
async fn refund_event(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path((app, id)): Path<(String, String)>,
    Body(new): Body<NewRefund>,
) -> Result<(StatusCode, Json<RefundBody>), Problem> {
    caller.manager()?;
    let key = EventKey { app, id };
    let rules = backend.rules();
    if !caller.scope().manages_app(rules.catalog(), &key.app) {
        return Err(no_event(&key));
    }
    let borne_by = new.borne_by.given_by(&caller, "/borne_by")?;
    let NewRefund { id, amount, reason, .. } = new;
    if reason.trim().is_empty() || reason.chars().count() > REASON_CHARACTERS_MAX {
        let message = format!("must say something, in at most {REASON_CHARACTERS_MAX} characters");
        return Err(Problem::invalid(vec![Fault::at("/reason", message)]));
    }
    let request = RefundRequest { id, amount, borne_by, reason };
    let currency = rules.catalog().app(&key.app).map_or_else(String::new, |app| app.currency.clone());
    let refund = move |engine: &Engine| {
        let refunded = engine.refund(&key, &request, Timestamp::now().as_millisecond())?;
        let status = if refunded.is_repeated { StatusCode::OK } else { StatusCode::CREATED };
        let body = RefundBody::of(key, request, &refunded, currency);
        Ok::<_, Problem>((status, Json(body.ok_or_else(Problem::internal)?)))
    };
    backend.call(refund).await
}

impl RefundBody {
    /// `None` when a sum does not fit.
    fn of(key: EventKey, request: RefundRequest, refunded: &Refunded, currency: String) -> Option<Self> {
        let mut returned_to = ReturnedTo::default();
        for posting in &refunded.entry.postings {
            let sum = match posting.account.owner {
                Owner::Granted { .. } => &mut returned_to.granted,
                Owner::Paid { .. } => &mut returned_to.paid,
                Owner::Customer { .. } => &mut returned_to.owed,
                _ => continue,
            };
            *sum = sum.checked_add(posting.amount)?;
        }
        let ReturnedTo { granted, paid, owed } = &returned_to;
        let amount = granted.checked_add(*paid)?.checked_add(*owed)?;
        Some(Self {
            source: key.app,
            event: key.id,
            id: request.id,
            amount,
            currency,
            returned_to,
            refunded: refunded.total,
            borne_by: request.borne_by.into(),
            reason: request.reason,
            at: moment(refunded.entry.at),
        })
    }
}
