//! Who may define what: every kind of key on the routes of definitions and keys, and what it is told of others'.

use serde_json::{Value, json};

use crate::fixture::{APP, Answer};
use crate::pages::{House, OTHER_APP};

const JSON: &str = "content-type: application/json";

impl House {
    /// Any request: `PUT /v1/apps/x`, with more header lines.
    pub async fn send(&self, key: &str, asked: &str, headers: &[&str], body: &str) -> Answer {
        let mut head = format!("{asked} HTTP/1.1\r\nauthorization: Bearer {key}");
        for header in headers {
            head += "\r\n";
            head += header;
        }
        self.running.ask(&head, body.as_bytes()).await
    }

    /// A request with a JSON body, and what must come back.
    pub async fn expect(&self, key: &str, asked: &str, body: &Value, status: u16) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.send(key, asked, &[JSON], &body).await;
        assert_eq!(answer.status(), status, "{asked} {body}\n{}", answer.body);
        if status >= 400 { answer.problem() } else { serde_json::from_str(&answer.body).unwrap() }
    }
}

fn builder(id: &str, share: &str) -> Value {
    json!({"id": id, "name": id, "app_terms": {"platform_share": share, "surcharge_max": "10",
        "price_book": "network", "cost_authority": "price_book"}})
}

fn app(id: &str, builder: &str) -> Value {
    json!({"id": id, "name": id, "builder": builder, "currency": "USD"})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_route_answers_without_a_valid_key() {
    let house = House::open().await;
    let description: Value = serde_json::from_str(&house.running.get("/openapi.json").await.body).unwrap();
    let mut asked = 0;
    // Payment providers have no key: a signature says whose a message is.
    let open = ["/v1/providers/{provider}/webhook"];
    let paths = description["paths"].as_object().unwrap();
    for (path, item) in paths.iter().filter(|(path, _)| !open.contains(&path.as_str())) {
        for method in item.as_object().unwrap().keys() {
            let path = path.replace(['{', '}'], "");
            let head = format!("{} {path} HTTP/1.1", method.to_uppercase());
            let without = house.running.ask(&head, b"").await;
            assert_eq!(without.status(), 401, "{head}");
            assert!(without.header("www-authenticate").is_some());
            let wrong =
                house.send("tollgate_platform_000000000000_x", head.trim_end_matches(" HTTP/1.1"), &[], "");
            let wrong = wrong.await;
            assert_eq!(wrong.status(), 401, "{head}");
            assert_eq!(wrong.problem()["type"], "/problems/unauthorized");
            asked += 1;
        }
    }
    assert!(asked > 40, "{asked} operations");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_apps_and_customers_define_nothing() {
    let house = House::open().await;
    let lists = ["builders", "apps", "price-books", "plugins", "keys"].map(|list| format!("GET /v1/{list}"));
    let of_app = ["customers", "tariffs"].map(|list| format!("GET /v1/{list}?app={APP}"));
    for key in [&house.ingest, &house.customer] {
        for asked in lists.iter().chain(&of_app) {
            house.expect(key, asked, &Value::Null, 403).await;
        }
        house.expect(key, "POST /v1/builders", &builder("x", "0.1"), 403).await;
        house.expect(key, "POST /v1/apps", &app("x", "acme"), 403).await;
        let customer = json!({"app": APP, "id": "x", "name": "X"});
        house.expect(key, "POST /v1/customers", &customer, 403).await;
        house.expect(key, "POST /v1/keys", &json!({"name": "x", "scope": {"type": "platform"}}), 403).await;
        house.expect(key, "DELETE /v1/keys/000000000000", &Value::Null, 403).await;
    }
    // A Builder's key does what is not only the platform's.
    house.expect(&house.acme, "POST /v1/builders", &builder("x", "0.1"), 403).await;
    house.expect(&house.acme, "PUT /v1/builders/acme", &json!({"name": "A"}), 403).await;
    let prices = json!({"currency": "USD", "entries": []});
    house.expect(&house.acme, "POST /v1/price-books", &json!({"id": "own", "prices": prices}), 403).await;
    house.expect(&house.acme, "PUT /v1/price-books/network", &json!({"prices": prices}), 403).await;
    house.expect(&house.acme, "GET /v1/price-books/network", &Value::Null, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_anothers_is_as_if_it_were_not_there() {
    let house = House::open().await;
    let customer = json!({"app": APP, "id": "legal", "name": "Acme's own secret"});
    house.expect(&house.acme, "POST /v1/customers", &customer, 201).await;
    let own = house.send(&house.acme, "POST /v1/plugins", &["content-type: application/wasm"], "own").await;
    assert_eq!(own.status(), 201, "{}", own.body);
    let digest = serde_json::from_str::<Value>(&own.body).unwrap()["digest"].as_str().unwrap().to_owned();
    let key = house.running.backend.keys.list();
    let key = key.iter().find(|key| format!("{:?}", key.scope).contains("acme")).unwrap().id.clone();
    let change = json!({"name": "Mine"});
    let scope = |scope: Value| json!({"name": "x", "scope": scope});
    // What is Acme's; what never was; and how it is asked for.
    let never = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    let table = [
        ("acme", "nobody", "GET /v1/builders/@", Value::Null),
        ("acme", "nobody", "GET /v1/apps?builder=@", Value::Null),
        ("acme", "nobody", "GET /v1/plugins?builder=@", Value::Null),
        (
            "acme",
            "nobody",
            "POST /v1/apps",
            json!({"id": "new", "name": "N", "builder": "@", "currency": "USD"}),
        ),
        ("acme", "nobody", "POST /v1/keys", scope(json!({"type": "builder", "builder": "@"}))),
        (APP, "app-that-never-was", "GET /v1/apps/@", Value::Null),
        (APP, "app-that-never-was", "PUT /v1/apps/@", change.clone()),
        (APP, "app-that-never-was", "GET /v1/customers?app=@", Value::Null),
        (APP, "app-that-never-was", "GET /v1/customers/legal?app=@", Value::Null),
        (APP, "app-that-never-was", "PUT /v1/customers/legal?app=@", change),
        (APP, "app-that-never-was", "POST /v1/customers", json!({"app": "@", "id": "legal", "name": "L"})),
        (APP, "app-that-never-was", "GET /v1/tariffs?app=@", Value::Null),
        (APP, "app-that-never-was", "POST /v1/keys", scope(json!({"type": "app_ingest", "app": "@"}))),
        (
            APP,
            "app-that-never-was",
            "POST /v1/keys",
            scope(json!({"type": "customer_read", "app": "@", "customer": "c"})),
        ),
        (
            APP,
            "app-that-never-was",
            "POST /v1/tariffs",
            json!({"id": "t", "app": "@", "plugin": "two-a-page", "settings": {}}),
        ),
        ("docs", "no-tariff", "GET /v1/tariffs/@", Value::Null),
        (&digest, never, "GET /v1/plugins/@", Value::Null),
        (&digest, never, "GET /v1/plugins/@/component", Value::Null),
        (&key, "000000000000", "DELETE /v1/keys/@", Value::Null),
    ];
    for (acmes, nobodys, asked, body) in table {
        let mut told = Vec::new();
        for id in [acmes, nobodys] {
            let body: Value = serde_json::from_str(&body.to_string().replace('@', id)).unwrap();
            let mut problem = house.expect(&house.globex, &asked.replace('@', id), &body, 404).await;
            problem["request_id"].take();
            told.push(problem.to_string().replace(id, "@"));
        }
        assert_eq!(told[0], told[1], "{asked}");
        assert!(!told[0].contains("secret"), "{}", told[0]);
    }
    // Lists have only one's own.
    let apps = house.read(&house.globex, "/v1/apps").await;
    assert_eq!(apps["data"].as_array().unwrap().len(), 1);
    assert_eq!(apps["data"][0]["id"], OTHER_APP);
    let builders = house.read(&house.globex, "/v1/builders").await;
    let payouts = json!({"minimum": {}, "hold_back_days": 0, "reserve_share": "0", "reserve_days": 0,
        "destination": null});
    let globex =
        json!({"id": "globex", "name": "Globex", "app_terms": null, "payouts": payouts, "publishers": []});
    assert_eq!(builders["data"], json!([globex]));
    let plugins = house.read(&house.globex, "/v1/plugins").await;
    assert_eq!(plugins["data"].as_array().unwrap().len(), 1, "the platform's");
    assert_eq!(plugins["data"][0]["builder"], Value::Null);
    // What is the platform's, a Builder uses and does not download.
    let shared = plugins["data"][0]["digest"].as_str().unwrap();
    house.expect(&house.globex, &format!("GET /v1/plugins/{shared}"), &Value::Null, 200).await;
    house.expect(&house.globex, &format!("GET /v1/plugins/{shared}/component"), &Value::Null, 403).await;
    let component = house.get(&house.acme, &format!("/v1/plugins/{digest}/component")).await;
    assert_eq!(
        (component.body.as_str(), component.header("content-type")),
        ("own", Some("application/wasm"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_made_listed_used_and_revoked() {
    let house = House::open().await;
    let scope = json!({"type": "app_ingest", "app": APP});
    let asked = json!({"name": "docs", "scope": scope, "expires_at": "2999-01-01T00:00:00Z"});
    let made = house.expect(&house.acme, "POST /v1/keys", &asked, 201).await;
    let (key, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
    assert!(key.starts_with(&format!("tollgate_ingest_{id}_")), "{key}");
    assert_eq!((&made["scope"], &made["expires_at"]), (&scope, &json!("2999-01-01T00:00:00Z")));

    // It is good for what it says and for nothing more.
    let event = crate::pages::pages(APP, "e", 1, 1);
    house.write(key, "/v1/events", &event).await;
    house.expect(key, "GET /v1/keys", &Value::Null, 403).await;

    let list = house.get(&house.acme, "/v1/keys").await;
    let secret = key.strip_prefix(&format!("tollgate_ingest_{id}_")).unwrap();
    assert!(list.body.contains(id) && !list.body.contains(secret) && !list.body.contains("digest"));
    let data = serde_json::from_str::<Value>(&list.body).unwrap()["data"].clone();
    let own = data.as_array().unwrap().iter().find(|known| known["id"] == id).unwrap();
    assert!(own["last_used_at"].is_string() && own["revoked_at"].is_null(), "{own}");
    assert!(data.as_array().unwrap().iter().all(|known| known["scope"]["type"] != "platform"));

    let globex = house.get(&house.globex, "/v1/keys").await;
    assert!(!globex.body.contains(id));
    let path = format!("/v1/keys/{id}");
    let alone = house.read(&house.acme, &path).await;
    assert_eq!((&alone["id"], alone.get("key")), (&json!(id), None), "its secret is not told again");
    assert_eq!(house.get(&house.globex, &path).await.status(), 404);
    let revoked = house.expect(&house.acme, &format!("DELETE /v1/keys/{id}"), &Value::Null, 200).await;
    assert!(revoked["revoked_at"].is_string());
    let again = house.expect(&house.acme, &format!("DELETE /v1/keys/{id}"), &Value::Null, 200).await;
    assert_eq!(again["revoked_at"], revoked["revoked_at"]);
    let refused = house.expect(key, "POST /v1/events", &event, 401).await;
    assert!(refused["detail"].as_str().unwrap().contains("revoked"));

    for (body, pointer) in [
        (json!({"name": "", "scope": scope}), "/name"),
        (json!({"name": "x", "scope": scope, "expires_at": "2001-01-01T00:00:00Z"}), "/expires_at"),
        (
            json!({"name": "x", "scope": {"type": "customer_read", "app": APP, "customer": ""}}),
            "/scope/customer",
        ),
        (json!({"name": "x"}), "/scope"),
        // Nothing that is half of another scope makes a key of the platform.
        (json!({"name": "x", "scope": {"type": "platform", "builder": "acme"}}), "/scope"),
        (json!(["x", {"type": "builder", "builder": "acme"}, null]), ""),
    ] {
        let problem = house.expect(&house.acme, "POST /v1/keys", &body, 422).await;
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    house
        .expect(&house.acme, "POST /v1/keys", &json!({"name": "x", "scope": {"type": "platform"}}), 403)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_write_is_answered_as_before_and_done_once() {
    let house = House::open().await;
    let headers = [JSON, "idempotency-key: job-1"];
    let body = builder("new", "0.1").to_string();
    let first = house.send(&house.platform, "POST /v1/builders", &headers, &body).await;
    assert_eq!((first.status(), first.header("idempotency-replayed")), (201, None));
    let again = house.send(&house.platform, "POST /v1/builders", &headers, &body).await;
    assert_eq!((again.status(), again.header("idempotency-replayed")), (201, Some("true")));
    assert_eq!(again.body, first.body);
    // Another request under the same key is refused; another tenant's same key is its own.
    let other = builder("other", "0.1").to_string();
    let conflict = house.send(&house.platform, "POST /v1/builders", &headers, &other).await;
    let reused = json!("/problems/idempotency-key-reused");
    assert_eq!((conflict.status(), conflict.problem()["type"].clone()), (422, reused));
    // The content type is a part of what is asked.
    let other = ["content-type: application/cloudevents+json", "idempotency-key: job-1"];
    assert_eq!(house.send(&house.platform, "POST /v1/builders", &other, &body).await.status(), 422);
    let twice = [JSON, "idempotency-key: job-1", "idempotency-key: job-9"];
    assert_eq!(house.send(&house.platform, "POST /v1/builders", &twice, &body).await.status(), 400);
    house.expect(&house.platform, "GET /v1/builders/other", &Value::Null, 404).await;
    let acmes = house.send(&house.acme, "POST /v1/builders", &headers, &body).await;
    assert_eq!(acmes.status(), 403);

    // What was refused did nothing: it is asked anew, and may be mended by then.
    let headers = [JSON, "idempotency-key: job-3"];
    let app = app("late-app", "late").to_string();
    let answer = house.send(&house.platform, "POST /v1/apps", &headers, &app).await;
    assert_eq!(answer.status(), 404);
    house.expect(&house.platform, "POST /v1/builders", &builder("late", "0.1"), 201).await;
    assert_eq!(house.send(&house.platform, "POST /v1/apps", &headers, &app).await.status(), 201);

    // A quote is an answer of its moment, whatever it carries.
    let headers = [JSON, "idempotency-key: job-4"];
    for _ in 0..2 {
        let quoted = house.send(&house.platform, "POST /v1/quotes", &headers, r#"{"events": []}"#).await;
        assert_eq!(quoted.header("idempotency-replayed"), None);
    }

    // A secret is shown once: the repeated request makes no second key and does not show the first.
    let headers = [JSON, "idempotency-key: job-2"];
    let body = json!({"name": "once", "scope": {"type": "builder", "builder": "acme"}}).to_string();
    let made = house.send(&house.acme, "POST /v1/keys", &headers, &body).await;
    assert_eq!(made.status(), 201);
    let again = house.send(&house.acme, "POST /v1/keys", &headers, &body).await;
    assert_eq!(again.status(), 409, "{}", again.body);
    assert!(!again.body.contains("tollgate_builder_"));
    let named = house.running.backend.keys.list();
    assert_eq!(named.iter().filter(|key| key.name == "once").count(), 1);
}
