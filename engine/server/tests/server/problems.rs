//! Every refusal is a problem, has the request's id, and tells nothing of the server's insides.

use std::num::NonZeroU32;

use serde_json::{Value, json};
use tollgate_server::config::Config;
use tollgate_server::problem::Kind;

use crate::fixture::Running;

const JSON: &str = "POST /order HTTP/1.1\r\ncontent-type: application/json; charset=utf-8";

#[tokio::test]
async fn unknown_places_and_methods_are_problems() {
    let server = Running::start(Config::default()).await;
    let nowhere = server.get("/nowhere?secret=1").await;
    assert_eq!(nowhere.status(), 404);
    let problem = nowhere.problem();
    assert_eq!(problem["type"], "/problems/not-found");
    assert_eq!(problem["detail"], "there is nothing at /nowhere");
    let method = server.ask("DELETE /healthz HTTP/1.1", b"").await;
    assert_eq!(method.status(), 405);
    assert_eq!(method.problem()["type"], "/problems/method-not-allowed");
    assert_eq!(method.header("allow"), Some("get,head"));
}

/// Whoever follows a problem's `type` finds what to do; README lists them all.
#[tokio::test]
async fn every_kind_of_problem_is_explained_where_its_type_leads() {
    let server = Running::start(Config::default()).await;
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let all: Vec<Value> = serde_json::from_str(&server.get("/problems").await.body).unwrap();
    assert_eq!(all.len(), Kind::ALL.len());
    for (kind, listed) in Kind::ALL.into_iter().zip(&all) {
        let page = server.get(kind.uri()).await;
        assert_eq!((page.status(), page.header("content-type")), (200, Some("application/json")));
        let page: Value = serde_json::from_str(&page.body).unwrap();
        assert_eq!((&page["type"], &page["status"]), (&json!(kind.uri()), &json!(kind.status().as_u16())));
        assert!(page["remedy"].as_str().is_some_and(|remedy| remedy.ends_with('.')), "{page}");
        assert_eq!(&page, listed);
        let name = kind.uri().trim_start_matches("/problems/");
        let row = format!("| `{name}` | {} | {} |", kind.status().as_u16(), kind.remedy());
        assert!(readme.contains(&row), "README lacks\n{row}");
    }
    let met = server.get("/nowhere").await.problem();
    assert_eq!(server.get(met["type"].as_str().unwrap()).await.status(), 200);
    assert_eq!(server.get("/problems/none").await.problem()["type"], "/problems/not-found");
}

#[tokio::test]
async fn a_wrong_body_is_pointed_at() {
    let server = Running::start(Config::default()).await;
    assert_eq!(server.ask(JSON, br#"{"count": 3}"#).await.body, "3");
    let answer = server.ask(JSON, br#"{"count": "three"}"#).await;
    assert_eq!(answer.status(), 422);
    let problem = answer.problem();
    assert_eq!(problem["title"], "The request is invalid");
    let message = r#"must be a whole number from 0 to 4294967295, not "three""#;
    assert_eq!(problem["errors"], json!([{"pointer": "/count", "message": message}]));
    let answer = server.ask(JSON, br#"{"count": "#).await;
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.problem()["type"], "/problems/malformed-request");
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let server = Running::start(Config::default()).await;
    for (path, parameter) in [("/list?year=x", "year"), ("/list?yaer=1", "yaer"), ("/slow/x", "millis")] {
        let answer = server.get(path).await;
        assert_eq!(answer.status(), 422, "{path}");
        assert_eq!(answer.problem()["errors"][0]["parameter"], parameter);
    }
}

#[tokio::test]
async fn a_panic_is_answered_and_not_told() {
    let server = Running::start(Config::default()).await;
    for path in ["/panic", "/panic-in-call"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status(), 500, "{path}");
        assert_eq!(answer.problem()["type"], "/problems/internal");
        assert!(!answer.body.contains("secret"));
    }
    assert_eq!(server.get("/healthz").await.status(), 200);
}

#[tokio::test]
async fn a_request_keeps_its_id() {
    let server = Running::start(Config::default()).await;
    let given = server.ask("GET /healthz HTTP/1.1\r\nx-request-id: job-7", b"").await;
    assert_eq!(given.header("x-request-id"), Some("job-7"));
    assert_eq!(given.header("cache-control"), Some("no-store"));
    let harmful = server.ask("GET /nowhere HTTP/1.1\r\nx-request-id: a b", b"").await;
    let made = harmful.problem()["request_id"].clone();
    assert!(made.as_str().is_some_and(|id| id.len() > 16 && id != "a b"), "{made}");
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let one = NonZeroU32::MIN;
    let config = Config { rate_per_second: one, rate_burst: one.saturating_add(1), ..Config::default() };
    let server = Running::start(config).await;
    let ask =
        async |key: &str| server.ask(&format!("GET /limited HTTP/1.1\r\nauthorization: {key}"), b"").await;
    let (first, second, third) = (ask("a").await, ask("a").await, ask("a").await);
    assert_eq!((first.status(), first.header("ratelimit-remaining")), (200, Some("1")));
    assert_eq!((second.status(), second.header("ratelimit-remaining")), (200, Some("0")));
    assert_eq!((third.status(), third.header("retry-after")), (429, Some("1")));
    assert_eq!((third.header("ratelimit-limit"), third.header("ratelimit-reset")), (Some("2"), Some("2")));
    assert_eq!(third.problem()["type"], "/problems/too-many-requests");
    assert_eq!(ask("b").await.status(), 200);
}
