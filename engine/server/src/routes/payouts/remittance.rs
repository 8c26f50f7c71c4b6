//! A payout's remittance advice: the apps, customers and lines behind the sum, for people.
//!
//! What is printed is given to the server by whoever composes it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use tollgate_core::engine::Engine;

use super::{Place, no_payout};
use crate::auth::Caller;
use crate::backend::Backend;
use crate::extract::Path;
use crate::problem::Problem;
use crate::routes::statements::PAGE_POLICY;

/// Print a payout's remittance advice
///
/// A page that prints well: the apps, customers and lines behind the sum. A Builder reads its own.
#[utoipa::path(
    get, path = "/v1/builders/{id}/payouts/{period}/{currency}/remittance", tag = "Payouts",
    operation_id = "read_remittance", params(Place),
    responses(
        (status = 200, description = "The page.", content((String = "text/html"))),
        (status = 404, description = "There is no such payout, or this server prints no remittance advices."),
    ),
)]
pub(super) async fn read_remittance(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(place): Path<Place>,
) -> Result<Response, Problem> {
    let key = place.key(&caller, &backend)?;
    let print = backend.money.remittance();
    let print = print.ok_or_else(|| Problem::not_found("this server prints no remittance advices"))?;
    let work = move |engine: &Engine| {
        let payout = engine.payout(&key)?.ok_or_else(|| no_payout(&key))?;
        print(engine, &key, &payout).map_err(Problem::from)
    };
    let page = Html(backend.call(work).await?);
    Ok(([(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)], page).into_response())
}
