//! Tariffs: what prices what, from when on. They never change; a new one takes over at its moment.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tollgate_core::catalog::{Catalog, Definition, PluginOwnership, Tariff};
use tollgate_core::plugin::Digest;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::defining::{self, Places, Resource};
use super::location::Location;
use super::tagged::Tagged;
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::Body;
use crate::extract::{Path, Query};
use crate::page::{Page, Paging};
use crate::problem::{Fault, Problem};

/// The first moment that RFC 3339 can write, in milliseconds since 1970.
const FIRST_MOMENT: i64 = -62_167_219_200_000;

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(list_tariffs, create_tariff)).routes(routes!(read_tariff))
}

/// A new tariff.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTariff {
    /// A stable id.
    #[schema(
        example = "acme-docs-2026",
        min_length = 1,
        max_length = 512,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]+$"
    )]
    id: String,
    /// The app it prices.
    #[schema(example = "acme-docs")]
    app: String,
    /// The one customer it prices, if not all of the app's.
    #[schema(example = "legal", min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    customer: Option<String>,
    /// The plugin: its digest, or `name@version`, or its name if there is one version of it.
    #[schema(example = "tiered@1.2.0")]
    plugin: String,
    /// The plugin's settings, kept exactly as they are written.
    #[schema(value_type = Object, example = json!({"price": "0.05"}))]
    settings: Box<RawValue>,
    /// When it takes effect. Left out: now.
    #[serde(default, deserialize_with = "crate::routes::moment::optional")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-01T00:00:00Z")]
    effective_from: Option<Timestamp>,
}

/// A tariff in its place among those of the same app or customer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tariff)]
struct TariffBody {
    /// A stable id.
    #[schema(example = "acme-docs-2026")]
    id: String,
    /// The app it prices.
    #[schema(example = "acme-docs")]
    app: String,
    /// The one customer it prices; null for all that have no tariff of their own.
    #[schema(example = "legal")]
    customer: Option<String>,
    /// The digest of the plugin that prices.
    #[schema(example = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    plugin: String,
    /// As the plugin calls itself.
    #[schema(example = "tiered")]
    plugin_name: String,
    /// The plugin's own version.
    #[schema(example = "1.2.0")]
    plugin_version: String,
    /// The plugin's settings, exactly as they were written.
    #[schema(value_type = Object, example = json!({"price": "0.05"}))]
    settings: Box<RawValue>,
    /// When it takes effect; null if it always was in force.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-01T00:00:00Z")]
    effective_from: Option<Timestamp>,
    /// When the next one of the same app or customer takes over; null if none does.
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-01-01T00:00:00Z")]
    effective_until: Option<Timestamp>,
}

/// A tariff, and when the next one takes over, in milliseconds since 1970.
type Reign<'c> = (&'c Arc<Tariff>, Option<i64>);

impl TariffBody {
    fn of(catalog: &Catalog, (tariff, until): Reign<'_>) -> Result<Self, Problem> {
        let moment = |milliseconds: i64| Timestamp::from_millisecond(milliseconds).ok();
        let builder = catalog.app(&tariff.app).map(|app| app.builder.as_str()).unwrap_or_default();
        // No tariff is taken in without its plugin.
        let plugin = catalog.plugin(&tariff.plugin, builder).ok_or_else(Problem::internal)?;
        Ok(Self {
            id: tariff.id.clone(),
            app: tariff.app.clone(),
            customer: tariff.customer.clone(),
            plugin: tariff.plugin.to_string(),
            plugin_name: plugin.name.clone(),
            plugin_version: plugin.version.clone(),
            settings: RawValue::from_string(tariff.settings.clone()).map_err(|_| Problem::internal())?,
            effective_from: moment(tariff.effective_from),
            effective_until: until.and_then(moment),
        })
    }
}

impl Resource for Tariff {
    fn definition(&self) -> Definition {
        Definition::Tariff(self.clone())
    }

    fn location(&self) -> Location {
        Location::below("/v1/tariffs", &self.id)
    }

    fn told(&self, catalog: &Catalog, status: StatusCode) -> Result<Tagged, Problem> {
        let mut reigns = history(catalog, &self.app, self.customer.as_deref()).into_iter();
        let reign = reigns.find(|(known, _)| known.id == self.id).ok_or_else(Problem::internal)?;
        Tagged::of(status, &TariffBody::of(catalog, reign)?)
    }
}

/// The tariffs of an app's default, or of one customer, the latest first.
fn history<'c>(catalog: &'c Catalog, app: &str, customer: Option<&str>) -> Vec<Reign<'c>> {
    let mut until = None;
    let latest_first = catalog.bound_to(app, customer).iter().rev();
    latest_first.map(|tariff| (tariff, until.replace(tariff.effective_from))).collect()
}

/// The plugin that a tariff names, among those that its Builder may use.
fn resolve(catalog: &Catalog, builder: &str, named: &str) -> Result<Digest, Problem> {
    let refuse = |message: String| Problem::invalid(vec![Fault::at("/plugin", message)]);
    let with_version = |plugin: &PluginOwnership| format!("{}@{}", plugin.name, plugin.version);
    let by_digest: Option<Digest> = named.parse().ok();
    let candidates: BTreeMap<Digest, String> = catalog
        .plugins(Some(builder))
        .filter(|plugin| {
            Some(plugin.digest) == by_digest || plugin.name == named || with_version(plugin) == named
        })
        .map(|plugin| (plugin.digest, with_version(plugin)))
        .collect();
    let mut found = candidates.keys();
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(*only),
        (None, _) => {
            Err(refuse(format!("there is no plugin {named:?} that this app may use: upload it first")))
        }
        _ => {
            let list: Vec<_> = candidates.iter().map(|(digest, name)| format!("{name} ({digest})")).collect();
            Err(refuse(format!("{named:?} is several plugins; name one of {}", list.join(", "))))
        }
    }
}

/// Create a tariff
///
/// The settings are checked by the plugin's schema, then by the plugin itself; what is wrong is pointed at below
/// `/settings`. A tariff never changes. The same again changes nothing and is answered 200.
#[utoipa::path(
    post, path = "/v1/tariffs", tag = "Tariffs",
    request_body(content = NewTariff, example = json!({"id": "acme-docs-2026", "app": "acme-docs",
        "plugin": "tiered@1.2.0", "settings": {"price": "0.05"}, "effective_from": "2026-11-01T00:00:00Z"})),
    responses(
        (status = 201, description = "Created.", body = TariffBody),
        (status = 200, description = "It is there already, the very same.", body = TariffBody),
        (status = 404, description = "There is no such app, or not for this key to see."),
        (status = 409, description = "The id is taken by another tariff."),
        (status = 422, description = "There is no such plugin, or the settings are wrong: `errors` says where."),
    ),
)]
async fn create_tariff(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Body(new): Body<NewTariff>,
) -> Result<Tagged, Problem> {
    let rules = backend.rules();
    let app = caller.app(&rules, &new.app)?;
    let plugin = resolve(rules.catalog(), &app.builder, &new.plugin)?;
    let tariff = tariff(rules.catalog(), new, plugin)?;
    backend.call(move |engine| defining::create(engine, &tariff, Places::default(), |_| None)).await
}

/// The tariff that is asked for. One that is there already keeps its moment where none is given, so that asking
/// again is asking for the same.
fn tariff(catalog: &Catalog, new: NewTariff, plugin: Digest) -> Result<Tariff, Problem> {
    let refuse = |pointer: &str, message: &str| Err(Problem::invalid(vec![Fault::at(pointer, message)]));
    if !new.settings.get().starts_with('{') {
        return refuse("/settings", "must be an object");
    }
    let known = catalog.tariff(&new.id).map(|known| known.effective_from);
    let given = new.effective_from.map(Timestamp::as_millisecond);
    if given.is_some_and(|given| given < FIRST_MOMENT) {
        return refuse("/effective_from", "must not be before the year 0");
    }
    let effective_from = given.or(known).unwrap_or_else(|| Timestamp::now().as_millisecond());
    let NewTariff { id, app, customer, settings, .. } = new;
    Ok(Tariff { id, app, customer, plugin, settings: settings.get().to_owned(), effective_from })
}

/// Whose tariffs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// The app.
    #[param(example = "acme-docs")]
    app: String,
    /// Only this customer's own.
    #[param(example = "legal")]
    customer: Option<String>,
}

/// List an app's tariffs
///
/// The history of what priced what, when: first the app's default, then each customer's own, of each the one that
/// takes effect last first.
#[utoipa::path(
    get, path = "/v1/tariffs", tag = "Tariffs", params(Whose, Paging),
    responses((status = 200, description = "A page.", body = Page<TariffBody>)),
)]
async fn list_tariffs(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Query(whose): Query<Whose>,
    paging: Paging,
) -> Result<Json<Page<TariffBody>>, Problem> {
    let rules = backend.rules();
    let catalog = rules.catalog();
    let app = caller.app(&rules, &whose.app)?;
    let of_app = catalog.tariffs().filter(|tariff| tariff.app == app.id);
    let mut owners: BTreeSet<Option<&str>> = of_app.map(|tariff| tariff.customer.as_deref()).collect();
    if let Some(customer) = &whose.customer {
        owners = BTreeSet::from([Some(customer.as_str())]);
    }
    let all = owners.into_iter().flat_map(|owner| history(catalog, &app.id, owner));
    let after: Option<String> = paging.after()?;
    let mut waiting = after.is_some();
    let found = all.filter(|(tariff, _)| {
        let is_past = !waiting;
        waiting &= after.as_ref() != Some(&tariff.id);
        is_past
    });
    let page = Page::cut(found, &paging, |(tariff, _)| tariff.id.clone())?;
    let data = page.data.into_iter().map(|reign| TariffBody::of(catalog, reign)).collect::<Result<_, _>>()?;
    Ok(Json(Page { data, next_cursor: page.next_cursor }))
}

/// Read a tariff
#[utoipa::path(
    get, path = "/v1/tariffs/{id}", tag = "Tariffs",
    params(("id" = String, Path, description = "The tariff's id.", example = "acme-docs-2026")),
    responses((status = 200, description = "The tariff.", body = TariffBody)),
)]
async fn read_tariff(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Tagged, Problem> {
    caller.manager()?;
    let rules = backend.rules();
    let catalog = rules.catalog();
    let found = catalog.tariff(&id).filter(|tariff| caller.scope().manages_app(catalog, &tariff.app));
    let tariff = found.ok_or_else(|| Problem::not_found(format!("there is no tariff {id:?}")))?;
    tariff.told(catalog, StatusCode::OK)
}
