//! TLS: spoken with a certificate and key, its handshake bounded, bad files named.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, pki_types};
use tollgate_server::config::Config;
use tollgate_server::server::{Server, ServerError};
use tollgate_server::tls::TlsError;
use tollgate_store::MemoryStore;

use crate::fixture::{Answer, Running, engine};

/// Writes a certificate and its key, and gives back a client that trusts no other.
fn certify(directory: &Path) -> TlsConnector {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (directory.join("certificate.pem"), directory.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(pki_types::CertificateDer::from_pem_file(&certificate).unwrap()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(client))
}

fn files(directory: &Path) -> (Config, TlsConnector) {
    let client = certify(directory);
    let config = Config {
        tls_certificate: Some(directory.join("certificate.pem")),
        tls_key: Some(directory.join("key.pem")),
        header_read_timeout: Duration::from_millis(400),
        ..Config::default()
    };
    (config, client)
}

fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

#[tokio::test]
async fn requests_are_served_over_tls() {
    let directory = tempfile::tempdir().unwrap();
    let (config, client) = files(directory.path());
    let server = Running::start(config).await;
    let mut stream = client.connect(localhost(), server.connect().await).await.unwrap();
    let request = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let answer = Answer::read(&mut stream).await;
    assert_eq!((answer.status(), answer.body.as_str()), (200, "ok\n"));
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let (config, _) = files(directory.path());
    let server = Running::start(config).await;
    let mut stream = server.connect().await;
    let started = Instant::now();
    assert_eq!(stream.read(&mut [0; 16]).await.unwrap_or(0), 0);
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(350) && took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn a_file_that_is_none_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let (config, _) = files(directory.path());
    let key = directory.path().join("key.pem");
    std::fs::write(&key, "nothing of the kind").unwrap();
    let error = Server::new(engine(), Arc::new(MemoryStore::new()), config).unwrap_err();
    assert!(matches!(&error, ServerError::Tls(TlsError::File { path, .. }) if *path == key), "{error}");
    assert!(error.to_string().contains("key.pem: no private key in PEM format"), "{error}");
}

#[tokio::test]
async fn a_renewed_certificate_is_for_new_connections_and_a_bad_one_for_none() {
    let directory = tempfile::tempdir().unwrap();
    let (config, before) = files(directory.path());
    let server = Server::new(engine(), Arc::new(MemoryStore::new()), config).unwrap();
    let tls = Arc::clone(server.tls().unwrap());
    let server = Running::serving(server).await;
    let mut open = before.connect(localhost(), server.connect().await).await.unwrap();
    let after = certify(directory.path());
    assert!(after.connect(localhost(), server.connect().await).await.is_err(), "it has not been read");
    tls.read_again().unwrap();
    after.connect(localhost(), server.connect().await).await.unwrap();
    assert!(before.connect(localhost(), server.connect().await).await.is_err());
    std::fs::write(directory.path().join("certificate.pem"), "cut sho").unwrap();
    assert!(matches!(tls.read_again().unwrap_err(), TlsError::File { what: "certificate", .. }));
    after.connect(localhost(), server.connect().await).await.unwrap();
    let request = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    open.write_all(request).await.unwrap();
    assert_eq!(Answer::read(&mut open).await.body, "ok\n", "it went on");
}
