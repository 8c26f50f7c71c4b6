//! `/v1/customers/{id}/wallet/grants`: credit given to a customer.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tollgate_core::access::Scope;
use tollgate_core::engine::{Engine, Granted};
use tollgate_core::ledger::{EntryKind, EntryNumber, Owner};
use tollgate_core::money::Amount;
use tollgate_core::store::StoreError;
use tollgate_core::wallet::{Funder, Grant, GrantTerms, Wallet};
use utoipa::ToSchema;

use super::{OfApp, Whose};
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::Body;
use crate::extract::{Path, Query};
use crate::page::{Page, Paging};
use crate::problem::{Fault, Problem};
use crate::routes::charge::moment;

/// Entries that are read at a time.
const ENTRIES: usize = 1_000;

/// Who pays for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Funder)]
pub(in crate::routes) enum Bearer {
    /// Who runs Tollgate. Only a platform key may say so.
    Platform,
    /// The app's Builder, out of what they earn.
    Builder,
}

impl Bearer {
    /// Only the platform gives what is the platform's.
    ///
    /// # Errors
    /// 403 at this place when a Builder's key says that the platform pays.
    pub fn given_by(self, caller: &Caller, pointer: &str) -> Result<Funder, Problem> {
        match self {
            Self::Builder => Ok(Funder::Builder),
            Self::Platform if caller.scope().is_platform() => Ok(Funder::Platform),
            Self::Platform => {
                let message = "only a platform key lets the platform pay: say \"builder\"";
                Err(Problem::forbidden(message).with_errors(vec![Fault::at(pointer, message)]))
            }
        }
    }
}

impl From<Funder> for Bearer {
    fn from(funder: Funder) -> Self {
        match funder {
            Funder::Platform => Self::Platform,
            Funder::Builder => Self::Builder,
        }
    }
}

/// Credit to be granted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewGrant {
    /// Unique among the customer's grants: the same again grants nothing.
    #[schema(example = "welcome", min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    id: String,
    /// How much, in the app's currency.
    #[schema(value_type = String, example = "20")]
    amount: Amount,
    /// Who pays for it, and gets back what expires.
    funder: Bearer,
    /// The smallest number is used first.
    #[serde(default)]
    #[schema(required = false, example = 0)]
    priority: u32,
    /// From which event time on it is used. Left out: now.
    #[serde(default, deserialize_with = "crate::routes::moment::optional")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-01T00:00:00Z")]
    effective_at: Option<Timestamp>,
    /// From when on it is not; it never expires without.
    #[serde(default, deserialize_with = "crate::routes::moment::optional")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-01-01T00:00:00Z")]
    expires_at: Option<Timestamp>,
    /// Why, in somebody's words: `promotion`, `goodwill`.
    #[serde(default)]
    #[schema(required = false, example = "goodwill", max_length = 250)]
    reason: String,
}

/// Granted credit, with what is left of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Grant)]
pub(super) struct GrantBody {
    /// Its id.
    #[schema(example = "welcome")]
    id: String,
    /// How much was granted.
    #[schema(value_type = String, example = "20")]
    amount: Amount,
    /// What has not been used or given back; what is reserved of it is part of it.
    #[schema(value_type = String, example = "12")]
    left: Amount,
    /// What is reserved of it.
    #[schema(value_type = String, example = "0.42")]
    reserved: Amount,
    /// Who pays for it. Not told to a customer's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    funder: Option<Bearer>,
    /// The smallest number is used first.
    #[schema(example = 0)]
    priority: u32,
    /// From which event time on it is used.
    #[schema(format = DateTime, example = "2026-11-01T00:00:00Z")]
    effective_at: String,
    /// From when on it is not; null if it never expires.
    #[schema(format = DateTime, example = "2027-01-01T00:00:00Z")]
    expires_at: Option<String>,
    /// Why, in somebody's words.
    #[schema(example = "goodwill")]
    reason: String,
}

impl GrantBody {
    fn of(terms: &GrantTerms, (left, reserved): (Amount, Amount), scope: &Scope) -> Self {
        Self {
            id: terms.id.to_string(),
            amount: terms.amount,
            left,
            reserved,
            funder: scope.sees_margins().then(|| terms.funder.into()),
            priority: terms.priority,
            effective_at: moment(terms.effective_at),
            expires_at: terms.expires_at.map(moment),
            reason: terms.reason.clone(),
        }
    }

    pub(super) fn in_wallet(grant: &Grant, scope: &Scope) -> Self {
        Self::of(&grant.terms, (grant.left, grant.reserved), scope)
    }

    /// As it is in a wallet, or with nothing left.
    fn among(wallet: &Wallet, terms: &GrantTerms, scope: &Scope) -> Self {
        let grant = wallet.grants.iter().find(|grant| grant.terms.id == terms.id);
        grant.map_or_else(
            || Self::of(terms, (Amount::ZERO, Amount::ZERO), scope),
            |grant| Self::in_wallet(grant, scope),
        )
    }
}

/// Grant credit
///
/// Opens the customer's wallet if there is none. The same again grants nothing and is answered 200. A platform
/// key may let the platform pay; a Builder's key grants out of the Builder's earnings. Goodwill is a grant with
/// its `reason`.
#[utoipa::path(
    post, path = "/v1/customers/{id}/wallet/grants", tag = "Wallets", operation_id = "grant_credit",
    params(("id" = String, Path, description = "The customer.", example = "legal"), OfApp),
    request_body(content = NewGrant, example = json!({"id": "welcome", "amount": "20", "funder": "builder",
        "expires_at": "2027-01-01T00:00:00Z", "reason": "promotion"})),
    responses(
        (status = 201, description = "Granted.", body = GrantBody),
        (status = 200, description = "It was granted before, the very same.", body = GrantBody),
        (status = 403, description = "Only a platform key lets the platform pay."),
        (status = 409, description = "Another grant has the id, or the customer has too many."),
    ),
)]
pub(super) async fn grant_credit(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(customer): Path<String>,
    Query(of): Query<OfApp>,
    Body(new): Body<NewGrant>,
) -> Result<(StatusCode, Json<GrantBody>), Problem> {
    let whose = Whose::managed_by(&caller, &backend, of.app.as_deref(), customer)?;
    let funder = new.funder.given_by(&caller, "/funder")?;
    let scope = caller.scope().clone();
    let grant = move |engine: &Engine| {
        let now = Timestamp::now().as_millisecond();
        let NewGrant { id, amount, priority, effective_at, expires_at, reason, .. } = new;
        // Where no moment is said, asking again is asking for the same.
        let known = engine.granted(&whose.app, &whose.customer, &id)?.map(|known| known.effective_at);
        let effective_at = effective_at.map(Timestamp::as_millisecond).or(known).unwrap_or(now);
        let expires_at = expires_at.map(Timestamp::as_millisecond);
        let id = id.into();
        let terms = GrantTerms { id, amount, funder, priority, effective_at, expires_at, reason };
        let (status, wallet) = match engine.grant(&whose.app, &whose.customer, &terms, now)? {
            Granted::New(wallet) => (StatusCode::CREATED, *wallet),
            Granted::Already => {
                (StatusCode::OK, engine.wallet(&whose.app, &whose.customer)?.unwrap_or_default())
            }
        };
        Ok::<_, Problem>((status, Json(GrantBody::among(&wallet, &terms, &scope))))
    };
    backend.call(grant).await
}

/// List a customer's grants
///
/// All that were ever granted, in that order, with what is left of them.
#[utoipa::path(
    get, path = "/v1/customers/{id}/wallet/grants", tag = "Wallets", operation_id = "list_grants",
    params(("id" = String, Path, description = "The customer.", example = "legal"), OfApp, Paging),
    responses((status = 200, description = "A page of grants.", body = Page<GrantBody>)),
)]
pub(super) async fn list_grants(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(customer): Path<String>,
    Query(of): Query<OfApp>,
    paging: Paging,
) -> Result<Json<Page<GrantBody>>, Problem> {
    let whose = Whose::read_by(&caller, &backend, of.app.as_deref(), customer)?;
    let after: EntryNumber = paging.after()?.unwrap_or_default();
    let scope = caller.scope().clone();
    let list = move |engine: &Engine| {
        let wallet = engine.wallet(&whose.app, &whose.customer)?.unwrap_or_default();
        let found = grants(engine, &whose, after, paging.limit().saturating_add(1))?;
        let page = Page::cut(found, &paging, |(number, _)| *number)?;
        Ok::<_, Problem>(Json(page.map(|(_, terms)| GrantBody::among(&wallet, &terms, &scope))))
    };
    backend.call(list).await
}

/// Up to `limit` grants that were entered after this number, in order.
fn grants(
    engine: &Engine,
    whose: &Whose,
    mut after: EntryNumber,
    limit: usize,
) -> Result<Vec<(EntryNumber, GrantTerms)>, Problem> {
    let owner = Owner::granted(&whose.app, &whose.customer);
    let mut found = Vec::new();
    while found.len() < limit {
        let entries = engine.store().entries(Some(&owner), after, ENTRIES)?;
        let Some((last, _)) = entries.last() else { break };
        after = *last;
        let granted = entries.into_iter().filter(|(_, entry)| entry.kind == EntryKind::Grant);
        for (number, entry) in granted.take(limit.saturating_sub(found.len())) {
            found.push((number, terms_of(entry.request)?));
        }
    }
    Ok(found)
}

fn terms_of(request: serde_json::Value) -> Result<GrantTerms, Problem> {
    let read = serde_json::from_value(request);
    read.map_err(|error| StoreError::Corrupt(format!("a grant cannot be read: {error}")).into())
}
