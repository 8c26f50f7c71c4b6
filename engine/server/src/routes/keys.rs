//! Keys: who may ask for what. A key's secret is shown once, when it is made; no key makes one that can do
//! more than itself.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tollgate_core::access::{Key, Scope};
use tollgate_core::catalog::NAME_BYTES_MAX;
use tollgate_core::engine::Rulebook;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::charge::moment;
use super::location::Location;
use super::object::read_from_objects_and_written;
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::Body;
use crate::extract::Path;
use crate::idempotency::HoldsSecret;
use crate::keys::KeyError;
use crate::page::{Page, Paging};
use crate::problem::{Fault, Problem};

read_from_objects_and_written!(KeyScope);

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(list_keys, make_key)).routes(routes!(read_key, revoke_key))
}

/// What a key is good for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum KeyScope {
    /// Everything: for who runs Tollgate.
    Platform {},
    /// Everything of one Builder: its apps, customers, plugins, tariffs, events and earnings.
    Builder {
        /// The Builder.
        #[schema(example = "acme")]
        builder: String,
    },
    /// Sending and quoting one app's events, and reading single ones.
    AppIngest {
        /// The app.
        #[schema(example = "acme-docs")]
        app: String,
    },
    /// Reading one customer's usage, statements and events.
    CustomerRead {
        /// The app.
        #[schema(example = "acme-docs")]
        app: String,
        /// Its customer.
        #[schema(example = "legal", min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
        customer: String,
    },
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// What a person calls it.
    #[schema(
        example = "docs ingest",
        min_length = 1,
        max_length = 256,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]+$"
    )]
    name: String,
    /// What it is good for.
    scope: KeyScope,
    /// From when on it is refused: a moment to come. Left out: never.
    #[serde(default, deserialize_with = "crate::routes::moment::optional")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-11-24T00:00:00Z")]
    expires_at: Option<Timestamp>,
}

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
struct KeyBody {
    /// A stable id, which is also readable in the key itself.
    #[schema(example = "4f1c09d2a7b3")]
    id: String,
    /// What a person calls it.
    #[schema(example = "docs ingest")]
    name: String,
    /// What it is good for.
    scope: KeyScope,
    /// When it was made.
    #[schema(format = DateTime, example = "2026-11-24T19:22:39Z")]
    created_at: String,
    /// From when on it is refused; null for never.
    #[schema(format = DateTime, example = "2027-11-24T00:00:00Z")]
    expires_at: Option<String>,
    /// Since when it is refused; null while it is not.
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
    /// When it was last used, to the minute or so; null if never.
    #[schema(format = DateTime, example = "2026-11-24T20:01:00Z")]
    last_used_at: Option<String>,
}

/// A key with its secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
struct MadeKey {
    /// The key itself. Keep it: it is told nowhere else.
    #[schema(example = "tollgate_ingest_4f1c09d2a7b3_Yk3vW0m8nqXrT5uJ2bLcE7hPzA1dGfSi9oKtQwVxMyN")]
    key: String,
    /// What can be read of it later.
    #[serde(flatten)]
    about: KeyBody,
}

impl From<&Key> for KeyBody {
    fn from(key: &Key) -> Self {
        Self {
            id: key.id.clone(),
            name: key.name.clone(),
            scope: (&key.scope).into(),
            created_at: moment(key.created_at),
            expires_at: key.expires_at.map(moment),
            revoked_at: key.revoked_at.map(moment),
            last_used_at: key.last_used_at.map(moment),
        }
    }
}

impl From<&Scope> for KeyScope {
    fn from(scope: &Scope) -> Self {
        match scope.clone() {
            Scope::Platform => Self::Platform {},
            Scope::Builder { builder } => Self::Builder { builder },
            Scope::AppIngest { app } => Self::AppIngest { app },
            Scope::CustomerRead { app, customer } => Self::CustomerRead { app, customer },
        }
    }
}

impl From<KeyScope> for Scope {
    fn from(scope: KeyScope) -> Self {
        match scope {
            KeyScope::Platform {} => Self::Platform,
            KeyScope::Builder { builder } => Self::Builder { builder },
            KeyScope::AppIngest { app } => Self::AppIngest { app },
            KeyScope::CustomerRead { app, customer } => Self::CustomerRead { app, customer },
        }
    }
}

/// Make a key
///
/// The answer shows the key this once. A platform key makes any; a Builder's key makes keys of its Builder, its
/// apps and their customers. A repeated request with the same `Idempotency-Key` makes no second key, and does
/// not show the first again: it is answered 409.
#[utoipa::path(
    post, path = "/v1/keys", tag = "Keys",
    request_body(content = NewKey, example = json!({"name": "docs ingest",
        "scope": {"type": "app_ingest", "app": "acme-docs"}})),
    responses(
        (status = 201, description = "The key, shown this once.", body = MadeKey),
        (status = 403, description = "This key may make no such key."),
        (status = 404, description = "There is no such Builder or app, or not for this key to see."),
    ),
)]
async fn make_key(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Body(new): Body<NewKey>,
) -> Result<(StatusCode, Location, Extension<HoldsSecret>, Json<MadeKey>), Problem> {
    caller.manager()?;
    let NewKey { name, scope, expires_at } = new;
    let scope = Scope::from(scope);
    check_scope(&caller, &backend.rules(), &scope)?;
    check_text("/name", &name)?;
    let now = Timestamp::now();
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Problem::invalid(vec![Fault::at("/expires_at", "is past: give a moment to come")]));
    }
    let (end, now) = (expires_at.map(Timestamp::as_millisecond), now.as_millisecond());
    let keyring = Arc::clone(&backend);
    let made = backend.call(move |_| keyring.keys.make(&name, scope, end, now).map_err(not_made));
    let (key, text) = made.await?;
    let location = Location::below("/v1/keys", &key.id);
    let made = MadeKey { key: text, about: (&*key).into() };
    Ok((StatusCode::CREATED, location, Extension(HoldsSecret), Json(made)))
}

/// What a scope names must be there for the caller, and no key makes one that can do more than itself.
fn check_scope(caller: &Caller, rules: &Rulebook, scope: &Scope) -> Result<(), Problem> {
    match scope {
        Scope::Platform => {}
        Scope::Builder { builder } => drop(caller.builder(rules, builder)?),
        Scope::AppIngest { app } => drop(caller.app(rules, app)?),
        Scope::CustomerRead { app, customer } => {
            caller.app(rules, app)?;
            check_text("/scope/customer", customer)?;
        }
    }
    if caller.scope().grants(rules.catalog(), scope) {
        return Ok(());
    }
    Err(Problem::forbidden("a key makes no key that can do more than itself"))
}

fn check_text(pointer: &str, text: &str) -> Result<(), Problem> {
    if (1..=NAME_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    let message = format!("must be 1 to {NAME_BYTES_MAX} bytes without control characters");
    Err(Problem::invalid(vec![Fault::at(pointer, message)]))
}

fn not_made(error: KeyError) -> Problem {
    match error {
        KeyError::Store(error) => error.into(),
        KeyError::NoRandomness(reason) => {
            tracing::error!(reason, "no key could be made");
            Problem::internal()
        }
    }
}

/// List keys
///
/// Those that this key may make and revoke. No secret is ever among them.
#[utoipa::path(
    get, path = "/v1/keys", tag = "Keys", params(Paging),
    responses((status = 200, description = "A page, by id.", body = Page<KeyBody>)),
)]
async fn list_keys(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    paging: Paging,
) -> Result<Json<Page<KeyBody>>, Problem> {
    caller.manager()?;
    let rules = backend.rules();
    let after: Option<String> = paging.after()?;
    let keys = backend.keys.list();
    let found = keys.iter().filter(|key| caller.scope().grants(rules.catalog(), &key.scope));
    let found = found.filter(|key| after.as_ref().is_none_or(|after| key.id > *after));
    let page = Page::cut(found, &paging, |key| key.id.clone())?;
    Ok(Json(page.map(KeyBody::from)))
}

/// Read a key
///
/// Its secret is not told again.
#[utoipa::path(
    get, path = "/v1/keys/{id}", tag = "Keys",
    params(("id" = String, Path, description = "The key's id.", example = "4f1c09d2a7b3")),
    responses((status = 200, description = "The key.", body = KeyBody)),
)]
async fn read_key(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<KeyBody>, Problem> {
    Ok(Json((&granted(&backend, &caller, &id)?).into()))
}

/// A key that this one may make and revoke.
fn granted(backend: &Backend, caller: &Caller, id: &str) -> Result<Key, Problem> {
    caller.manager()?;
    let rules = backend.rules();
    let found = backend.keys.read(id).filter(|key| caller.scope().grants(rules.catalog(), &key.scope));
    found.ok_or_else(|| no_key(id))
}

fn no_key(id: &str) -> Problem {
    Problem::not_found(format!("there is no key {id:?}"))
}

/// Revoke a key
///
/// From now on it is refused. One that is revoked already stays as it is.
#[utoipa::path(
    delete, path = "/v1/keys/{id}", tag = "Keys",
    params(("id" = String, Path, description = "The key's id.", example = "4f1c09d2a7b3")),
    responses((status = 200, description = "The key, revoked.", body = KeyBody)),
)]
async fn revoke_key(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<KeyBody>, Problem> {
    let key = granted(&backend, &caller, &id)?;
    let (keyring, now) = (Arc::clone(&backend), Timestamp::now().as_millisecond());
    let revoked = backend.call(move |_| keyring.keys.revoke(&key.id, now)).await?;
    revoked.as_deref().map(|key| Json(key.into())).ok_or_else(|| no_key(&id))
}
