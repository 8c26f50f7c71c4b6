//! Price books: what models cost the network. The platform writes them; a Builder reads those that its apps go by.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tollgate_core::catalog::{Catalog, Definition};
use tollgate_core::price_book::{PriceBook, PriceBookFault};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::defining::{self, Places, Resource};
use super::location::Location;
use super::part::{Part, only_repeated};
use super::tagged::{IfMatch, Tagged};
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::Body;
use crate::extract::Path;
use crate::page::{Page, Paging};
use crate::problem::{Fault, Problem};

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new()
        .routes(routes!(list_price_books, create_price_book))
        .routes(routes!(read_price_book, replace_price_book))
}

/// A price book.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PriceBook)]
struct PriceBookBody {
    /// A stable id.
    #[schema(example = "network", min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    id: String,
    /// The prices, kept exactly as they are written.
    #[schema(value_type = Prices)]
    prices: Box<RawValue>,
}

/// A price book's new content.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PriceBookChange {
    /// May be repeated; it never changes.
    #[serde(default)]
    #[schema(value_type = String, required = false, example = "network")]
    id: Part<String>,
    /// The prices from now on, all of them. Charges keep the network cost they were given.
    #[schema(value_type = Prices)]
    prices: Box<RawValue>,
}

/// What a list tells of a price book.
#[derive(Debug, Serialize, ToSchema)]
struct PriceBookSummary {
    /// Its id.
    #[schema(example = "network")]
    id: String,
    /// ISO 4217 code of every price.
    #[schema(example = "USD")]
    currency: String,
}

/// What models cost the network, in one currency.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents what the core reads")]
struct Prices {
    /// ISO 4217 code of every price.
    #[schema(example = "USD")]
    currency: String,
    /// Of those that apply to an event decide, in this order: an exact route, an exact provider, the highest
    /// threshold, the latest date.
    entries: Vec<PriceEntry>,
}

/// What one model costs.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents what the core reads")]
struct PriceEntry {
    /// The model.
    #[schema(example = "claude-sonnet-4", min_length = 1)]
    model: String,
    /// Only for this provider.
    #[schema(nullable = false, min_length = 1)]
    provider: Option<String>,
    /// Only for this route; `*` or left out: any.
    #[schema(nullable = false, min_length = 1)]
    route: Option<String>,
    /// From then on: a date, which begins at midnight UTC, or a moment with its offset. Left out: always.
    #[schema(nullable = false, example = "2026-01-01", min_length = 1)]
    effective_from: Option<String>,
    /// Only when all of the event's input is above so many tokens.
    #[schema(schema_with = number)]
    above_input_tokens: Option<()>,
    /// What each measure costs.
    #[schema(min_items = 1)]
    prices: Vec<MeasurePrice>,
}

/// What one measure costs.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents what the core reads")]
struct MeasurePrice {
    /// The measure.
    #[schema(example = "input_tokens")]
    measure: String,
    /// Units of the currency for every `per` of it: a decimal string, or a number.
    #[schema(schema_with = number)]
    price: (),
    /// A whole number; 1 if left out.
    #[schema(schema_with = number)]
    per: Option<()>,
}

/// A decimal string or a JSON number; both are read exactly.
fn number() -> ObjectBuilder {
    let either = SchemaType::from_iter([Type::String, Type::Number]);
    ObjectBuilder::new().schema_type(either).examples(["0.15"])
}

/// A price book from the request's own words, so that no number loses a digit.
fn parse(prices: &RawValue) -> Result<PriceBook, Problem> {
    PriceBook::parse(prices.get()).map_err(|fault| Problem::invalid(vec![located(&fault)]))
}

/// `entries[3].prices[0].per` stands at `/prices/entries/3/prices/0/per`.
fn located(fault: &PriceBookFault) -> Fault {
    let whole = fault.field == "price book";
    let place = if whole { String::new() } else { format!("/{}", fault.field) };
    let pointer = place.replace('[', "/").replace(']', "").replace('.', "/");
    Fault::at(format!("/prices{pointer}"), format!("{}; {}", fault.problem, fault.remedy))
}

/// A price book under its id.
struct Named(String, PriceBook);

impl Resource for Named {
    fn definition(&self) -> Definition {
        Definition::PriceBook(self.0.clone(), self.1.clone())
    }

    fn location(&self) -> Location {
        Location::below("/v1/price-books", &self.0)
    }

    fn told(&self, _: &Catalog, status: StatusCode) -> Result<Tagged, Problem> {
        let Self(id, book) = self;
        let prices = RawValue::from_string(book.definition().to_owned()).map_err(|_| Problem::internal())?;
        Tagged::of(status, &PriceBookBody { id: id.clone(), prices })
    }
}

impl Named {
    fn of(catalog: &Catalog, id: &str) -> Result<Self, Problem> {
        let book = catalog.price_book(id).ok_or_else(|| no_price_book(id))?;
        Ok(Self(id.to_owned(), PriceBook::clone(book)))
    }
}

fn no_price_book(id: &str) -> Problem {
    Problem::not_found(format!("there is no price book {id:?}"))
}

/// Create a price book
///
/// For the platform. The same again changes nothing and is answered 200.
#[utoipa::path(
    post, path = "/v1/price-books", tag = "Price books",
    request_body(content = PriceBookBody, example = json!({"id": "network", "prices": {"currency": "USD",
        "entries": [{"model": "claude-sonnet-4", "prices": [
            {"measure": "input_tokens", "price": "3", "per": 1_000_000},
            {"measure": "output_tokens", "price": "15", "per": 1_000_000}]}]}})),
    responses(
        (status = 201, description = "Created.", body = PriceBookBody),
        (status = 200, description = "It is there already, the very same.", body = PriceBookBody),
        (status = 409, description = "The id has other content."),
    ),
)]
async fn create_price_book(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Body(new): Body<PriceBookBody>,
) -> Result<Tagged, Problem> {
    caller.platform()?;
    let create = move |engine: &_| {
        let new = Named(new.id, parse(&new.prices)?);
        defining::create(engine, &new, Places::default(), |catalog| {
            catalog.price_book(&new.0).map(|_| defining::taken("price book", &new.0))
        })
    };
    backend.call(create).await
}

/// The price books that a key sees: the platform's all of them (`None`), a Builder's those that its apps' terms or its own
/// name. What others were offered is not its affair.
fn shown<'c>(caller: &Caller, catalog: &'c Catalog) -> Result<Option<BTreeSet<&'c str>>, Problem> {
    let Some(builder) = caller.own_builder()? else { return Ok(None) };
    let agreed = catalog.builder(builder).and_then(|builder| builder.app_terms.as_ref());
    let terms = catalog.apps_of(builder).map(|app| &app.terms).chain(agreed);
    Ok(Some(terms.map(|terms| terms.price_book.as_str()).collect()))
}

/// List price books
///
/// The platform sees all of them, a Builder those that the terms of its apps, or its own for new apps, name.
#[utoipa::path(
    get, path = "/v1/price-books", tag = "Price books", params(Paging),
    responses((status = 200, description = "A page, by id.", body = Page<PriceBookSummary>)),
)]
async fn list_price_books(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    paging: Paging,
) -> Result<Json<Page<PriceBookSummary>>, Problem> {
    let rules = backend.rules();
    let shown = shown(&caller, rules.catalog())?;
    let after: Option<String> = paging.after()?;
    let found = rules.catalog().price_books();
    let found = found.filter(|(id, _)| {
        after.as_ref().is_none_or(|after| *id > after)
            && shown.as_ref().is_none_or(|shown| shown.contains(id.as_str()))
    });
    let page = Page::cut(found, &paging, |(id, _)| String::clone(id))?;
    let summary = |(id, book): (&String, &Arc<PriceBook>)| PriceBookSummary {
        id: id.clone(),
        currency: book.currency().into(),
    };
    Ok(Json(page.map(summary)))
}

/// Read a price book
///
/// For the platform, and for a Builder where the terms of its apps, or its own for new apps, name it.
#[utoipa::path(
    get, path = "/v1/price-books/{id}", tag = "Price books",
    params(("id" = String, Path, description = "The price book's id.", example = "network")),
    responses((status = 200, description = "The price book.", body = PriceBookBody)),
)]
async fn read_price_book(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Tagged, Problem> {
    let rules = backend.rules();
    if shown(&caller, rules.catalog())?.is_some_and(|shown| !shown.contains(&*id)) {
        return Err(no_price_book(&id));
    }
    Named::of(rules.catalog(), &id)?.told(rules.catalog(), StatusCode::OK)
}

/// Replace a price book
///
/// For the platform. What was read can be sent back. Charges keep the network cost they were given.
#[utoipa::path(
    put, path = "/v1/price-books/{id}", tag = "Price books",
    params(("id" = String, Path, description = "The price book's id.", example = "network")),
    request_body(content = PriceBookChange, example = json!({"prices": {"currency": "USD",
        "entries": [{"model": "claude-sonnet-4", "prices": [
            {"measure": "input_tokens", "price": "2.5", "per": 1_000_000}]}]}})),
    responses((status = 200, description = "As it is now.", body = PriceBookBody)),
)]
async fn replace_price_book(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    if_match: IfMatch,
    Body(change): Body<PriceBookChange>,
) -> Result<Tagged, Problem> {
    caller.platform()?;
    let there = move |catalog: &Catalog| Named::of(catalog, &id);
    let change = move |_: &Catalog, Named(id, _): Named| {
        only_repeated([("/id", &change.id, Some(&id))])?;
        Ok(Named(id, parse(&change.prices)?))
    };
    let replace = move |engine: &_| defining::replace(engine, Places::default(), &if_match, there, change);
    backend.call(replace).await
}
