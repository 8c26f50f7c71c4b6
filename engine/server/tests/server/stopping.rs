//! Health, and stopping in order.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tollgate_server::config::Config;
use tollgate_server::lane::LaneError;

use crate::fixture::{Running, engine, event};

#[tokio::test]
async fn health_readiness_and_metrics_answer() {
    let server = Running::start(Config::default()).await;
    assert_eq!(server.get("/healthz").await.body, "ok\n");
    assert_eq!(server.get("/readyz").await.body, "ready\n");
    server.get("/nowhere/at/all").await;
    let metrics = server.get("/metrics").await;
    for part in [
        r#"tollgate_http_requests_total{method="GET",route="/healthz",status="200"} 1"#,
        r#"tollgate_http_requests_total{method="GET",route="unmatched",status="404"} 1"#,
        "tollgate_http_connections 1",
        "# EOF",
    ] {
        assert!(metrics.body.contains(part), "{part} is not in\n{}", metrics.body);
    }
}

#[tokio::test]
async fn a_recorder_that_has_stopped_is_not_ready() {
    let server = Running::start(Config::default()).await;
    let backend = std::sync::Arc::clone(&server.backend);
    tokio::task::spawn_blocking(move || backend.recorder.shutdown()).await.unwrap();
    let answer = server.get("/readyz").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.problem()["detail"], "no events are taken in");
}

#[tokio::test]
async fn stopping_lets_running_requests_finish() {
    let engine = engine();
    let config = Config { batch_wait: Duration::from_millis(400), ..Config::default() };
    let server = Running::over(std::sync::Arc::clone(&engine), config).await;
    let address = server.address;
    let backend = std::sync::Arc::clone(&server.backend);
    let idle = server.connect().await;
    let stop = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        server.tell_to_stop();
    };
    let asked = Instant::now();
    let (slow, record, ()) =
        tokio::join!(server.get("/slow/500"), server.ask("POST /record/last HTTP/1.1", b""), stop);
    assert!(asked.elapsed() >= Duration::from_millis(400), "both ran when the server was told to stop");
    assert_eq!((slow.status(), slow.body.as_str()), (200, "done"));
    assert_eq!((record.status(), record.body.as_str()), (200, "1"));
    drop(idle);
    server.ended().await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
    assert!(matches!(backend.recorder.record(vec![event("late")], None).await, Err(LaneError::Stopping)));
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut() {
    let config = Config { shutdown_timeout: Duration::from_millis(300), ..Config::default() };
    let server = Running::start(config).await;
    let mut stream = server.connect().await;
    let head = b"GET /slow/20000 HTTP/1.1\r\nhost: here\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stream, head).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let asked = Instant::now();
    server.tell_to_stop();
    server.ended().await.unwrap();
    assert!(asked.elapsed() >= Duration::from_millis(300) && asked.elapsed() < Duration::from_secs(2));
}
