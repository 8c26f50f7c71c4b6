//! `/v1/customers/{id}/wallet`: a customer's money, and what was agreed about it.
//!
//! Granted credit and the customer's own money are told apart everywhere. What is agreed is the app's Builder's
//! affair; only the platform spends what is not the Builder's: credit that it funds itself. A payment method is
//! charged only for who saved it.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

mod entries;
mod grants;
mod terms;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tollgate_core::access::Scope;
use tollgate_core::engine::{Engine, Remaining};
use tollgate_core::money::Amount;
use tollgate_core::payment::Payment;
use tollgate_core::store::each_record;
use tollgate_core::wallet::{Wallet, WalletTerms};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use self::grants::Bearer;
use self::grants::GrantBody;
use self::terms::Terms;
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::Body;
use crate::extract::{Path, Query};
use crate::problem::{Fault, Problem};

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new()
        .routes(routes!(read_wallet, agree_on_wallet))
        .routes(routes!(grants::list_grants, grants::grant_credit))
        .routes(routes!(entries::list_wallet_entries))
}

/// Whose customer.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OfApp {
    /// The customer's app. Required where a key sees several.
    #[param(example = "acme-docs")]
    pub app: Option<String>,
}

/// A customer's money.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Wallet)]
struct WalletBody {
    /// The app.
    #[schema(example = "acme-docs")]
    app: String,
    /// The customer.
    #[schema(example = "legal")]
    customer: String,
    /// ISO 4217 code of every amount.
    #[schema(example = "USD")]
    currency: String,
    /// What was agreed.
    terms: Terms,
    /// Granted credit that is in force now and not reserved.
    #[schema(value_type = String, example = "12")]
    granted: Amount,
    /// The customer's own money that is not reserved.
    #[schema(value_type = String, example = "50")]
    paid: Amount,
    /// What is reserved for events that were authorised, wherever it comes from.
    #[schema(value_type = String, example = "0.42")]
    reserved: Amount,
    /// What the customer owes.
    owed: Owed,
    /// What an event that happens now may cost: granted, paid, and what is left of the credit limit. Null when
    /// any amount may be owed.
    #[schema(value_type = Option<String>, example = "62")]
    available: Option<Amount>,
    /// Holds that are pending.
    #[schema(example = 1)]
    holds: u32,
    /// Grants with something left, in the order in which they are used.
    grants: Vec<GrantBody>,
    /// The id of a payment that was asked for automatically and is on its way.
    #[schema(example = "legal:automatic-1")]
    topping_up: Option<String>,
}

/// What a customer owes.
#[derive(Debug, Serialize, ToSchema)]
struct Owed {
    /// In all.
    #[schema(value_type = String, example = "0")]
    total: Amount,
    /// Of that, within the credit limit.
    #[schema(value_type = String, example = "0")]
    on_credit: Amount,
    /// Of that, beyond it: events that ran without an authorisation.
    #[schema(value_type = String, example = "0")]
    uncovered: Amount,
}

/// What is left of a customer's money.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = Remaining)]
pub(super) struct RemainingBody {
    /// Of granted credit.
    #[schema(value_type = String, example = "12")]
    granted: Amount,
    /// Of the customer's own money.
    #[schema(value_type = String, example = "50")]
    paid: Amount,
    /// Of all, the credit limit included; null when any amount may be owed.
    #[schema(value_type = Option<String>, example = "62")]
    available: Option<Amount>,
}

impl From<Remaining> for RemainingBody {
    fn from(remaining: Remaining) -> Self {
        let Remaining { granted, paid, available } = remaining;
        Self { granted, paid, available }
    }
}

impl WalletBody {
    fn of(whose: Whose, wallet: &Wallet, scope: &Scope, now: i64) -> Self {
        let Whose { app, customer, currency } = whose;
        let Remaining { granted, paid, available } = Remaining::of(wallet, now);
        Self {
            app,
            customer,
            currency,
            terms: (&wallet.terms).into(),
            granted,
            paid,
            reserved: wallet.reserved(),
            owed: Owed { total: wallet.owed(), on_credit: wallet.credit.amount, uncovered: wallet.uncovered },
            available,
            holds: wallet.holds,
            grants: wallet.grants.iter().map(|grant| GrantBody::in_wallet(grant, scope)).collect(),
            topping_up: wallet.topping_up.clone(),
        }
    }
}

/// A customer, found by a request.
#[derive(Clone, Debug)]
pub(super) struct Whose {
    pub app: String,
    pub customer: String,
    pub currency: String,
}

impl Whose {
    /// A customer whom the key may read.
    ///
    /// # Errors
    /// 403 for an app's key, 404 when it is not the key's, 422 when the app must be named.
    pub fn read_by(
        caller: &Caller,
        backend: &Backend,
        app: Option<&str>,
        customer: String,
    ) -> Result<Self, Problem> {
        let rules = backend.rules();
        let app = caller.app_of_customer(&rules, app, &customer)?;
        let currency = rules.catalog().app(&app).ok_or_else(Problem::internal)?.currency.clone();
        Ok(Self { app, customer, currency })
    }

    /// A customer whom the key manages.
    ///
    /// # Errors
    /// 403 for keys of apps and customers, 404 when it is not the key's, 422 when the app must be named.
    pub fn managed_by(
        caller: &Caller,
        backend: &Backend,
        app: Option<&str>,
        customer: String,
    ) -> Result<Self, Problem> {
        caller.manager()?;
        Self::read_by(caller, backend, app, customer)
    }

    /// Whether this customer saved the payment method: any other might be another tenant's.
    ///
    /// # Errors
    /// 403 at this place when none of the customer's payments shows the payer.
    pub fn check_saved(
        &self,
        engine: &Engine,
        pointer: &str,
        provider: &str,
        payer: &str,
    ) -> Result<(), Problem> {
        let mut is_saved = false;
        each_record::<Payment, Problem>(engine.store(), Some(&self.app), &mut |_, payment| {
            let Payment { customer, provider: by, payer: saved, .. } = payment.value;
            is_saved |= customer == self.customer && by == provider && saved.as_deref() == Some(payer);
            Ok(())
        })?;
        if is_saved {
            return Ok(());
        }
        let message = "is not the payer of any of the customer's payments; only a platform key names another";
        Err(Problem::forbidden(message).with_errors(vec![Fault::at(pointer, message)]))
    }

    pub fn no_wallet(&self) -> Problem {
        Problem::not_found(format!("customer {:?} has no wallet: PUT opens it", self.customer))
    }
}

/// 422 for a payment provider that this server does not have.
pub(super) fn check_provider(backend: &Backend, pointer: &str, name: &str) -> Result<(), Problem> {
    if backend.money.provider(name).is_some() {
        return Ok(());
    }
    let known = backend.money.names();
    let known = if known.is_empty() { "this server has none".to_owned() } else { known.join(", ") };
    let message = format!("{name:?} is no payment provider of this server; there are: {known}");
    Err(Problem::invalid(vec![Fault::at(pointer, message)]))
}

/// Read a customer's wallet
///
/// What there is now: granted credit and paid money apart, what is owed, and what is reserved. A customer's key
/// reads its own.
#[utoipa::path(
    get, path = "/v1/customers/{id}/wallet", tag = "Wallets", operation_id = "read_wallet",
    params(("id" = String, Path, description = "The customer.", example = "legal"), OfApp),
    responses((status = 200, description = "The wallet.", body = WalletBody)),
)]
async fn read_wallet(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(customer): Path<String>,
    Query(of): Query<OfApp>,
) -> Result<Json<WalletBody>, Problem> {
    let whose = Whose::read_by(&caller, &backend, of.app.as_deref(), customer)?;
    let scope = caller.scope().clone();
    let read = move |engine: &Engine| {
        let wallet = engine.wallet(&whose.app, &whose.customer)?.ok_or_else(|| whose.no_wallet())?;
        let now = Timestamp::now().as_millisecond();
        Ok::<_, Problem>(Json(WalletBody::of(whose, &wallet, &scope, now)))
    };
    backend.call(read).await
}

/// Agree on a customer's wallet
///
/// Replaces what was agreed, and opens the wallet if there is none: what the customer owes by then is owed on
/// credit. Without a `credit_limit` any amount may be owed; `"0"` is prepaid. `automatic_top_up` charges a payment
/// method that the customer saved when paying: its `payer` is that of one of the customer's payments.
#[utoipa::path(
    put, path = "/v1/customers/{id}/wallet", tag = "Wallets", operation_id = "agree_on_wallet",
    params(("id" = String, Path, description = "The customer.", example = "legal"), OfApp),
    request_body(content = Terms, example = json!({"credit_limit": "0", "alerts": [
        {"id": "low", "when": "balance_below", "amount": "5"},
        {"id": "monthly", "when": "spent_reaches", "amount": "100", "per": "period", "feature": "review"}]})),
    responses(
        (status = 200, description = "As it is now.", body = WalletBody),
        (status = 403, description = "The payer is not one that the customer's payments show."),
    ),
)]
async fn agree_on_wallet(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(customer): Path<String>,
    Query(of): Query<OfApp>,
    Body(terms): Body<Terms>,
) -> Result<Json<WalletBody>, Problem> {
    let whose = Whose::managed_by(&caller, &backend, of.app.as_deref(), customer)?;
    let terms = WalletTerms::from(terms);
    if let Some(top_up) = &terms.automatic_top_up {
        check_provider(&backend, "/automatic_top_up/provider", &top_up.provider)?;
    }
    let scope = caller.scope().clone();
    let agree = move |engine: &Engine| {
        if let Some(top_up) = &terms.automatic_top_up
            && !scope.is_platform()
        {
            let before = engine.wallet(&whose.app, &whose.customer)?.unwrap_or_default();
            if before.terms.automatic_top_up != terms.automatic_top_up {
                whose.check_saved(engine, "/automatic_top_up/payer", &top_up.provider, &top_up.payer)?;
            }
        }
        let wallet = engine.agree(&whose.app, &whose.customer, &terms)?;
        let now = Timestamp::now().as_millisecond();
        Ok::<_, Problem>(Json(WalletBody::of(whose, &wallet, &scope, now)))
    };
    backend.call(agree).await
}
