//! Events over HTTP: each is answered by its position, explained as charged, and taken back once.

use serde_json::{Value, json};

use crate::fixture::APP;
use crate::pages::{House, OTHER_APP, done, pages};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_answered_by_its_position() {
    let house = House::open().await;
    let first = house.write(&house.ingest, "/v1/events", &pages(APP, "a", 1, 3)).await;
    assert_eq!(first["receipts"][0]["charge"]["total"], "6");
    let mut unread = pages(APP, "d", 1, 1);
    unread["data"]["measures"] = json!({"a/b": -1});
    let batch = json!([
        pages(APP, "b", 1, 2),
        pages(APP, "a", 1, 3),
        pages(APP, "a", 1, 4),
        unread,
        pages(OTHER_APP, "e", 1, 1),
        pages("nobody", "e", 1, 1),
        7,
        pages(APP, "unlucky", 1, 13),
    ]);
    let batch = batch.to_string();
    let answer = house.post(&house.ingest, "/v1/events", "application/cloudevents-batch+json", &batch).await;
    let told = done(&answer);
    assert_eq!(
        told["events"],
        json!({"read": 8, "rated": 1, "held": 1, "duplicate": 1, "conflict": 1, "invalid": 4})
    );
    let metrics = house.running.metrics().await;
    for (receipt, count) in [("rated", 2), ("held", 1), ("duplicate", 1), ("conflict", 1), ("invalid", 4)] {
        let line = format!("tollgate_events_total{{receipt=\"{receipt}\"}} {count}");
        assert!(metrics.lines().any(|other| other == line), "{line} is not in\n{metrics}");
    }
    let receipts = told["receipts"].as_array().unwrap();
    let charge = &receipts[0]["charge"];
    assert_eq!(
        charge["usage"],
        json!([{"unit": "page", "group": [], "quantity": "2", "before": "3", "after": "5"}])
    );
    assert_eq!(
        charge["lines"],
        json!([{"code": "pages", "title": "Pages read", "unit": "page", "quantity": "2", "unit_price": "2", "amount": "4"}])
    );
    assert_eq!(
        charge["split"],
        json!({"network_cost": "0", "platform_fee": "0.8", "builder_earnings": "3.2"})
    );
    assert_eq!(
        (&charge["period"], &charge["currency"], &charge["late"]),
        (&json!("2024-03"), &json!("USD"), &json!(false))
    );
    for position in [1, 2] {
        assert_eq!(receipts[position]["first"]["charge"], first["receipts"][0]["charge"], "the first stands");
    }
    assert!(receipts[2]["detail"].as_str().unwrap().contains("says something else"));
    assert_eq!(receipts[3]["errors"][0]["pointer"], "/data/measures/a~1b");
    assert_eq!(
        receipts[4]["errors"],
        json!([{"pointer": "/source", "message": "there is no app \"globex-chat\""}])
    );
    assert_eq!(
        receipts[5]["errors"],
        json!([{"pointer": "/source", "message": "there is no app \"nobody\""}])
    );
    assert_eq!((&receipts[6]["id"], &receipts[6]["errors"][0]["pointer"]), (&Value::Null, &json!("")));
    assert_eq!(receipts[7]["held"]["cause"], "fault");
    for (index, receipt) in receipts.iter().enumerate() {
        assert_eq!(receipt["index"], index);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_lines_are_answered_in_a_summary_and_large_bodies_alike() {
    let house = House::open().await;
    let lines: Vec<_> = (0..2000).map(|id| pages(APP, &id.to_string(), 1, 1).to_string()).collect();
    let lines = format!("{}\n\nnot an event\n", lines.join("\n"));
    let send = || house.post(&house.ingest, "/v1/events?receipt=summary", "application/x-ndjson", &lines);
    let told = done(&send().await);
    assert_eq!(told["events"]["rated"], 2000);
    assert_eq!(told["problems"].as_array().unwrap().len(), 1);
    assert_eq!(told["problems"][0]["index"], 2000);
    assert_eq!(done(&send().await)["events"]["duplicate"], 2000);
    let answer = house.post(&house.ingest, "/v1/events", "application/x-ndjson", &lines).await;
    let told = done(&answer);
    assert_eq!(told["receipts"][1999]["first"]["charge"]["usage"][0]["after"], "2000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_as_a_whole_is_refused() {
    let house = House::open().await;
    let event = pages(APP, "a", 1, 1).to_string();
    for (media_type, body, status) in [
        ("application/json", "{", 400),
        ("application/cloudevents-batch+json", &*event, 400),
        ("text/plain", &*event, 415),
    ] {
        let answer = house.post(&house.ingest, "/v1/events", media_type, body).await;
        assert_eq!((answer.status(), answer.problem()["status"].as_u64()), (status, Some(status.into())));
    }
    let answer = house.post(&house.customer, "/v1/events", "application/json", &event).await;
    assert_eq!(answer.status(), 403);
    let answer = house.post(&house.ingest, "/v1/events?receipt=none", "application/json", &event).await;
    assert_eq!(answer.problem()["errors"][0]["parameter"], "receipt");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_explained_to_whom_it_belongs() {
    let house = House::open().await;
    let event = pages(APP, "a/b c", 1, 3);
    house.write(&house.ingest, "/v1/events", &event).await;
    let path = format!("/v1/events/{APP}/a%2Fb%20c");
    let told = house.read(&house.ingest, &path).await;
    assert_eq!((&told["event"], &told["status"]), (&event, &json!("rated")));
    assert_eq!(told["execution"], json!({"reproduced": true, "difference": null, "fuel": 10}));
    assert_eq!(
        told["pricing"]["settings_digest"],
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    );
    let sentences = told["explanation"].to_string();
    assert!(sentences.contains("Pages read: 3 at 2 USD makes 6 USD."), "{sentences}");
    // The customer is told its total, and not what is behind it.
    let told = house.read(&house.customer, &path).await;
    assert_eq!((&told["event"], &told["charge"]["split"]), (&Value::Null, &Value::Null));
    assert_eq!(told["charge"]["total"], "6");
    assert!(!told["explanation"].to_string().contains("network cost"), "{told}");
    let unknown = house.get(&house.globex, "/v1/events/acme-docs/never").await.problem()["detail"].clone();
    let hidden = house.get(&house.globex, &path).await;
    assert_eq!(hidden.status(), 404);
    assert_eq!(unknown.as_str().unwrap().replace("never", "a/b c"), hidden.problem()["detail"]);
    assert_eq!(house.read(&house.acme, &path).await["id"], "a/b c");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_taken_back_and_replaced_once() {
    let house = House::open().await;
    house.write(&house.ingest, "/v1/events", &json!([pages(APP, "a", 1, 3), pages(APP, "b", 1, 1)])).await;
    let path = format!("/v1/events/{APP}/a/void");
    let mut wrong = pages(APP, "c", 1, 4);
    wrong["subject"] = json!("sales");
    for (replacement, pointer) in [
        (wrong, "/replacement/subject"),
        (pages(APP, "a", 1, 4), "/replacement/id"),
        (pages(OTHER_APP, "c", 1, 4), "/replacement/source"),
        (json!({"id": "c"}), "/replacement/specversion"),
    ] {
        let body = json!({"reason": "wrong", "replacement": replacement}).to_string();
        let answer = house.post(&house.acme, &path, "application/json", &body).await;
        assert_eq!(answer.problem()["errors"][0]["pointer"], pointer);
    }
    // An event that is there already corrects nothing, be it the same or another.
    for of_b in [pages(APP, "b", 1, 9), pages(APP, "b", 1, 1)] {
        let body = json!({"reason": "wrong", "replacement": of_b}).to_string();
        assert_eq!(house.post(&house.acme, &path, "application/json", &body).await.status(), 409);
    }
    // Nothing was voided by any of these.
    assert!(house.read(&house.acme, &format!("/v1/events/{APP}/a")).await.get("voided").is_none());

    let body = json!({"reason": "miscounted", "replacement": pages(APP, "c", 1, 4)});
    let told = house.write(&house.acme, &path, &body).await;
    assert_eq!(told["voided"]["reversal"]["total"], "-6");
    let back = &told["voided"]["reversal"]["usage"][0];
    assert_eq!(
        (&back["quantity"], &back["before"], &back["after"]),
        (&json!("-3"), &json!("4"), &json!("1"))
    );
    assert_eq!(told["voided"]["replacement"], "c");
    assert_eq!(
        (&told["replacement"]["id"], &told["replacement"]["charge"]["total"]),
        (&json!("c"), &json!("8"))
    );
    assert_eq!(told["replacement"]["charge"]["usage"][0]["after"], "5");
    assert_eq!(house.write(&house.acme, &path, &body).await, told, "repeating changes nothing");
    // Asked again under a new id, it would be charged twice.
    let anew = json!({"reason": "miscounted", "replacement": pages(APP, "c-again", 1, 4)}).to_string();
    assert_eq!(house.post(&house.acme, &path, "application/json", &anew).await.status(), 409);
    let without = house.write(&house.acme, &path, &json!({"reason": "miscounted"})).await;
    assert_eq!((&without["voided"], &without["replacement"]), (&told["voided"], &Value::Null));
    let total = house.read(&house.acme, &format!("/v1/customers/legal/statements/2024-03?app={APP}")).await;
    assert_eq!(total["total"], "10");
    for (key, status) in [(&house.ingest, 403), (&house.customer, 403), (&house.globex, 404)] {
        let answer = house.post(key, &path, "application/json", &body.to_string()).await;
        assert_eq!(answer.status(), status);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quote_charges_nothing() {
    let house = House::open().await;
    house.write(&house.ingest, "/v1/events", &pages(APP, "a", 1, 3)).await;
    let event = json!({"source": APP, "subject": "legal", "data": {"measures": {"pages": 2}}});
    let one = house.write(&house.ingest, "/v1/quotes", &event).await;
    assert_eq!(
        (&one["quotes"][0]["allowed"], &one["quotes"][0]["charge"]["total"]),
        (&json!(true), &json!("4"))
    );
    // In the month of the first event, the counter stands where it is.
    let mut then = event.clone();
    then["time"] = json!("2024-03-02T00:00:00Z");
    let several = json!({"events": [then, then, {"source": OTHER_APP}, pages(APP, "q", 1, 13)]});
    let told = house.write(&house.acme, "/v1/quotes", &several).await;
    let usage = |at: usize| told["quotes"][at]["charge"]["usage"][0]["after"].clone();
    assert_eq!((usage(0), usage(1)), (json!("5"), json!("7")), "one after the other");
    assert_eq!(told["quotes"][2]["errors"][0]["pointer"], "/subject");
    assert_eq!(
        (&told["quotes"][3]["status"], &told["quotes"][3]["denials"][0]["code"]),
        (&json!("held"), &json!("fault"))
    );
    let other = json!({"source": OTHER_APP, "subject": "s", "data": {}});
    let told = house.write(&house.acme, "/v1/quotes", &other).await;
    assert_eq!(told["quotes"][0]["errors"][0]["message"], "there is no app \"globex-chat\"");
    let usage = house.read(&house.customer, "/v1/customers/legal/usage").await;
    assert_eq!(
        usage["counters"],
        json!([{"period": "2024-03", "unit": "page", "group": [], "quantity": "3"}])
    );
    let body = r#"{"events": [], "limit": 1}"#;
    let answer = house.post(&house.acme, "/v1/quotes", "application/json", body).await;
    assert_eq!(answer.problem()["errors"][0]["pointer"], "/limit", "{}", answer.body);
}

/// What can be recorded can be quoted, in whatever way it is written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quote_takes_what_recording_takes() {
    let house = House::open().await;
    let event = json!({"source": APP, "subject": "legal", "data": {"measures": {"pages": 2}}}).to_string();
    let list = format!("[{event},{event}]");
    for (media_type, body, expected) in [
        ("application/json", event.clone(), &["4"][..]),
        ("application/cloudevents+json", event.clone(), &["4"]),
        ("application/json", list.clone(), &["4", "4"]),
        ("application/cloudevents-batch+json", list.clone(), &["4", "4"]),
        ("application/json", format!(r#"{{"events": {list}}}"#), &["4", "4"]),
        ("application/x-ndjson", format!("{event}\n\n{event}\n"), &["4", "4"]),
        ("application/ndjson", format!("{event}\n"), &["4"]),
        ("application/jsonl", event.clone(), &["4"]),
        ("application/json", "[]".to_owned(), &[]),
    ] {
        let answer = house.post(&house.ingest, "/v1/quotes", media_type, &body).await;
        let told: Vec<_> = done(&answer)["quotes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|quote| quote["charge"]["total"].clone())
            .collect();
        assert_eq!(json!(told), json!(expected), "{media_type} {body}");
    }
    // What is wrong is answered in its place, here as there.
    for (media_type, body) in
        [("application/json", "5"), ("application/x-ndjson", "{"), ("application/json", "[[]]")]
    {
        let answer = house.post(&house.ingest, "/v1/quotes", media_type, body).await;
        assert_eq!(done(&answer)["quotes"][0]["status"], "invalid", "{body}");
        let recorded = house.post(&house.ingest, "/v1/events", media_type, body).await;
        assert_eq!(done(&answer)["quotes"][0]["errors"], done(&recorded)["receipts"][0]["errors"]);
    }
    for (media_type, body, status) in [("application/json", "{", 400), ("text/plain", "{}", 415)] {
        let answer = house.post(&house.ingest, "/v1/quotes", media_type, body).await;
        assert_eq!(answer.status(), status, "{}", answer.body);
    }
    let many = "{}\n".repeat(1001);
    let answer = house.post(&house.ingest, "/v1/quotes", "application/x-ndjson", &many).await;
    assert_eq!((answer.status(), &answer.problem()["errors"][0]["pointer"]), (422, &json!("")));
}
