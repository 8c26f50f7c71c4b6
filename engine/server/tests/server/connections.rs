//! Connections: slow ones end, idle ones end, and there are never too many.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tollgate_server::config::Config;

use crate::fixture::{Answer, Running};

const HEAD_TIMEOUT: Duration = Duration::from_millis(400);

fn config() -> Config {
    Config { header_read_timeout: HEAD_TIMEOUT, ..Config::default() }
}

/// How long until the server closes the connection.
async fn closed_after(stream: &mut TcpStream) -> Duration {
    let started = Instant::now();
    let mut rest = Vec::new();
    drop(timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await.expect("it is closed"));
    started.elapsed()
}

fn assert_about(took: Duration, expected: Duration) {
    let late = expected + Duration::from_millis(600);
    assert!(took + Duration::from_millis(50) >= expected && took < late, "{took:?}, not {expected:?}");
}

#[tokio::test]
async fn a_connection_that_says_too_little_is_closed() {
    let server = Running::start(config()).await;
    // Nothing; half a head; the beginning of an HTTP/2 preface, which could still become anything.
    for begun in ["", "GET /healthz HTTP/1.1\r\nhost: he", "P", "PRI * HTTP/2.0\r\n"] {
        let mut stream = server.connect().await;
        stream.write_all(begun.as_bytes()).await.unwrap();
        assert_about(closed_after(&mut stream).await, HEAD_TIMEOUT);
    }
}

#[tokio::test]
async fn a_head_that_trickles_is_closed_all_the_same() {
    let server = Running::start(config()).await;
    let mut stream = server.connect().await;
    let started = Instant::now();
    let head = b"GET /healthz HTTP/1.1\r\nhost: here\r\nx-long: ".iter().chain(std::iter::repeat(&b'x'));
    for byte in head {
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(started.elapsed() < HEAD_TIMEOUT * 4, "still open");
    }
}

#[tokio::test]
async fn a_slow_body_is_ended_by_the_request_timeout() {
    let server = Running::start(Config { request_timeout: HEAD_TIMEOUT, ..Config::default() }).await;
    let mut stream = server.connect().await;
    let started = Instant::now();
    let head = b"POST /length HTTP/1.1\r\nhost: here\r\ncontent-length: 100\r\n\r\nonly this";
    stream.write_all(head).await.unwrap();
    let answer = timeout(Duration::from_secs(10), Answer::read(&mut stream)).await.unwrap();
    assert_about(started.elapsed(), HEAD_TIMEOUT);
    assert_eq!(answer.status(), 408);
    assert_eq!(answer.problem()["type"], "/problems/request-timeout");
}

#[tokio::test]
async fn slow_work_is_ended_by_the_request_timeout() {
    let server = Running::start(Config { request_timeout: HEAD_TIMEOUT, ..Config::default() }).await;
    let answer = server.get("/slow/5000").await;
    assert_eq!(answer.status(), 504);
    assert_eq!(answer.problem()["type"], "/problems/timeout");
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other_until_it_is_idle() {
    let server = Running::start(config()).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        let mut rest = [0; 4096];
        let _ = stream.read(&mut rest).await.unwrap();
    }
    assert_about(closed_after(&mut stream).await, HEAD_TIMEOUT);
}

#[tokio::test]
async fn http_2_is_spoken_and_its_idle_connections_end() {
    let idle = Duration::from_millis(300);
    let server = Running::start(Config { idle_timeout: idle, ..config() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "a SETTINGS frame comes first");
    let took = closed_after(&mut stream).await;
    assert!(took >= idle && took < idle * 6, "{took:?}");
}

#[tokio::test]
async fn no_more_connections_are_served_than_allowed() {
    let connections_max = NonZeroU32::MIN.saturating_add(1);
    let server = Running::start(Config { connections_max, ..Config::default() }).await;
    let mut first = server.connect().await;
    let _second = server.connect().await;
    for stream in [&mut first] {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
        assert_ne!(stream.read(&mut [0; 4096]).await.unwrap(), 0);
    }
    let third = server.get("/healthz");
    tokio::pin!(third);
    assert!(timeout(Duration::from_millis(300), &mut third).await.is_err(), "it has to wait");
    drop(first);
    let answer = timeout(Duration::from_secs(5), third).await.expect("there is room now");
    assert_eq!(answer.status(), 200);
}
