//! A store that cannot write: who asks is told, and nobody has to send something for it to be noticed as over.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;
use tollgate_server::config::Config;
use tollgate_store::Options;

use crate::fixture::{Running, engine_in};

/// The value of a metric.
async fn metric(server: &Running, name: &str) -> i64 {
    let metrics = server.metrics().await;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in\n{metrics}")).parse().unwrap()
}

#[tokio::test]
async fn a_store_that_cannot_write_is_not_ready_until_it_can() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { busy_timeout: Duration::from_millis(20), ..Options::default() };
    let server = Running::over(engine_in(directory.path(), &options), Config::default()).await;
    assert_eq!(server.get("/readyz").await.body, "ready\n");
    let blocker = Connection::open(directory.path().join("tollgate.db")).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = server.ask("POST /record/first HTTP/1.1", b"").await;
    let detail = "the store could not take it; nothing of it was kept, and sending it again is safe";
    assert_eq!((refused.status(), &refused.problem()["detail"]), (503, &Value::from(detail)));
    let unready = server.get("/readyz").await;
    let detail = "nothing can be recorded: the store failed: database is locked";
    assert_eq!((unready.status(), &unready.problem()["detail"]), (503, &Value::from(detail)));
    let deadline = Instant::now() + Duration::from_secs(10);
    while metric(&server, "tollgate_store_writable").await != 0 {
        assert!(Instant::now() < deadline, "it shows that nothing can be written");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(metric(&server, "tollgate_commit_failures_total").await >= 1);
    assert_eq!(metric(&server, "tollgate_commit_seconds_count").await, 0);
    assert!(metric(&server, "tollgate_store_database_bytes").await > 0);
    assert!(metric(&server, "tollgate_store_log_bytes").await > 0);
    blocker.execute_batch("ROLLBACK").unwrap();
    // Nobody records anything: the server finds out by itself.
    while server.get("/readyz").await.status() != 200 {
        assert!(Instant::now() < deadline, "it is ready again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.ask("POST /record/first HTTP/1.1", b"").await.body, "1");
    while metric(&server, "tollgate_store_writable").await != 1 {
        assert!(Instant::now() < deadline, "it shows that it can write");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(metric(&server, "tollgate_commit_seconds_count").await, 1);
}
