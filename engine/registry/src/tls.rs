//! The one TLS stack: that of the rest of the house.

/// Has every client of this process use *ring*, unless something else was chosen already.
pub(crate) fn choose() {
    // An error says that one was chosen already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Whether a host is this machine, so that nobody is on the way who could listen.
pub(crate) fn is_here(host: &str) -> bool {
    let name = host.trim_start_matches('[').split([']', ':']).next().unwrap_or_default();
    matches!(name, "localhost" | "127.0.0.1") || host.starts_with("[::1]")
}
