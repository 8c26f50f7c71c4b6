//! `/v1/payouts` and `/v1/builders/{id}/payouts`: what Builders are paid of the earnings of closed periods.
//!
//! The platform plans, approves and marks; a Builder reads its own.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

mod body;
mod remittance;
mod steps;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use tollgate_core::engine::{Engine, PayoutKey};
use tollgate_core::period::Period;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::body::{PayoutBody, PayoutRun, Run};
use super::periods::period_in_path;
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::Body;
use crate::extract::{Path, Query};
use crate::page::{Page, Paging};
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new()
        .routes(routes!(run_payouts))
        .routes(routes!(list_payouts))
        .routes(routes!(read_payout))
        .routes(routes!(remittance::read_remittance))
        .routes(routes!(steps::approve_payout))
        .routes(routes!(steps::submit_payout))
        .routes(routes!(steps::mark_payout_paid))
        .routes(routes!(steps::mark_payout_returned))
}

/// Which payout.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct Place {
    /// The Builder.
    #[param(example = "acme")]
    id: String,
    /// The period.
    #[param(pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])$", example = "2026-11")]
    period: String,
    /// ISO 4217 code.
    #[param(pattern = "^[A-Z]{3}$", example = "USD")]
    currency: String,
}

impl Place {
    /// The payout of a Builder whom the key manages.
    ///
    /// # Errors
    /// 403 for keys of apps and customers, 404 for another Builder, 422 for what is no period.
    fn key(self, caller: &Caller, backend: &Backend) -> Result<PayoutKey, Problem> {
        let Self { id, period, currency } = self;
        let builder = caller.builder(&backend.rules(), &id)?.id.clone();
        Ok(PayoutKey { builder, period: period_in_path(&period)?, currency })
    }
}

/// Whose payouts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only this Builder's.
    #[param(example = "acme")]
    builder: Option<String>,
}

/// Run payouts
///
/// For the platform. Works out, for every Builder and currency, what closed periods up to this one have earned
/// and may be paid by now, and sets it apart. Running it again, or twice at once, gives the same payouts. A dry
/// run keeps nothing.
#[utoipa::path(
    post, path = "/v1/payouts/run", tag = "Payouts", operation_id = "run_payouts",
    request_body(content = Run, example = json!({"period": "2026-11", "dry_run": true})),
    responses((status = 200, description = "Who is paid, and who is not.", body = PayoutRun)),
)]
async fn run_payouts(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Body(run): Body<Run>,
) -> Result<Json<PayoutRun>, Problem> {
    caller.platform()?;
    let Run { period, dry_run } = run;
    let plan = move |engine: &Engine| {
        let planned = engine.plan_payouts(period, Timestamp::now().as_millisecond(), dry_run)?;
        Ok::<_, Problem>(Json(PayoutRun::of(period, dry_run, planned)))
    };
    backend.call(plan).await
}

/// List payouts
///
/// The platform sees all of them, a Builder its own.
#[utoipa::path(
    get, path = "/v1/payouts", tag = "Payouts", operation_id = "list_payouts", params(Asked, Paging),
    responses((status = 200, description = "A page, by Builder, period and currency.", body = Page<PayoutBody>)),
)]
async fn list_payouts(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Json<Page<PayoutBody>>, Problem> {
    let builder = match asked.builder.as_deref().or(caller.own_builder()?) {
        Some(builder) => Some(caller.builder(&backend.rules(), builder)?.id.clone()),
        None => None,
    };
    let after: Option<(String, Period, String)> = paging.after()?;
    let list = move |engine: &Engine| {
        let mut found = engine.payouts(builder.as_deref())?;
        let place = |key: &PayoutKey| (key.builder.clone(), key.period, key.currency.clone());
        found.retain(|(key, _)| after.as_ref().is_none_or(|after| place(key) > *after));
        let page = Page::cut(found, &paging, |(key, _)| place(key))?;
        Ok::<_, Problem>(Json(page.map(|(key, payout)| PayoutBody::of(key, payout))))
    };
    backend.call(list).await
}

/// Read a payout
#[utoipa::path(
    get, path = "/v1/builders/{id}/payouts/{period}/{currency}", tag = "Payouts", operation_id = "read_payout",
    params(Place),
    responses((status = 200, description = "The payout.", body = PayoutBody)),
)]
async fn read_payout(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(place): Path<Place>,
) -> Result<Json<PayoutBody>, Problem> {
    let key = place.key(&caller, &backend)?;
    let read = move |engine: &Engine| {
        let payout = engine.payout(&key)?.ok_or_else(|| no_payout(&key))?;
        Ok::<_, Problem>(Json(PayoutBody::of(key, payout)))
    };
    backend.call(read).await
}

fn no_payout(key: &PayoutKey) -> Problem {
    let PayoutKey { builder, period, currency } = key;
    Problem::not_found(format!("there is no payout of {builder:?} for {period} in {currency}"))
}
