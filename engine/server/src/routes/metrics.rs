//! `/metrics` where everybody can ask: it names plugins of all Builders, so only the platform may.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Caller;
use crate::backend::Backend;
use crate::health;
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(read_metrics))
}

/// Read the metrics
///
/// For Prometheus. The address of the setting `admin_listen` serves them without a key.
#[utoipa::path(
    get, path = "/metrics", tag = "Operating", operation_id = "read_metrics",
    responses((status = 200, description = "All metrics.", body = String, content_type = "application/openmetrics-text")),
)]
async fn read_metrics(State(backend): State<Arc<Backend>>, caller: Caller) -> Result<Response, Problem> {
    caller.platform()?;
    Ok(health::metrics(&backend))
}
