//! `/v1/endpoints`: where notices are sent, and the secrets that they are signed with.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::Timestamp;
use tollgate_core::engine::Engine;
use tollgate_core::store::record::{self, Versioned};
use tollgate_core::store::{Commit, Record, RecordFilter, RecordKind};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::endpoint_body::{EndpointBody, EndpointContent, EndpointWithSecret, NewEndpoint, Rotation};
use super::{Whose, change_endpoint, find_endpoint, owner};
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::Body;
use crate::extract::{Path, Query};
use crate::idempotency::HoldsSecret;
use crate::page::{Page, Paging};
use crate::problem::Problem;
use crate::routes::location::Location;
use crate::webhooks::endpoint::{self, ENDPOINTS_MAX, Endpoint, PLATFORM, Secret};
use crate::webhooks::write;

const ID_BYTES: usize = 6;

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new()
        .routes(routes!(list_endpoints, create_endpoint))
        .routes(routes!(read_endpoint, replace_endpoint, delete_endpoint))
        .routes(routes!(rotate_secret))
}

/// Bits that nobody can guess.
fn random<T>(made: Result<T, getrandom::Error>) -> Result<T, Problem> {
    made.map_err(|error| {
        tracing::error!(%error, "no random bits");
        Problem::internal()
    })
}

fn new_id() -> Result<String, Problem> {
    let mut bytes = [0; ID_BYTES];
    random(getrandom::fill(&mut bytes))?;
    Ok(hex::encode(bytes))
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Create an endpoint
///
/// Notices are sent to it as [Standard Webhooks](https://www.standardwebhooks.com): a `POST` of
/// `{"type", "timestamp", "data"}` with the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`.
/// Any answer from 200 to 299 within 15 seconds will do; whatever else is tried again, ten times over three
/// days, and `410` disables the endpoint. A notice may come twice, and in any order: its `webhook-id` tells.
///
/// The answer shows the secret this once.
#[utoipa::path(
    post, path = "/v1/endpoints", tag = "Webhooks",
    request_body(content = NewEndpoint, example = json!({"url": "https://example.com/tollgate",
        "types": ["wallet.low", "payout.paid"], "description": "Accounting"})),
    responses(
        (status = 201, description = "The endpoint, and its secret, shown this once.", body = EndpointWithSecret),
        (status = 404, description = "There is no such Builder, or not for this key to see."),
        (status = 409, description = "There are too many endpoints already."),
    ),
)]
async fn create_endpoint(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Body(new): Body<NewEndpoint>,
) -> Result<(StatusCode, Location, Extension<HoldsSecret>, Json<EndpointWithSecret>), Problem> {
    let (builder, mut content) = new.into_parts();
    let owner = owner(&caller, &backend, builder.as_deref())?;
    content.check(&backend)?;
    let (id, secret, now) = (new_id()?, random(Secret::random())?, now());
    let text = secret.text.clone();
    let mut made = Endpoint {
        url: String::new(),
        kinds: Vec::new(),
        description: String::new(),
        secrets: vec![secret],
        made_at: now,
        disabled: None,
        deleted_at: None,
    };
    content.give_to(&mut made);
    let about = EndpointBody::of(&owner, &id, &made, now);
    let location = Location::below("/v1/endpoints", &id);
    let location = if owner == PLATFORM { location } else { location.of("builder", &owner) };
    let keep = move |engine: &Engine| {
        let there = endpoint::of_owner(engine.store(), &owner)?;
        if there.iter().filter(|(_, kept)| kept.value.deleted_at.is_none()).count() >= ENDPOINTS_MAX {
            let detail = format!("there are {ENDPOINTS_MAX} endpoints already: delete one first");
            return Err(Problem::conflict(detail));
        }
        let records = vec![record::change(&owner, &id, 0, &made)?];
        Ok(write(engine.store(), Commit { records, ..Commit::default() })?)
    };
    backend.call(keep).await?;
    Ok((
        StatusCode::CREATED,
        location,
        Extension(HoldsSecret),
        Json(EndpointWithSecret { secret: text, about }),
    ))
}

/// List endpoints
#[utoipa::path(
    get, path = "/v1/endpoints", tag = "Webhooks", params(Whose, Paging),
    responses((status = 200, description = "A page, by Builder and id.", body = Page<EndpointBody>)),
)]
async fn list_endpoints(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Query(whose): Query<Whose>,
    paging: Paging,
) -> Result<Json<Page<EndpointBody>>, Problem> {
    let owner = match (caller.own_builder()?, &whose.builder) {
        (None, None) => None,
        (_, builder) => Some(owner(&caller, &backend, builder.as_deref())?),
    };
    let after: Option<(String, String)> = paging.after()?;
    let page = backend.call(move |engine| {
        let list = |after: Option<&(String, String)>, limit| {
            let of_owner = RecordFilter { owner: owner.clone(), ..RecordFilter::of(RecordKind::Endpoint) };
            let filter = RecordFilter { after: after.cloned(), ..of_owner };
            let records = engine.store().list_records(&filter, limit)?.into_iter();
            let read = |record: Record| {
                let kept = Versioned::<Endpoint>::of(&record)?;
                Ok(((record.key.owner, record.key.id), kept.value))
            };
            records.map(read).collect()
        };
        let now = now();
        let page = Page::search(&paging, after, list, |endpoint| endpoint.deleted_at.is_none())?;
        Ok::<_, Problem>(page.map(|((owner, id), endpoint)| EndpointBody::of(&owner, &id, &endpoint, now)))
    });
    Ok(Json(page.await?))
}

/// Read an endpoint
#[utoipa::path(
    get, path = "/v1/endpoints/{id}", tag = "Webhooks",
    params(("id" = String, Path, description = "The endpoint's id.", example = "4f1c09d2a7b3"), Whose),
    responses((status = 200, description = "The endpoint.", body = EndpointBody)),
)]
async fn read_endpoint(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(whose): Query<Whose>,
) -> Result<Json<EndpointBody>, Problem> {
    let owner = owner(&caller, &backend, whose.builder.as_deref())?;
    let read = move |engine: &_| {
        let kept = find_endpoint(engine, &owner, &id)?;
        Ok::<_, Problem>(Json(EndpointBody::of(&owner, &id, &kept.value, now())))
    };
    backend.call(read).await
}

/// Replace an endpoint
///
/// Its secret stays. One that is disabled is sent notices again from now on.
#[utoipa::path(
    put, path = "/v1/endpoints/{id}", tag = "Webhooks",
    params(("id" = String, Path, description = "The endpoint's id.", example = "4f1c09d2a7b3"), Whose),
    request_body(content = EndpointContent, example = json!({"url": "https://example.com/tollgate",
        "types": ["wallet.low"], "description": "Accounting", "disabled": false})),
    responses((status = 200, description = "As it is now.", body = EndpointBody)),
)]
async fn replace_endpoint(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(whose): Query<Whose>,
    Body(mut content): Body<EndpointContent>,
) -> Result<Json<EndpointBody>, Problem> {
    let owner = owner(&caller, &backend, whose.builder.as_deref())?;
    content.check(&backend)?;
    let replace = move |engine: &_| {
        let changed = change_endpoint(engine, &owner, &id, |endpoint| content.give_to(endpoint))?;
        Ok::<_, Problem>(Json(EndpointBody::of(&owner, &id, &changed, now())))
    };
    backend.call(replace).await
}

/// Delete an endpoint
///
/// Nothing more is sent to it, and its secrets are forgotten.
#[utoipa::path(
    delete, path = "/v1/endpoints/{id}", tag = "Webhooks",
    params(("id" = String, Path, description = "The endpoint's id.", example = "4f1c09d2a7b3"), Whose),
    responses((status = 200, description = "The endpoint as it was.", body = EndpointBody)),
)]
async fn delete_endpoint(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(whose): Query<Whose>,
) -> Result<Json<EndpointBody>, Problem> {
    let owner = owner(&caller, &backend, whose.builder.as_deref())?;
    let delete = move |engine: &_| {
        let gone = change_endpoint(engine, &owner, &id, |endpoint| endpoint.delete(now()))?;
        Ok::<_, Problem>(Json(EndpointBody::of(&owner, &id, &gone, now())))
    };
    backend.call(delete).await
}

/// Replace an endpoint's secret
///
/// The answer shows the new one this once. For a day messages carry a signature by each of the two, so that
/// the receiver has time to change.
#[utoipa::path(
    post, path = "/v1/endpoints/{id}/rotate", tag = "Webhooks",
    params(("id" = String, Path, description = "The endpoint's id.", example = "4f1c09d2a7b3"), Whose),
    request_body(content = Rotation, example = json!({"stop_old": false})),
    responses(
        (status = 201, description = "The endpoint, and its new secret, shown this once.", body = EndpointWithSecret),
    ),
)]
async fn rotate_secret(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(whose): Query<Whose>,
    Body(Rotation { stop_old }): Body<Rotation>,
) -> Result<(StatusCode, Extension<HoldsSecret>, Json<EndpointWithSecret>), Problem> {
    let owner = owner(&caller, &backend, whose.builder.as_deref())?;
    let secret = random(Secret::random())?;
    let rotate = move |engine: &_| {
        let rotate = |endpoint: &mut Endpoint| endpoint.rotate(secret.clone(), now(), stop_old);
        let changed = change_endpoint(engine, &owner, &id, rotate)?;
        let about = EndpointBody::of(&owner, &id, &changed, now());
        Ok::<_, Problem>(EndpointWithSecret { secret: secret.text, about })
    };
    Ok((StatusCode::CREATED, Extension(HoldsSecret), Json(backend.call(rotate).await?)))
}
