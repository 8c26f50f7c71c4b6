//! Uploads a plugin to a Tollgate server.

use std::io::Read as _;
use std::time::Duration;

use reqwest::blocking::Client;
use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use tollgate_core::causes::chain;
use tollgate_core::plugin::Digest;
use tollgate_core::publisher::Signature;

use crate::tls;

/// The header that the signature travels in.
const SIGNATURE: &str = "tollgate-signature";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// An interpreted plugin takes a server twenty seconds and more to compile.
const TIMEOUT: Duration = Duration::from_mins(5);
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// A plugin on its way to a server.
pub struct Upload<'a> {
    /// The server: `https://…`.
    pub server: &'a str,
    /// The API key. It is never part of an error.
    pub key: &'a str,
    /// Whose it shall be, with a platform's key; else the key's owner's.
    pub builder: Option<&'a str>,
    /// The component.
    pub component: &'a [u8],
    /// A publisher's signature.
    pub signature: Option<Signature>,
    /// Send the key in the clear to another machine.
    pub plain_http: bool,
}

/// What the server has now.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The plugin.
    pub digest: Digest,
    /// Whether it was there before.
    pub was_there: bool,
    /// The publisher whose signature was recorded with it.
    pub published_by: Option<String>,
}

/// Why a plugin is not on the server.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // The messages say what each field is.
pub enum UploadError {
    #[error(
        "{0:?} is no address of a server: write https://HOST, or oci://REGISTRY/REPOSITORY:TAG for a registry"
    )]
    Address(String),
    #[error(
        "{0} would get the API key unencrypted: use https, or --plain-http if nobody is on the way who could read it"
    )]
    Plain(String),
    #[error("the API key has a character that none has: look for what else is in it")]
    Key,
    #[error("{server} cannot be reached: {reason}; is it running, and is this its address?")]
    Unreachable { server: String, reason: String },
    #[error("{server} does not know the API key (401): look for a typing error, or have another made")]
    Unauthorized { server: String },
    #[error("{server} refused it ({status}): {reason}")]
    Refused { server: String, status: u16, reason: String },
    #[error("{server} could not take it now ({status}): {reason}; try again later")]
    Failed { server: String, status: u16, reason: String },
    #[error("{server} is not a Tollgate server, or another version of it: {reason}")]
    Strange { server: String, reason: String },
}

#[derive(Deserialize)]
struct PluginAnswer {
    digest: Digest,
    #[serde(default)]
    published_by: Option<PublisherAnswer>,
}

#[derive(Deserialize)]
struct PublisherAnswer {
    name: String,
}

#[derive(Deserialize)]
struct ProblemAnswer {
    detail: String,
}

/// Uploads it. The same again changes nothing.
///
/// # Errors
/// When the server cannot be reached or refuses, each with what to do about it.
pub fn upload(upload: &Upload<'_>) -> Result<Taken, UploadError> {
    tls::choose();
    let server = upload.server.trim_end_matches('/').to_owned();
    let url = address(&server, upload)?;
    let is_here = url.host_str().is_some_and(tls::is_here);
    let unreachable = |error: reqwest::Error| {
        let reason = chain(&error.without_url());
        UploadError::Unreachable { server: server.clone(), reason }
    };
    let client = Client::builder().redirect(Policy::none()).connect_timeout(CONNECT_TIMEOUT).timeout(TIMEOUT);
    let client = if is_here { client.no_proxy() } else { client };
    let client = client.build().map_err(unreachable)?;
    if upload.key.is_empty() || !upload.key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(UploadError::Key);
    }
    let mut request = client.post(url).bearer_auth(upload.key).header("content-type", "application/wasm");
    if let Some(signature) = &upload.signature {
        request = request.header(SIGNATURE, signature.to_string());
    }
    let answer = request.body(upload.component.to_vec()).send().map_err(unreachable)?;
    let status = answer.status();
    let mut body = Vec::new();
    let strange = |reason: String| UploadError::Strange { server: server.clone(), reason };
    answer.take(ANSWER_BYTES_MAX).read_to_end(&mut body).map_err(|error| strange(error.to_string()))?;
    if !matches!(status, StatusCode::OK | StatusCode::CREATED) {
        return Err(refusal(server, status, &body));
    }
    let taken: PluginAnswer = serde_json::from_slice(&body).map_err(|error| strange(error.to_string()))?;
    if taken.digest != Digest::of(upload.component) {
        return Err(strange(format!("it says that it has {}, which was not sent", taken.digest)));
    }
    let published_by = taken.published_by.map(|publisher| publisher.name);
    Ok(Taken { digest: taken.digest, was_there: status == StatusCode::OK, published_by })
}

fn address(server: &str, upload: &Upload<'_>) -> Result<Url, UploadError> {
    let wrong = || UploadError::Address(upload.server.to_owned());
    let mut url = Url::parse(&format!("{server}/v1/plugins")).map_err(|_| wrong())?;
    let host = url.host_str().ok_or_else(wrong)?;
    match url.scheme() {
        "https" => {}
        "http" if upload.plain_http || tls::is_here(host) => {}
        "http" => return Err(UploadError::Plain(server.to_owned())),
        _ => return Err(wrong()),
    }
    if let Some(builder) = upload.builder {
        url.query_pairs_mut().append_pair("builder", builder);
    }
    Ok(url)
}

/// What the server has against it, in its own words.
fn refusal(server: String, status: StatusCode, body: &[u8]) -> UploadError {
    let Ok(problem) = serde_json::from_slice::<ProblemAnswer>(body) else {
        return UploadError::Strange { server, reason: format!("it answers {status}") };
    };
    let (reason, status) = (problem.detail, status.as_u16());
    match status {
        401 => UploadError::Unauthorized { server },
        400..=428 | 430..=499 => UploadError::Refused { server, status, reason },
        _ => UploadError::Failed { server, status, reason },
    }
}
