//! Whose plugins a Builder takes in, as requests and answers write it; and the header that a signature comes in.

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use tollgate_core::publisher::{Published, Publisher, Signature};
use utoipa::ToSchema;

use super::object::read_from_objects_and_written;
use crate::problem::{Fault, Problem};

read_from_objects_and_written!(PublisherBody);

/// What a plugin's signature is sent in.
pub(super) const SIGNATURE: &str = "tollgate-signature";

/// Somebody whose plugins a Builder takes in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schema(as = Publisher)]
pub(super) struct PublisherBody {
    /// Who holds the secret half of the key: a person, a build server.
    #[schema(example = "ci", min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    name: String,
    /// The public key, as `tollgate plugin keygen` prints it.
    #[schema(
        example = "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        pattern = "^ed25519:[0-9a-f]{64}$"
    )]
    key: String,
}

impl From<&Publisher> for PublisherBody {
    fn from(publisher: &Publisher) -> Self {
        Self { name: publisher.name.clone(), key: publisher.key.to_string() }
    }
}

impl From<&Published> for PublisherBody {
    fn from(published: &Published) -> Self {
        Self { name: published.by.clone(), key: published.signature.key().to_string() }
    }
}

/// The publishers of a request.
pub(super) fn publishers_of(bodies: Vec<PublisherBody>) -> Result<Vec<Publisher>, Problem> {
    let publisher = |(position, PublisherBody { name, key }): (usize, PublisherBody)| match key.parse() {
        Ok(key) => Ok(Publisher { name, key }),
        Err(error) => {
            Err(Problem::invalid(vec![Fault::at(format!("/publishers/{position}/key"), format!("{error}"))]))
        }
    };
    bodies.into_iter().enumerate().map(publisher).collect()
}

/// The signature that an upload comes with.
pub(super) fn signature_in(headers: &HeaderMap) -> Result<Option<Signature>, Problem> {
    let Some(value) = headers.get(SIGNATURE) else { return Ok(None) };
    let text = String::from_utf8_lossy(value.as_bytes());
    let refused = |error| Problem::invalid(vec![Fault::at("", format!("the header {SIGNATURE}: {error}"))]);
    text.trim().parse().map(Some).map_err(refused)
}
