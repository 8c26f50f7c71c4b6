//! A query has what the description says, and nothing else: a misspelt filter must not be taken for none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::{OpenApi, RefOr};

use crate::problem::{Fault, Problem};

/// Of each operation, by method and path, the names of its query's parameters.
#[derive(Debug, Default)]
pub struct Described(BTreeMap<(String, String), BTreeSet<String>>);

impl Described {
    /// What a description says.
    pub fn of(api: &OpenApi) -> Self {
        let mut described = Self::default();
        for (path, PathItem { get, put, post, delete, .. }) in &api.paths.paths {
            for (method, operation) in
                [(Method::GET, get), (Method::PUT, put), (Method::POST, post), (Method::DELETE, delete)]
            {
                if let Some(operation) = operation {
                    described.0.insert((method.to_string(), path.clone()), of_query(operation));
                }
            }
        }
        described
    }

    /// The first parameter that the operation does not have, and those it has.
    fn unknown(&self, method: &Method, path: &str, query: &str) -> Option<(String, &BTreeSet<String>)> {
        // HEAD is answered as GET is.
        let method = if *method == Method::HEAD { Method::GET } else { method.clone() };
        let known = self.0.get(&(method.to_string(), path.to_owned()))?;
        let mut given = form_urlencoded::parse(query.as_bytes());
        given.find(|(name, _)| !known.contains(&**name)).map(|(name, _)| (name.into_owned(), known))
    }
}

fn of_query(operation: &Operation) -> BTreeSet<String> {
    let given = operation.parameters.iter().flatten().filter_map(|given| match given {
        RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => Some(parameter.name.clone()),
        _ => None,
    });
    given.collect()
}

/// A layer: refuses a query that has anything else.
pub async fn known(
    State(described): State<Arc<Described>>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let Some((name, known)) = described.unknown(request.method(), path.as_str(), query) else {
        return next.run(request).await;
    };
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let there_are = match &*known {
        [] => "there are none here".to_owned(),
        known => format!("there are: {}", known.join(", ")),
    };
    let fault = Fault::parameter(name, format!("is no parameter of this request; {there_are}"));
    Problem::invalid(vec![fault]).into_response()
}
