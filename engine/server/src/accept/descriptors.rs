//! File descriptors: every connection takes one, and a process gets fewer than it may have unless it asks.

use crate::config::Config;

/// Descriptors for all that is no connection: the store's files, webhooks, payment providers, logs.
#[cfg(unix)]
const RESERVE: u64 = 256;

/// Lets this process open as many files as it may, and warns when that is too few for its connections.
#[cfg(unix)]
pub fn make_room(config: &Config) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
    let needed = u64::from(config.connections_max.get()).saturating_add(RESERVE);
    if let Some(limit) = getrlimit(Resource::Nofile).current.filter(|limit| *limit < needed) {
        tracing::warn!(
            limit,
            needed,
            "too few files may be open for connections_max: raise the limit (ulimit -n, LimitNOFILE), or lower it"
        );
    }
}

/// Elsewhere there is no such limit.
#[cfg(not(unix))]
pub fn make_room(_config: &Config) {}
