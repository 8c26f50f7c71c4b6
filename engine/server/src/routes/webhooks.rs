//! Webhooks: endpoints, what is on its way to them, and the notices behind it. A Builder manages its own, the
//! platform everyone's.

mod deliveries;
mod endpoint_body;
mod endpoints;
mod notices;
mod replaying;
mod testing;

use std::sync::Arc;

use serde::Deserialize;
use tollgate_core::engine::Engine;
use tollgate_core::store::record::Versioned;
use tollgate_core::store::{Commit, StoreError};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

use crate::auth::Caller;
use crate::backend::Backend;
use crate::problem::Problem;
use crate::webhooks::endpoint::{self, Endpoint, PLATFORM};
use crate::webhooks::{insist, write};

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    endpoints::routes()
        .merge(testing::routes())
        .merge(deliveries::routes())
        .merge(replaying::routes())
        .merge(notices::routes())
}

/// Whose endpoint it is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// The Builder whose endpoint it is. Left out: the key's Builder, or the platform itself.
    #[param(example = "acme")]
    builder: Option<String>,
}

/// Whose endpoints a request is about.
fn owner(caller: &Caller, backend: &Backend, builder: Option<&str>) -> Result<String, Problem> {
    match builder {
        Some(builder) => Ok(caller.builder(&backend.rules(), builder)?.id.clone()),
        None => Ok(caller.own_builder()?.unwrap_or(PLATFORM).to_owned()),
    }
}

fn no_endpoint(id: &str) -> Problem {
    Problem::not_found(format!("there is no endpoint {id:?}"))
}

/// The endpoint of this owner and id.
fn find_endpoint(engine: &Engine, owner: &str, id: &str) -> Result<Versioned<Endpoint>, Problem> {
    endpoint::read(engine.store(), owner, id)?.ok_or_else(|| no_endpoint(id))
}

/// Changes an endpoint, and shows it as it is then.
fn change_endpoint(
    engine: &Engine,
    owner: &str,
    id: &str,
    change: impl Fn(&mut Endpoint),
) -> Result<Endpoint, Problem> {
    insist(|| {
        let mut kept = find_endpoint(engine, owner, id)?;
        change(&mut kept.value);
        let records = vec![kept.change(owner, id)?];
        let written = write(engine.store(), Commit { records, ..Commit::default() });
        Ok::<Result<Endpoint, StoreError>, Problem>(written.map(|()| kept.value))
    })
}
