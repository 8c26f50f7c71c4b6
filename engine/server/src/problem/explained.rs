//! What a problem's `type` leads to: each kind explained, and all of them. Needs no key, and tells nothing of any tenant.

use std::sync::Arc;

use axum::http::Uri;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::{Kind, Problem};
use crate::backend::Backend;

/// A kind of problem, for whoever has met one.
#[derive(Debug, Serialize)]
struct Explained {
    r#type: &'static str,
    status: u16,
    title: &'static str,
    remedy: &'static str,
}

impl From<Kind> for Explained {
    fn from(kind: Kind) -> Self {
        let (title, remedy) = (kind.title(), kind.remedy());
        Self { r#type: kind.uri(), status: kind.status().as_u16(), title, remedy }
    }
}

/// `/problems`, and `/problems/{kind}`.
pub(crate) fn router() -> Router<Arc<Backend>> {
    Router::new().route("/problems", get(all)).route("/problems/{kind}", get(one))
}

async fn all() -> Json<Vec<Explained>> {
    Json(Kind::ALL.into_iter().map(Explained::from).collect())
}

async fn one(uri: Uri) -> Result<Json<Explained>, Problem> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.uri() == uri.path());
    let none = || Problem::not_found("there is no such kind of problem: /problems lists all");
    kind.map(|kind| Json(kind.into())).ok_or_else(none)
}
