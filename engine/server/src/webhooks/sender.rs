//! One attempt: signs a message, sends it to an address that may be sent to, and reads what it needs to of
//! the answer. It follows no redirect, knows no proxy, and keeps no connection.

use std::future::ready;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use rustls_platform_verifier::BuilderVerifierExt as _;
use serde::Serialize;
use serde_json::Value;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};
use tollgate_core::causes::chain;

use super::endpoint::Endpoint;
use super::guard::{Guard, Refusal};
use super::signing;
use crate::config::Config;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("Tollgate/", env!("CARGO_PKG_VERSION"));

/// So much is read and kept of an answer that refuses: enough for a person to see why.
const WORDS_BYTES_MAX: usize = 256;

/// What is sent.
#[derive(Debug, Serialize)]
pub(crate) struct Message<'a> {
    /// What happened.
    pub r#type: &'a str,
    /// When, by RFC 3339.
    pub timestamp: String,
    /// To whom and how much.
    pub data: &'a Value,
}

/// An attempt that was made.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// What came of it.
    pub answer: Answer,
    /// How long it took.
    pub took: Duration,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The receiver answered.
    Status {
        /// The HTTP status.
        code: u16,
        /// The beginning of what it said, when that was no yes.
        words: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// There was no answer, for this reason.
    None(String),
}

impl Attempt {
    /// How long it took, in milliseconds.
    pub(crate) fn took_millis(&self) -> u64 {
        u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Sends messages.
#[derive(Debug)]
pub(crate) struct Sender {
    guard: Guard,
    timeout: Duration,
    /// Whom the machine trusts, read when it is first needed.
    tls: OnceLock<Result<ClientConfig, rustls::Error>>,
}

/// Gives a name the addresses that were checked, whatever the name.
struct Pinned(Vec<SocketAddr>);

impl Resolve for Pinned {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(ready(Ok(addresses)))
    }
}

impl Sender {
    pub(super) fn new(config: &Config) -> Self {
        let guard = Guard::new(config.webhook_private_networks);
        Self { guard, timeout: config.webhook_timeout, tls: OnceLock::new() }
    }

    /// What decides where messages may be sent.
    pub(crate) fn guard(&self) -> Guard {
        self.guard
    }

    /// Sends a message to an endpoint, signed with its secrets as of now.
    pub(crate) async fn send(&self, endpoint: &Endpoint, id: &str, message: &Message<'_>) -> Attempt {
        let begun = Instant::now();
        let answer = match tokio::time::timeout(self.timeout, self.ask(endpoint, id, message)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(words)) => Answer::None(words),
            Err(_) => Answer::None(format!("no answer within {:?}", self.timeout)),
        };
        Attempt { answer, took: begun.elapsed() }
    }

    async fn ask(&self, endpoint: &Endpoint, id: &str, message: &Message<'_>) -> Result<Answer, String> {
        let refused = |refusal: Refusal| format!("not sent: the address {refusal}");
        let url = self.guard.read(&endpoint.url).map_err(refused)?;
        let addresses = self.guard.resolve(&url).await.map_err(|refusal| match refusal {
            Refusal::Unknown => refusal.to_string(),
            other => refused(other),
        })?;
        let body = serde_json::to_string(message).map_err(|error| error.to_string())?;
        let now = Timestamp::now();
        let secrets = endpoint.signing(now.as_millisecond());
        let signature =
            signing::sign(secrets, id, now.as_second(), &body).map_err(|error| error.to_string())?;
        let client = self.client(&url, addresses)?;
        let request = client
            .post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONNECTION, "close")
            .header(signing::ID, id)
            .header(signing::TIMESTAMP, now.as_second().to_string())
            .header(signing::SIGNATURE, signature)
            .body(body);
        let response = request.send().await.map_err(|error| chain(&error.without_url()))?;
        Ok(read(response).await)
    }

    /// A client for one attempt: it reaches these addresses and no others.
    fn client(&self, url: &Url, addresses: Vec<SocketAddr>) -> Result<Client, String> {
        // Where none is spoken, nobody need be trusted.
        let tls = if url.scheme() == "https" {
            self.tls.get_or_init(trusting_as_the_machine).clone()
        } else {
            trusting_nobody()
        };
        let tls = tls.map_err(|error| format!("TLS cannot be spoken: {error}"))?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Arc::new(Pinned(addresses)))
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT.min(self.timeout))
            .user_agent(USER_AGENT);
        client.build().map_err(|error| chain(&error))
    }
}

fn trusting_as_the_machine() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_platform_verifier()?.with_no_client_auth())
}

fn trusting_nobody() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

async fn read(mut response: Response) -> Answer {
    let (status, retry_after) = (response.status(), retry_after(response.headers(), Timestamp::now()));
    let mut words = Vec::new();
    if !status.is_success() {
        while words.len() < WORDS_BYTES_MAX {
            let Ok(Some(more)) = response.chunk().await else { break };
            words.extend(more);
        }
        words.truncate(WORDS_BYTES_MAX);
    }
    let words = String::from_utf8_lossy(&words).chars().map(printable).collect::<String>();
    Answer::Status { code: status.as_u16(), words: words.trim().to_owned(), retry_after }
}

fn printable(letter: char) -> char {
    if letter.is_control() { ' ' } else { letter }
}

/// Seconds, or a moment.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    static MOMENT: DateTimeParser = DateTimeParser::new();
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = MOMENT.parse_timestamp(text).ok()?;
    Duration::try_from(moment.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_wait_is_asked_for_in_seconds_or_by_a_moment() {
        let now = "2026-11-25T10:00:00Z".parse().unwrap();
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(asked("120"), Some(Duration::from_mins(2)));
        assert_eq!(asked("Wed, 25 Nov 2026 10:01:00 GMT"), Some(Duration::from_mins(1)));
        for text in ["", "soon", "-5", "Wed, 25 Nov 2026 09:59:00 GMT"] {
            assert_eq!(asked(text), None, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
