//! Endpoints as a resource: who may have which, where they may lead, and their secrets.

use serde_json::{Value, json};
use tempfile::TempDir;
use tollgate_core::store::NoticeKind;
use tollgate_server::config::Config;

use crate::receiver::{PostOffice, Receiver, Reply, near};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_is_on_the_public_internet() {
    let directory = TempDir::new().unwrap();
    let office = PostOffice::open(&directory, Config::default()).await;
    for (url, words) in [
        ("nowhere", "must be a whole address"),
        ("http://example.com/", "must begin with https://"),
        ("https://me:pass@example.com/", "must have no user"),
        ("https://example.com:25/", "must name no port but"),
        ("https://127.0.0.1/", "must be on the public internet"),
        ("https://2130706433/", "must be on the public internet"),
        ("https://169.254.169.254/latest/meta-data", "must be on the public internet"),
        ("https://[::ffff:10.0.0.1]/", "must be on the public internet"),
        ("https://localhost/", "must be on the public internet"),
    ] {
        let refused = office.expect(&office.acme, "POST /v1/endpoints", &json!({"url": url}), 422).await;
        assert_eq!(refused["errors"][0]["pointer"], "/url", "{url}");
        let message = refused["errors"][0]["message"].as_str().unwrap();
        assert!(message.starts_with(words), "{url}: {message}");
    }
    for (wrong, pointer) in [
        (json!({"url": "https://example.com/", "types": ["wallet.high"]}), "/types/0"),
        (json!({"url": "https://example.com/", "description": "a\nb"}), "/description"),
        (json!({"url": "https://example.com/", "colour": "red"}), "/colour"),
    ] {
        let refused = office.expect(&office.acme, "POST /v1/endpoints", &wrong, 422).await;
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    office.stop().await;
}

/// An address may have been fine when it was registered. It is looked at again for every attempt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_checked_when_it_is_used() {
    let directory = TempDir::new().unwrap();
    let receiver = Receiver::open().await;
    let lax = PostOffice::open(&directory, near()).await;
    let (id, _) = lax.subscribe(&lax.acme, &receiver, &[]).await;
    let by_name = json!({"url": format!("https://localhost:{}/", receiver.address.port())});
    let named = lax.expect(&lax.acme, "POST /v1/endpoints", &by_name, 201).await;
    lax.stop().await;

    let strict = Config { webhook_private_networks: false, ..near() };
    let office = PostOffice::open(&directory, strict).await;
    office.happen("acme", NoticeKind::WalletLow, 1);
    for id in [&*id, named["id"].as_str().unwrap()] {
        let told =
            office.expect(&office.acme, &format!("POST /v1/endpoints/{id}/test"), &Value::Null, 200).await;
        assert_eq!((&told["delivered"], &told["status"]), (&json!(false), &Value::Null));
        assert!(told["error"].as_str().unwrap().starts_with("not sent: the address must"), "{told}");
    }
    assert_eq!(receiver.messages().len(), 0);
    office.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_shows_at_once_what_comes_of_it() {
    let directory = TempDir::new().unwrap();
    let office = PostOffice::open(&directory, near()).await;
    let receiver = Receiver::open().await;
    let (id, secret) = office.subscribe(&office.acme, &receiver, &["payout.paid"]).await;
    let test = format!("POST /v1/endpoints/{id}/test");
    let told = office.expect(&office.acme, &test, &Value::Null, 200).await;
    assert_eq!(
        (&told["delivered"], &told["status"], &told["error"]),
        (&json!(true), &json!(204), &Value::Null)
    );
    let message = receiver.messages().remove(0);
    assert!(message.is_signed_by(&secret) && message.id.starts_with(&format!("msg_{id}_test")));
    assert_eq!(
        (&message.json()["type"], &message.json()["data"]["endpoint"]),
        (&json!("endpoint.test"), &json!(id))
    );
    receiver.next([Reply::Status(403)]);
    let told = office.expect(&office.acme, &test, &Value::Null, 200).await;
    assert_eq!(
        (&told["delivered"], &told["status"], &told["error"]),
        (&json!(false), &json!(403), &json!("said so"))
    );
    assert!(office.deliveries(&id).await.is_empty(), "a test is no delivery");
    office.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_shown_once_and_replaced_without_a_gap() {
    let directory = TempDir::new().unwrap();
    let office = PostOffice::open(&directory, near()).await;
    let receiver = Receiver::open().await;
    let (id, old) = office.subscribe(&office.acme, &receiver, &[]).await;
    let path = format!("/v1/endpoints/{id}");
    let rotate = format!("POST {path}/rotate");
    let made = office.expect(&office.acme, &rotate, &json!({}), 201).await;
    let new = made["secret"].as_str().unwrap().to_owned();
    assert_ne!(old, new);
    assert!(made["old_secret_until"].is_string());
    office.happen("acme", NoticeKind::WalletLow, 1);
    let message = receiver.wait(1).await.remove(0);
    assert_eq!(message.signatures.len(), 2);
    assert!(message.is_signed_by(&old) && message.is_signed_by(&new));

    let made = office.expect(&office.acme, &rotate, &json!({"stop_old": true}), 201).await;
    assert_eq!(made["old_secret_until"], Value::Null);
    office.happen("acme", NoticeKind::WalletLow, 1);
    let message = receiver.wait(2).await.remove(1);
    assert_eq!(message.signatures.len(), 1);
    assert!(message.is_signed_by(made["secret"].as_str().unwrap()));

    // Nothing else shows one, and a repeated request does not either.
    for asked in ["GET /v1/endpoints".to_owned(), format!("GET {path}"), format!("GET {path}/deliveries")] {
        let told = office.expect(&office.acme, &asked, &Value::Null, 200).await;
        assert!(!told.to_string().contains("whsec_"), "{told}");
    }
    let head = format!(
        "{rotate} HTTP/1.1\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\nidempotency-key: once",
        office.acme
    );
    assert_eq!(office.running.ask(&head, b"{}").await.status(), 201);
    assert_eq!(office.running.ask(&head, b"{}").await.status(), 409);
    office.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_is_its_owner_s_and_the_platform_s() {
    let directory = TempDir::new().unwrap();
    let office = PostOffice::open(&directory, near()).await;
    let receiver = Receiver::open().await;
    let (id, _) = office.subscribe(&office.acme, &receiver, &[]).await;
    let (of_platform, _) = office.subscribe(&office.platform, &receiver, &["tariff.failing"]).await;
    let content = json!({"url": receiver.url()});
    let since = json!({"since": "2026-01-01T00:00:00Z"});
    office.happen("acme", NoticeKind::WalletLow, 1);
    office.happen("globex", NoticeKind::PayoutPaid, 1);
    office.wait(&id, "delivered").await;
    let routes = |id: &str, builder: &str| {
        [
            (format!("GET /v1/endpoints/{id}{builder}"), Value::Null),
            (format!("PUT /v1/endpoints/{id}{builder}"), content.clone()),
            (format!("POST /v1/endpoints/{id}/rotate{builder}"), json!({})),
            (format!("POST /v1/endpoints/{id}/test{builder}"), Value::Null),
            (format!("GET /v1/endpoints/{id}/deliveries{builder}"), Value::Null),
            (format!("POST /v1/endpoints/{id}/deliveries/msg_{id}_1/replay{builder}"), Value::Null),
            (format!("POST /v1/endpoints/{id}/replay{builder}"), since.clone()),
            (format!("DELETE /v1/endpoints/{id}{builder}"), Value::Null),
        ]
    };
    for id in [&*id, &of_platform, "000000000000"] {
        for (asked, body) in routes(id, "") {
            office.expect(&office.globex, &asked, &body, 404).await;
            office.expect(&office.ingest, &asked, &body, 403).await;
        }
        for (asked, body) in routes(id, "?builder=acme") {
            office.expect(&office.globex, &asked, &body, 404).await;
        }
    }
    for asked in ["POST /v1/endpoints", "GET /v1/endpoints?builder=acme", "GET /v1/notices?builder=acme"] {
        let body = if asked.starts_with("POST") {
            json!({"url": receiver.url(), "builder": "acme"})
        } else {
            Value::Null
        };
        office.expect(&office.globex, asked, &body, 404).await;
        office.expect(&office.ingest, asked, &body, 403).await;
    }

    let list = |told: Value| -> Vec<String> {
        told["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|found| found["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let endpoints = "GET /v1/endpoints";
    assert!(list(office.expect(&office.globex, endpoints, &Value::Null, 200).await).is_empty());
    assert_eq!(list(office.expect(&office.acme, endpoints, &Value::Null, 200).await), [&*id]);
    assert_eq!(
        list(office.expect(&office.platform, endpoints, &Value::Null, 200).await),
        [&*of_platform, &*id]
    );
    let types = |told: Value| -> Vec<(u64, String)> {
        let notice =
            |found: &Value| (found["number"].as_u64().unwrap(), found["type"].as_str().unwrap().to_owned());
        told["data"].as_array().unwrap().iter().map(notice).collect()
    };
    let (low, paid) = ((1, "wallet.low".to_owned()), (2, "payout.paid".to_owned()));
    for (key, query, found) in [
        (&office.acme, "", vec![low.clone()]),
        (&office.globex, "", vec![paid.clone()]),
        (&office.platform, "", vec![low.clone(), paid.clone()]),
        (&office.platform, "?after=1", vec![paid.clone()]),
        (&office.platform, "?builder=acme", vec![low.clone()]),
        (&office.platform, "?type=payout.paid", vec![paid]),
    ] {
        let told = office.expect(key, &format!("GET /v1/notices{query}"), &Value::Null, 200).await;
        assert_eq!(types(told), found, "{query}");
    }
    // The platform does everything in a Builder's name.
    for (asked, body) in routes(&id, "?builder=acme") {
        let (status, told) = office.ask(&office.platform, &asked, &body).await;
        assert!(status < 300, "{asked}: {told}");
    }
    assert!(list(office.expect(&office.acme, endpoints, &Value::Null, 200).await).is_empty());
    office.stop().await;
}
