//! Health, and stopping in order.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tollgate_core::access::Scope;
use tollgate_server::backend::Awaited;
use tollgate_server::config::Config;
use tollgate_server::lane::LaneError;
use tollgate_server::problem::Problem;

use crate::fixture::{Running, engine, event};

#[tokio::test]
async fn health_readiness_and_metrics_answer() {
    let server = Running::start(Config::default()).await;
    assert_eq!(server.get("/healthz").await.body, "ok\n");
    assert_eq!(server.get("/readyz").await.body, "ready\n");
    server.get("/nowhere/at/all").await;
    let _open = server.connect().await;
    let metrics = server.metrics().await;
    for part in [
        r#"tollgate_http_requests_total{method="GET",route="/healthz",status="200"} 1"#,
        r#"tollgate_http_requests_total{method="GET",route="unmatched",status="404"} 1"#,
        "tollgate_http_connections 1",
        r#"tollgate_http_request_seconds_count{route="/readyz"} 1"#,
        r#"tollgate_http_request_seconds_count{route="unmatched"} 1"#,
        r#"tollgate_http_request_seconds_bucket{le="0.25",route="/healthz"}"#,
        "# EOF",
    ] {
        assert!(metrics.contains(part), "{part} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn metrics_are_shown_in_public_to_the_platform_only() {
    let server = Running::start(Config::default()).await;
    assert_eq!(server.get("/metrics").await.status(), 401);
    let ask = async |scope| {
        let (_, key) = server.backend.keys.make("probe", scope, None, 0).unwrap();
        server.ask(&format!("GET /metrics HTTP/1.1\r\nauthorization: Bearer {key}"), b"").await
    };
    let builder = ask(Scope::Builder { builder: "acme".to_owned() }).await;
    assert_eq!((builder.status(), builder.problem()["type"].as_str()), (403, Some("/problems/forbidden")));
    let shown = ask(Scope::Platform).await;
    assert!(shown.status() == 200 && shown.body.ends_with("# EOF\n"), "{}", shown.head);
}

#[tokio::test]
async fn who_runs_it_is_answered_although_every_connection_is_taken() {
    let server = Running::start(Config { connections_max: NonZeroU32::MIN, ..Config::default() }).await;
    let _taken = server.connect().await;
    assert_eq!(server.administer("/healthz").await.body, "ok\n");
    assert_eq!(server.administer("/readyz").await.body, "ready\n");
    assert!(server.metrics().await.ends_with("# EOF\n"));
    for elsewhere in ["/v1/builders", "/openapi.json", "/docs"] {
        assert_eq!(server.administer(elsewhere).await.status(), 404, "{elsewhere}");
    }
}

#[tokio::test]
async fn who_runs_it_is_answered_while_it_stops() {
    let server = Running::start(Config::default()).await;
    let mut running = server.connect().await;
    let head = b"GET /slow/600 HTTP/1.1\r\nhost: here\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut running, head).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.tell_to_stop();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect(server.address).await.is_err());
    assert_eq!(server.administer("/readyz").await.status(), 503);
    assert_eq!(server.administer("/healthz").await.status(), 200);
    server.ended().await.unwrap();
}

/// Walks go on while somebody waits, have turns of their own, and keep nobody else from anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_walks_keep_nobody_waiting_and_end_when_given_up() {
    let server = Running::start(Config::default()).await;
    let (begun, ended) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let walk = || {
        let (backend, begun, ended) = (Arc::clone(&server.backend), Arc::clone(&begun), Arc::clone(&ended));
        tokio::spawn(async move {
            let endless = move |_: &_, awaited: &Awaited| -> Result<(), Problem> {
                begun.fetch_add(1, Ordering::SeqCst);
                while awaited.check().is_ok() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                ended.fetch_add(1, Ordering::SeqCst);
                awaited.check()
            };
            backend.walk(endless).await
        })
    };
    let walks: Vec<_> = (0..20).map(|_| walk()).collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!((begun.load(Ordering::SeqCst), ended.load(Ordering::SeqCst)), (2, 0), "the others wait");
    assert_eq!(server.get("/readyz").await.body, "ready\n");
    server.backend.call(|_| Ok::<_, Problem>(())).await.unwrap();
    for walk in walks {
        walk.abort();
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(ended.load(Ordering::SeqCst), begun.load(Ordering::SeqCst));
    server.backend.walk(|_, awaited| awaited.check()).await.unwrap();
}

#[tokio::test]
async fn a_recorder_that_has_stopped_is_not_ready() {
    let server = Running::start(Config::default()).await;
    let backend = Arc::clone(&server.backend);
    tokio::task::spawn_blocking(move || backend.recorder.shutdown()).await.unwrap();
    let answer = server.get("/readyz").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.problem()["detail"], "no events are taken in");
}

#[tokio::test]
async fn stopping_lets_running_requests_finish() {
    let engine = engine();
    let config = Config { batch_wait: Duration::from_millis(400), ..Config::default() };
    let server = Running::over(Arc::clone(&engine), config).await;
    let address = server.address;
    let backend = Arc::clone(&server.backend);
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
