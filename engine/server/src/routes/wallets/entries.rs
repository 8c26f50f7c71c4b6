//! `/v1/customers/{id}/wallet/entries`: what moved a customer's money, beside charges.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use tollgate_core::access::Scope;
use tollgate_core::engine::Engine;
use tollgate_core::ledger::{Entry, EntryKind, EntryNumber, Owner};
use tollgate_core::money::Amount;
use utoipa::ToSchema;

use super::{OfApp, Whose};
use crate::auth::Caller;
use crate::backend::Backend;
use crate::extract::{Path, Query};
use crate::page::{Page, Paging};
use crate::problem::Problem;
use crate::routes::charge::moment;

/// Money of a customer that moved otherwise than by a charge.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WalletEntry {
    /// Unique among all entries.
    #[schema(example = "[\"grant\",\"acme-docs\",\"legal\",\"welcome\"]")]
    id: String,
    /// What moved it.
    #[schema(value_type = WalletEntryKind)]
    kind: EntryKind,
    /// When; null for what was there before the wallet was opened.
    #[schema(format = DateTime, example = "2026-11-03T09:00:00Z")]
    at: Option<String>,
    /// By how much granted credit grew; negative where it shrank.
    #[schema(value_type = String, example = "20")]
    granted: Amount,
    /// By how much the customer's own money grew; negative where it shrank.
    #[schema(value_type = String, example = "0")]
    paid: Amount,
    /// By how much what is owed grew; negative where it shrank.
    #[schema(value_type = String, example = "0")]
    owed: Amount,
    /// The entry or the event that it takes back, in whole or in part.
    reverses: Option<String>,
    /// What was asked for. Not told to a customer's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    request: Option<Value>,
}

/// What moved a customer's money.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it documents the words of the core's kinds")]
enum WalletEntryKind {
    /// The wallet was opened by a customer who had been given more than was charged.
    Opening,
    /// Credit was granted.
    Grant,
    /// What was left of granted credit expired.
    Expiry,
    /// A payment arrived.
    Payment,
    /// A payment went back.
    PaymentRefund,
    /// The customer's bank took a payment back.
    Chargeback,
    /// A chargeback was decided against the customer.
    ChargebackWon,
    /// A charge was given back, in whole or in part.
    Refund,
}

impl WalletEntry {
    fn of(entry: Entry, owners: &[Owner; 3], scope: &Scope) -> Result<Self, Problem> {
        let mut sums = [Amount::ZERO; 3];
        for posting in &entry.postings {
            for (owner, sum) in owners.iter().zip(&mut sums) {
                if posting.account.owner == *owner {
                    *sum = sum.checked_add(posting.amount).ok_or_else(Problem::internal)?;
                }
            }
        }
        let [granted, paid, credited] = sums;
        Ok(Self {
            id: entry.id,
            kind: entry.kind,
            at: (entry.kind != EntryKind::Opening).then(|| moment(entry.at)),
            granted,
            paid,
            owed: credited.checked_neg().ok_or_else(Problem::internal)?,
            reverses: entry.reverses,
            request: scope.sees_margins().then_some(entry.request),
        })
    }
}

/// List what moved a customer's money
///
/// Grants, payments, refunds, chargebacks and what expired, in order. Charges are told with their events: each
/// says what it was paid from.
#[utoipa::path(
    get, path = "/v1/customers/{id}/wallet/entries", tag = "Wallets", operation_id = "list_wallet_entries",
    params(("id" = String, Path, description = "The customer.", example = "legal"), OfApp, Paging),
    responses((status = 200, description = "A page of entries.", body = Page<WalletEntry>)),
)]
pub(super) async fn list_wallet_entries(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(customer): Path<String>,
    Query(of): Query<OfApp>,
    paging: Paging,
) -> Result<Json<Page<WalletEntry>>, Problem> {
    let whose = Whose::read_by(&caller, &backend, of.app.as_deref(), customer)?;
    let after: EntryNumber = paging.after()?.unwrap_or_default();
    let scope = caller.scope().clone();
    let list = move |engine: &Engine| {
        let Whose { app, customer, .. } = &whose;
        let owners =
            [Owner::granted(app, customer), Owner::paid(app, customer), Owner::customer(app, customer)];
        let surplus = paging.limit().saturating_add(1);
        // An entry may post to several of the accounts: it is told once.
        let mut found: BTreeMap<EntryNumber, Entry> = BTreeMap::new();
        for owner in &owners {
            found.extend(engine.store().entries(Some(owner), after, surplus)?);
        }
        let page = Page::cut(found.into_iter().take(surplus), &paging, |(number, _)| *number)?;
        let data = page.data.into_iter().map(|(_, entry)| WalletEntry::of(entry, &owners, &scope));
        let data = data.collect::<Result<_, _>>()?;
        Ok::<_, Problem>(Json(Page { data, next_cursor: page.next_cursor }))
    };
    backend.call(list).await
}
