//! Who is asking: the key of a request, and what it lets its bearer see.
//!
//! The rules are the core's ([`Scope`]). Here they become answers: 401 without a valid key, 403 where no key
//! of this kind may go, 404 for what belongs to somebody else, as if it were not there.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tollgate_core::access::{Key, Scope};
use tollgate_core::catalog::{App, Builder};
use tollgate_core::engine::Rulebook;

use crate::backend::Backend;
use crate::keys;
use crate::limits::KeyId;
use crate::problem::Problem;
use crate::telemetry::Asker;

/// The bearer of a valid key. Routes take it as an argument; without it there is no way to their answers.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Key>);

/// A layer: lets nobody through without a valid key in `Authorization: Bearer`.
pub async fn authenticate(State(backend): State<Arc<Backend>>, mut request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(text) = given.and_then(bearer) else {
        let detail = "give a key, as in: Authorization: Bearer tollgate_builder_…";
        return Problem::unauthorized(detail).into_response();
    };
    if let (Some(asker), Some(id)) = (request.extensions().get::<Asker>(), keys::id_in(text)) {
        asker.is(id);
    }
    let now = Timestamp::now().as_millisecond();
    match backend.keys.recognise(text, now) {
        Err(refused) => Problem::unauthorized(refused.to_string()).into_response(),
        Ok(key) => {
            request.extensions_mut().insert(KeyId(Arc::from(&*key.id)));
            request.extensions_mut().insert(Caller(key));
            next.run(request).await
        }
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, text) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| text.trim())
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // A route that is not behind `authenticate` must not answer.
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::internal)
    }
}

impl Caller {
    /// The key's public id.
    pub fn key_id(&self) -> &str {
        &self.0.id
    }

    /// What the key is good for.
    pub fn scope(&self) -> &Scope {
        &self.0.scope
    }

    /// Only for who runs Tollgate.
    ///
    /// # Errors
    /// 403 for any other.
    pub fn platform(&self) -> Result<(), Problem> {
        if self.scope().is_platform() {
            return Ok(());
        }
        Err(Problem::forbidden("only a platform key may do this"))
    }

    /// Only for the platform and Builders, whichever: what follows must still be of the right one.
    ///
    /// # Errors
    /// 403 for keys of apps and customers.
    pub fn manager(&self) -> Result<(), Problem> {
        match self.scope() {
            Scope::Platform | Scope::Builder { .. } => Ok(()),
            Scope::AppIngest { .. } | Scope::CustomerRead { .. } => {
                Err(Problem::forbidden("only a platform key or a Builder's key may do this"))
            }
        }
    }

    /// The Builder whose key it is; `None` for the platform's.
    ///
    /// # Errors
    /// 403 for keys of apps and customers.
    pub fn own_builder(&self) -> Result<Option<&str>, Problem> {
        self.manager()?;
        Ok(match self.scope() {
            Scope::Builder { builder } => Some(builder),
            _ => None,
        })
    }

    /// A Builder that this key manages.
    ///
    /// # Errors
    /// 403 for keys of apps and customers, 404 when there is no such Builder or it is another one.
    pub fn builder<'r>(&self, rules: &'r Rulebook, id: &str) -> Result<&'r Builder, Problem> {
        self.manager()?;
        let found = rules.catalog().builder(id).filter(|_| self.scope().manages_builder(id));
        found.ok_or_else(|| Problem::not_found(format!("there is no Builder {id:?}")))
    }

    /// An app that this key manages.
    ///
    /// # Errors
    /// 403 for keys of apps and customers, 404 when there is no such app or it is another Builder's.
    pub fn app<'r>(&self, rules: &'r Rulebook, id: &str) -> Result<&'r Arc<App>, Problem> {
        self.manager()?;
        let found = rules.catalog().app(id).filter(|_| self.scope().manages_app(rules.catalog(), id));
        found.ok_or_else(|| Problem::not_found(format!("there is no app {id:?}")))
    }

    /// The app of a customer that this key may read: the one that is named, or else the only one it can be.
    ///
    /// # Errors
    /// 403 for an app's key, 404 when it is not the key's, 422 when `app` must be named.
    pub fn app_of_customer(
        &self,
        rules: &Rulebook,
        app: Option<&str>,
        customer: &str,
    ) -> Result<String, Problem> {
        let no_customer = || Problem::not_found(format!("there is no customer {customer:?}"));
        let app = match (app, self.scope()) {
            (_, Scope::AppIngest { .. }) => {
                return Err(Problem::forbidden("an app's key sends events; it reads no customers"));
            }
            (Some(app), _) => app.to_owned(),
            (None, Scope::CustomerRead { app, .. }) => app.clone(),
            (None, scope) => {
                let apps = rules.catalog().apps();
                let mut own = apps.filter(|app| scope.manages_builder(&app.builder)).map(|app| &app.id);
                match (own.next(), own.next()) {
                    (Some(only), None) => only.clone(),
                    (None, _) => return Err(no_customer()),
                    _ => {
                        let message = "is required where a key sees several apps: whose customer is it?";
                        let fault = crate::problem::Fault::parameter("app", message);
                        return Err(Problem::invalid(vec![fault]));
                    }
                }
            }
        };
        if self.scope().reads_customer(rules.catalog(), &app, customer) {
            return Ok(app);
        }
        Err(no_customer())
    }
}
