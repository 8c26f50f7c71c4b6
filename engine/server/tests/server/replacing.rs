//! Replacing what is there: what was read can be sent back, what is left out stays, null takes it away.

use serde_json::{Value, json};

use crate::fixture::APP;
use crate::pages::House;

/// One of each, with everything that it can have: the path it is read at.
async fn furnished(house: &House) -> [(&'static str, Value); 4] {
    let terms = json!({"platform_share": "0.30", "surcharge_max": "25", "price_book": "network",
        "cost_authority": "price_book"});
    let publisher = json!({"name": "ci",
        "key": "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"});
    let builder = json!({"id": "full", "name": "Full", "app_terms": terms, "publishers": [publisher],
        "payouts": {"minimum": {"USD": "50"}, "hold_back_days": 7, "reserve_share": "0.05", "reserve_days": 90,
            "destination": {"to": "bank", "name": "Full", "iban": "DE89370400440532013000"}}});
    let customer = json!({"app": APP, "id": "branch", "name": "Branch", "kind": "site", "parent": "legal",
        "attributes": {"region": "emea"}, "limits": {"charge_max": "500", "usage_max": {"page": "100"}}});
    let book = json!({"id": "own", "prices": {"currency": "USD", "entries": [
        {"model": "m", "prices": [{"measure": "input_tokens", "price": "0.10"}]}]}});
    house.expect(&house.platform, "POST /v1/builders", &builder, 201).await;
    house.expect(&house.platform, "POST /v1/customers", &customer, 201).await;
    house.expect(&house.platform, "POST /v1/price-books", &book, 201).await;
    let paths = [
        "/v1/builders/full",
        "/v1/apps/acme-docs",
        "/v1/customers/branch?app=acme-docs",
        "/v1/price-books/own",
    ];
    let mut read = Vec::new();
    for path in paths {
        read.push((path, house.read(&house.platform, path).await));
    }
    read.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_can_be_sent_back() {
    let house = House::open().await;
    for (path, read) in furnished(&house).await {
        let put = format!("PUT {path}");
        assert_eq!(house.expect(&house.platform, &put, &read, 200).await, read, "{path}");
        // Also by a Builder, of what is its own to change.
        if !path.starts_with("/v1/builders") && !path.starts_with("/v1/price-books") {
            assert_eq!(house.expect(&house.acme, &put, &read, 200).await, read, "{path}");
        }
        for field in ["id", "app", "builder", "currency", "time_zone", "default_tariff", "tariff"] {
            let Some(there) = read.get(field) else { continue };
            let mut other = read.clone();
            other[field] = json!("another");
            let problem = house.expect(&house.platform, &put, &other, 422).await;
            let message = format!("is {there}, which PUT does not change: repeat it, or leave it out");
            assert_eq!(problem["errors"], json!([{"pointer": format!("/{field}"), "message": message}]));
        }
        assert_eq!(house.read(&house.platform, path).await, read, "nothing has changed at {path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_out_stays_and_null_takes_it_away() {
    let house = House::open().await;
    let optional = [
        &[
            ("app_terms", json!(null)),
            ("publishers", json!([])),
            (
                "payouts",
                json!({"minimum": {},
            "hold_back_days": 0, "reserve_share": "0", "reserve_days": 0, "destination": null}),
            ),
        ][..],
        &[],
        &[
            ("kind", json!("")),
            ("parent", json!(null)),
            ("attributes", json!({})),
            ("limits", json!({"charge_max": null, "usage_max": {}})),
        ],
        &[],
    ];
    for ((path, read), optional) in furnished(&house).await.into_iter().zip(optional) {
        let put = format!("PUT {path}");
        let mut bare = json!({});
        for required in ["name", "prices"] {
            if let Some(value) = read.get(required) {
                bare[required] = value.clone();
            }
        }
        assert_eq!(house.expect(&house.platform, &put, &bare, 200).await, read, "{path}");
        let mut expected = read.clone();
        for (field, gone) in optional {
            let mut without = bare.clone();
            without[field] = Value::Null;
            expected[field] = gone.clone();
            assert_eq!(house.expect(&house.platform, &put, &without, 200).await, expected, "{path} {field}");
        }
    }
    // What an app agrees with the platform can only be replaced.
    let without = json!({"name": "Docs", "terms": null});
    let problem = house.expect(&house.platform, &format!("PUT /v1/apps/{APP}"), &without, 422).await;
    assert_eq!(problem["errors"][0]["pointer"], "/terms");
}

/// Two who have read the same: the second is told, and overwrites nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_overwrites_what_they_have_not_seen() {
    let house = House::open().await;
    for (path, read) in furnished(&house).await {
        let tag = house.get(&house.platform, path).await.header("etag").unwrap().to_owned();
        let put = format!("PUT {path}");
        let changed = |to: &str| {
            let mut changed = read.clone();
            match changed.get("name") {
                Some(_) => changed["name"] = json!(to),
                None => changed["prices"]["entries"][0]["model"] = json!(to),
            }
            changed.to_string()
        };
        let send = async |tag: &str, body: &str| {
            let headers = ["content-type: application/json", &format!("if-match: {tag}")];
            house.send(&house.platform, &put, &headers, body).await
        };
        let first = send(&tag, &changed("First")).await;
        assert_eq!(first.status(), 200, "{}", first.body);
        let present = first.header("etag").unwrap();
        assert_eq!(house.get(&house.platform, path).await.header("etag"), Some(present));
        assert_ne!(present, tag);

        let second = send(&tag, &changed("Second")).await;
        let problem = second.problem();
        assert_eq!((second.status(), &problem["type"]), (412, &json!("/problems/precondition-failed")));
        assert_eq!(second.header("etag"), Some(present));
        assert_eq!(house.get(&house.platform, path).await.body, first.body, "nothing was overwritten");
        // What is lost on its way may be sent again: it changes nothing.
        assert_eq!(send(&tag, &changed("First")).await.body, first.body);
        // Of several one is enough, and any will do for `*`; one that is weak never does.
        assert_eq!(send(&format!("{tag}, {present}"), &changed("Third")).await.status(), 200);
        assert_eq!(send("*", &changed("Fourth")).await.status(), 200);
        let fourth = house.get(&house.platform, path).await.header("etag").unwrap().to_owned();
        assert_eq!(send(&format!("W/{fourth}"), &changed("Fifth")).await.status(), 412);
    }
    let made = house
        .send(
            &house.platform,
            "POST /v1/builders",
            &["content-type: application/json"],
            r#"{"id": "new", "name": "New"}"#,
        )
        .await;
    assert_eq!(made.header("etag"), house.get(&house.platform, "/v1/builders/new").await.header("etag"));
}

/// Each of them changes another part of what all have read, and says only that: none is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_out_stays_also_while_others_change_it() {
    let house = std::sync::Arc::new(House::open().await);
    furnished(&house).await;
    let parts = [
        ("kind", json!("office")),
        ("parent", json!(null)),
        ("attributes", json!({"region": "apac"})),
        ("limits", json!({"charge_max": "7", "usage_max": {}})),
    ];
    let asked = parts.clone().map(|(part, to)| {
        let house = std::sync::Arc::clone(&house);
        tokio::spawn(async move {
            let body = json!({"name": "Branch", part: to});
            house.expect(&house.acme, "PUT /v1/customers/branch?app=acme-docs", &body, 200).await
        })
    });
    for one in asked {
        one.await.unwrap();
    }
    let read = house.read(&house.acme, "/v1/customers/branch?app=acme-docs").await;
    for (part, to) in parts {
        assert_eq!(read[part], to, "{read}");
    }
}
