//! What can be seen from outside while the server runs: request ids, logs, metrics, traces.
//!
//! No body, secret, event or customer is ever logged or made a label: only methods, matched routes, statuses,
//! times and counts; and in the log, who asked from where, by a key's public id.

mod access;
mod logs;
mod metrics;
mod money;
mod plugins;
mod standing;
mod trace_parent;
#[cfg(feature = "otel")]
mod traces;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderName, HeaderValue};

pub(crate) use access::Asker;
pub use access::observe;
pub use logs::{LogError, LogFormat, Logs, install};
pub use metrics::{LaneFigures, Pipeline, Telemetry};
pub use money::MoneyFigures;
pub use plugins::PluginFigures;
pub(crate) use plugins::RunFigures;
pub use standing::Standing;

/// The header that carries a request's id, in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id taken over from a client.
const ID_BYTES_MAX: usize = 128;

tokio::task_local! {
    static CURRENT: Arc<str>;
}

/// The id of the request being answered; `None` outside of one.
pub fn request_id() -> Option<Arc<str>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// Makes ids that no other request of any server has, for all practical purposes. They are no secrets.
#[derive(Debug)]
struct Ids {
    process: u64,
    requests: AtomicU64,
}

impl Ids {
    fn new() -> Self {
        // The standard library seeds its hashers from the operating system's randomness.
        Self { process: RandomState::new().build_hasher().finish(), requests: AtomicU64::new(1) }
    }

    /// The client's own id when it is short and harmless in a log, or a new one.
    fn of(&self, given: Option<&HeaderValue>) -> Arc<str> {
        let given = given.and_then(|value| value.to_str().ok()).filter(|id| is_harmless(id));
        given.map_or_else(|| self.next(), Arc::from)
    }

    fn next(&self) -> Arc<str> {
        let request = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}-{request:x}", self.process).into()
    }
}

fn is_harmless(id: &str) -> bool {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
    (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(harmless)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_over_harmless_ids_only() {
        let ids = Ids::new();
        assert_eq!(&*ids.of(Some(&HeaderValue::from_static("job-7/3"))), "job-7/3");
        for harmful in ["", "two words", "\"quoted\"", &"x".repeat(129)] {
            let given = HeaderValue::from_str(harmful).ok();
            assert_ne!(&*ids.of(given.as_ref()), harmful);
        }
        assert_ne!(ids.of(None), ids.of(None));
    }
}
