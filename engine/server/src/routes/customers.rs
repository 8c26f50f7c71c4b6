//! Customers: who an app charges. Only those that have more to say than their id need be defined.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tollgate_core::catalog::{Catalog, Customer, Definition, Limits};
use tollgate_core::money::Amount;
use tollgate_core::quantity::Quantity;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::defining::{self, Places, Resource};
use super::location::Location;
use super::object::read_from_objects_and_written;
use super::part::{Part, only_repeated};
use super::tagged::{IfMatch, Tagged};
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::Body;
use crate::extract::{Path, Query};
use crate::page::{Page, Paging};
use crate::problem::Problem;

read_from_objects_and_written!(UsageLimits);

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new()
        .routes(routes!(list_customers, create_customer))
        .routes(routes!(read_customer, replace_customer))
}

/// A new customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCustomer {
    /// The app.
    #[schema(example = "acme-docs")]
    app: String,
    /// A stable id within the app: the `subject` of its events.
    #[schema(example = "legal", min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    id: String,
    /// What a person reads.
    #[schema(
        example = "Legal department",
        min_length = 1,
        max_length = 256,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]+$"
    )]
    name: String,
    /// What it is to the app: workspace, tenant, site, client, deployment. Empty if nothing in particular.
    #[serde(default)]
    #[schema(example = "workspace", max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    kind: String,
    /// The customer of the same app that pooled units are counted for.
    #[schema(
        example = "head-office",
        min_length = 1,
        max_length = 256,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]+$"
    )]
    parent: Option<String>,
    /// The app's own words by name: at most 64, of at most 1024 bytes.
    #[serde(default)]
    #[schema(example = json!({"region": "emea"}))]
    attributes: BTreeMap<String, String>,
    /// What it may use in a period.
    #[serde(default)]
    limits: UsageLimits,
}

/// A customer's new content. What is left out stays as it is; null takes it away.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CustomerChange {
    /// May be repeated; it never changes.
    #[serde(default)]
    #[schema(value_type = String, required = false, example = "acme-docs")]
    app: Part<String>,
    /// May be repeated; it never changes.
    #[serde(default)]
    #[schema(value_type = String, required = false, example = "legal")]
    id: Part<String>,
    /// What a person reads.
    #[schema(
        example = "Legal department",
        min_length = 1,
        max_length = 256,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]+$"
    )]
    name: String,
    /// What it is to the app; null or empty: nothing in particular.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "workspace", max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    kind: Part<String>,
    /// The customer of the same app that pooled units are counted for; null: itself.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "head-office", min_length = 1, max_length = 256,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    parent: Part<String>,
    /// The app's own words by name, all of them.
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<String, String>>, example = json!({"region": "emea"}))]
    attributes: Part<BTreeMap<String, String>>,
    /// What it may use in a period, all of it; null: anything.
    #[serde(default)]
    #[schema(value_type = Option<UsageLimits>)]
    limits: Part<UsageLimits>,
    /// May be repeated; it follows from the customer's tariffs.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "legal-2026")]
    tariff: Part<String>,
}

/// What a customer may use in a period. Asked before an event runs; what did run is always charged.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
struct UsageLimits {
    /// The most it may be charged, in the app's currency; null for any amount.
    #[schema(value_type = Option<String>, example = "500")]
    charge_max: Option<Amount>,
    /// By unit, the most it may use.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, example = json!({"page": "10000"}))]
    usage_max: BTreeMap<String, Most>,
}

/// The most of a unit: zero or more.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(try_from = "Quantity")]
struct Most(Quantity);

impl TryFrom<Quantity> for Most {
    type Error = &'static str;

    fn try_from(quantity: Quantity) -> Result<Self, &'static str> {
        if quantity.is_negative() { Err("is negative: a limit is zero or more") } else { Ok(Self(quantity)) }
    }
}

/// A customer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Customer)]
struct CustomerBody {
    /// The app.
    #[schema(example = "acme-docs")]
    app: String,
    /// A stable id within the app: the `subject` of its events.
    #[schema(example = "legal")]
    id: String,
    /// What a person reads.
    #[schema(example = "Legal department")]
    name: String,
    /// What it is to the app; empty if nothing in particular.
    #[schema(example = "workspace")]
    kind: String,
    /// The customer that pooled units are counted for, if another.
    #[schema(example = "head-office")]
    parent: Option<String>,
    /// The app's own words by name.
    #[schema(example = json!({"region": "emea"}))]
    attributes: BTreeMap<String, String>,
    /// What it may use in a period.
    limits: UsageLimits,
    /// Its own tariff in force now; null if the app's default prices it.
    #[schema(example = "legal-2026")]
    tariff: Option<String>,
}

impl CustomerBody {
    fn of(catalog: &Catalog, customer: &Customer) -> Self {
        let now = Timestamp::now().as_millisecond();
        let in_force = catalog.timeline(&customer.app, &customer.id).in_force(now);
        let limits = &customer.limits;
        let own = in_force.filter(|tariff| tariff.customer.is_some());
        Self {
            app: customer.app.clone(),
            id: customer.id.clone(),
            name: customer.name.clone(),
            kind: customer.kind.clone(),
            parent: customer.parent.clone(),
            attributes: customer.attributes.clone(),
            limits: UsageLimits {
                charge_max: limits.charge_max,
                usage_max: limits.usage_max.iter().map(|(unit, most)| (unit.clone(), Most(*most))).collect(),
            },
            tariff: own.map(|tariff| tariff.id.clone()),
        }
    }
}

impl Resource for Customer {
    fn definition(&self) -> Definition {
        Definition::Customer(self.clone())
    }

    fn location(&self) -> Location {
        Location::below("/v1/customers", &self.id).of("app", &self.app)
    }

    fn told(&self, catalog: &Catalog, status: StatusCode) -> Result<Tagged, Problem> {
        Tagged::of(status, &CustomerBody::of(catalog, self))
    }
}

impl From<UsageLimits> for Limits {
    fn from(limits: UsageLimits) -> Self {
        let usage_max = limits.usage_max.into_iter().map(|(unit, Most(most))| (unit, most)).collect();
        Self { charge_max: limits.charge_max, usage_max }
    }
}

/// Whose customers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfApp {
    /// The app.
    #[param(example = "acme-docs")]
    app: String,
}

/// Whose customer.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfAnyApp {
    /// The app; it may be left out where the key sees only one.
    #[param(example = "acme-docs")]
    app: Option<String>,
}

/// Create a customer
///
/// The same again changes nothing and is answered 200.
#[utoipa::path(
    post, path = "/v1/customers", tag = "Customers",
    request_body(content = NewCustomer, example = json!({"app": "acme-docs", "id": "legal",
        "name": "Legal department", "kind": "workspace", "attributes": {"region": "emea"},
        "limits": {"charge_max": "500", "usage_max": {"page": "10000"}}})),
    responses(
        (status = 201, description = "Created.", body = CustomerBody),
        (status = 200, description = "It is there already, the very same.", body = CustomerBody),
        (status = 404, description = "There is no such app, or not for this key to see."),
        (status = 409, description = "The id has other content."),
    ),
)]
async fn create_customer(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Body(new): Body<NewCustomer>,
) -> Result<Tagged, Problem> {
    caller.app(&backend.rules(), &new.app)?;
    let NewCustomer { app, id, name, kind, parent, attributes, limits } = new;
    let customer = Customer { app, id, name, kind, parent, attributes, limits: limits.into() };
    let create = move |engine: &_| {
        defining::create(engine, &customer, Places::default(), |catalog| {
            let known = catalog.customer(&customer.app, &customer.id);
            known.map(|_| defining::taken("customer", &customer.id))
        })
    };
    backend.call(create).await
}

/// List an app's customers
///
/// Those that are defined; a customer that only ever appeared in events is not among them.
#[utoipa::path(
    get, path = "/v1/customers", tag = "Customers", params(OfApp, Paging),
    responses((status = 200, description = "A page, by id.", body = Page<CustomerBody>)),
)]
async fn list_customers(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Query(of): Query<OfApp>,
    paging: Paging,
) -> Result<Json<Page<CustomerBody>>, Problem> {
    let rules = backend.rules();
    let catalog = rules.catalog();
    let app = caller.app(&rules, &of.app)?;
    let after: Option<String> = paging.after()?;
    let found = catalog.customers(&app.id);
    let found = found.filter(|customer| after.as_ref().is_none_or(|after| customer.id > *after));
    let page = Page::cut(found, &paging, |customer| customer.id.clone())?;
    Ok(Json(page.map(|customer| CustomerBody::of(catalog, customer))))
}

/// Read a customer
///
/// A customer's key reads its own.
#[utoipa::path(
    get, path = "/v1/customers/{id}", tag = "Customers",
    params(("id" = String, Path, description = "The customer's id.", example = "legal"), OfAnyApp),
    responses((status = 200, description = "The customer.", body = CustomerBody)),
)]
async fn read_customer(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(of): Query<OfAnyApp>,
) -> Result<Tagged, Problem> {
    let rules = backend.rules();
    let catalog = rules.catalog();
    let app = caller.app_of_customer(&rules, of.app.as_deref(), &id)?;
    let customer = catalog.customer(&app, &id).ok_or_else(|| no_customer(&id))?;
    customer.told(catalog, StatusCode::OK)
}

/// Replace a customer
///
/// What is left out stays as it is, null takes it away, and what was read can be sent back.
#[utoipa::path(
    put, path = "/v1/customers/{id}", tag = "Customers",
    params(("id" = String, Path, description = "The customer's id.", example = "legal"), OfAnyApp),
    request_body(content = CustomerChange, example = json!({"name": "Legal & Compliance",
        "kind": "workspace", "limits": {"charge_max": "750"}})),
    responses((status = 200, description = "As it is now.", body = CustomerBody)),
)]
async fn replace_customer(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(of): Query<OfAnyApp>,
    if_match: IfMatch,
    Body(change): Body<CustomerChange>,
) -> Result<Tagged, Problem> {
    caller.manager()?;
    let app = caller.app_of_customer(&backend.rules(), of.app.as_deref(), &id)?;
    let there = move |catalog: &Catalog| {
        catalog.customer(&app, &id).map(|customer| Customer::clone(customer)).ok_or_else(|| no_customer(&id))
    };
    let change = move |catalog: &Catalog, known| change.clone().made_from(known, catalog);
    let replace = move |engine: &_| defining::replace(engine, Places::default(), &if_match, there, change);
    backend.call(replace).await
}

impl CustomerChange {
    fn made_from(self, known: Customer, catalog: &Catalog) -> Result<Customer, Problem> {
        let there = CustomerBody::of(catalog, &known);
        only_repeated([
            ("/app", &self.app, Some(&there.app)),
            ("/id", &self.id, Some(&there.id)),
            ("/tariff", &self.tariff, there.tariff.as_deref()),
        ])?;
        Ok(Customer {
            name: self.name,
            kind: self.kind.or(known.kind),
            parent: self.parent.or(known.parent),
            attributes: self.attributes.or(known.attributes),
            limits: self.limits.or(known.limits),
            ..known
        })
    }
}

/// The same words as for a customer of another tenant.
fn no_customer(id: &str) -> Problem {
    Problem::not_found(format!("there is no customer {id:?}"))
}
