//! TLS by rustls, when a certificate and its key are given.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// Why TLS cannot be spoken with these files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds nothing of the kind.
    #[error("{}: no {what} in PEM format: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// `certificate`, `private key`.
        what: &'static str,
        /// What is wrong with it.
        error: PemError,
    },
    /// The two do not fit each other, or the key is of a kind that is not supported.
    #[error("the certificate and its key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// Speaks TLS 1.2 and 1.3, and HTTP/2 or HTTP/1.1 as the client chooses.
///
/// # Errors
/// When one of the PEM files cannot be read or they do not belong together.
pub fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let in_file = |path: &Path, what| {
        let path = path.to_owned();
        move |error| TlsError::File { path, what, error }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .and_then(|chain| if chain.is_empty() { Err(PemError::NoItemsFound) } else { Ok(chain) })
        .map_err(in_file(certificate, "certificate"))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(in_file(key, "private key"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// HTTP/2's name in the TLS handshake.
pub const HTTP2: &[u8] = b"h2";
