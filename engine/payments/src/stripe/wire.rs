//! Calls to Stripe over HTTP, and what their failures mean for money.
//!
//! A call that only reads and fails is simply not available. One that moves money is refused only when Stripe
//! says so; when its answer was lost, or Stripe failed half-way, nobody knows.

use std::fmt;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use form_urlencoded::Serializer;
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use serde::de::DeserializeOwned;
use tollgate_core::causes::chain;
use tollgate_core::payment::ProviderError;

use super::ConfigError;
use super::objects::{ErrorBody, List, Spoken};
use crate::code::digest;

/// The version of Stripe's interface that is spoken, whatever the account's own.
const VERSION: &str = "2025-03-31.basil";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A page of 100 objects has some 500 kB.
const ANSWER_BYTES_MAX: u64 = 16 << 20;
/// Stripe takes this many letters for an idempotency key.
const KEY_LETTERS_MAX: usize = 255;
/// Objects on a page: the most that Stripe gives.
const PAGE: &str = "100";
/// More than 100,000 objects are asked for in parts.
const PAGES_MAX: usize = 1_000;

/// Names and values of a query or a form.
pub(super) type Fields<'a> = Vec<(&'a str, String)>;

pub(super) struct Wire {
    client: Client,
    base: String,
    secret_key: String,
}

impl fmt::Debug for Wire {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Wire").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Wire {
    pub(super) fn new(base_url: &str, secret_key: String, timeout: Duration) -> Result<Self, ConfigError> {
        let is_key = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'_';
        if secret_key.is_empty() || !secret_key.bytes().all(is_key) {
            return Err(ConfigError::Secret("secret key"));
        }
        let is_here = is_this_machine(base_url).ok_or_else(|| ConfigError::Address(base_url.to_owned()))?;
        let tls = tls(is_here).map_err(|error| ConfigError::Tls(error.to_string()))?;
        let builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .timeout(timeout);
        let builder = if is_here { builder.no_proxy() } else { builder.https_only(true) };
        let client = builder.build().map_err(|error| ConfigError::Tls(chain(&error)))?;
        Ok(Self { client, base: base_url.trim_end_matches('/').to_owned(), secret_key })
    }

    /// Reads an object; `None` when Stripe does not know it.
    pub(super) fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &Fields<'_>,
    ) -> Result<Option<T>, ProviderError> {
        let url = format!("{}{path}?{}", self.base, encoded(query));
        let lost = |words: String| ProviderError::Unavailable(self.without_secret(&words));
        let answer = self.send(self.client.get(url)).map_err(|error| lost(chain(&error)))?;
        let status = answer.status();
        let body = read(answer).map_err(lost)?;
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if status != StatusCode::OK {
            return Err(lost(words_of(status, &spoken(&body))));
        }
        let read = serde_json::from_slice(&body).map(Some);
        read.map_err(|error| {
            ProviderError::Unknown(format!("Stripe's answer to {path} cannot be read: {error}"))
        })
    }

    /// Reads all of a list, newest first. The id of an object tells where the next page begins.
    pub(super) fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &Fields<'_>,
        id: impl Fn(&T) -> &str,
    ) -> Result<Vec<T>, ProviderError> {
        let mut all: Vec<T> = Vec::new();
        for _ in 0..PAGES_MAX {
            let mut query = query.clone();
            query.push(("limit", PAGE.to_owned()));
            query.extend(all.last().map(|last| ("starting_after", id(last).to_owned())));
            let page: List<T> = self.get(path, &query)?.unwrap_or(List { data: Vec::new(), has_more: false });
            let is_last = !page.has_more || page.data.is_empty();
            all.extend(page.data);
            if is_last {
                return Ok(all);
            }
        }
        Err(ProviderError::Unavailable(format!("Stripe lists more than 100,000 of {path}: ask for fewer")))
    }

    /// Has Stripe do something, once for each key.
    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &Fields<'_>,
        key: &str,
    ) -> Result<T, ProviderError> {
        let request = self
            .client
            .post(format!("{}{path}", self.base))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Idempotency-Key", short_key(key))
            .body(encoded(form));
        let answer = self.send(request).map_err(|error| {
            let words = self.without_secret(&chain(&error));
            // Without a connection nothing was sent.
            if error.is_connect() { ProviderError::Unavailable(words) } else { ProviderError::Unknown(words) }
        })?;
        let status = answer.status();
        let body = read(answer).map_err(ProviderError::Unknown)?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| {
                ProviderError::Unknown(format!("Stripe's answer to {path} cannot be read: {error}"))
            });
        }
        Err(failure(status, &spoken(&body), |words| self.without_secret(words)))
    }

    fn send(&self, request: RequestBuilder) -> Result<Response, reqwest::Error> {
        let request = request.bearer_auth(&self.secret_key).header("Stripe-Version", VERSION);
        request.send().map_err(reqwest::Error::without_url)
    }

    fn without_secret(&self, words: &str) -> String {
        words.replace(&self.secret_key, "(the secret key)")
    }
}

/// What it means that something was not done.
fn failure(status: StatusCode, spoken: &Spoken, clean: impl Fn(&str) -> String) -> ProviderError {
    let words = clean(&words_of(status, spoken));
    match (status.as_u16(), spoken.code.as_deref(), spoken.kind.as_deref()) {
        // Too many calls, or a key that somebody can put right: nothing was done.
        (429 | 401, ..) | (400, Some("balance_insufficient"), _) => ProviderError::Unavailable(words),
        // The same key is being worked at, or came with something else before.
        (409, ..) | (400, _, Some("idempotency_error")) => ProviderError::Unknown(words),
        (400..=407 | 410..=499, ..) => ProviderError::Refused(words),
        // Stripe: "treat the result of a 500 request as indeterminate".
        _ => ProviderError::Unknown(words),
    }
}

fn words_of(status: StatusCode, spoken: &Spoken) -> String {
    spoken.message.clone().unwrap_or_else(|| format!("Stripe answers {status} without a reason"))
}

fn spoken(body: &[u8]) -> Spoken {
    serde_json::from_slice::<ErrorBody>(body).unwrap_or_default().error
}

/// The body, unless it breaks off or is larger than any answer should be.
fn read(answer: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    let mut answer = answer.take(ANSWER_BYTES_MAX.saturating_add(1));
    answer.read_to_end(&mut body).map_err(|error| format!("Stripe's answer broke off: {error}"))?;
    if body.len() as u64 > ANSWER_BYTES_MAX {
        return Err(format!("Stripe's answer is larger than {ANSWER_BYTES_MAX} bytes"));
    }
    Ok(body)
}

/// The key as Stripe takes it: a digest when it is too long, or not in plain letters.
pub(super) fn short_key(key: &str) -> String {
    let fits =
        !key.is_empty() && key.len() <= KEY_LETTERS_MAX && key.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { key.to_owned() } else { format!("sha256:{}", digest(key)) }
}

/// An id as a part of a path. What is no id must not lead elsewhere.
///
/// # Errors
/// [`ProviderError::Refused`].
pub(super) fn id<'a>(what: &str, text: &'a str) -> Result<&'a str, ProviderError> {
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !text.is_empty() && text.bytes().all(is_id) {
        return Ok(text);
    }
    Err(ProviderError::Refused(format!("{text:?} is not the id of a {what} at Stripe")))
}

fn encoded(fields: &Fields<'_>) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Whether an address is this machine's; `None` when the key must not be sent there.
fn is_this_machine(base_url: &str) -> Option<bool> {
    let url =
        Url::parse(base_url).ok().filter(|url| url.username().is_empty() && url.password().is_none())?;
    match (url.scheme(), url.host_str()?) {
        ("https", _) => Some(false),
        ("http", "127.0.0.1" | "localhost" | "[::1]") => Some(true),
        _ => None,
    }
}

/// TLS by ring, trusting whom the machine trusts; nobody on this machine, where none is used.
fn tls(is_here: bool) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = if is_here {
        builder.with_root_certificates(RootCertStore::empty())
    } else {
        builder.with_platform_verifier()?
    };
    Ok(builder.with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_whether_money_may_have_moved() {
        let said = |code: &str, kind: &str| Spoken {
            message: Some("No. Key sk_1".into()),
            code: Some(code.into()),
            kind: Some(kind.into()),
        };
        for (status, code, kind, expected) in [
            (400, "parameter_missing", "invalid_request_error", "refuses"),
            (400, "balance_insufficient", "invalid_request_error", "not available"),
            (400, "", "idempotency_error", "lost"),
            (401, "", "invalid_request_error", "not available"),
            (402, "card_declined", "card_error", "refuses"),
            (403, "", "", "refuses"),
            (404, "resource_missing", "", "refuses"),
            (408, "", "", "lost"),
            (409, "idempotency_key_in_use", "", "lost"),
            (429, "rate_limit", "", "not available"),
            (302, "", "", "lost"),
            (500, "", "api_error", "lost"),
            (503, "", "api_error", "lost"),
        ] {
            let clean = |words: &str| words.replace("sk_1", "(the secret key)");
            let error = failure(StatusCode::from_u16(status).unwrap(), &said(code, kind), clean).to_string();
            assert!(
                error.contains(expected) && error.ends_with("No. Key (the secret key)"),
                "{status}: {error}"
            );
        }
        assert_eq!(
            words_of(StatusCode::BAD_GATEWAY, &spoken(b"<html>")),
            "Stripe answers 502 Bad Gateway without a reason"
        );
    }

    #[test]
    fn keys_and_ids_are_what_stripe_takes() {
        assert_eq!(short_key("payment:acme/1"), "payment:acme/1");
        for key in ["", "é", "a b", "a\nb", &"x".repeat(256)] {
            assert!(short_key(key).starts_with("sha256:") && short_key(key).len() == 71, "{key:?}");
        }
        assert_eq!(id("payment", "pi_3N"), Ok("pi_3N"));
        for text in ["", "pi_1/../../x", "pi_1?x", "é"] {
            assert!(id("payment", text).is_err(), "{text:?}");
        }
    }
}
