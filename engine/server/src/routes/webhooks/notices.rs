//! `/v1/notices`: what happened, in the order in which it did: what webhooks tell of, to be read instead or
//! again.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tollgate_core::store::{Notice, NoticeKind, NoticeNumber};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Caller;
use crate::backend::Backend;
use crate::extract::Query;
use crate::page::{Page, Paging};
use crate::problem::Problem;
use crate::routes::charge::moment;

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(list_notices))
}

/// Which notices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only this Builder's.
    #[param(example = "acme")]
    builder: Option<String>,
    /// Only this type.
    #[param(value_type = Option<String>, example = "wallet.low")]
    r#type: Option<NoticeKind>,
    /// Only those after this number: for who has read so far and asks for more.
    #[param(example = 17)]
    after: Option<u64>,
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notice)]
struct NoticeBody {
    /// Its number, growing.
    #[schema(example = 17)]
    number: u64,
    /// What happened.
    #[schema(value_type = String, example = "wallet.low")]
    r#type: &'static str,
    /// Whose Builder it concerns.
    #[schema(example = "acme")]
    builder: String,
    /// When.
    #[schema(format = DateTime, example = "2026-11-24T19:22:39Z")]
    timestamp: String,
    /// To whom and how much. Amounts are decimal strings.
    #[schema(value_type = Object, example = json!({"app": "acme-docs", "customer": "legal", "amount": "4.2",
        "currency": "USD"}))]
    data: Value,
}

impl NoticeBody {
    fn of((number, notice): (NoticeNumber, Notice)) -> Self {
        Self {
            number,
            r#type: notice.kind.code(),
            builder: notice.builder,
            timestamp: moment(notice.at),
            data: notice.data,
        }
    }
}

/// List notices
///
/// The oldest first. A page may have fewer than were asked for, or none, and not be the last: the notices of
/// all are looked through piece by piece for those that are asked for.
#[utoipa::path(
    get, path = "/v1/notices", tag = "Webhooks", params(Which, Paging),
    responses((status = 200, description = "A page, the oldest first.", body = Page<NoticeBody>)),
)]
async fn list_notices(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Query(which): Query<Which>,
    paging: Paging,
) -> Result<Json<Page<NoticeBody>>, Problem> {
    let builder = match which.builder.as_deref() {
        Some(builder) => Some(caller.builder(&backend.rules(), builder)?.id.clone()),
        None => caller.own_builder()?.map(str::to_owned),
    };
    let after: Option<NoticeNumber> = paging.after()?.or(which.after);
    let page = backend.call(move |engine| {
        let list = |after: Option<&NoticeNumber>, limit| {
            Ok(engine.store().notices(after.copied().unwrap_or_default(), limit)?)
        };
        let wanted = |notice: &Notice| {
            builder.as_ref().is_none_or(|builder| *builder == notice.builder)
                && which.r#type.is_none_or(|kind| kind == notice.kind)
        };
        Ok::<_, Problem>(Page::search(&paging, after, list, wanted)?.map(NoticeBody::of))
    });
    Ok(Json(page.await?))
}
