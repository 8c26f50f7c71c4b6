//! Defining things over HTTP: created once, replaced on purpose, refused with a pointer to what is wrong.

use serde_json::{Value, json};

use crate::fixture::APP;
use crate::pages::House;

const NULL: &Value = &Value::Null;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_builder_makes_apps_by_its_terms_and_no_others() {
    let house = House::open().await;
    let new = json!({"id": "acme-chat", "name": "Chat", "currency": "USD"});
    let refused = house.expect(&house.acme, "POST /v1/apps", &new, 403).await;
    assert!(refused["detail"].as_str().unwrap().contains("no terms are agreed"));

    let terms = json!({"platform_share": "0.30", "surcharge_max": "25", "price_book": "network",
        "cost_authority": "price_book"});
    let change = json!({"name": "Acme", "app_terms": terms});
    let acme = house.expect(&house.platform, "PUT /v1/builders/acme", &change, 200).await;
    assert_eq!((&acme["id"], &acme["name"], &acme["app_terms"]), (&json!("acme"), &json!("Acme"), &terms));
    let made = house.expect(&house.acme, "POST /v1/apps", &new, 201).await;
    assert_eq!(
        made,
        json!({"id": "acme-chat", "name": "Chat", "builder": "acme", "currency": "USD", "time_zone": "UTC",
            "terms": terms, "default_tariff": null})
    );
    assert_eq!(house.expect(&house.acme, "POST /v1/apps", &new, 200).await, made);
    for field in ["platform_share", "surcharge_max"] {
        let mut other = json!({"id": "cheap", "name": "Cheap", "currency": "USD", "terms": terms});
        other["terms"][field] = json!("0");
        let refused = house.expect(&house.acme, "POST /v1/apps", &other, 403).await;
        assert_eq!(refused["errors"][0]["pointer"], format!("/terms/{field}"));
        let change = json!({"name": "Chat", "terms": other["terms"]});
        house.expect(&house.acme, "PUT /v1/apps/acme-chat", &change, 403).await;
    }
    house.expect(&house.acme, "GET /v1/apps/cheap", NULL, 404).await;
    let renamed = house.expect(&house.acme, "PUT /v1/apps/acme-chat", &json!({"name": "Talk"}), 200).await;
    assert_eq!((&renamed["name"], &renamed["terms"]), (&json!("Talk"), &terms));
    // What is taken is taken, whoever has it, and no more is told.
    house.expect(&house.acme, "POST /v1/apps", &new, 409).await;
    let taken = json!({"id": "globex-chat", "name": "Chat", "currency": "USD"});
    let problem = house.expect(&house.acme, "POST /v1/apps", &taken, 409).await;
    assert_eq!(problem["detail"], "the id \"globex-chat\" is taken: choose another");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_pointed_at() {
    let house = House::open().await;
    let terms = json!({"platform_share": "0.2", "surcharge_max": "10", "price_book": "network"});
    let app = |change: &dyn Fn(&mut Value)| {
        let mut app =
            json!({"id": "new", "name": "New", "builder": "acme", "currency": "USD", "terms": terms});
        change(&mut app);
        app
    };
    let customer = |field: &str, value: Value| {
        let mut customer = json!({"app": APP, "id": "c", "name": "C"});
        customer[field] = value;
        customer
    };
    let prices = |price: Value| {
        let price = json!({"measure": "input_tokens", "price": price});
        json!({"id": "b", "prices": {"currency": "USD", "entries": [{"model": "m", "prices": [price]}]}})
    };
    let table = [
        ("apps", app(&|app| app["terms"]["platform_share"] = json!("1.5")), "/terms/platform_share"),
        ("apps", app(&|app| app["terms"]["platform_share"] = json!(0.5)), "/terms/platform_share"),
        ("apps", app(&|app| app["terms"]["price_book"] = json!("none")), "/terms/price_book"),
        ("apps", app(&|app| app["currency"] = json!("EUR")), "/currency"),
        ("apps", app(&|app| app["time_zone"] = json!("Mars/Olympus")), "/time_zone"),
        ("apps", app(&|app| app["builder"] = Value::Null), "/builder"),
        ("apps", app(&|app| app["terms"] = Value::Null), "/terms"),
        ("apps", app(&|app| app["colour"] = json!("red")), "/colour"),
        ("customers", customer("id", json!("a\u{7}")), "/id"),
        ("customers", customer("parent", json!("c")), "/parent"),
        ("customers", customer("limits", json!({"charge_max": "-1"})), "/limits/charge_max"),
        ("customers", customer("limits", json!({"charge_max": 5})), "/limits/charge_max"),
        ("price-books", prices(json!("-1")), "/prices/entries/0/prices/0/price"),
        ("price-books", json!({"id": "b", "prices": {"entries": []}}), "/prices/currency"),
        ("price-books", json!({"id": "b", "prices": 5}), "/prices"),
    ];
    for (resource, body, pointer) in table {
        let problem = house.expect(&house.platform, &format!("POST /v1/{resource}"), &body, 422).await;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body} {problem}");
    }
}

/// Nobody outside knows what the program's own types are called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_in_the_words_of_the_interface() {
    let house = House::open().await;
    let limits = |limits: Value| ("customers", json!({"app": APP, "id": "c", "name": "C", "limits": limits}));
    let key = |scope: Value| ("keys", json!({"name": "K", "scope": scope}));
    let builder = |payouts: Value| ("builders", json!({"id": "b", "name": "B", "payouts": payouts}));
    let refund = |borne_by: Value| {
        ("events/acme-docs/a/refunds", json!({"id": "r", "borne_by": borne_by, "reason": "r"}))
    };
    let table = [
        (
            limits(json!({"usage_max": {"page/s": "-1"}})),
            "/limits/usage_max/page~1s",
            "is negative: a limit is zero or more",
        ),
        (
            limits(json!({"usage_max": {"page": "ten"}})),
            "/limits/usage_max/page",
            "\"ten\" is not a decimal number such as \"12.5\"",
        ),
        (limits(json!({"usage_max": {"page": 5}})), "/limits/usage_max/page", "must be a string, not 5"),
        (limits(json!({"usage_max": []})), "/limits/usage_max", "must be an object, not a list"),
        (
            limits(json!({"charge_min": "1"})),
            "/limits/charge_min",
            "\"charge_min\" is unknown here; known: charge_max, usage_max",
        ),
        (key(json!("platform")), "/scope", "must be an object, not \"platform\""),
        (
            key(json!({"type": "root"})),
            "/scope/type",
            "must be one of \"platform\", \"builder\", \"app_ingest\", \"customer_read\", not \"root\"",
        ),
        (key(json!({})), "/scope/type", "is required"),
        (
            builder(json!({"hold_back_days": -1})),
            "/payouts/hold_back_days",
            "must be a whole number from 0 to 4294967295, not -1",
        ),
        (
            (
                "tariffs",
                json!({"id": "t", "app": APP, "plugin": "two-a-page", "settings": {}, "effective_from": "2026-11-24"}),
            ),
            "/effective_from",
            "\"2026-11-24\" is no moment: give date, time and offset, as in \"2026-11-24T19:22:39Z\"",
        ),
        (refund(json!(5)), "/borne_by", "must be a string"),
    ];
    for ((resource, body), pointer, message) in table {
        let problem = house.expect(&house.platform, &format!("POST /v1/{resource}"), &body, 422).await;
        assert_eq!(problem["errors"], json!([{"pointer": pointer, "message": message}]), "{body}");
    }
    for (path, parameter, message) in [
        ("/v1/notices?after=soon", "after", "must be a whole number, 0 or more"),
        ("/v1/events/a/b?x=1", "x", "is no parameter of this request; there are none here"),
    ] {
        let answer = house.get(&house.platform, path).await;
        assert_eq!(answer.problem()["errors"], json!([{"parameter": parameter, "message": message}]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_keep_every_digit_they_are_written_with() {
    let house = House::open().await;
    let prices = r#"{"currency": "USD","entries":[{"model":"m","prices":[{"measure":"input_tokens","price":0.100000000000000001}]}]}"#;
    let body = format!(r#"{{"id": "exact", "prices": {prices}}}"#);
    let json = ["content-type: application/json"];
    let made = house.send(&house.platform, "POST /v1/price-books", &json, &body).await;
    assert_eq!(made.status(), 201, "{}", made.body);
    let read = house.get(&house.platform, "/v1/price-books/exact").await;
    assert!(read.body.contains(prices), "{}", read.body);
    let list = house.read(&house.platform, "/v1/price-books?limit=1").await;
    assert_eq!(list["data"], json!([{"id": "exact", "currency": "USD"}]));
    let next = list["next_cursor"].as_str().unwrap();
    let rest = house.read(&house.platform, &format!("/v1/price-books?cursor={next}")).await;
    assert_eq!((&rest["data"][0]["id"], &rest["next_cursor"]), (&json!("network"), NULL));
}

/// What the network's models cost others may tell what others were offered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_builder_sees_the_price_books_that_its_apps_go_by() {
    let house = House::open().await;
    let ids = async |key: &str| {
        let list = house.read(key, "/v1/price-books").await;
        let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|book| book["id"].clone()).collect();
        json!(ids)
    };
    for id in ["special", "unused"] {
        let book = json!({"id": id, "prices": {"currency": "USD", "entries": []}});
        house.expect(&house.platform, "POST /v1/price-books", &book, 201).await;
    }
    assert_eq!(ids(&house.platform).await, json!(["network", "special", "unused"]));
    assert_eq!(ids(&house.acme).await, json!(["network"]), "which its app goes by");
    let terms = json!({"platform_share": "0.2", "surcharge_max": "10", "price_book": "special"});
    let change = json!({"name": "Acme", "app_terms": terms});
    house.expect(&house.platform, "PUT /v1/builders/acme", &change, 200).await;
    assert_eq!(ids(&house.acme).await, json!(["network", "special"]), "and what its new apps would");
    assert_eq!(ids(&house.globex).await, json!(["network"]));
    house.expect(&house.acme, "GET /v1/price-books/special", NULL, 200).await;
    let hidden = house.expect(&house.globex, "GET /v1/price-books/special", NULL, 404).await;
    let absent = house.expect(&house.globex, "GET /v1/price-books/none", NULL, 404).await;
    assert_eq!(hidden["detail"].as_str().unwrap().replace("special", "none"), absent["detail"]);
    for key in [&house.ingest, &house.customer] {
        house.expect(key, "GET /v1/price-books/network", NULL, 403).await;
        house.expect(key, "GET /v1/price-books", NULL, 403).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_are_defined_replaced_and_read_by_their_own_key() {
    let house = House::open().await;
    let new = json!({"app": APP, "id": "legal", "name": "Legal", "kind": "workspace",
        "attributes": {"region": "emea"}, "limits": {"charge_max": "500.50", "usage_max": {"page": "100"}}});
    let made = house.expect(&house.acme, "POST /v1/customers", &new, 201).await;
    assert_eq!(made["limits"], json!({"charge_max": "500.5", "usage_max": {"page": "100"}}));
    house.expect(&house.acme, "POST /v1/customers", &new, 200).await;
    let other = json!({"app": APP, "id": "legal", "name": "Other"});
    house.expect(&house.acme, "POST /v1/customers", &other, 409).await;
    assert_eq!(house.read(&house.customer, "/v1/customers/legal").await, made);
    house.expect(&house.customer, "PUT /v1/customers/legal", &json!({"name": "Free"}), 403).await;
    house.expect(&house.customer, "GET /v1/customers/sales", NULL, 404).await;
    let replaced = house.expect(&house.acme, "PUT /v1/customers/legal", &json!({"name": "Law"}), 200).await;
    assert_eq!(
        replaced,
        json!({"app": APP, "id": "legal", "name": "Law", "kind": "workspace", "parent": null,
            "attributes": {"region": "emea"}, "limits": made["limits"], "tariff": null})
    );
    house.expect(&house.acme, "PUT /v1/customers/nobody", &json!({"name": "N"}), 404).await;
    let list = house.read(&house.acme, &format!("/v1/customers?app={APP}")).await;
    assert_eq!(list, json!({"data": [replaced], "next_cursor": null}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tariffs_tell_what_priced_what_and_when() {
    let house = House::open().await;
    let tariff = |id: &str, customer: Option<&str>, from: Option<&str>| {
        json!({"id": id, "app": APP, "customer": customer, "plugin": "two-a-page@1.0.0",
            "settings": {"price":  1.50}, "effective_from": from})
    };
    let spring = tariff("spring", None, Some("2024-03-15T12:00:00+01:00"));
    let made = house.expect(&house.acme, "POST /v1/tariffs", &spring, 201).await;
    assert_eq!((&made["plugin_name"], &made["plugin_version"]), (&json!("two-a-page"), &json!("1.0.0")));
    assert_eq!((&made["effective_from"], &made["effective_until"]), (&json!("2024-03-15T11:00:00Z"), NULL));
    let own = tariff("own", Some("legal"), None);
    let first = house.expect(&house.acme, "POST /v1/tariffs", &own, 201).await;
    // Asked again without a moment, it is the same tariff from the same moment.
    assert_eq!(house.expect(&house.acme, "POST /v1/tariffs", &own, 200).await, first);
    house.expect(&house.acme, "POST /v1/tariffs", &tariff("spring", None, None), 200).await;
    let moved = tariff("spring", None, Some("2024-03-16T12:00:00Z"));
    house.expect(&house.acme, "POST /v1/tariffs", &moved, 409).await;

    let path = format!("/v1/tariffs?app={APP}");
    let told = house.read(&house.acme, &path).await;
    let told: Vec<_> =
        told["data"].as_array().unwrap().iter().map(|one| [&one["id"], &one["effective_until"]]).collect();
    assert_eq!(json!(told), json!([["spring", null], ["docs", "2024-03-15T11:00:00Z"], ["own", null]]));
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = house.read(&house.acme, &format!("{path}&limit=1{cursor}")).await;
        ids.extend(page["data"].as_array().unwrap().iter().map(|one| one["id"].clone()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(ids, ["spring", "docs", "own"]);
    let legal = house.read(&house.acme, &format!("{path}&customer=legal")).await;
    assert_eq!(legal["data"], json!([first]));
    let app = house.read(&house.acme, &format!("/v1/apps/{APP}")).await;
    assert_eq!(app["default_tariff"], "spring");

    for (field, value) in
        [("plugin", json!("nothing")), ("settings", json!([])), ("effective_from", json!("soon"))]
    {
        let mut wrong = tariff("wrong", None, None);
        wrong[field] = value;
        let problem = house.expect(&house.acme, "POST /v1/tariffs", &wrong, 422).await;
        assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"));
    }
    // Of several by the same name, one must be named.
    let wasm = ["content-type: application/wasm"];
    assert_eq!(house.send(&house.acme, "POST /v1/plugins", &wasm, "another").await.status(), 201);
    assert_eq!(house.send(&house.acme, "POST /v1/plugins", &wasm, "another").await.status(), 200);
    let problem = house.expect(&house.acme, "POST /v1/tariffs", &tariff("late", None, None), 422).await;
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("is several plugins; name one of two-a-page@1.0.0 (sha256:")
    );
    let json = house.send(&house.acme, "POST /v1/plugins", &["content-type: application/json"], "{}").await;
    assert_eq!(json.status(), 415);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_id_is_created_once_however_many_ask_at_once() {
    let house = std::sync::Arc::new(House::open().await);
    let asked = (0..8).map(|client| {
        let house = std::sync::Arc::clone(&house);
        let body = json!({"id": "race", "name": format!("Client {client}")}).to_string();
        tokio::spawn(async move {
            let json = ["content-type: application/json"];
            house.send(&house.platform, "POST /v1/builders", &json, &body).await.status()
        })
    });
    let mut statuses = Vec::new();
    for one in asked.collect::<Vec<_>>() {
        statuses.push(one.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

/// A query that the request does not have might have been meant to keep it from being carried out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parameter_that_there_is_not_is_refused() {
    let house = House::open().await;
    let body = json!({"id": "dry", "name": "Dry"}).to_string();
    let answer = house.post(&house.platform, "/v1/builders?dry_run=true", "application/json", &body).await;
    let message = "is no parameter of this request; there are none here";
    let expected = json!([{"parameter": "dry_run", "message": message}]);
    assert_eq!((answer.status(), answer.problem()["errors"].clone()), (422, expected));
    assert_eq!(house.get(&house.platform, "/v1/builders/dry").await.status(), 404);
    let misspelt = house.get(&house.platform, "/v1/builders?limits=2").await;
    assert!(misspelt.problem()["detail"].as_str().unwrap().ends_with("there are: cursor, limit"));
    assert_eq!(house.get(&house.platform, "/v1/builders?limit=2").await.status(), 200);
    assert_eq!(house.get("not a key", "/v1/builders?limits=2").await.status(), 401);
}
