//! The interface's own description: the `OpenAPI` document, and the page that renders it.
//!
//! Routes describe themselves. Here stands what is the same for all of them: the title, the key, and what the
//! layers around a route take and answer.

mod examples;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response as Answer};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, Content, Header, HeaderBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Required, Response,
    ResponseBuilder,
};
use utoipa::{Modify, OpenApi as _};

use crate::backend::Backend;
use crate::idempotency;
use crate::problem::{Fault, MEDIA_TYPE, ProblemDocument};
use crate::routes::tagged::TAGGED;

/// The page: one file, without anything from elsewhere.
const REFERENCE: &str = include_str!("openapi/reference.html");

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Tollgate",
        description = "Prices metered AI traffic by plugins: an event goes in, an exact charge comes out.\n\n\
            Every request carries a key: `Authorization: Bearer tollgate_…` (but for payment providers' messages, \
            which are signed). Decimals and money are strings, \
            times are RFC 3339 in UTC, lists come in pages (`limit`, `cursor`), refusals are problems \
            (RFC 9457), and `/problems` explains each kind. A write that carries an `Idempotency-Key` is done once and answered alike for a day. \
            What can be replaced has an `ETag`, and is replaced only from the state that `If-Match` names. \
            What belongs to another tenant is answered as if it were not there.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(ProblemDocument, Fault)),
    security(("key" = [])),
    modifiers(&Key),
    tags(
        (name = "Builders", description = "Who owns apps and plugins, and is paid out."),
        (name = "Apps", description = "Applications whose AI traffic is metered; an event's `source`."),
        (name = "Customers", description = "Who an app charges; an event's `subject`."),
        (name = "Price books", description = "What models cost the network."),
        (name = "Plugins", description = "WebAssembly components that price."),
        (name = "Tariffs", description = "A plugin with its settings, bound to an app or a customer."),
        (name = "Events", description = "What happened and what it costs: record, explain, take back."),
        (name = "Quotes", description = "What an event would cost now, without recording it."),
        (name = "Authorizations", description = "May an event run? Reserves its money, before it does."),
        (name = "Wallets", description = "What customers have paid, were granted, and may owe."),
        (name = "Payments", description = "Money from customers, and back."),
        (name = "Payouts", description = "What Builders are paid."),
        (name = "Providers", description = "Who moves money, and who ran the inference: messages, settlements, \
            reconciliation."),
        (name = "Usage", description = "What customers used."),
        (name = "Statements", description = "What customers owe for a period, and closing it."),
        (name = "Earnings", description = "What Builders earn."),
        (name = "Held events", description = "Events that could not be priced, and trying them again."),
        (name = "Webhooks", description = "Telling others what happened: endpoints, deliveries, notices."),
        (name = "Keys", description = "Who may ask for what."),
        (name = "Operating", description = "What whoever runs the server watches."),
    ),
)]
struct Description;

/// How a request says whose it is.
struct Key;

impl Modify for Key {
    fn modify(&self, api: &mut OpenApi) {
        let scheme =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("tollgate_<kind>_<id>_<secret>");
        let scheme = scheme.description(Some(
            "A key of the platform, a Builder, an app (sends events) or a customer (reads its own).",
        ));
        let components = api.components.get_or_insert_with(Components::new);
        components.add_security_scheme("key", SecurityScheme::Http(scheme.build()));
    }
}

/// The document without any route yet.
pub(crate) fn description() -> OpenApi {
    Description::openapi()
}

/// Adds to every operation what the layers around it take and answer, whatever it does. What a route says itself
/// of a status stays.
pub(crate) fn add_layers(api: &mut OpenApi) {
    let read: BTreeSet<String> = api.paths.paths.iter().filter_map(collection_of).collect();
    for (path, item) in &mut api.paths.paths {
        let PathItem { get, put, post, delete, .. } = item;
        if let Some(operation) = post.as_mut().filter(|_| read.contains(path)) {
            add_location_to(operation);
        }
        let of_tagged =
            |tagged: &str| path.strip_prefix(tagged).is_some_and(|rest| rest.is_empty() || rest == "/{id}");
        if TAGGED.into_iter().any(of_tagged) {
            let told =
                if path.ends_with("/{id}") { [get.as_mut(), put.as_mut()] } else { [None, post.as_mut()] };
            told.into_iter().flatten().for_each(add_tag_to);
            put.iter_mut().for_each(add_condition_to);
        }
        let reads = get.iter_mut().map(|operation| (operation, false));
        let writes = [put, post, delete].into_iter().flatten();
        let writes = writes.map(|operation| (operation, path != idempotency::QUOTES));
        for (operation, is_done_once) in reads.chain(writes) {
            if is_done_once && operation.security.is_none() {
                add_idempotency_to(operation);
            }
            add_problems_to(operation);
            add_headers_to(operation);
        }
    }
}

/// Where the resources of a path that reads one are created.
fn collection_of((path, item): (&String, &PathItem)) -> Option<String> {
    let (collection, last) = path.rsplit_once('/')?;
    (item.get.is_some() && last.starts_with('{')).then(|| collection.to_owned())
}

fn add_location_to(operation: &mut Operation) {
    if let Some(RefOr::T(created)) = operation.responses.responses.get_mut("201") {
        created.headers.insert("Location".to_owned(), described("Where it can be read.", Type::String));
    }
}

fn add_tag_to(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with('2')
        {
            let tag = described("Tells this state of it from every other: for `If-Match`.", Type::String);
            response.headers.insert("ETag".to_owned(), tag);
        }
    }
}

fn add_condition_to(operation: &mut Operation) {
    let parameter = ParameterBuilder::new()
        .name("If-Match")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Replaces it only while its `ETag` is this, or one of these; else it is answered 412.",
        ))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .example(Some("\"5d41402abc4b2a76b9719d911017c592\"".into()))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
    let mut changed = problem("It has been changed since: read it again, and send its `ETag`.");
    changed.headers.insert("ETag".to_owned(), described("The present one.", Type::String));
    operation.responses.responses.insert("412".to_owned(), changed.into());
}

fn add_idempotency_to(operation: &mut Operation) {
    let key =
        ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255)).build();
    let parameter = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Names this request: for a day, the same request with the same key is done once and answered alike.",
        ))
        .schema(Some(key))
        .example(Some("5f2c6a0e-close-november".into()))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
    for (status, description) in [
        ("409", "It contradicts what is there, or the same request is being answered right now."),
        ("422", "The request is wrong, as `errors` says, or its `Idempotency-Key` was another request's."),
    ] {
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert_with(|| problem(description).into());
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with('2')
        {
            let replayed =
                described("`true` when this is the kept answer to an earlier request.", Type::String);
            response.headers.insert("Idempotency-Replayed".to_owned(), replayed);
        }
    }
}

fn add_headers_to(operation: &mut Operation) {
    let has_key = operation.security.is_none();
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let mut add = |name: &str, description: &str, kind: Type| {
            response.headers.insert(name.to_owned(), described(description, kind));
        };
        add(
            "X-Request-Id",
            "The request's id, as in the server's log: the one sent, or a new one.",
            Type::String,
        );
        if has_key && !["401", "403"].contains(&status.as_str()) {
            add("RateLimit-Limit", "How many requests the key may send at once.", Type::Integer);
            add("RateLimit-Remaining", "How many of them are left now.", Type::Integer);
            add("RateLimit-Reset", "In how many seconds all of them are there again.", Type::Integer);
        }
        if ["429", "503"].contains(&status.as_str()) {
            add("Retry-After", "In how many seconds to ask again.", Type::Integer);
        }
    }
}

fn described(description: &str, kind: Type) -> RefOr<Header> {
    let schema = ObjectBuilder::new().schema_type(kind).build();
    RefOr::T(HeaderBuilder::new().description(Some(description)).schema(Some(schema)).build())
}

fn add_problems_to(operation: &mut Operation) {
    let is_asked = |given: &RefOr<Parameter>| !matches!(given, RefOr::T(given) if given.parameter_in == ParameterIn::Header);
    let has_parameters = operation.parameters.iter().flatten().any(is_asked);
    let has_body = operation.request_body.is_some();
    // One that says itself who may ask has no key, and is not counted by key.
    let has_key = operation.security.is_none();
    let always = [
        ("400", "The request cannot be read."),
        ("401", "There is no valid key."),
        ("403", "This kind of key does not reach so far."),
        ("429", "The key asks too often, or too much is waiting: come back after `Retry-After`."),
        ("500", "The server made a mistake."),
        ("503", "Not now; sending it again is safe."),
        ("504", "It took too long; sending it again is safe."),
    ];
    let with_parameters = [
        ("404", "It is not there, or not for this key to see."),
        ("422", "The request can be read and is wrong: `errors` says where."),
    ];
    let with_body = [
        ("408", "The body did not arrive in time."),
        ("413", "The body is too large."),
        ("415", "The body's type or encoding is not supported."),
        ("422", "The request can be read and is wrong: `errors` says where."),
    ];
    let always = always.into_iter().filter(|(status, _)| has_key || !["401", "403", "429"].contains(status));
    let with_parameters = with_parameters.into_iter().filter(|_| has_parameters);
    let with_body = with_body.into_iter().filter(|_| has_body);
    for (status, description) in always.chain(with_parameters).chain(with_body) {
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert_with(|| problem(description).into());
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
        {
            // A route may name a refusal by its status and words alone.
            response.content.entry(MEDIA_TYPE.to_owned()).or_insert_with(|| RefOr::T(document()));
        }
    }
}

fn problem(description: &str) -> Response {
    ResponseBuilder::new().description(description).build()
}

fn document() -> Content {
    Content::new(Some(Ref::from_schema_name("Problem")))
}

/// `/openapi.json`, and `/docs` for people. Neither needs a key: they tell nothing of any tenant.
pub(crate) fn router(api: &OpenApi) -> Router<Arc<Backend>> {
    let mut document = serde_json::to_value(api).unwrap_or_default();
    examples::complete(&mut document);
    let json: Bytes = document.to_string().into();
    let policy = policy(REFERENCE);
    Router::new()
        .route("/openapi.json", get(move || async move { document_answer(json) }))
        .route("/docs", get(move || async move { page(policy) }))
        .route("/", get(|| async { Redirect::temporary("/docs") }))
}

fn document_answer(json: Bytes) -> Answer {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], json).into_response()
}

fn page(policy: Option<HeaderValue>) -> Answer {
    const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
    const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
    const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
    // Without a policy nothing may run at all.
    let policy = policy.unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_TYPE, HTML),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, NOSNIFF),
        (header::REFERRER_POLICY, NO_REFERRER),
    ];
    (headers, REFERENCE).into_response()
}

/// Lets the page's own style and script run, by their digests, and ask this server; nothing else.
fn policy(page: &str) -> Option<HeaderValue> {
    let digest_of = |tag: &str| {
        let (_, rest) = page.split_once(&format!("<{tag}>"))?;
        let (text, _) = rest.split_once(&format!("</{tag}>"))?;
        Some(STANDARD.encode(Sha256::digest(text)))
    };
    let (style, script) = (digest_of("style")?, digest_of("script")?);
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    );
    HeaderValue::from_str(&policy).ok()
}
