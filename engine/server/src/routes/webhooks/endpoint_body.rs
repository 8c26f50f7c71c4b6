//! How an endpoint is written in requests and answers.

use serde::{Deserialize, Serialize};
use tollgate_core::catalog::NAME_BYTES_MAX;
use tollgate_core::store::NoticeKind;
use utoipa::ToSchema;

use crate::backend::Backend;
use crate::problem::{Fault, Problem};
use crate::routes::charge::moment;
use crate::webhooks::endpoint::{Endpoint, PLATFORM};

/// An endpoint to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEndpoint {
    /// The Builder that it is for. A Builder's key may leave it out; with a platform key that means the
    /// platform itself, which is told of every Builder's notices.
    #[schema(example = "acme")]
    builder: Option<String>,
    /// Where notices are sent: `https` on the public internet.
    #[schema(example = "https://example.com/tollgate", format = "uri", max_length = 2048)]
    url: String,
    /// The types of notices it wants; left out or empty, all of them, those to come as well.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["wallet.low", "payout.paid"]))]
    types: Vec<NoticeKind>,
    /// What a person calls it.
    #[serde(default)]
    #[schema(example = "Accounting", max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    description: String,
}

impl NewEndpoint {
    /// Whose it is to be, and what.
    pub(super) fn into_parts(self) -> (Option<String>, EndpointContent) {
        let Self { builder, url, types, description } = self;
        (builder, EndpointContent { url, types, description, disabled: false })
    }
}

/// What can be changed of an endpoint.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointContent {
    /// Where notices are sent: `https` on the public internet.
    #[schema(example = "https://example.com/tollgate", format = "uri", max_length = 2048)]
    url: String,
    /// The types of notices it wants; left out or empty, all of them, those to come as well.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["wallet.low", "payout.paid"]))]
    types: Vec<NoticeKind>,
    /// What a person calls it.
    #[serde(default)]
    #[schema(example = "Accounting", max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    description: String,
    /// Nothing is sent to it. What happens meanwhile is not sent later.
    #[serde(default)]
    #[schema(example = false)]
    disabled: bool,
}

/// Where notices are sent, without its secrets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Endpoint)]
pub(super) struct EndpointBody {
    /// A stable id.
    #[schema(example = "4f1c09d2a7b3")]
    id: String,
    /// Whose it is; null for the platform's own.
    #[schema(example = "acme")]
    builder: Option<String>,
    /// Where notices are sent.
    #[schema(example = "https://example.com/tollgate")]
    url: String,
    /// The types of notices it wants; empty for all.
    #[schema(example = json!(["wallet.low", "payout.paid"]))]
    types: Vec<&'static str>,
    /// What a person calls it.
    #[schema(example = "Accounting")]
    description: String,
    /// Nothing is sent to it.
    #[schema(example = false)]
    disabled: bool,
    /// Why not; null while notices are sent.
    #[schema(example = "it answered 410 Gone")]
    disabled_because: Option<String>,
    /// When it was made.
    #[schema(format = DateTime, example = "2026-11-24T19:22:39Z")]
    created_at: String,
    /// Until when messages are signed with an old secret as well; null when they are not.
    #[schema(format = DateTime)]
    old_secret_until: Option<String>,
}

/// An endpoint with a new secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EndpointWithSecret {
    /// What messages are signed with. Keep it: it is told nowhere else.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: String,
    /// What can be read of it later.
    #[serde(flatten)]
    pub about: EndpointBody,
}

/// How a secret is replaced.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Rotation {
    /// Old secrets stop signing at once: the right thing when one has leaked. Otherwise they go on for a day.
    #[schema(example = false)]
    pub stop_old: bool,
}

impl EndpointBody {
    pub(super) fn of(owner: &str, id: &str, endpoint: &Endpoint, now: i64) -> Self {
        let old = endpoint.secrets.iter().filter_map(|secret| secret.until).filter(|until| now < *until);
        Self {
            id: id.to_owned(),
            builder: (owner != PLATFORM).then(|| owner.to_owned()),
            url: endpoint.url.clone(),
            types: endpoint.kinds.iter().map(|kind| kind.code()).collect(),
            description: endpoint.description.clone(),
            disabled: endpoint.disabled.is_some(),
            disabled_because: endpoint.disabled.clone(),
            created_at: moment(endpoint.made_at),
            old_secret_until: old.max().map(moment),
        }
    }
}

impl EndpointContent {
    /// The address is checked, and what is said twice is said once.
    pub(super) fn check(&mut self, backend: &Backend) -> Result<(), Problem> {
        let refused = |pointer: &str, message: String| Problem::invalid(vec![Fault::at(pointer, message)]);
        let url = backend.webhooks.sender.guard().read(&self.url);
        self.url = url.map_err(|refusal| refused("/url", refusal.to_string()))?.into();
        if self.description.len() > NAME_BYTES_MAX || self.description.chars().any(char::is_control) {
            let message = format!("must be at most {NAME_BYTES_MAX} bytes without control characters");
            return Err(refused("/description", message));
        }
        self.types.sort_unstable();
        self.types.dedup();
        Ok(())
    }

    pub(super) fn give_to(&self, endpoint: &mut Endpoint) {
        endpoint.url.clone_from(&self.url);
        endpoint.kinds.clone_from(&self.types);
        endpoint.description.clone_from(&self.description);
        endpoint.disabled = match (self.disabled, endpoint.disabled.take()) {
            (false, _) => None,
            (true, reason) => Some(reason.unwrap_or_else(|| "its owner disabled it".to_owned())),
        };
    }
}
