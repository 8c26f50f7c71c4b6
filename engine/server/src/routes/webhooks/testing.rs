//! `/v1/endpoints/{id}/test`: sends a notice of nothing at once, and shows what came of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Whose, find_endpoint, owner};
use crate::auth::Caller;
use crate::backend::Backend;
use crate::extract::{Path, Query};
use crate::problem::Problem;
use crate::webhooks::{Answer, Message};

/// What a test notice says that happened.
const TYPE: &str = "endpoint.test";

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(test_endpoint))
}

/// What came of a test.
#[derive(Debug, Serialize, ToSchema)]
struct TestResult {
    /// The endpoint took it.
    #[schema(example = true)]
    delivered: bool,
    /// The HTTP status of its answer; null if there was none.
    #[schema(example = 204)]
    status: Option<u16>,
    /// Why there was no answer, or the beginning of a refusing one; null when there is nothing to say.
    error: Option<String>,
    /// How long it took, in milliseconds.
    #[schema(example = 41)]
    took_ms: u64,
}

/// Send a test notice
///
/// At once and once, whatever types the endpoint wants, also when it is disabled: a message of the type
/// `endpoint.test`, signed like any other. The answer shows what came of it.
#[utoipa::path(
    post, path = "/v1/endpoints/{id}/test", tag = "Webhooks",
    params(("id" = String, Path, description = "The endpoint's id.", example = "4f1c09d2a7b3"), Whose),
    responses((status = 200, description = "What came of it, also when it failed.", body = TestResult)),
)]
async fn test_endpoint(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(whose): Query<Whose>,
) -> Result<Json<TestResult>, Problem> {
    let owner = owner(&caller, &backend, whose.builder.as_deref())?;
    let asked = id.clone();
    let endpoint = backend.call(move |engine| find_endpoint(engine, &owner, &asked)).await?.value;
    let Ok(_turn) = backend.webhooks.tests.try_acquire() else {
        return Err(Problem::unavailable("too many endpoints are being tested at once; try again"));
    };
    let mut nonce = [0; 8];
    getrandom::fill(&mut nonce).map_err(|_| Problem::internal())?;
    let message_id = format!("msg_{id}_test{:016x}", u64::from_ne_bytes(nonce));
    let data = json!({ "endpoint": id });
    let message = Message { r#type: TYPE, timestamp: Timestamp::now().to_string(), data: &data };
    let attempt = backend.webhooks.sender.send(&endpoint, &message_id, &message).await;
    let took_ms = attempt.took_millis();
    let (status, words) = match attempt.answer {
        Answer::Status { code, words, .. } => (Some(code), words),
        Answer::None(words) => (None, words),
    };
    let delivered = status.is_some_and(|code| (200..300).contains(&code));
    Ok(Json(TestResult { delivered, status, error: Some(words).filter(|words| !words.is_empty()), took_ms }))
}
