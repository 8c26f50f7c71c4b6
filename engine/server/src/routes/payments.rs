//! `/v1/customers/{id}/payments`: money from a customer into their wallet, and back.
//!
//! What is asked for is stored before a provider is called. Who keeps the platform's bank account says what
//! arrived on it; whatever a payment provider shows, the server looks up itself.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

mod body;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use tollgate_core::engine::{Engine, PaymentRequest};
use tollgate_core::payment::{Method, Payment, PaymentState};
use tollgate_core::store::record::Versioned;
use tollgate_core::store::{RecordFilter, RecordKind};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::body::{NewPayment, NewPaymentRefund, PaymentBody, Received};
use super::location::Location;
use super::wallets::{OfApp, Whose, check_provider};
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::Body;
use crate::extract::{Path, Query};
use crate::money::{Stepped, Subject};
use crate::page::{Page, Paging};
use crate::problem::Problem;

/// Records that are read at a time.
const RECORDS: usize = 1_000;

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new()
        .routes(routes!(list_payments, request_payment))
        .routes(routes!(read_payment))
        .routes(routes!(receive_payment))
        .routes(routes!(refund_payment))
}

/// Which payment.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct Place {
    /// The customer.
    #[param(example = "legal")]
    id: String,
    /// The payment.
    #[param(example = "top-up-1")]
    payment: String,
}

/// Ask for a payment
///
/// Into the customer's wallet, which is opened if there is none. By `transfer` the customer sends it by bank and
/// names the payment's `reference`; by `checkout` the customer pays at its `url`; by `saved` a payment method
/// is charged that the customer saved when paying before. The same again asks for nothing more and is answered
/// 200 with how far it has come.
#[utoipa::path(
    post, path = "/v1/customers/{id}/payments", tag = "Payments", operation_id = "request_payment",
    params(("id" = String, Path, description = "The customer.", example = "legal"), OfApp),
    request_body(content = NewPayment, examples(
        ("transfer" = (summary = "By bank", value = json!({"id": "top-up-1", "amount": "50",
            "provider": "manual", "method": {"by": "transfer"}}))),
        ("checkout" = (summary = "On a page of the provider", value = json!({"id": "top-up-2", "amount": "50",
            "provider": "stripe", "method": {"by": "checkout", "success_url": "https://docs.example/paid",
            "cancel_url": "https://docs.example/wallet"}}))),
    )),
    responses(
        (status = 201, description = "It is asked for.", body = PaymentBody),
        (status = 200, description = "It was asked for before, the very same.", body = PaymentBody),
        (status = 403, description = "The payer is not one that the customer's payments show."),
        (status = 409, description = "Another payment has the id."),
    ),
)]
async fn request_payment(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(customer): Path<String>,
    Query(of): Query<OfApp>,
    Body(new): Body<NewPayment>,
) -> Result<(StatusCode, Option<Location>, Json<PaymentBody>), Problem> {
    let whose = Whose::managed_by(&caller, &backend, of.app.as_deref(), customer)?;
    let request = PaymentRequest::from(new);
    check_provider(&backend, "/provider", &request.provider)?;
    let is_platform = caller.scope().is_platform();
    let (app, id) = (whose.app.clone(), request.id.clone());
    let location =
        Location::below("/v1/customers", &whose.customer).then("payments").then(&id).of("app", &app);
    let ask = move |engine: &Engine| {
        if let Method::Saved { payer } = &request.method
            && !is_platform
        {
            whose.check_saved(engine, "/method/payer", &request.provider, payer)?;
        }
        let is_new = engine.payment(&whose.app, &request.id)?.is_none();
        let now = Timestamp::now().as_millisecond();
        let payment = engine.request_payment(&whose.app, &whose.customer, &request, now)?;
        Ok::<_, Problem>((is_new, payment))
    };
    let (is_new, mut payment) = backend.call(ask).await?;
    // Where the customer is to pay is worth waiting for, a little.
    if matches!(payment.state, PaymentState::Requested)
        && let Some(Stepped::Payment(stepped)) =
            backend.advance_soon(Subject::Payment(app.clone(), id.clone())).await?
    {
        payment = *stepped;
    }
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let location = is_new.then_some(location);
    Ok((status, location, Json(PaymentBody::of(app, id, payment, caller.scope()))))
}

/// List a customer's payments
#[utoipa::path(
    get, path = "/v1/customers/{id}/payments", tag = "Payments", operation_id = "list_payments",
    params(("id" = String, Path, description = "The customer.", example = "legal"), OfApp, Paging),
    responses((status = 200, description = "A page, by id.", body = Page<PaymentBody>)),
)]
async fn list_payments(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(customer): Path<String>,
    Query(of): Query<OfApp>,
    paging: Paging,
) -> Result<Json<Page<PaymentBody>>, Problem> {
    let whose = Whose::read_by(&caller, &backend, of.app.as_deref(), customer)?;
    let after: Option<String> = paging.after()?;
    let scope = caller.scope().clone();
    let list = move |engine: &Engine| {
        let found = payments(engine, &whose, after, paging.limit().saturating_add(1))?;
        let page = Page::cut(found, &paging, |(id, _)| id.clone())?;
        let app = &whose.app;
        Ok::<_, Problem>(Json(page.map(|(id, payment)| PaymentBody::of(app.clone(), id, payment, &scope))))
    };
    backend.call(list).await
}

/// Up to `limit` payments of a customer whose ids come after this one.
fn payments(
    engine: &Engine,
    whose: &Whose,
    after: Option<String>,
    limit: usize,
) -> Result<Vec<(String, Payment)>, Problem> {
    let mut filter = RecordFilter::owned(RecordKind::Payment, &whose.app);
    filter.after = after.map(|id| (whose.app.clone(), id));
    let mut found = Vec::new();
    while found.len() < limit {
        let records = engine.store().list_records(&filter, RECORDS)?;
        let Some(last) = records.last() else { break };
        filter.after = Some((last.key.owner.clone(), last.key.id.clone()));
        for record in &records {
            let payment = Versioned::<Payment>::of(record)?.value;
            if payment.customer == whose.customer && found.len() < limit {
                found.push((record.key.id.clone(), payment));
            }
        }
    }
    Ok(found)
}

/// Read a payment
#[utoipa::path(
    get, path = "/v1/customers/{id}/payments/{payment}", tag = "Payments", operation_id = "read_payment",
    params(Place, OfApp),
    responses((status = 200, description = "The payment.", body = PaymentBody)),
)]
async fn read_payment(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(Place { id: customer, payment }): Path<Place>,
    Query(of): Query<OfApp>,
) -> Result<Json<PaymentBody>, Problem> {
    let whose = Whose::read_by(&caller, &backend, of.app.as_deref(), customer)?;
    let scope = caller.scope().clone();
    let read = move |engine: &Engine| {
        let known = own(engine, &whose, &payment)?;
        Ok::<_, Problem>(Json(PaymentBody::of(whose.app, payment, known, &scope)))
    };
    backend.call(read).await
}

/// A payment of this customer, and of no other.
fn own(engine: &Engine, whose: &Whose, id: &str) -> Result<Payment, Problem> {
    let payment = engine.payment(&whose.app, id)?.filter(|payment| payment.customer == whose.customer);
    payment.ok_or_else(|| Problem::not_found(format!("there is no payment {id:?}")))
}

/// Mark a payment as received
///
/// For the platform, whose bank account it arrived on: the money is in the wallet from now on. Only for payments
/// by `transfer`; the others' providers say when they arrive. Repeating it changes nothing.
#[utoipa::path(
    post, path = "/v1/customers/{id}/payments/{payment}/received", tag = "Payments",
    operation_id = "receive_payment", params(Place, OfApp),
    request_body(content = Received, example = json!({"reference": "RF71ETZDP0XNFPD0"})),
    responses(
        (status = 200, description = "As it is now.", body = PaymentBody),
        (status = 409, description = "It is not a transfer."),
    ),
)]
async fn receive_payment(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(Place { id: customer, payment }): Path<Place>,
    Query(of): Query<OfApp>,
    Body(received): Body<Received>,
) -> Result<Json<PaymentBody>, Problem> {
    caller.platform()?;
    let whose = Whose::managed_by(&caller, &backend, of.app.as_deref(), customer)?;
    let reference = received.checked()?;
    let scope = caller.scope().clone();
    let receive = move |engine: &Engine| {
        let known = own(engine, &whose, &payment)?;
        let is_there = matches!(known.state, PaymentState::Succeeded { .. });
        let now = Timestamp::now().as_millisecond();
        let known = if is_there && known.method == Method::Transfer {
            known
        } else {
            engine.receive_payment(&whose.app, &payment, &reference, now)?
        };
        Ok::<_, Problem>(Json(PaymentBody::of(whose.app, payment, known, &scope)))
    };
    backend.call(receive).await
}

/// Refund a payment
///
/// Sends a part of it back by the way it came, out of the customer's own money: it leaves the wallet at once. The
/// same again sends nothing more. A refund that the provider refuses comes back into the wallet.
#[utoipa::path(
    post, path = "/v1/customers/{id}/payments/{payment}/refunds", tag = "Payments",
    operation_id = "refund_payment", params(Place, OfApp),
    request_body(content = NewPaymentRefund, example = json!({"id": "left-over", "amount": "12.50"})),
    responses(
        (status = 200, description = "As it is now, with all of its refunds.", body = PaymentBody),
        (status = 409, description = "It has not arrived, too little of it is left, or another refund has the id."),
    ),
)]
async fn refund_payment(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(Place { id: customer, payment }): Path<Place>,
    Query(of): Query<OfApp>,
    Body(refund): Body<NewPaymentRefund>,
) -> Result<Json<PaymentBody>, Problem> {
    let whose = Whose::managed_by(&caller, &backend, of.app.as_deref(), customer)?;
    let (app, id) = (whose.app.clone(), payment.clone());
    let ask = move |engine: &Engine| {
        own(engine, &whose, &payment)?;
        let NewPaymentRefund { id, amount } = refund;
        let now = Timestamp::now().as_millisecond();
        engine.refund_payment(&whose.app, &payment, &id, amount, now).map_err(Problem::from)
    };
    let payment = backend.call(ask).await?;
    Ok(Json(PaymentBody::of(app, id, payment, caller.scope())))
}
