//! Builders: who owns apps and plugins. Only the platform makes them.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use tollgate_core::catalog::{AppTerms, Builder, CostAuthority, Definition};
use tollgate_core::money::Amount;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::defining::{self, Places};
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
}

/// A Builder's new content; its id stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BuilderChange {
    /// What a person reads.
    #[schema(example = "Acme Apps", min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    name: String,
    /// What the platform agreed with it for new apps; left out, only the platform creates its apps.
    #[serde(default)]
    app_terms: Option<Terms>,
}

/// What an app agrees with the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Terms {
    /// The platform's share, 0 to 1, of what exceeds the network cost.
    #[serde(deserialize_with = "decimal")]
    #[schema(value_type = String, example = "0.20")]
    pub platform_share: Decimal,
    /// The most that an event's total may exceed its network cost, in the app's currency; beyond it the
    /// event is held.
    #[schema(value_type = String, example = "1000")]
    pub surcharge_max: Amount,
    /// The price book that gives events their network cost.
    #[schema(example = "network")]
    pub price_book: String,
    /// Which network cost counts where the event reports one.
    #[serde(default)]
    pub cost_authority: Authority,
}

/// Which of two network costs is charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CostAuthority)]
pub(super) enum Authority {
    /// What the event reports, where it does; else the price book's.
    #[default]
    Reported,
    /// Always the price book's.
    PriceBook,
}

/// A decimal as text, with every digit it has.
fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    Decimal::from_str_exact(&text).map_err(|_| {
        D::Error::custom(format!("{text:?} is not a decimal number: write it as a string, as in \"0.20\""))
    })
}

impl From<Terms> for AppTerms {
    fn from(terms: Terms) -> Self {
        Self {
            platform_share: terms.platform_share,
            surcharge_max: terms.surcharge_max,
            price_book: terms.price_book,
            cost_authority: match terms.cost_authority {
                Authority::Reported => CostAuthority::Reported,
                Authority::PriceBook => CostAuthority::PriceBook,
            },
        }
    }
}

impl From<&AppTerms> for Terms {
    fn from(terms: &AppTerms) -> Self {
        Self {
            platform_share: terms.platform_share,
            surcharge_max: terms.surcharge_max,
            price_book: terms.price_book.clone(),
            cost_authority: match terms.cost_authority {
                CostAuthority::Reported => Authority::Reported,
                CostAuthority::PriceBook => Authority::PriceBook,
            },
        }
    }
}

impl From<&Builder> for BuilderBody {
    fn from(builder: &Builder) -> Self {
        Self {
            id: builder.id.clone(),
            name: builder.name.clone(),
            app_terms: builder.app_terms.as_ref().map(Terms::from),
        }
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
) -> Result<(StatusCode, Json<BuilderBody>), Problem> {
    caller.platform()?;
    let BuilderBody { id, name, app_terms } = body;
    let builder = Builder { id, name, app_terms: app_terms.map(AppTerms::from) };
    let answer = BuilderBody::from(&builder);
    let status = backend.call(move |engine| {
        let id = builder.id.clone();
        defining::create(engine, &Definition::Builder(builder), PLACES, |catalog| {
            catalog.builder(&id).map(|_| defining::taken("Builder", &id))
        })
    });
    Ok((status.await?, Json(answer)))
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
) -> Result<Json<BuilderBody>, Problem> {
    Ok(Json(caller.builder(&backend.rules(), &id)?.into()))
}

/// Replace a Builder
///
/// For the platform. Apps that exist keep their terms.
#[utoipa::path(
    put, path = "/v1/builders/{id}", tag = "Builders", operation_id = "replace_builder",
    params(("id" = String, Path, description = "The Builder's id.", example = "acme")),
    request_body(content = BuilderChange, example = json!({"name": "Acme Applications"})),
    responses((status = 200, description = "As it is now.", body = BuilderBody)),
)]
async fn replace(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(change): Body<BuilderChange>,
) -> Result<Json<BuilderBody>, Problem> {
    caller.platform()?;
    let id = caller.builder(&backend.rules(), &id)?.id.clone();
    let builder = Builder { id, name: change.name, app_terms: change.app_terms.map(AppTerms::from) };
    let answer = BuilderBody::from(&builder);
    backend.call(move |engine| defining::replace(engine, &Definition::Builder(builder), PLACES)).await?;
    Ok(Json(answer))
}
