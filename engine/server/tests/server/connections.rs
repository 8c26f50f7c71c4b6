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

const IDLE: Duration = Duration::from_millis(1_500);

/// Patient with idle connections, and not with heads.
fn pooled() -> Config {
    Config { idle_timeout: IDLE, ..config() }
}

/// Asks on a connection that is kept, and reads the short answer.
async fn ask_on(stream: &mut TcpStream) {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
    let (mut answer, mut bytes) = (Vec::new(), [0; 4096]);
    while !answer.ends_with(b"ok\n") {
        let count = stream.read(&mut bytes).await.unwrap();
        assert_ne!(count, 0, "closed after {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&bytes[..count]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other_until_it_is_idle() {
    let server = Running::start(pooled()).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        ask_on(&mut stream).await;
        // As a load balancer keeps it: far longer than a head may take.
        tokio::time::sleep(HEAD_TIMEOUT * 2).await;
    }
    ask_on(&mut stream).await;
    assert_about(closed_after(&mut stream).await, IDLE);
}

#[tokio::test]
async fn the_next_head_has_its_time_from_its_first_byte() {
    let server = Running::start(pooled()).await;
    let mut stream = server.connect().await;
    ask_on(&mut stream).await;
    tokio::time::sleep(HEAD_TIMEOUT * 2).await;
    stream.write_all(b"GET /heal").await.unwrap();
    assert_about(closed_after(&mut stream).await, HEAD_TIMEOUT);
}

/// What begins HTTP/2, with these settings.
async fn connect_http_2(server: &Running, settings: &[u8]) -> TcpStream {
    let mut stream = server.connect().await;
    let mut begun = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0".to_vec();
    begun.push(u8::try_from(settings.len()).unwrap());
    begun.extend_from_slice(b"\x04\0\0\0\0\0");
    begun.extend_from_slice(settings);
    stream.write_all(&begun).await.unwrap();
    assert_eq!(frame_kind(&mut stream).await, 4, "a SETTINGS frame comes first");
    stream
}

/// Reads one frame, and says of which kind it is.
async fn frame_kind(stream: &mut TcpStream) -> u8 {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    stream.read_exact(&mut vec![0; length as usize]).await.unwrap();
    head[3]
}

/// The kind of a frame that asks to go.
const GOAWAY: u8 = 7;

/// A frame of one request for `/healthz`, which is whole.
const HTTP_2_REQUEST: &[u8] = b"\0\0\x0c\x01\x05\0\0\0\x01\x82\x86\x44\x08/healthz";

#[tokio::test]
async fn http_2_without_a_request_is_held_to_the_time_of_a_head() {
    let server = Running::start(pooled()).await;
    let mut stream = connect_http_2(&server, b"").await;
    assert_about(closed_after(&mut stream).await, HEAD_TIMEOUT);
}

#[tokio::test]
async fn http_2_that_is_idle_is_asked_to_go_and_then_cut() {
    let server = Running::start(pooled()).await;
    // The second one lets no byte of its answer come: it has a window of nothing.
    for settings in [&b""[..], b"\0\x04\0\0\0\0"] {
        let mut stream = connect_http_2(&server, settings).await;
        stream.write_all(HTTP_2_REQUEST).await.unwrap();
        let asked = Instant::now();
        let goodbye = async { while frame_kind(&mut stream).await != GOAWAY {} };
        timeout(Duration::from_secs(10), goodbye).await.expect("it is asked to go");
        assert_about(asked.elapsed(), IDLE);
        closed_after(&mut stream).await;
        assert_about(asked.elapsed(), IDLE * 2);
    }
}

#[tokio::test]
async fn one_peer_has_no_more_connections_than_it_may() {
    let server = Running::start(Config { connections_per_peer_max: NonZeroU32::new(1), ..config() }).await;
    let mut first = server.connect().await;
    ask_on(&mut first).await;
    assert!(closed_after(&mut server.connect().await).await < HEAD_TIMEOUT);
    ask_on(&mut first).await;
    drop(first);
    let place_is_back = async {
        while server.get("/healthz").await.status() != 200 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(5), place_is_back).await.unwrap();
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
