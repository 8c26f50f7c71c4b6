//! What customers, Builders and operators read and do once events are charged: usage, statements, histories,
//! earnings, periods, held events. The figures of all of them agree.

use serde_json::{Value, json};

use crate::fixture::APP;
use crate::pages::{House, OTHER_APP, pages};

/// Three events on two days, one of them taken back; and one of another tenant's.
async fn used() -> House {
    let house = House::open().await;
    let events =
        json!([pages(APP, "a", 1, 3), pages(APP, "b", 1, 2), pages(APP, "c", 2, 4), pages(APP, "u", 2, 13)]);
    house.write(&house.ingest, "/v1/events", &events).await;
    house.write(&house.globex, "/v1/events", &pages(OTHER_APP, "z", 1, 50)).await;
    house.write(&house.acme, &format!("/v1/events/{APP}/b/void"), &json!({"reason": "sent twice"})).await;
    house
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_is_added_up_by_what_is_asked_for() {
    let house = used().await;
    let path = "/v1/customers/legal/usage";
    let told = house.read(&house.customer, path).await;
    assert_eq!(told["counters"][0]["quantity"], "7");
    let told = house
        .read(&house.acme, &format!("{path}?period=2024-03&group_by=day,feature,attribute:project"))
        .await;
    // Nobody here has a wallet: all of it is owed.
    let group = |day: &str| json!({"day": day, "feature": "review", "attribute:project": "x"});
    assert_eq!(
        told["groups"],
        json!([
            {"group": group("2024-03-01"), "events": 1, "charged": "6", "from_granted": "0",
                "from_paid": "0", "owed": "6", "usage": [{"unit": "page", "quantity": "3"}]},
            {"group": group("2024-03-02"), "events": 1, "charged": "8", "from_granted": "0",
                "from_paid": "0", "owed": "8", "usage": [{"unit": "page", "quantity": "4"}]},
        ])
    );
    let told = house.read(&house.acme, &format!("{path}?period=2024-03&group_by=unit")).await;
    assert_eq!((&told["groups"][0]["charged"], &told["groups"][0]["events"]), (&Value::Null, &json!(2)));
    let refused = [
        ("group_by=day", "period"),
        ("period=2024-03&group_by=colour", "group_by"),
        ("period=2024", "period"),
    ];
    for (query, parameter) in refused {
        let answer = house.get(&house.acme, &format!("{path}?{query}")).await;
        assert_eq!(answer.problem()["errors"][0]["parameter"], parameter);
    }
    let answer = house.get(&house.platform, path).await;
    assert_eq!(answer.problem()["errors"][0]["parameter"], "app", "the platform sees several apps");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_is_for_programs_and_for_print() {
    let house = used().await;
    let path = "/v1/customers/legal/statements";
    let told = house.read(&house.customer, &format!("{path}/2024-03")).await;
    assert_eq!(
        (&told["total"], &told["closed"], &told["currency"]),
        (&json!("14"), &json!(false), &json!("USD"))
    );
    assert_eq!(told["lines"][0]["amount"], "14");
    assert_eq!(told["usage"], json!([{"unit": "page", "group": [], "quantity": "7"}]));
    let list = house.read(&house.customer, path).await;
    assert_eq!((&list["data"][0]["period"], &list["data"][0]["total"]), (&json!("2024-03"), &json!("14")));

    let page = house.get(&house.customer, &format!("{path}/2024-03?format=html")).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    assert!(page.body.contains("14.00 USD") && page.body.contains("still open"), "{}", page.body);
    assert!(!page.body.contains("<script"));
    assert_eq!(house.get(&house.customer, &format!("{path}/2024-04")).await.status(), 404);
    assert_eq!(house.get(&house.globex, &format!("{path}/2024-03?app={APP}")).await.status(), 404);
    assert_eq!(house.get(&house.customer, &format!("{path}/march")).await.status(), 422);
    let sales = house.get(&house.customer, "/v1/customers/sales/statements").await;
    assert_eq!(sales.status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_is_read_page_by_page_from_the_latest() {
    let house = used().await;
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = house.read(&house.customer, &format!("/v1/customers/legal/events?limit=1{cursor}")).await;
        ids.extend(page["data"].as_array().unwrap().iter().map(|event| event["id"].clone()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(ids, ["c", "b", "a", "u"]);
    let page = house.read(&house.acme, "/v1/customers/legal/events?period=2024-03").await;
    let told: Vec<_> = page["data"].as_array().unwrap().iter().map(|event| &event["status"]).collect();
    assert_eq!(told, ["rated", "rated", "rated"]);
    assert_eq!(page["data"][1]["voided"]["reversal"]["total"], "-4");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_freezes_and_what_follows_is_late() {
    let house = used().await;
    let path = format!("/v1/apps/{APP}/periods");
    let told = house.write(&house.acme, &format!("{path}/2024-03/close"), &Value::Null).await;
    assert_eq!((&told["customers"], &told["charges"][0]["total"]), (&json!(1), &json!("5")));
    assert_eq!(told["charges"][0]["lines"][0]["title"], "Base fee");
    let again = house.post(&house.acme, &format!("{path}/2024-03/close"), "application/json", "").await;
    assert_eq!(again.status(), 409);
    let future = house.post(&house.acme, &format!("{path}/2999-01/close"), "application/json", "").await;
    assert!(future.problem()["detail"].as_str().unwrap().contains("early=true"));
    let told = house.write(&house.acme, &format!("{path}/2999-01/close?early=true"), &Value::Null).await;
    assert_eq!(told["customers"], 0);
    for (key, status) in [(&house.globex, 404), (&house.ingest, 403), (&house.customer, 403)] {
        assert_eq!(house.get(key, &path).await.status(), status);
    }

    // One is taken back late: it is off the next statement, and usage by day agrees with it.
    house.write(&house.acme, &format!("/v1/events/{APP}/c/void"), &json!({"reason": "late"})).await;
    let late = house.write(&house.ingest, "/v1/events", &pages(APP, "l", 3, 1)).await;
    assert_eq!(late["receipts"][0]["charge"]["late"], true);
    let april = house.read(&house.customer, "/v1/customers/legal/statements/2024-04").await;
    assert_eq!(april["total"], "-6");
    let days = house.read(&house.acme, "/v1/customers/legal/usage?period=2024-04&group_by=day").await;
    let charged: Vec<_> = days["groups"].as_array().unwrap().iter().map(|group| &group["charged"]).collect();
    assert_eq!(charged, ["-8", "2"]);
    let periods = house.read(&house.acme, &path).await;
    let march =
        periods["data"].as_array().unwrap().iter().find(|period| period["period"] == "2024-03").unwrap();
    assert_eq!((&march["closed"], &march["total"]), (&json!(true), &json!("19")));
    assert_eq!(
        (&march["from"], &march["until"]),
        (&json!("2024-03-01T00:00:00Z"), &json!("2024-04-01T00:00:00Z"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn earnings_are_those_of_the_statements() {
    let house = used().await;
    house.write(&house.acme, &format!("/v1/apps/{APP}/periods/2024-03/close"), &Value::Null).await;
    let path = "/v1/builders/acme/earnings?period=2024-03";
    let told = house.read(&house.acme, path).await;
    assert_eq!(
        told["data"],
        json!([{"group": {}, "currency": "USD", "total": "19", "network_cost": "0", "platform_fee": "3.8", "earnings": "15.2"}])
    );
    let told = house.read(&house.platform, &format!("{path}&group_by=app,customer,day")).await;
    let rows: Vec<_> =
        told["data"].as_array().unwrap().iter().map(|row| (&row["group"]["day"], &row["total"])).collect();
    let (first, second, last) = (json!("2024-03-01"), json!("2024-03-02"), json!("2024-03-31"));
    assert_eq!(rows, [(&first, &json!("6")), (&second, &json!("8")), (&last, &json!("5"))]);
    let unperioded = house.get(&house.acme, "/v1/builders/acme/earnings?group_by=day").await;
    assert_eq!(unperioded.problem()["errors"][0]["parameter"], "period");
    assert_eq!(house.get(&house.globex, path).await.status(), 404);
    assert_eq!(house.get(&house.ingest, path).await.status(), 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn held_events_are_seen_by_their_builder_and_tried_again() {
    let house = used().await;
    house.write(&house.globex, "/v1/events", &pages(OTHER_APP, "v", 1, 13)).await;
    let ids = |page: Value| -> Vec<Value> {
        page["data"].as_array().unwrap().iter().map(|held| held["id"].clone()).collect()
    };
    assert_eq!(ids(house.read(&house.acme, "/v1/held").await), ["u"]);
    assert_eq!(ids(house.read(&house.globex, "/v1/held").await), ["v"]);
    assert_eq!(ids(house.read(&house.platform, "/v1/held").await), ["u", "v"]);
    let held = house.read(&house.acme, &format!("/v1/held?app={APP}")).await;
    assert_eq!(held["data"][0]["held"]["cause"], "fault");
    assert!(held["data"][0]["held"]["message"].as_str().unwrap().contains("13 pages"));
    assert_eq!(house.get(&house.acme, &format!("/v1/held?app={OTHER_APP}")).await.status(), 404);
    let told = house.write(&house.acme, "/v1/held/retry", &json!({})).await;
    assert_eq!(told, json!({"rated": 0, "held": 1, "next_cursor": null}));
    let told = house.write(&house.platform, "/v1/held/retry", &json!({})).await;
    assert_eq!(told, json!({"rated": 0, "held": 2, "next_cursor": null}));
    let again = house.post(&house.acme, "/v1/held/retry", "application/json", r#"{"cursor": "7"}"#).await;
    assert_eq!((again.status(), &again.problem()["errors"][0]["pointer"]), (422, &json!("/cursor")));
    assert_eq!(house.get(&house.ingest, "/v1/held").await.status(), 403);
    assert_eq!(house.read(&house.acme, "/v1/suspensions").await["data"], json!([]));
    let told = house.write(&house.acme, "/v1/suspensions/docs/retry", &Value::Null).await;
    assert_eq!(told, json!({"tariff": "docs", "suspended": false}));
    let other = house.post(&house.acme, "/v1/suspensions/chat/retry", "application/json", "").await;
    assert_eq!(other.status(), 404);
}
