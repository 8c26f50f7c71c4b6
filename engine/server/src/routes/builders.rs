//! Builders: who owns apps and plugins. Only the platform makes them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tollgate_core::catalog::{AppTerms, Builder, Catalog, Definition};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::defining::{self, Places, Resource};
use super::location::Location;
use super::part::{Part, only_repeated};
use super::payout_terms::Payouts;
use super::publishers::{PublisherBody, publishers_of};
use super::tagged::{IfMatch, Tagged};
use super::terms::Terms;
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::Body;
use crate::extract::Path;
use crate::page::{Page, Paging};
use crate::problem::Problem;

const PLACES: Places = Places { terms: "/app_terms" };

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::default().routes(routes!(list, create)).routes(routes!(read, replace))
}

/// A Builder.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Builder)]
pub(super) struct BuilderBody {
    /// A stable id.
    #[schema(example = "acme", min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    id: String,
    /// What a person reads.
    #[schema(example = "Acme Apps", min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    name: String,
    /// What the platform agreed with it for new apps; without it only the platform creates its apps.
    #[serde(default)]
    app_terms: Option<Terms>,
    /// What the platform agreed with it about payouts.
    #[serde(default)]
    payouts: Payouts,
    /// Whose plugins it takes in. With none, those of anybody who has its key.
    #[serde(default)]
    #[schema(max_items = 64)]
    publishers: Vec<PublisherBody>,
}

/// A Builder's new content. What is left out stays as it is; null takes it away.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BuilderChange {
    /// May be repeated; it never changes.
    #[serde(default)]
    #[schema(value_type = String, required = false, example = "acme")]
    id: Part<String>,
    /// What a person reads.
    #[schema(example = "Acme Apps", min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    name: String,
    /// What the platform agreed with it for new apps; null: only the platform creates its apps.
    #[serde(default)]
    #[schema(value_type = Option<Terms>)]
    app_terms: Part<Terms>,
    /// What the platform agreed with it about payouts, all of it; null: nothing.
    #[serde(default)]
    #[schema(value_type = Option<Payouts>)]
    payouts: Part<Payouts>,
    /// Whose plugins it takes in, all of them; null: those of anybody who has its key. What a publisher who is taken
    /// away has published stays.
    #[serde(default)]
    #[schema(value_type = Option<Vec<PublisherBody>>, max_items = 64)]
    publishers: Part<Vec<PublisherBody>>,
}

impl From<&Builder> for BuilderBody {
    fn from(builder: &Builder) -> Self {
        Self {
            id: builder.id.clone(),
            name: builder.name.clone(),
            app_terms: builder.app_terms.as_ref().map(Terms::from),
            payouts: (&builder.payouts).into(),
            publishers: builder.publishers.iter().map(PublisherBody::from).collect(),
        }
    }
}

impl Resource for Builder {
    fn definition(&self) -> Definition {
        Definition::Builder(self.clone())
    }

    fn location(&self) -> Location {
        Location::below("/v1/builders", &self.id)
    }

    fn told(&self, _: &Catalog, status: StatusCode) -> Result<Tagged, Problem> {
        Tagged::of(status, &BuilderBody::from(self))
    }
}

/// Create a Builder
///
/// For the platform. The same again changes nothing and is answered 200.
#[utoipa::path(
    post, path = "/v1/builders", tag = "Builders", operation_id = "create_builder",
    request_body(content = BuilderBody, example = json!({"id": "acme", "name": "Acme Apps", "app_terms": {
        "platform_share": "0.20", "surcharge_max": "1000", "price_book": "network",
        "cost_authority": "reported"}})),
    responses(
        (status = 201, description = "Created.", body = BuilderBody),
        (status = 200, description = "It is there already, the very same.", body = BuilderBody),
        (status = 409, description = "The id has other content."),
    ),
)]
async fn create(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Body(body): Body<BuilderBody>,
) -> Result<Tagged, Problem> {
    caller.platform()?;
    let BuilderBody { id, name, app_terms, payouts, publishers } = body;
    let (app_terms, payouts) = (app_terms.map(AppTerms::from), payouts.into());
    let publishers = publishers_of(publishers)?;
    let builder = Builder { id, name, app_terms, payouts, publishers };
    let create = move |engine: &_| {
        let refusal =
            |catalog: &Catalog| catalog.builder(&builder.id).map(|_| defining::taken("Builder", &builder.id));
        defining::create(engine, &builder, PLACES, refusal)
    };
    backend.call(create).await
}

/// List Builders
///
/// The platform sees all of them, a Builder itself.
#[utoipa::path(
    get, path = "/v1/builders", tag = "Builders", operation_id = "list_builders", params(Paging),
    responses((status = 200, description = "A page, by id.", body = Page<BuilderBody>)),
)]
async fn list(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    paging: Paging,
) -> Result<Json<Page<BuilderBody>>, Problem> {
    caller.manager()?;
    let rules = backend.rules();
    let after: Option<String> = paging.after()?;
    let found = rules.catalog().builders().filter(|builder| caller.scope().manages_builder(&builder.id));
    let found = found.filter(|builder| after.as_ref().is_none_or(|after| builder.id > *after));
    let page = Page::cut(found, &paging, |builder| builder.id.clone())?;
    Ok(Json(page.map(BuilderBody::from)))
}

/// Read a Builder
#[utoipa::path(
    get, path = "/v1/builders/{id}", tag = "Builders", operation_id = "read_builder",
    params(("id" = String, Path, description = "The Builder's id.", example = "acme")),
    responses((status = 200, description = "The Builder.", body = BuilderBody)),
)]
async fn read(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Tagged, Problem> {
    let rules = backend.rules();
    caller.builder(&rules, &id)?.told(rules.catalog(), StatusCode::OK)
}

/// Replace a Builder
///
/// For the platform, whose key it takes to change whose plugins are taken in: a Builder's key that was stolen publishes
/// nothing. What is left out stays as it is, null takes it away, and what was read can be sent back. Apps that exist keep
/// their terms.
#[utoipa::path(
    put, path = "/v1/builders/{id}", tag = "Builders", operation_id = "replace_builder",
    params(("id" = String, Path, description = "The Builder's id.", example = "acme")),
    request_body(content = BuilderChange, example = json!({"name": "Acme Applications", "payouts": {
        "minimum": {"USD": "50"}, "hold_back_days": 7, "reserve_share": "0.05", "reserve_days": 90,
        "destination": {"to": "account", "provider": "stripe", "account": "acct_1"}}, "publishers": [{"name": "ci",
        "key": "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"}]})),
    responses((status = 200, description = "As it is now.", body = BuilderBody)),
)]
async fn replace(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    if_match: IfMatch,
    Body(change): Body<BuilderChange>,
) -> Result<Tagged, Problem> {
    caller.platform()?;
    caller.builder(&backend.rules(), &id)?;
    let there = move |catalog: &Catalog| {
        let builder = catalog.builder(&id).cloned();
        builder.ok_or_else(|| Problem::not_found(format!("there is no Builder {id:?}")))
    };
    let change = move |_: &Catalog, known| change.clone().made_from(known);
    backend.call(move |engine| defining::replace(engine, PLACES, &if_match, there, change)).await
}

impl BuilderChange {
    fn made_from(self, known: Builder) -> Result<Builder, Problem> {
        only_repeated([("/id", &self.id, Some(&known.id))])?;
        Ok(Builder {
            name: self.name,
            app_terms: self.app_terms.read(|terms| Ok(AppTerms::from(terms)))?.or(known.app_terms),
            payouts: self.payouts.or(known.payouts),
            publishers: self.publishers.read(publishers_of)?.or(known.publishers),
            id: known.id,
        })
    }
}
