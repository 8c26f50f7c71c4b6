//! Composes the routes under `/v1`, and `/metrics`: one file per resource, all behind the same three layers (but for one that
//! payment providers call, who have no key).
//!
//! Each file says its full paths (`path = "/v1/apps/{id}"`) and hands over its `routes()`; nothing is routed
//! anywhere else. Its operations describe what is theirs: summary, parameters, examples, answers, and those
//! refusals that have something special to say. What every route takes and answers is added here, by
//! `openapi::add_layers`.

mod apps;
mod authorizations;
mod builders;
mod charge;
mod customers;
mod defining;
mod earnings;
mod events;
mod held;
mod history;
mod keys;
mod location;
mod metrics;
mod moment;
mod object;
mod part;
mod payments;
mod payout_terms;
mod payouts;
mod periods;
mod plugin_body;
mod plugins;
mod price_books;
mod providers;
mod publishers;
mod quotes;
mod reconciliations;
mod refunds;
mod statements;
mod suspensions;
pub(crate) mod tagged;
mod tariffs;
mod terms;
mod usage;
mod wallets;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;

use crate::backend::Backend;
use crate::parameters::{self, Described};
use crate::problem::explained;
use crate::{auth, idempotency, limits, openapi};

/// All of `/v1`, and its description.
pub(crate) fn router(backend: &Arc<Backend>) -> Router<Arc<Backend>> {
    let layer = |backend: &Arc<Backend>| Arc::clone(backend);
    // The last layer is the outermost: who asks, how often, whether before, whether for what there is.
    let described = OpenApiRouter::with_openapi(openapi::description())
        .merge(builders::routes())
        .merge(apps::routes())
        .merge(customers::routes())
        .merge(price_books::routes())
        .merge(plugins::routes())
        .merge(tariffs::routes())
        .merge(events::routes())
        .merge(quotes::routes())
        .merge(usage::routes())
        .merge(history::routes())
        .merge(statements::routes())
        .merge(periods::routes())
        .merge(earnings::routes())
        .merge(held::routes())
        .merge(suspensions::routes())
        .merge(webhooks::routes())
        .merge(wallets::routes())
        .merge(authorizations::routes())
        .merge(payments::routes())
        .merge(refunds::routes())
        .merge(payouts::routes())
        .merge(providers::routes())
        .merge(reconciliations::routes())
        .merge(keys::routes())
        .merge(metrics::routes());
    let parameters = Arc::new(Described::of(described.get_openapi()));
    let described = described
        .route_layer(from_fn_with_state(parameters, parameters::known))
        .route_layer(from_fn_with_state(layer(backend), idempotency::once))
        .route_layer(from_fn_with_state(layer(backend), limits::rate))
        .route_layer(from_fn_with_state(layer(backend), auth::authenticate))
        // What comes after stands outside: it has no key.
        .merge(providers::open_routes());
    let (routes, mut description) = described.split_for_parts();
    openapi::add_layers(&mut description);
    routes.merge(openapi::router(&description)).merge(explained::router())
}
