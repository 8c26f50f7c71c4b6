//! Apps: whose AI traffic is metered. The platform gives them their terms; a Builder may only take those that
//! were agreed with it.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tollgate_core::catalog::{App, AppTerms, Builder, Catalog, Definition};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::defining::{self, Places, Resource};
use super::location::Location;
use super::part::{Part, only_repeated};
use super::tagged::{IfMatch, Tagged};
use super::terms::Terms;
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::Body;
use crate::extract::{Path, Query};
use crate::page::{Page, Paging};
use crate::problem::{Fault, Problem};

const PLACES: Places = Places { terms: "/terms" };

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(list_apps, create_app)).routes(routes!(read_app, replace_app))
}

/// A new app.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewApp {
    /// A stable id: the `source` of its events.
    #[schema(example = "acme-docs", min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    id: String,
    /// What a person reads.
    #[schema(example = "Acme Docs", min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    name: String,
    /// Its Builder. With a Builder's key it may be left out; with the platform's it is required.
    #[schema(example = "acme")]
    builder: Option<String>,
    /// ISO 4217 code; the price book's. Never changes.
    #[schema(example = "USD")]
    currency: String,
    /// IANA name; periods are calendar months in it. Never changes.
    #[serde(default = "utc")]
    #[schema(example = "Europe/Paris", default = "UTC")]
    time_zone: String,
    /// What it agrees with the platform. Left out, what was agreed with its Builder; a Builder's key may give
    /// no other.
    terms: Option<Terms>,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// An app's new content. What is left out stays as it is.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AppChange {
    /// May be repeated; it never changes.
    #[serde(default)]
    #[schema(value_type = String, required = false, example = "acme-docs")]
    id: Part<String>,
    /// What a person reads.
    #[schema(example = "Acme Docs", min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    name: String,
    /// May be repeated; it never changes.
    #[serde(default)]
    #[schema(value_type = String, required = false, example = "acme")]
    builder: Part<String>,
    /// May be repeated; it never changes.
    #[serde(default)]
    #[schema(value_type = String, required = false, example = "USD")]
    currency: Part<String>,
    /// May be repeated; it never changes.
    #[serde(default)]
    #[schema(value_type = String, required = false, example = "Europe/Paris")]
    time_zone: Part<String>,
    /// What it agrees with the platform from now on, all of it. Only the platform changes it, and an app always has
    /// some.
    #[serde(default)]
    #[schema(value_type = Terms, required = false)]
    terms: Part<Terms>,
    /// May be repeated; it follows from the app's tariffs.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "acme-docs-2026")]
    default_tariff: Part<String>,
}

/// An app.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = App)]
struct AppBody {
    /// A stable id: the `source` of its events.
    #[schema(example = "acme-docs")]
    id: String,
    /// What a person reads.
    #[schema(example = "Acme Docs")]
    name: String,
    /// Its Builder.
    #[schema(example = "acme")]
    builder: String,
    /// ISO 4217 code of all its money.
    #[schema(example = "USD")]
    currency: String,
    /// IANA name; periods are calendar months in it.
    #[schema(example = "Europe/Paris")]
    time_zone: String,
    /// What it agreed with the platform.
    terms: Terms,
    /// The tariff in force now for customers without one of their own; null if there is none.
    #[schema(example = "acme-docs-2026")]
    default_tariff: Option<String>,
}

impl AppBody {
    fn of(catalog: &Catalog, app: &App) -> Self {
        let now = Timestamp::now().as_millisecond();
        // A customer without a name has no tariff of its own.
        let default_tariff = catalog.timeline(&app.id, "").in_force(now).map(|tariff| tariff.id.clone());
        Self {
            id: app.id.clone(),
            name: app.name.clone(),
            builder: app.builder.clone(),
            currency: app.currency.clone(),
            time_zone: app.time_zone.clone(),
            terms: (&app.terms).into(),
            default_tariff,
        }
    }
}

impl Resource for App {
    fn definition(&self) -> Definition {
        Definition::App(self.clone())
    }

    fn location(&self) -> Location {
        Location::below("/v1/apps", &self.id)
    }

    fn told(&self, catalog: &Catalog, status: StatusCode) -> Result<Tagged, Problem> {
        Tagged::of(status, &AppBody::of(catalog, self))
    }
}

/// Whose apps.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// Only this Builder's.
    #[param(example = "acme")]
    builder: Option<String>,
}

/// Create an app
///
/// The platform gives any terms. A Builder's key creates an app by the terms that the platform agreed with the
/// Builder for new apps. The same again changes nothing and is answered 200.
#[utoipa::path(
    post, path = "/v1/apps", tag = "Apps",
    request_body(content = NewApp, example = json!({"id": "acme-docs", "name": "Acme Docs", "builder": "acme",
        "currency": "USD", "time_zone": "Europe/Paris", "terms": {"platform_share": "0.20",
        "surcharge_max": "1000", "price_book": "network", "cost_authority": "reported"}})),
    responses(
        (status = 201, description = "Created.", body = AppBody),
        (status = 200, description = "It is there already, the very same.", body = AppBody),
        (status = 403, description = "The terms are not those agreed with the Builder, or none are."),
        (status = 404, description = "There is no such Builder, or not for this key to see."),
        (status = 409, description = "The id is taken, or has other content."),
    ),
)]
async fn create_app(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Body(new): Body<NewApp>,
) -> Result<Tagged, Problem> {
    let rules = backend.rules();
    let builder = match new.builder.as_deref().or(caller.own_builder()?) {
        Some(builder) => caller.builder(&rules, builder)?,
        None => return Err(required("/builder", "is required with a platform key: whose app is it?")),
    };
    let known = rules.catalog().app(&new.id).filter(|app| app.builder == builder.id);
    let terms = agreed(&caller, builder, known.map(|app| &app.terms), new.terms)?;
    let NewApp { id, name, currency, time_zone, .. } = new;
    let app = App { id, name, builder: builder.id.clone(), currency, time_zone, terms };
    let create = move |engine: &_| defining::create(engine, &app, PLACES, |catalog| refusal(catalog, &app));
    backend.call(create).await
}

/// Why an app cannot be created under its id. Of another Builder's app nothing is told.
fn refusal(catalog: &Catalog, app: &App) -> Option<Problem> {
    let known = catalog.app(&app.id)?;
    Some(if known.builder == app.builder {
        defining::taken("app", &app.id)
    } else {
        Problem::conflict(format!("the id {:?} is taken: choose another", app.id))
    })
}

/// The terms of an app that is to be created.
fn agreed(
    caller: &Caller,
    builder: &Builder,
    known: Option<&AppTerms>,
    given: Option<Terms>,
) -> Result<AppTerms, Problem> {
    let agreed = known.or(builder.app_terms.as_ref());
    if caller.scope().is_platform() {
        let terms = given.map(AppTerms::from).or_else(|| agreed.cloned());
        return terms.ok_or_else(|| required("/terms", "is required: no terms are agreed with the Builder"));
    }
    let Some(agreed) = agreed else {
        return Err(Problem::forbidden(
            "no terms are agreed with this Builder for new apps: the platform must agree some, or create the app",
        ));
    };
    only_as_agreed(given.as_ref(), agreed)?;
    Ok(agreed.clone())
}

/// A Builder's key may repeat the terms, not change them.
fn only_as_agreed(given: Option<&Terms>, agreed: &AppTerms) -> Result<(), Problem> {
    let Some(field) = given.and_then(|given| given.difference(agreed)) else { return Ok(()) };
    let detail =
        format!("terms.{field} is not what was agreed: only a platform key may change an app's terms");
    let fault = Fault::at(format!("/terms/{field}"), "is not what was agreed; leave terms out");
    Err(Problem::forbidden(detail).with_errors(vec![fault]))
}

fn required(pointer: &str, message: &str) -> Problem {
    Problem::invalid(vec![Fault::at(pointer, message)])
}

/// List apps
#[utoipa::path(
    get, path = "/v1/apps", tag = "Apps", params(Whose, Paging),
    responses((status = 200, description = "A page, by id.", body = Page<AppBody>)),
)]
async fn list_apps(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Query(whose): Query<Whose>,
    paging: Paging,
) -> Result<Json<Page<AppBody>>, Problem> {
    caller.manager()?;
    let rules = backend.rules();
    let catalog = rules.catalog();
    let builder = whose.builder.as_deref().map(|id| caller.builder(&rules, id)).transpose()?;
    let after: Option<String> = paging.after()?;
    let found = catalog.apps().filter(|app| {
        caller.scope().manages_builder(&app.builder)
            && builder.is_none_or(|builder| app.builder == builder.id)
            && after.as_ref().is_none_or(|after| app.id > *after)
    });
    let page = Page::cut(found, &paging, |app| app.id.clone())?;
    Ok(Json(page.map(|app| AppBody::of(catalog, app))))
}

/// Read an app
#[utoipa::path(
    get, path = "/v1/apps/{id}", tag = "Apps",
    params(("id" = String, Path, description = "The app's id.", example = "acme-docs")),
    responses((status = 200, description = "The app.", body = AppBody)),
)]
async fn read_app(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Tagged, Problem> {
    let rules = backend.rules();
    caller.app(&rules, &id)?.told(rules.catalog(), StatusCode::OK)
}

/// Replace an app
///
/// A Builder's key changes the name; only the platform changes the terms. Terms that are left out stay as they are, and
/// what was read can be sent back. Charges keep the terms they were made by.
#[utoipa::path(
    put, path = "/v1/apps/{id}", tag = "Apps",
    params(("id" = String, Path, description = "The app's id.", example = "acme-docs")),
    request_body(content = AppChange, example = json!({"name": "Acme Documents"})),
    responses(
        (status = 200, description = "As it is now.", body = AppBody),
        (status = 403, description = "Only a platform key changes the terms."),
    ),
)]
async fn replace_app(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    if_match: IfMatch,
    Body(change): Body<AppChange>,
) -> Result<Tagged, Problem> {
    caller.app(&backend.rules(), &id)?;
    let there = move |catalog: &Catalog| {
        let app = catalog.app(&id).map(|app| App::clone(app));
        app.ok_or_else(|| Problem::not_found(format!("there is no app {id:?}")))
    };
    let change = move |catalog: &Catalog, known| change.clone().made_from(known, catalog, &caller);
    backend.call(move |engine| defining::replace(engine, PLACES, &if_match, there, change)).await
}

impl AppChange {
    fn made_from(self, known: App, catalog: &Catalog, caller: &Caller) -> Result<App, Problem> {
        let there = AppBody::of(catalog, &known);
        only_repeated([
            ("/id", &self.id, Some(&there.id)),
            ("/builder", &self.builder, Some(&there.builder)),
            ("/currency", &self.currency, Some(&there.currency)),
            ("/time_zone", &self.time_zone, Some(&there.time_zone)),
            ("/default_tariff", &self.default_tariff, there.default_tariff.as_deref()),
        ])?;
        let terms = match self.terms {
            Part::LeftOut => known.terms,
            Part::Null => {
                return Err(required("/terms", "is null: an app has terms; leave them out to keep them"));
            }
            Part::Said(terms) => {
                if !caller.scope().is_platform() {
                    only_as_agreed(Some(&terms), &known.terms)?;
                }
                terms.into()
            }
        };
        Ok(App { name: self.name, terms, ..known })
    }
}
