//! Path and query parameters, whose refusals are problems too.

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path as PathParameters, RawPathParams};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::misfit;
use crate::page::PAGING;
use crate::problem::{Fault, Problem};

/// The path's parameters.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

/// The query's parameters but for `limit` and `cursor`, which are [`Paging`](crate::page::Paging)'s: so `T`
/// may deny unknown fields, and a misspelt filter is refused instead of ignored.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match PathParameters::<T>::from_request_parts(parts, state).await {
            Ok(PathParameters(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(refused)) => {
                let parameters = RawPathParams::from_request_parts(parts, state).await.ok();
                Err(in_path(refused.into_kind(), parameters.as_ref()))
            }
            Err(_) => Err(Problem::internal()),
        }
    }
}

fn in_path(kind: ErrorKind, parameters: Option<&RawPathParams>) -> Problem {
    let unparsed = |key, value: &str, expected| {
        Fault::parameter(key, format!("must be {}, not {value:?}", misfit::wanted(expected)))
    };
    let fault = match kind {
        ErrorKind::ParseErrorAtKey { key, value, expected_type } => unparsed(key, &value, expected_type),
        // Values read by position come without their parameter's name.
        ErrorKind::ParseError { value, expected_type }
        | ErrorKind::ParseErrorAtIndex { value, expected_type, .. } => {
            let named = parameters.and_then(|all| all.iter().find(|(_, other)| *other == value));
            unparsed(named.map_or_else(String::new, |(key, _)| key.to_owned()), &value, expected_type)
        }
        ErrorKind::DeserializeError { key, message, .. } => Fault::parameter(key, misfit::told(&message)),
        ErrorKind::InvalidUtf8InPathParam { key } => Fault::parameter(key, "is not UTF-8"),
        other => return Problem::malformed(format!("the path cannot be read: {other}")),
    };
    Problem::invalid(vec![fault])
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        from_query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn from_query<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let unreadable =
        |error: serde_urlencoded::de::Error| Problem::malformed(format!("the query cannot be read: {error}"));
    let mut pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).map_err(unreadable)?;
    pairs.retain(|(name, _)| !PAGING.contains(&name.as_str()));
    let query = serde_urlencoded::to_string(&pairs).map_err(|_| Problem::internal())?;
    let query = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(query).map_err(|error| {
        let said = error.inner().to_string();
        let missing = said.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
        let fault = match missing {
            Some(name) => Fault::parameter(name, "is required"),
            None => Fault::parameter(error.path().to_string(), misfit::told(&said)),
        };
        Problem::invalid(vec![fault])
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        customer: Option<String>,
        year: u16,
    }

    #[test]
    fn leaves_paging_to_paging() {
        let filter: Filter = from_query("limit=3&customer=a%20b&cursor=x&year=2026").unwrap();
        assert_eq!(filter, Filter { customer: Some("a b".into()), year: 2026 });
    }

    #[test]
    fn names_the_parameter() {
        for (query, name) in [("customer=a", "year"), ("year=soon", "year"), ("year=1&custmer=a", "custmer")]
        {
            let problem = from_query::<Filter>(query).unwrap_err();
            let named = problem.errors().first().and_then(|fault| fault.parameter.clone());
            assert_eq!(named.as_deref(), Some(name), "{problem:?}");
        }
    }
}
