//! Payments over HTTP: asked for, received, looked up because the provider says so, sent back and taken back.

use serde_json::{Value, json};
use tollgate_core::money::Amount;
use tollgate_core::payment::SeenDispute;

use crate::fixture::APP;
use crate::pages::pages;
use crate::till::{Bank, WALLET};

const PAYMENTS: &str = "/v1/customers/legal/payments";

fn dollars(whole: i64) -> Amount {
    Amount::from_nano(whole * 1_000_000_000)
}

fn by(id: &str, method: &Value) -> Value {
    json!({"id": id, "amount": "50", "provider": "till", "method": method})
}

fn checkout(id: &str) -> Value {
    by(
        id,
        &json!({"by": "checkout", "success_url": "https://a.example/ok", "cancel_url": "https://a.example/no"}),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_is_marked_as_received_by_the_platform_alone() {
    let bank = Bank::open().await;
    let transfer = by("t", &json!({"by": "transfer"}));
    let told = bank.expect(&bank.acme, &format!("POST {PAYMENTS}"), &transfer, 201).await;
    assert_eq!(
        (&told["state"], &told["reference"], &told["url"]),
        (&json!("pending"), &json!("ref-t"), &Value::Null)
    );
    bank.expect(&bank.acme, &format!("POST {PAYMENTS}"), &transfer, 200).await;
    let other = json!({"id": "t", "amount": "51", "provider": "till", "method": {"by": "transfer"}});
    bank.expect(&bank.acme, &format!("POST {PAYMENTS}"), &other, 409).await;
    let (received, body) = (format!("POST {PAYMENTS}/t/received"), json!({"reference": "bank-7"}));
    bank.expect(&bank.acme, &received, &body, 403).await;
    let received = format!("{received}?app={APP}");
    bank.expect(&bank.platform, &received, &json!({"reference": " "}), 422).await;
    let told = bank.expect(&bank.platform, &received, &body, 200).await;
    assert_eq!((&told["state"], &told["reference"]), (&json!("succeeded"), &json!("bank-7")));
    assert_eq!(bank.expect(&bank.platform, &received, &json!({"reference": "again"}), 200).await, told);
    assert_eq!(bank.read(&bank.customer, WALLET).await["paid"], "50");
    assert_eq!(bank.read(&bank.customer, &format!("{PAYMENTS}/t")).await, told);
    assert_eq!(bank.read(&bank.customer, PAYMENTS).await["data"], json!([told]));
    // Of another customer it is nobody's.
    let elsewhere = format!("/v1/customers/sales/payments/t?app={APP}");
    bank.expect(&bank.platform, &format!("GET {elsewhere}"), &Value::Null, 404).await;
    let elsewhere = format!("POST /v1/customers/sales/payments/t/received?app={APP}");
    bank.expect(&bank.platform, &elsewhere, &body, 404).await;
    for (key, status) in [(&bank.globex, 404), (&bank.ingest, 403)] {
        bank.expect(key, &format!("GET {PAYMENTS}/t?app={APP}"), &Value::Null, status).await;
        bank.expect(key, &format!("POST {PAYMENTS}?app={APP}"), &transfer, status).await;
    }
    assert_eq!(bank.imbalance().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_paid_is_refused() {
    let bank = Bank::open().await;
    let path = format!("POST {PAYMENTS}");
    for (field, value) in [
        ("amount", json!("0.001")),
        ("amount", json!("-5")),
        ("provider", json!("nobody")),
        ("id", json!("")),
        ("method", json!({"by": "cheque"})),
    ] {
        let mut wrong = by("w", &json!({"by": "transfer"}));
        wrong[field] = value;
        let told = bank.expect(&bank.acme, &path, &wrong, 422).await;
        let place = told["errors"][0]["pointer"].as_str().unwrap();
        assert!(place.starts_with(&format!("/{field}")), "{told}");
    }
    // A saved card might be another tenant's, unless the customer paid with it before.
    let saved = by("s", &json!({"by": "saved", "payer": "cus_1"}));
    let told = bank.expect(&bank.acme, &path, &saved, 403).await;
    assert_eq!(told["errors"][0]["pointer"], "/method/payer");
    bank.expect(&bank.acme, &path, &checkout("c"), 201).await;
    bank.till.show("c", |shown| shown.is_paid = true);
    bank.message("signed", &json!({"payment": "c"})).await;
    bank.expect(&bank.acme, &path, &saved, 201).await;
    let elsewhere = by("e", &json!({"by": "saved", "payer": "cus_1"}));
    bank.expect(&bank.acme, "POST /v1/customers/sales/payments", &elsewhere, 403).await;
    bank.expect(&bank.customer, &path, &saved, 403).await;
    let received = format!("POST {PAYMENTS}/s/received?app={APP}");
    bank.expect(&bank.platform, &received, &json!({"reference": "x"}), 409).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_makes_the_server_look_and_a_forged_one_does_nothing() {
    let bank = Bank::open().await;
    let told = bank.expect(&bank.acme, &format!("POST {PAYMENTS}"), &checkout("c"), 201).await;
    assert_eq!((&told["state"], &told["url"]), (&json!("pending"), &json!("https://till.example/c")));
    // Not yet paid, whatever a message says.
    assert_eq!(bank.message("signed", &json!({"payment": "c"})).await.status(), 204);
    assert_eq!(bank.read(&bank.acme, WALLET).await["paid"], "0");
    bank.till.show("c", |shown| shown.is_paid = true);
    let forged = bank.message("forged", &json!({"payment": "c"})).await;
    assert_eq!((forged.status(), &forged.problem()["type"]), (400, &json!("/problems/malformed-request")));
    assert_eq!(bank.read(&bank.acme, WALLET).await["paid"], "0");
    for _ in 0..3 {
        assert_eq!(bank.message("signed", &json!({"payment": "c"})).await.status(), 204);
        assert_eq!(bank.read(&bank.acme, WALLET).await["paid"], "50");
    }
    assert_eq!(bank.message("signed", &json!({"payment": "never"})).await.status(), 204);
    assert_eq!(bank.message("signed", &json!({"transfer": "no key"})).await.status(), 204);
    assert_eq!(bank.message("signed", &json!({})).await.status(), 204);
    let unknown = bank.running.ask("POST /v1/providers/nobody/webhook HTTP/1.1", b"{}").await;
    assert_eq!(unknown.status(), 404);
    let large = bank.message("signed", &json!({"filler": "x".repeat(300_000)})).await;
    assert_eq!(large.status(), 413);
    let metrics = bank.running.metrics().await;
    assert!(metrics.contains(r#"tollgate_provider_messages_total{answer="forged"} 1"#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_away_is_asked_again() {
    let bank = Bank::open().await;
    bank.till.go(true);
    let told = bank.expect(&bank.acme, &format!("POST {PAYMENTS}"), &checkout("c"), 201).await;
    assert_eq!((&told["state"], &told["url"]), (&json!("requested"), &Value::Null));
    bank.till.go(false);
    // The message, or the clock, makes up for it.
    assert_eq!(bank.message("signed", &json!({"payment": "c"})).await.status(), 204);
    let told = bank.wait(&format!("{PAYMENTS}/c?app={APP}"), |payment| payment["state"] == "pending").await;
    assert_eq!(told["url"], "https://till.example/c");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wallet_that_runs_low_is_topped_up() {
    let bank = Bank::open().await;
    let terms = json!({"credit_limit": "0", "automatic_top_up": {"below": "5", "amount": "50",
        "provider": "till", "payer": "cus_1"}});
    bank.expect(&bank.platform, &format!("PUT {WALLET}?app={APP}"), &terms, 200).await;
    bank.write(&bank.ingest, "/v1/events", &pages(APP, "a", 1, 1)).await;
    let asked = bank.wait(&format!("{WALLET}?app={APP}"), |wallet| wallet["topping_up"].is_string()).await;
    let id = asked["topping_up"].as_str().unwrap();
    bank.wait(&format!("{PAYMENTS}/{id}?app={APP}"), |payment| payment["state"] == "pending").await;
    bank.till.show(id, |shown| shown.is_paid = true);
    assert_eq!(bank.message("signed", &json!({"payment": id})).await.status(), 204);
    let wallet = bank.read(&bank.customer, WALLET).await;
    assert_eq!((&wallet["paid"], &wallet["topping_up"]), (&json!("48"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_goes_back_and_is_taken_back() {
    let bank = Bank::open().await;
    bank.expect(&bank.acme, &format!("POST {PAYMENTS}"), &checkout("c"), 201).await;
    let refund = |id: &str, amount: &str| json!({"id": id, "amount": amount});
    let path = format!("POST {PAYMENTS}/c/refunds");
    bank.expect(&bank.acme, &path, &refund("r", "10"), 409).await;
    bank.till.show("c", |shown| shown.is_paid = true);
    bank.message("signed", &json!({"payment": "c"})).await;
    let told = bank.expect(&bank.acme, &path, &refund("r", "10"), 200).await;
    assert_eq!((&told["refunded"], &told["refunds"][0]["id"]), (&json!("10"), &json!("r")));
    bank.expect(&bank.acme, &path, &refund("r", "10"), 200).await;
    bank.expect(&bank.acme, &path, &refund("r", "11"), 409).await;
    bank.expect(&bank.acme, &path, &refund("s", "41"), 409).await;
    bank.expect(&bank.acme, &path, &refund("s", "0.001"), 422).await;
    bank.expect(&bank.customer, &path, &refund("s", "1"), 403).await;
    bank.expect(&bank.globex, &format!("{path}?app={APP}"), &refund("s", "1"), 404).await;
    let path = format!("{PAYMENTS}/c?app={APP}");
    bank.wait(&path, |payment| payment["refunds"][0]["state"] == "accepted").await;
    assert_eq!(bank.read(&bank.customer, WALLET).await["paid"], "40");
    // Most of it is spent when the bank takes it back: what is missing is the Builder's loss.
    bank.write(&bank.ingest, "/v1/events", &pages(APP, "a", 1, 15)).await;
    let dispute = SeenDispute { id: "d".to_owned(), amount: dollars(40), is_won: false };
    bank.till.show("c", |shown| shown.disputes = vec![dispute]);
    bank.message("signed", &json!({"payment": "c"})).await;
    let seen = bank.read(&bank.acme, &format!("{PAYMENTS}/c")).await;
    assert_eq!(seen["disputes"], json!([{"id": "d", "amount": "40", "clawed_back": "30", "won": false}]));
    let seen = bank.read(&bank.customer, &format!("{PAYMENTS}/c")).await;
    assert_eq!(seen["disputes"], json!([{"id": "d", "amount": "40", "won": false}]));
    assert_eq!(bank.imbalance().await, 0);
}
