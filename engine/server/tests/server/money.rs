//! Wallets over HTTP: what was agreed, credit that is granted, what charges are paid from, and refunds.

use serde_json::{Value, json};

use crate::fixture::APP;
use crate::pages::pages;
use crate::till::{Bank, WALLET};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wallet_is_agreed_on_and_read_by_who_may() {
    let bank = Bank::open().await;
    let none = bank.expect(&bank.acme, &format!("GET {WALLET}"), &Value::Null, 404).await;
    assert_eq!(none["detail"], "customer \"legal\" has no wallet: PUT opens it");
    let terms = json!({"credit_limit": "10", "alerts": [
        {"id": "low", "when": "balance_below", "amount": "5"},
        {"id": "much", "when": "spent_reaches", "amount": "100", "feature": "review"}]});
    let told = bank.expect(&bank.acme, &format!("PUT {WALLET}"), &terms, 200).await;
    let expected = json!({"credit_limit": "10", "automatic_top_up": null, "alerts": [
        {"id": "low", "when": "balance_below", "amount": "5"},
        {"id": "much", "when": "spent_reaches", "amount": "100", "per": "period", "feature": "review"}]});
    assert_eq!(told["terms"], expected);
    assert_eq!((&told["available"], &told["owed"]["total"]), (&json!("10"), &json!("0")));
    assert_eq!(bank.read(&bank.customer, WALLET).await, told);
    for (key, status) in [(&bank.globex, 404), (&bank.ingest, 403)] {
        bank.expect(key, &format!("GET {WALLET}?app={APP}"), &Value::Null, status).await;
        bank.expect(key, &format!("PUT {WALLET}?app={APP}"), &terms, status).await;
    }
    bank.expect(&bank.customer, &format!("PUT {WALLET}"), &terms, 403).await;
    for (body, pointer) in [
        (json!({"credit_limit": "-1"}), "/credit_limit"),
        (json!({"credit_limit": 1}), "/credit_limit"),
        (json!({"alerts": [{"id": "x", "when": "tired", "amount": "1"}]}), "/alerts/0/when"),
        (
            json!({"automatic_top_up": {"below": "1", "amount": "5", "provider": "nobody", "payer": "p"}}),
            "/automatic_top_up/provider",
        ),
        (json!({"limit": "1"}), "/limit"),
    ] {
        let told = bank.expect(&bank.platform, &format!("PUT {WALLET}?app={APP}"), &body, 422).await;
        let place = told["errors"][0]["pointer"].as_str().unwrap();
        assert!(pointer.starts_with(place), "{pointer}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_platform_spends_what_is_not_the_builders() {
    let bank = Bank::open().await;
    let top_up = json!({"automatic_top_up": {"below": "1", "amount": "5", "provider": "till", "payer": "p"}});
    bank.expect(&bank.acme, &format!("PUT {WALLET}"), &top_up, 403).await;
    bank.expect(&bank.platform, &format!("PUT {WALLET}?app={APP}"), &top_up, 200).await;
    // What was agreed with the platform may be said again.
    bank.expect(&bank.acme, &format!("PUT {WALLET}"), &top_up, 200).await;
    let grant = json!({"id": "gift", "amount": "5", "funder": "platform"});
    let told = bank.expect(&bank.acme, &format!("POST {WALLET}/grants"), &grant, 403).await;
    assert_eq!(told["errors"][0]["pointer"], "/funder");
    bank.expect(&bank.platform, &format!("POST {WALLET}/grants?app={APP}"), &grant, 201).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credit_is_granted_once_and_told_with_what_is_left() {
    let bank = Bank::open().await;
    let path = format!("{WALLET}/grants");
    let grant = json!({"id": "welcome", "amount": "10", "funder": "builder", "reason": "promotion",
        "effective_at": "2024-01-01T00:00:00Z", "priority": 1});
    let told = bank.expect(&bank.acme, &format!("POST {path}"), &grant, 201).await;
    assert_eq!((&told["left"], &told["reason"]), (&json!("10"), &json!("promotion")));
    assert_eq!(bank.expect(&bank.acme, &format!("POST {path}"), &grant, 200).await, told);
    let other = json!({"id": "welcome", "amount": "11", "funder": "builder"});
    bank.expect(&bank.acme, &format!("POST {path}"), &other, 409).await;
    // Without a moment it begins now, and asking again is asking for the same.
    let now = json!({"id": "goodwill-1", "amount": "1", "funder": "builder", "reason": "goodwill"});
    bank.expect(&bank.acme, &format!("POST {path}"), &now, 201).await;
    bank.expect(&bank.acme, &format!("POST {path}"), &now, 200).await;
    for (field, value) in [
        ("amount", json!("0")),
        ("id", json!("")),
        ("expires_at", json!("2023-01-01T00:00:00Z")),
        ("effective_at", json!("soon")),
    ] {
        let mut wrong = grant.clone();
        wrong[field] = value;
        let told = bank.expect(&bank.acme, &format!("POST {path}"), &wrong, 422).await;
        assert_eq!(told["errors"][0]["pointer"], format!("/{field}"), "{told}");
    }
    bank.write(&bank.ingest, "/v1/events", &pages(APP, "a", 1, 3)).await;
    let list = bank.read(&bank.customer, &path).await;
    let left: Vec<_> = list["data"].as_array().unwrap().iter().map(|grant| &grant["left"]).collect();
    assert_eq!(left, ["4", "1"]);
    assert!(!list.to_string().contains("funder"), "who pays for it is not the customer's affair: {list}");
    let first = bank.read(&bank.acme, &format!("{path}?limit=1")).await;
    assert_eq!(first["data"][0]["funder"], "builder");
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = bank.read(&bank.acme, &format!("{path}?limit=1&cursor={cursor}")).await;
    assert_eq!((&second["data"][0]["id"], &second["next_cursor"]), (&json!("goodwill-1"), &Value::Null));
    assert_eq!(bank.imbalance().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn granted_and_paid_are_told_apart_wherever_a_total_is() {
    let bank = Bank::open().await;
    bank.prepaid("5").await;
    let payment = json!({"id": "p", "amount": "4", "provider": "till", "method": {"by": "transfer"}});
    bank.expect(&bank.acme, "POST /v1/customers/legal/payments", &payment, 201).await;
    let received = format!("POST /v1/customers/legal/payments/p/received?app={APP}");
    bank.expect(&bank.platform, &received, &json!({"reference": "bank-1"}), 200).await;
    let told = bank.write(&bank.ingest, "/v1/events", &pages(APP, "a", 1, 7)).await;
    let expected = json!([
        {"source": "granted", "grant": "welcome", "amount": "5"},
        {"source": "paid", "amount": "4"},
        {"source": "uncovered", "amount": "5"}]);
    assert_eq!(told["receipts"][0]["charge"]["paid_from"], expected);
    let event = bank.read(&bank.customer, &format!("/v1/events/{APP}/a")).await;
    assert_eq!(event["charge"]["paid_from"], expected);
    let statement = bank.read(&bank.customer, "/v1/customers/legal/statements/2024-03").await;
    let parts = |told: &Value| ["from_granted", "from_paid", "owed"].map(|part| told[part].clone());
    assert_eq!(parts(&statement), [json!("5"), json!("4"), json!("5")]);
    let page = bank.get(&bank.customer, "/v1/customers/legal/statements/2024-03?format=html").await;
    assert!(page.body.contains("Granted credit") && page.body.contains("4.00 USD"), "{}", page.body);
    let usage = bank.read(&bank.acme, "/v1/customers/legal/usage?period=2024-03&group_by=day").await;
    assert_eq!(parts(&usage["groups"][0]), [json!("5"), json!("4"), json!("5")]);
    let wallet = bank.read(&bank.customer, WALLET).await;
    assert_eq!(wallet["owed"], json!({"total": "5", "on_credit": "0", "uncovered": "5"}));
    assert_eq!(
        (&wallet["granted"], &wallet["paid"], &wallet["available"]),
        (&json!("0"), &json!("0"), &json!("0"))
    );
    let entries = bank.read(&bank.customer, &format!("{WALLET}/entries")).await;
    let moved: Vec<_> = entries["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["kind"].as_str().unwrap(),
                entry["granted"].as_str().unwrap(),
                entry["paid"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(moved, [("grant", "5", "0"), ("payment", "0", "4")]);
    assert!(entries["data"][0].get("request").is_none());
    let page = bank.read(&bank.acme, &format!("{WALLET}/entries?limit=1")).await;
    assert_eq!(page["data"][0]["request"]["funder"], "builder");
    let next = format!("{WALLET}/entries?limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(bank.read(&bank.acme, &next).await["data"][0]["kind"], "payment");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_refunded_up_to_what_it_was_charged() {
    let bank = Bank::open().await;
    bank.prepaid("5").await;
    bank.write(&bank.ingest, "/v1/events", &pages(APP, "a", 1, 2)).await;
    let path = format!("POST /v1/events/{APP}/a/refunds");
    let refund = json!({"id": "r1", "amount": "1", "borne_by": "builder", "reason": "cut off"});
    let told = bank.expect(&bank.acme, &path, &refund, 201).await;
    assert_eq!((&told["amount"], &told["refunded"]), (&json!("1"), &json!("1")));
    assert_eq!(told["returned_to"], json!({"granted": "1", "paid": "0", "owed": "0"}));
    assert_eq!(bank.expect(&bank.acme, &path, &refund, 200).await, told);
    let with = |change: &[(&str, Value)]| {
        let mut refund = refund.clone();
        for (field, value) in change {
            refund[*field] = value.clone();
        }
        refund
    };
    bank.expect(&bank.acme, &path, &with(&[("amount", json!("2"))]), 409).await;
    let second = |field, value| with(&[("id", json!("r2")), (field, value)]);
    bank.expect(&bank.acme, &path, &second("borne_by", json!("platform")), 403).await;
    let too_much = bank.expect(&bank.acme, &path, &second("amount", json!("3.01")), 422).await;
    assert_eq!(too_much["errors"][0]["pointer"], "/amount");
    bank.expect(&bank.acme, &path, &second("reason", json!(" ")), 422).await;
    bank.expect(&bank.customer, &path, &second("amount", json!("1")), 403).await;
    bank.expect(&bank.globex, &path, &second("amount", json!("1")), 404).await;
    let nothing = format!("POST /v1/events/{APP}/never/refunds");
    bank.expect(&bank.acme, &nothing, &second("amount", json!("1")), 404).await;
    // The rest, whatever it is, and by the platform.
    let rest = json!({"id": "r3", "borne_by": "platform", "reason": "the rest"});
    assert_eq!(bank.expect(&bank.platform, &path, &rest, 201).await["amount"], "3");
    bank.expect(&bank.platform, &path, &json!({"id": "r4", "borne_by": "builder", "reason": "x"}), 409).await;
    assert_eq!(bank.read(&bank.acme, WALLET).await["granted"], "5");
    assert_eq!(bank.imbalance().await, 0);
}
