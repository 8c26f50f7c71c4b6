//! Payouts over HTTP: planned, approved, sent and returned; what providers are owed; and reconciliation.

use serde_json::{Value, json};

use crate::fixture::APP;
use crate::pages::{OTHER_APP, pages};
use crate::till::Bank;

const PAYOUT: &str = "/v1/builders/acme/payouts/2024-03/USD";

/// Two Builders with a closed month: acme earned 15.2 (of 19), globex 43.6 less.
async fn closed() -> Bank {
    let bank = Bank::open().await;
    let mut event = pages(APP, "a", 1, 7);
    event["data"]["provider"] = json!("openai");
    event["data"]["network_cost"] = json!("1");
    bank.write(&bank.ingest, "/v1/events", &event).await;
    bank.write(&bank.globex, "/v1/events", &pages(OTHER_APP, "z", 1, 5)).await;
    bank.write(&bank.acme, &format!("/v1/apps/{APP}/periods/2024-03/close"), &Value::Null).await;
    bank
}

async fn agree(bank: &Bank, payouts: Value) -> Value {
    bank.expect(&bank.platform, "PUT /v1/builders/acme", &json!({"name": "Acme", "payouts": payouts}), 200)
        .await
}

fn account() -> Value {
    json!({"to": "account", "provider": "till", "account": "acct_1"})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terms_are_the_platforms_and_stay_when_they_are_left_out() {
    let bank = Bank::open().await;
    let terms = json!({"minimum": {"USD": "50"}, "hold_back_days": 7, "reserve_share": "0.05",
        "reserve_days": 90, "destination": account()});
    assert_eq!(agree(&bank, terms.clone()).await["payouts"], terms);
    bank.expect(&bank.platform, "PUT /v1/builders/acme", &json!({"name": "Acme 2"}), 200).await;
    assert_eq!(bank.read(&bank.acme, "/v1/builders/acme").await["payouts"], terms);
    let change = json!({"name": "Acme", "payouts": {}});
    bank.expect(&bank.acme, "PUT /v1/builders/acme", &change, 403).await;
    let wrong = json!({"name": "Acme", "payouts": {"reserve_share": "1.5"}});
    let told = bank.expect(&bank.platform, "PUT /v1/builders/acme", &wrong, 422).await;
    assert_eq!(told["errors"][0]["pointer"], "/payouts/reserve_share");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_tried_planned_once_and_read_by_whose_it_is() {
    let bank = closed().await;
    agree(&bank, json!({"reserve_share": "0.1", "reserve_days": 30, "destination": account()})).await;
    let run = |dry: bool| json!({"period": "2024-03", "dry_run": dry});
    let dry = bank.expect(&bank.platform, "POST /v1/payouts/run", &run(true), 200).await;
    // 19 less 1 of network cost, less a fifth for the platform: 14.40, of which a tenth is kept back.
    let payout = &dry["payouts"][0];
    assert_eq!((&payout["amount"], &payout["reserved"]), (&json!("12.96"), &json!("1.44")));
    assert_eq!(payout["earned"], json!([{"app": APP, "period": "2024-03", "amount": "14.4"}]));
    assert_eq!(dry["skipped"][0]["builder"], "globex");
    assert_eq!(dry["skipped"][0]["reason"], "nothing is payable");
    assert_eq!(bank.get(&bank.acme, PAYOUT).await.status(), 404, "nothing was kept");
    let planned = bank.expect(&bank.platform, "POST /v1/payouts/run", &run(false), 200).await;
    assert_eq!(planned["payouts"][0]["repeated"], false);
    let again = bank.expect(&bank.platform, "POST /v1/payouts/run", &run(false), 200).await;
    assert_eq!(again["payouts"][0]["repeated"], true);
    let told = bank.read(&bank.acme, PAYOUT).await;
    assert_eq!((&told["state"], &told["destination"]), (&json!("planned"), &account()));
    assert_eq!(bank.read(&bank.acme, "/v1/payouts").await["data"], json!([told]));
    assert_eq!(bank.read(&bank.platform, "/v1/payouts?builder=acme").await["data"], json!([told]));
    assert_eq!(bank.read(&bank.globex, "/v1/payouts").await["data"], json!([]));
    let page = bank.get(&bank.acme, &format!("{PAYOUT}/remittance")).await;
    assert_eq!((page.status(), &*page.body), (200, "<p>acme gets 12.96 USD</p>"));
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    for path in [PAYOUT.to_owned(), format!("{PAYOUT}/remittance"), "/v1/payouts?builder=acme".to_owned()] {
        assert_eq!(bank.get(&bank.globex, &path).await.status(), 404, "{path}");
        assert_eq!(bank.get(&bank.ingest, &path).await.status(), 403, "{path}");
    }
    for asked in ["POST /v1/payouts/run".to_owned(), format!("POST {PAYOUT}/approve")] {
        bank.expect(&bank.acme, &asked, &run(true), 403).await;
    }
    bank.expect(&bank.platform, "POST /v1/payouts/run", &json!({"period": "March"}), 422).await;
    let wrong = bank.get(&bank.acme, "/v1/builders/acme/payouts/march/USD").await;
    assert_eq!(wrong.problem()["errors"][0]["parameter"], "period");
    assert_eq!(bank.imbalance().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_sends_what_is_approved_and_says_when_it_arrived() {
    let bank = closed().await;
    let run = json!({"period": "2024-03"});
    bank.expect(&bank.platform, "POST /v1/payouts/run", &run, 200).await;
    let (approve, submit) = (format!("POST {PAYOUT}/approve"), format!("POST {PAYOUT}/submit"));
    let nowhere = bank.expect(&bank.platform, &approve, &Value::Null, 409).await;
    assert!(nowhere["detail"].as_str().unwrap().contains("payouts.destination"), "{nowhere}");
    bank.expect(&bank.platform, &submit, &Value::Null, 409).await;
    agree(&bank, json!({"destination": account()})).await;
    assert_eq!(bank.expect(&bank.platform, &approve, &Value::Null, 200).await["state"], "approved");
    let sent = bank.wait(PAYOUT, |payout| payout["state"] == "submitted").await;
    assert_eq!(sent["reference"], "tr-1");
    bank.expect(&bank.platform, &approve, &Value::Null, 200).await;
    bank.till.arrive(true);
    let key = json!(["acme", "2024-03", "USD"]).to_string();
    assert_eq!(bank.message("signed", &json!({"transfer": key})).await.status(), 204);
    assert_eq!(bank.read(&bank.acme, PAYOUT).await["state"], "paid");
    assert_eq!(bank.till.sent().len(), 1);
    // It comes back after all.
    bank.till.arrive(false);
    assert_eq!(bank.message("signed", &json!({"transfer": key})).await.status(), 204);
    let told = bank.read(&bank.acme, PAYOUT).await;
    assert_eq!((&told["state"], &told["reason"]), (&json!("returned"), &json!("the provider sent it back")));
    bank.expect(&bank.platform, &approve, &Value::Null, 409).await;
    assert_eq!(bank.imbalance().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bank_is_told_by_file_and_tells_by_its_statement() {
    let bank = closed().await;
    let iban = json!({"to": "bank", "name": "Acme GmbH", "iban": "DE89370400440532013000", "bic": null});
    agree(&bank, json!({"destination": iban})).await;
    bank.expect(&bank.platform, "POST /v1/payouts/run", &json!({"period": "2024-03"}), 200).await;
    let step = |step: &str| format!("POST {PAYOUT}/{step}");
    let (paid, returned) = (json!({"reference": "st-1"}), json!({"reason": "the account is closed"}));
    bank.expect(&bank.platform, &step("paid"), &paid, 409).await;
    bank.expect(&bank.platform, &step("approve"), &Value::Null, 200).await;
    bank.expect(&bank.platform, &step("submit"), &Value::Null, 200).await;
    bank.expect(&bank.platform, &step("paid"), &json!({"reference": ""}), 422).await;
    let told = bank.expect(&bank.platform, &step("paid"), &paid, 200).await;
    assert_eq!((&told["state"], &told["reference"]), (&json!("paid"), &json!("st-1")));
    assert_eq!(bank.expect(&bank.platform, &step("paid"), &paid, 200).await, told);
    for key in [&bank.acme, &bank.ingest, &bank.customer] {
        bank.expect(key, &step("returned"), &returned, 403).await;
    }
    let told = bank.expect(&bank.platform, &step("returned"), &returned, 200).await;
    assert_eq!((&told["state"], &told["reason"]), (&json!("returned"), &json!("the account is closed")));
    bank.expect(&bank.platform, &step("paid"), &paid, 409).await;
    let none = "POST /v1/builders/acme/payouts/2023-01/USD/approve";
    bank.expect(&bank.platform, none, &Value::Null, 404).await;
    assert_eq!(bank.imbalance().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn providers_of_inference_are_settled_with() {
    let bank = closed().await;
    let path = "/v1/providers/settlements";
    let owed = |told: &Value| -> Vec<(Value, Value)> {
        let rows = told["data"].as_array().unwrap().iter();
        rows.map(|row| (row["provider"].clone(), row["owed"].clone())).collect()
    };
    assert!(owed(&bank.read(&bank.platform, path).await).contains(&(json!("openai"), json!("1"))));
    let settle = |amount: &str| json!({"provider": "openai", "currency": "USD", "amount": amount, "reference": "INV-1"});
    let asked = format!("POST {path}");
    bank.expect(&bank.platform, &asked, &settle("2"), 422).await;
    let told = bank.expect(&bank.platform, &asked, &settle("0.75"), 200).await;
    assert_eq!(bank.expect(&bank.platform, &asked, &settle("0.75"), 200).await, told);
    bank.expect(&bank.platform, &asked, &settle("0.25"), 409).await;
    assert!(owed(&bank.read(&bank.platform, path).await).contains(&(json!("openai"), json!("0.25"))));
    for key in [&bank.acme, &bank.ingest, &bank.customer] {
        assert_eq!(bank.get(key, path).await.status(), 403);
        bank.expect(key, &asked, &settle("0.1"), 403).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_is_compared_and_every_difference_named() {
    let bank = Bank::open().await;
    let pay = |id: &str| json!({"id": id, "amount": "50", "provider": "till", "method": {"by": "transfer"}});
    for id in ["one", "two"] {
        bank.expect(&bank.acme, "POST /v1/customers/legal/payments", &pay(id), 201).await;
        bank.till.show(id, |shown| shown.is_paid = true);
        bank.message("signed", &json!({"payment": id})).await;
    }
    let row = |id: &str, reference: &str, amount: &str| {
        json!({"id": id, "kind": "payment",
        "reference": reference, "amount": amount, "fee": "1", "currency": "USD", "at": "2026-01-01T00:00:00Z"})
    };
    let report = json!([row("1", "ref-one", "50"), row("2", "ref-three", "9")]);
    let body = json!({"provider": "till", "from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z",
        "report": report});
    let told = bank.expect(&bank.platform, "POST /v1/reconciliations", &body, 200).await;
    assert_eq!((&told["matched"], &told["booked"]), (&json!(1), &json!(2)));
    let messages: Vec<_> = told["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|difference| difference["message"].clone())
        .collect();
    assert_eq!(
        messages,
        [
            "payment \"ref-three\": nothing is booked, 9 USD is reported",
            "payment \"ref-two\": 50 USD is booked, nothing is reported",
        ]
    );
    assert_eq!(told["held"], json!([{"currency": "USD", "amount": "98"}]));
    let again = bank.expect(&bank.platform, "POST /v1/reconciliations", &body, 200).await;
    assert_eq!(again["booked"], 0, "fees are booked once");
    let asked = json!({"provider": "till", "from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"});
    bank.expect(&bank.platform, "POST /v1/reconciliations", &asked, 409).await;
    bank.expect(&bank.acme, "POST /v1/reconciliations", &body, 403).await;
    for (field, value) in [("provider", json!("nobody")), ("to", json!("2019-01-01T00:00:00Z"))] {
        let mut wrong = body.clone();
        wrong[field] = value;
        let told = bank.expect(&bank.platform, "POST /v1/reconciliations", &wrong, 422).await;
        assert_eq!(told["errors"][0]["pointer"], format!("/{field}"));
    }
}
