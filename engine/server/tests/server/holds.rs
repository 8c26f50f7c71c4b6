//! Authorisations over HTTP: asked for, captured, voided and expired, and a thousand at once.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::fixture::APP;
use crate::pages::{OTHER_APP, done, pages};
use crate::till::{Bank, WALLET};

const PATH: &str = "POST /v1/authorizations";

fn place(id: &str) -> String {
    format!("/v1/authorizations/{APP}/{id}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_authorised_is_reserved_and_what_there_is_no_money_for_is_denied() {
    let bank = Bank::open().await;
    bank.prepaid("10").await;
    let told = bank.expect(&bank.ingest, PATH, &pages(APP, "a", 1, 3), 200).await;
    assert_eq!((&told["allowed"], &told["price"]), (&json!(true), &json!("6")));
    assert_eq!(told["remaining"], json!({"granted": "4", "paid": "0", "available": "4"}));
    assert_eq!(
        told["hold"]["reserved_from"],
        json!([{"source": "granted", "grant": "welcome", "amount": "6"}])
    );
    assert_eq!(told["reasons"], json!([]));
    // Asked again, it reserves nothing more.
    assert_eq!(bank.expect(&bank.ingest, PATH, &pages(APP, "a", 1, 3), 200).await, told);
    let told = bank.expect(&bank.acme, PATH, &pages(APP, "b", 1, 3), 200).await;
    assert_eq!(
        (&told["allowed"], &told["hold"], &told["expires_at"]),
        (&json!(false), &Value::Null, &Value::Null)
    );
    assert_eq!(
        told["reasons"],
        json!([{"code": "insufficient_funds",
        "detail": "it would cost 6.00 USD, and 4.00 USD is available"}])
    );
    let unpriced = bank.expect(&bank.ingest, PATH, &pages(APP, "c", 1, 13), 200).await;
    assert_eq!((&unpriced["price"], &unpriced["reasons"][0]["code"]), (&Value::Null, &json!("fault")));
    let hold = bank.read(&bank.customer, &place("a")).await;
    assert_eq!((&hold["state"], &hold["price"]), (&json!("pending"), &json!("6")));
    assert_eq!(bank.read(&bank.acme, WALLET).await["reserved"], "6");
    let metrics = bank.running.metrics().await;
    for line in [
        r#"tollgate_authorizations_total{answer="allowed"} 2"#,
        r#"tollgate_authorization_denials_total{reason="insufficient_funds"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capture_is_the_event_of_the_same_id_charged_once() {
    let bank = Bank::open().await;
    bank.prepaid("20").await;
    bank.expect(&bank.ingest, PATH, &pages(APP, "a", 1, 3), 200).await;
    // It came out larger.
    let capture = format!("POST {}/capture", place("a"));
    let told = bank.expect(&bank.ingest, &capture, &pages(APP, "a", 1, 4), 200).await;
    assert_eq!(
        (&told["receipts"][0]["status"], &told["receipts"][0]["charge"]["total"]),
        (&json!("rated"), &json!("8"))
    );
    let again = bank.expect(&bank.ingest, &capture, &pages(APP, "a", 1, 4), 200).await;
    assert_eq!(again["receipts"][0]["status"], "duplicate");
    let hold = bank.read(&bank.ingest, &place("a")).await;
    assert_eq!((&hold["state"], &hold["captured"]), (&json!("captured"), &json!("8")));
    let wallet = bank.read(&bank.acme, WALLET).await;
    assert_eq!(
        (&wallet["granted"], &wallet["reserved"], &wallet["holds"]),
        (&json!("12"), &json!("0"), &json!(0))
    );
    let over = bank.expect(&bank.ingest, PATH, &pages(APP, "a", 1, 3), 409).await;
    assert!(over["detail"].as_str().unwrap().contains("has been recorded"), "{over}");
    // Recorded elsewhere, it is captured as well.
    bank.expect(&bank.ingest, PATH, &pages(APP, "b", 1, 3), 200).await;
    bank.write(&bank.ingest, "/v1/events", &pages(APP, "b", 1, 1)).await;
    assert_eq!(bank.read(&bank.ingest, &place("b")).await["captured"], "2");
    assert_eq!(bank.read(&bank.acme, WALLET).await["granted"], "10");
    assert_eq!(bank.imbalance().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capture_is_of_what_was_authorised() {
    let bank = Bank::open().await;
    bank.prepaid("20").await;
    bank.expect(&bank.ingest, PATH, &pages(APP, "a", 1, 3), 200).await;
    let capture = format!("POST {}/capture", place("a"));
    let mut other = pages(APP, "a", 1, 3);
    other["subject"] = json!("sales");
    for (event, pointer) in
        [(pages(APP, "b", 1, 3), "/id"), (other, "/subject"), (json!({"id": "a"}), "/specversion")]
    {
        let told = bank.expect(&bank.ingest, &capture, &event, 422).await;
        assert_eq!(told["errors"][0]["pointer"], pointer, "{told}");
    }
    let told = bank.expect(&bank.platform, &capture, &pages(OTHER_APP, "a", 1, 3), 422).await;
    assert_eq!(told["errors"][0]["pointer"], "/source");
    let never = format!("POST {}/capture", place("never"));
    bank.expect(&bank.ingest, &never, &pages(APP, "never", 1, 3), 404).await;
    bank.expect(&bank.globex, &capture, &pages(APP, "a", 1, 3), 404).await;
    bank.expect(&bank.customer, &capture, &pages(APP, "a", 1, 3), 403).await;
    assert_eq!(bank.read(&bank.ingest, &place("a")).await["state"], "pending");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_voided_or_has_expired_is_given_up() {
    let bank = Bank::open().await;
    bank.prepaid("10").await;
    bank.expect(&bank.ingest, PATH, &pages(APP, "a", 1, 3), 200).await;
    let void = format!("POST {}/void", place("a"));
    let told = bank.expect(&bank.ingest, &void, &Value::Null, 200).await;
    assert_eq!(told["state"], "voided");
    assert_eq!(bank.expect(&bank.ingest, &void, &Value::Null, 200).await, told);
    let over = bank.expect(&bank.ingest, PATH, &pages(APP, "a", 1, 3), 409).await;
    assert!(over["detail"].as_str().unwrap().contains("is over"), "{over}");
    bank.expect(&bank.customer, &void, &Value::Null, 403).await;
    bank.expect(&bank.globex, &void, &Value::Null, 404).await;
    bank.expect(&bank.ingest, &format!("POST {}/void", place("never")), &Value::Null, 404).await;

    let soon = format!("{PATH}?expires_in_seconds=1");
    bank.expect(&bank.ingest, &soon, &pages(APP, "b", 1, 3), 200).await;
    assert_eq!(bank.read(&bank.acme, WALLET).await["reserved"], "6");
    bank.wait(&place("b"), |hold| hold["state"] == "expired").await;
    assert_eq!(bank.read(&bank.acme, WALLET).await["reserved"], "0");
    // It ran all the same, so it is charged.
    let late = format!("POST {}/capture", place("b"));
    let told = bank.expect(&bank.ingest, &late, &pages(APP, "b", 1, 3), 200).await;
    assert_eq!(told["receipts"][0]["status"], "rated");
    for seconds in ["0", "604801", "-1", "soon"] {
        let asked = format!("{PATH}?expires_in_seconds={seconds}");
        let told = bank.expect(&bank.ingest, &asked, &pages(APP, "c", 1, 1), 422).await;
        assert_eq!(told["errors"][0]["parameter"], "expires_in_seconds");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_authorised_is_told_why() {
    let bank = Bank::open().await;
    bank.prepaid("10").await;
    bank.expect(&bank.ingest, PATH, &pages(APP, "a", 1, 3), 200).await;
    bank.expect(&bank.ingest, PATH, &pages(APP, "a", 1, 2), 409).await;
    let two = json!([pages(APP, "x", 1, 1), pages(APP, "y", 1, 1)]);
    bank.expect(&bank.ingest, PATH, &two, 422).await;
    for (key, app) in [(&bank.ingest, OTHER_APP), (&bank.globex, APP), (&bank.platform, "never")] {
        let told = bank.expect(key, PATH, &pages(app, "z", 1, 1), 422).await;
        assert_eq!(
            told["errors"],
            json!([{"pointer": "/source", "message": format!("there is no app {app:?}")}])
        );
    }
    bank.expect(&bank.customer, PATH, &pages(APP, "z", 1, 1), 403).await;
    let typed = ["content-type: application/x-ndjson"];
    assert_eq!(bank.send(&bank.ingest, PATH, &typed, "{}").await.status(), 415);
    for key in [&bank.globex, &bank.customer] {
        let path = place("never");
        assert_eq!(bank.get(key, &path).await.status(), 404);
    }
    assert_eq!(bank.get(&bank.globex, &place("a")).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_at_once_with_money_for_five_hundred_allow_five_hundred() {
    let bank = Arc::new(Bank::open().await);
    bank.prepaid("1000").await;
    let asked: Vec<_> = (0..1_000)
        .map(|number| {
            let bank = Arc::clone(&bank);
            tokio::spawn(async move {
                let event = pages(APP, &format!("e{number}"), 1, 1).to_string();
                let answer = bank.post(&bank.ingest, "/v1/authorizations", "application/json", &event).await;
                done(&answer)["allowed"].as_bool().unwrap()
            })
        })
        .collect();
    let mut allowed = 0;
    for answer in asked {
        allowed += u32::from(answer.await.unwrap());
    }
    assert_eq!(allowed, 500);
    let wallet = bank.read(&bank.acme, WALLET).await;
    assert_eq!(
        (&wallet["reserved"], &wallet["granted"], &wallet["holds"]),
        (&json!("1000"), &json!("0"), &json!(500))
    );
    assert_eq!(bank.imbalance().await, 0);
}
