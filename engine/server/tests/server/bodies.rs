//! Bodies: their size, their packing, their type.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tollgate_server::config::Config;

use crate::fixture::Running;

fn config() -> Config {
    Config { body_bytes_max: 100_000, body_unpacked_bytes_max: 400_000, ..Config::default() }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn packed_and_plain_bodies_are_the_same_to_a_route() {
    let server = Running::start(config()).await;
    let body = b"0123456789".repeat(9_000);
    let twice = [gzip(&body), gzip(&body)].concat();
    let zstd = zstd::encode_all(&body[..], 19).unwrap();
    for (encoding, sent, length) in [
        ("identity", body.clone(), 90_000),
        ("gzip", gzip(&body), 90_000),
        ("x-gzip", twice, 180_000),
        ("zstd", zstd, 90_000),
    ] {
        let answer =
            server.ask(&format!("POST /length HTTP/1.1\r\ncontent-encoding: {encoding}"), &sent).await;
        assert_eq!((answer.status(), answer.body), (200, length.to_string()), "{encoding}");
    }
}

#[tokio::test]
async fn an_oversized_body_is_refused() {
    let server = Running::start(config()).await;
    let answer = server.ask("POST /length HTTP/1.1", &vec![b'x'; 100_001]).await;
    assert_eq!(answer.status(), 413);
    assert_eq!(answer.problem()["type"], "/problems/too-large");
    assert_eq!(server.ask("POST /length HTTP/1.1", &vec![b'x'; 100_000]).await.body, "100000");
}

#[tokio::test]
async fn an_oversized_body_of_unknown_length_is_refused_while_it_arrives() {
    let server = Running::start(config()).await;
    let mut chunks = b"ffff\r\n".to_vec();
    chunks.extend(vec![b'x'; 0xffff]);
    let body = [chunks.clone(), b"\r\n".to_vec(), chunks, b"\r\n".to_vec()].concat();
    let mut stream = server.connect().await;
    let head =
        b"POST /length HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stream, head).await.unwrap();
    drop(tokio::io::AsyncWriteExt::write_all(&mut stream, &body).await);
    let answer = crate::fixture::Answer::read(&mut stream).await;
    assert_eq!(answer.status(), 413);
}

#[tokio::test]
async fn a_bomb_is_stopped_at_the_unpacked_limit() {
    let server = Running::start(config()).await;
    let zeros = vec![0; 64 * 1024 * 1024];
    let gzip = gzip(&zeros);
    let zstd = zstd::encode_all(&zeros[..], 1).unwrap();
    assert!(gzip.len() < 100_000 && zstd.len() < 100_000, "the bombs must get in");
    for (encoding, bomb) in [("gzip", gzip), ("zstd", zstd)] {
        let answer =
            server.ask(&format!("POST /length HTTP/1.1\r\ncontent-encoding: {encoding}"), &bomb).await;
        assert_eq!(answer.status(), 413, "{encoding}: {}", answer.body);
        let detail = answer.problem()["detail"].to_string();
        assert!(detail.contains("unpacked body is larger than 400000 bytes"), "{detail}");
    }
}

#[tokio::test]
async fn what_does_not_unpack_is_told() {
    let server = Running::start(config()).await;
    let mut cut = gzip(&b"0123456789".repeat(1_000));
    cut.truncate(cut.len() / 2);
    for (encoding, sent) in [("gzip", &cut[..]), ("gzip", b"plain"), ("zstd", b"plain")] {
        let answer =
            server.ask(&format!("POST /length HTTP/1.1\r\ncontent-encoding: {encoding}"), sent).await;
        assert_eq!(answer.status(), 400, "{encoding}: {}", answer.body);
    }
}

#[tokio::test]
async fn other_encodings_and_types_are_unsupported() {
    let server = Running::start(config()).await;
    for encoding in ["br", "deflate", "gzip, gzip"] {
        let answer =
            server.ask(&format!("POST /length HTTP/1.1\r\ncontent-encoding: {encoding}"), b"x").await;
        assert_eq!(answer.status(), 415, "{encoding}");
        assert_eq!(answer.problem()["type"], "/problems/unsupported-media-type");
    }
    let form = "POST /order HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded";
    assert_eq!(server.ask(form, b"count=1").await.status(), 415);
}

#[tokio::test]
async fn all_bodies_together_are_bounded() {
    let config = Config { bodies_bytes_max: 400_000, plugin_bytes_max: 400_000, ..config() };
    let server = Running::start(config).await;
    let mut unfinished = Vec::new();
    // Six bodies that never end hold 64 KiB each of the 448 KiB that 400,000 bytes are rounded up to.
    for _ in 0..6 {
        let mut stream = server.connect().await;
        let head = b"POST /length HTTP/1.1\r\nhost: here\r\ncontent-length: 50000\r\n\r\nbegun";
        tokio::io::AsyncWriteExt::write_all(&mut stream, head).await.unwrap();
        unfinished.push(stream);
    }
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let answer = server.ask("POST /length HTTP/1.1", &vec![b'x'; 90_000]).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.header("retry-after"), Some("1"));
    // Whatever is to be done with it: a body is a body.
    let keyed = "POST /v1/builders HTTP/1.1\r\nidempotency-key: a\r\ncontent-type: application/json";
    assert!([401, 503].contains(&server.ask(keyed, &vec![b'x'; 90_000]).await.status()));
    drop(unfinished);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(server.ask("POST /length HTTP/1.1", &vec![b'x'; 90_000]).await.status(), 200);
}
