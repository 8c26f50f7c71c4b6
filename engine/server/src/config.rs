//! Every setting of the server, with its default and its reason.
//!
//! It only holds and checks values: where they come from (file, environment, flags) is the caller's business.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as duration;
use serde::{Deserialize, Serialize};

use crate::telemetry::LogFormat;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The longest that an authorisation may reserve money.
pub(crate) const AUTHORIZATION_EXPIRY_MAX: Duration = Duration::from_hours(7 * 24);

/// The server's settings. Durations are written as people write them: `"5s"`, `"1ms"`, `"1m 30s"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// A second address and port, for whoever runs the server: `/healthz`, `/readyz` and `/metrics` only, without
    /// keys and TLS, whatever `connections_max` says. Nobody else should reach it.
    pub admin_listen: Option<SocketAddr>,
    /// A PEM file with the server's certificate and its chain. Given with `tls_key`, the server speaks TLS.
    pub tls_certificate: Option<PathBuf>,
    /// A PEM file with the certificate's private key.
    pub tls_key: Option<PathBuf>,
    /// How long a request's head may take from its first byte on, a new connection's first request, and a TLS
    /// handshake.
    #[serde(with = "duration")]
    pub header_read_timeout: Duration,
    /// How long a request may take, its body's arrival included.
    #[serde(with = "duration")]
    pub request_timeout: Duration,
    /// How long a connection may stay without a request in work, and without taking what it is answered, before
    /// it is asked to go; after twice as long it is cut. Longer than load balancers keep idle connections, or
    /// they send requests on ones that are just being closed.
    #[serde(with = "duration")]
    pub idle_timeout: Duration,
    /// How long running requests may take to finish when the server stops.
    #[serde(with = "duration")]
    pub shutdown_timeout: Duration,
    /// How long a server that is told to stop goes on serving, once it says that it is not ready: as long as
    /// the load balancer in front takes to see that.
    #[serde(with = "duration")]
    pub drain_wait: Duration,
    /// Connections served at once. More wait in the operating system's queue.
    pub connections_max: NonZeroU32,
    /// Connections of one address (with IPv6, of one /64 network) served at once; one more is closed. Unset,
    /// as many as there are, since behind a load balancer all have its address.
    pub connections_per_peer_max: Option<NonZeroU32>,
    /// The most bytes of a request body as received, still compressed.
    pub body_bytes_max: usize,
    /// The most bytes of a request body once unpacked.
    pub body_unpacked_bytes_max: usize,
    /// The most bytes of all request bodies held at once. Beyond it, requests are answered 503.
    pub bodies_bytes_max: usize,
    /// The most bytes of an uploaded plugin.
    pub plugin_bytes_max: usize,
    /// Requests a second that one key may make in the long run.
    pub rate_per_second: NonZeroU32,
    /// Requests that one key may make at once after a pause.
    pub rate_burst: NonZeroU32,
    /// The most events waiting to be rated. Beyond it, requests are answered 429.
    pub queue_events: NonZeroU32,
    /// A batch is closed when it has as many events.
    pub batch_events_max: NonZeroUsize,
    /// How long a batch waits for more events after its first. Zero takes what is there: while one batch is
    /// being written the next one gathers by itself, which has been faster at every load that was measured.
    #[serde(with = "duration")]
    pub batch_wait: Duration,
    /// How often keys are read again, which another process may have revoked, and their uses written down.
    #[serde(with = "duration")]
    pub keys_interval: Duration,
    /// How often all accounts are added up, which must give zero.
    #[serde(with = "duration")]
    pub ledger_interval: Duration,
    /// How often suspended tariffs are tried again.
    #[serde(with = "duration")]
    pub suspended_retry_interval: Duration,
    /// How often holds and grants whose time is up are ended, and payment providers asked for what is due.
    #[serde(with = "duration")]
    pub money_interval: Duration,
    /// For how long an authorisation reserves money when the request does not say; at most 7 days.
    #[serde(with = "duration")]
    pub authorization_expiry: Duration,
    /// Webhooks sent at once.
    pub webhook_concurrency: NonZeroU32,
    /// Webhooks sent to one endpoint at once, so that a slow one keeps no others waiting.
    pub webhook_endpoint_concurrency: NonZeroU32,
    /// How long an endpoint may take to answer.
    #[serde(with = "duration")]
    pub webhook_timeout: Duration,
    /// How often it is looked whether there are webhooks to send.
    #[serde(with = "duration")]
    pub webhook_poll_interval: Duration,
    /// Lets webhooks be sent to any address, inside this network as well, and without TLS: for development.
    pub webhook_private_networks: bool,
    /// How log lines are written: `human` or `json`.
    pub log_format: LogFormat,
    /// What is logged: a level, or one for each part, as in `info,tollgate::access=warn`.
    pub log_level: String,
    /// The OpenTelemetry collector that traces are sent to, as in `http://localhost:4318`. Only in a program
    /// built with the cargo feature `otel`.
    pub otlp_endpoint: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            admin_listen: None,
            tls_certificate: None,
            tls_key: None,
            header_read_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            shutdown_timeout: Duration::from_secs(30),
            drain_wait: Duration::ZERO,
            connections_max: at_least_one(1024),
            connections_per_peer_max: None,
            body_bytes_max: 8 * MIB,
            body_unpacked_bytes_max: 32 * MIB,
            bodies_bytes_max: 512 * MIB,
            plugin_bytes_max: 32 * MIB,
            rate_per_second: at_least_one(10_000),
            rate_burst: at_least_one(20_000),
            queue_events: at_least_one(100_000),
            batch_events_max: NonZeroUsize::MIN.saturating_add(3_999),
            batch_wait: Duration::ZERO,
            keys_interval: Duration::from_secs(5),
            ledger_interval: Duration::from_mins(1),
            suspended_retry_interval: Duration::from_secs(30),
            money_interval: Duration::from_secs(1),
            authorization_expiry: Duration::from_mins(15),
            webhook_concurrency: at_least_one(32),
            webhook_endpoint_concurrency: at_least_one(4),
            webhook_timeout: Duration::from_secs(15),
            webhook_poll_interval: Duration::from_millis(500),
            webhook_private_networks: false,
            log_format: LogFormat::Human,
            log_level: "info".to_owned(),
            otlp_endpoint: None,
        }
    }
}

/// Why settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Half of the pair is missing.
    #[error("tls_certificate and tls_key belong together: give both or neither")]
    HalfTls,
    /// A limit or timeout of zero would refuse everything.
    #[error("{0} must not be zero")]
    Zero(&'static str),
    /// A time that is longer than may be.
    #[error("{0} must not exceed {1}")]
    TooLong(&'static str, &'static str),
    /// A limit that another one makes unreachable.
    #[error("{smaller} must not exceed {larger}")]
    Order {
        /// The setting that is too large.
        smaller: &'static str,
        /// The setting it exceeds.
        larger: &'static str,
    },
}

impl Config {
    /// Checks what the settings' shapes do not say.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            return Err(ConfigError::HalfTls);
        }
        let zero = [
            ("header_read_timeout", self.header_read_timeout.is_zero()),
            ("request_timeout", self.request_timeout.is_zero()),
            ("idle_timeout", self.idle_timeout.is_zero()),
            ("body_bytes_max", self.body_bytes_max == 0),
            ("plugin_bytes_max", self.plugin_bytes_max == 0),
            ("keys_interval", self.keys_interval.is_zero()),
            ("ledger_interval", self.ledger_interval.is_zero()),
            ("suspended_retry_interval", self.suspended_retry_interval.is_zero()),
            ("webhook_timeout", self.webhook_timeout.is_zero()),
            ("webhook_poll_interval", self.webhook_poll_interval.is_zero()),
            ("money_interval", self.money_interval.is_zero()),
            ("authorization_expiry", self.authorization_expiry.is_zero()),
        ];
        if let Some((name, _)) = zero.iter().find(|(_, is_zero)| *is_zero) {
            return Err(ConfigError::Zero(name));
        }
        if self.authorization_expiry > AUTHORIZATION_EXPIRY_MAX {
            return Err(ConfigError::TooLong("authorization_expiry", "7 days"));
        }
        let order = |smaller, larger| Err(ConfigError::Order { smaller, larger });
        if self.body_bytes_max > self.body_unpacked_bytes_max {
            return order("body_bytes_max", "body_unpacked_bytes_max");
        }
        if self.body_unpacked_bytes_max > self.bodies_bytes_max {
            return order("body_unpacked_bytes_max", "bodies_bytes_max");
        }
        if self.plugin_bytes_max > self.bodies_bytes_max {
            return order("plugin_bytes_max", "bodies_bytes_max");
        }
        Ok(())
    }
}

const fn at_least_one(value: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(value - 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_durations_as_people_write_them() {
        let config: Config = serde_json::from_str(
            r#"{"listen": "0.0.0.0:80", "batch_wait": "500us", "idle_timeout": "1m 30s"}"#,
        )
        .unwrap();
        assert_eq!(config.batch_wait, Duration::from_micros(500));
        assert_eq!(config.idle_timeout, Duration::from_secs(90));
        assert_eq!(config.request_timeout, Duration::from_secs(30));
    }

    #[test]
    fn names_a_setting_that_does_not_exist() {
        let error = serde_json::from_str::<Config>(r#"{"lisen": "0.0.0.0:80"}"#).unwrap_err();
        assert!(error.to_string().contains("lisen"), "{error}");
    }

    #[test]
    fn checks_what_belongs_together() {
        let default = Config::default();
        assert_eq!(default.check(), Ok(()));
        let half = Config { tls_key: Some("key.pem".into()), ..default.clone() };
        assert_eq!(half.check(), Err(ConfigError::HalfTls));
        let swapped = Config { body_bytes_max: 64 * MIB, ..default.clone() };
        assert_eq!(
            swapped.check(),
            Err(ConfigError::Order { smaller: "body_bytes_max", larger: "body_unpacked_bytes_max" })
        );
        let long = Config { authorization_expiry: Duration::from_hours(200), ..default.clone() };
        assert_eq!(long.check(), Err(ConfigError::TooLong("authorization_expiry", "7 days")));
        let never = Config { request_timeout: Duration::ZERO, ..default };
        assert_eq!(never.check(), Err(ConfigError::Zero("request_timeout")));
    }
}
