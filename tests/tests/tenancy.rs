//! Every route with every wrong key and another tenant's ids: 401, 403 or 404, and never a byte of what is
//! another's. A route that is not in the matrix fails it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may stop where it stands

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tollgate_tests::server::{Client, Server, bundled};
use tollgate_tests::tollgate::Folder;

/// Stands in everything that the first tenant has and does not name in its ids.
const MARK: &str = "Zanzibar";

/// What a wrong key must be answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The request names another's: as if it were not there.
    Named,
    /// The request names nobody: whoever asks sees its own, and nothing else.
    Own,
    /// The route takes no key but a signature: without one, nobody is told anything.
    Signed,
}

/// Method, route as the description has it, path as asked, body, reach.
type Row = (&'static str, &'static str, String, Option<Value>, Reach);

/// The keys of a tenant.
struct Tenant {
    builder: Client,
    ingest: Client,
    reader: Client,
    plugin: String,
    key_id: String,
    endpoint: String,
}

/// The platform, and two tenants of it.
fn tenants(server: &Server) -> (Client, Tenant, Tenant) {
    let platform = server.platform();
    let alpha = tenant(&platform, "alpha", MARK);
    let beta = tenant(&platform, "beta", "Greenland");
    (platform, alpha, beta)
}

/// A Builder with an app, a customer, a plugin of its own, a tariff, an event, and keys. `words` stands in
/// every text that is not an id.
fn tenant(platform: &Client, name: &str, words: &str) -> Tenant {
    let price = json!([{"measure": "input_tokens", "price": "1", "per": 1000}]);
    let book = json!({"id": format!("{name}-book"), "prices": {"currency": "USD", "entries": [
        {"model": "m", "prices": price}, {"model": "other", "provider": words, "prices": price}]}});
    platform.post("/v1/price-books", &book).with(201);
    let terms = json!({"platform_share": "0.1", "surcharge_max": "10", "price_book": book["id"]});
    let builder = json!({"id": name, "name": words, "app_terms": terms});
    platform.post("/v1/builders", &builder).with(201);
    let key = |scope: Value| {
        let made = platform.post("/v1/keys", &json!({"name": words, "scope": scope})).with(201);
        (platform.with_key(made["key"].as_str().unwrap()), made["id"].as_str().unwrap().to_owned())
    };
    let (builder, key_id) = key(json!({"type": "builder", "builder": name}));
    let app = format!("{name}-app");
    builder.post("/v1/apps", &json!({"id": app, "name": words, "currency": "USD"})).with(201);
    let customer =
        json!({"app": app, "id": format!("{name}-customer"), "name": words, "attributes": {"note": words}});
    builder.post("/v1/customers", &customer).with(201);
    // With a section of its own it is another plugin than the platform's.
    let mut component = bundled("conversation");
    let section = [&[u8::try_from(words.len()).unwrap()], words.as_bytes()].concat();
    component.extend([0, u8::try_from(section.len()).unwrap()]);
    component.extend(section);
    let uploaded = builder.ask("POST", "/v1/plugins", &[("content-type", "application/wasm")], &component);
    let plugin = uploaded.json()["digest"].as_str().unwrap().to_owned();
    let tariff = json!({"id": format!("{name}-tariff"), "app": app, "plugin": plugin,
        "settings": {"attribute": words, "price": "1"}, "effective_from": "2026-01-01T00:00:00Z"});
    builder.post("/v1/tariffs", &tariff).with(201);
    // No name ends like this: nothing is ever sent there.
    let endpoint = json!({"url": format!("https://{words}.invalid/"), "description": words});
    let made = builder.post("/v1/endpoints", &endpoint).with(201);
    let endpoint = made["id"].as_str().unwrap().to_owned();
    let (ingest, _) = key(json!({"type": "app_ingest", "app": app}));
    let (reader, _) =
        key(json!({"type": "customer_read", "app": app, "customer": format!("{name}-customer")}));
    let send = |id: &str, model: &str| {
        let event = json!({"specversion": "1.0", "id": id, "source": app, "type": "t",
            "subject": format!("{name}-customer"), "time": "2026-10-01T00:00:00Z",
            "data": {"feature": words, "model": model, "measures": {"input_tokens": 1}, "attributes": {words: "x"}}});
        ingest.post("/v1/events", &event).with(200)
    };
    assert_eq!(send("one", "m")["receipts"][0]["status"], "rated");
    assert_eq!(send("two", words)["receipts"][0]["status"], "held");
    funds(platform, &builder, name, words);
    let estimate = json!({"specversion": "1.0", "id": "estimated", "source": app, "type": "t",
        "subject": format!("{name}-customer"), "time": "2026-10-01T00:00:00Z",
        "data": {"model": "m", "measures": {"input_tokens": 1}, "attributes": {words: "estimated"}}});
    assert_eq!(ingest.post("/v1/authorizations", &estimate).with(200)["allowed"], true);
    Tenant { builder, ingest, reader, plugin, key_id, endpoint }
}

/// A wallet with granted and with paid money, and a refund.
fn funds(platform: &Client, builder: &Client, name: &str, words: &str) {
    let customer = format!("/v1/customers/{name}-customer");
    builder
        .put(
            &format!("{customer}/wallet"),
            &json!({"alerts": [
        {"id": words, "when": "balance_below", "amount": "1"}]}),
        )
        .with(200);
    let grant = json!({"id": "grant", "amount": "5", "funder": "builder", "reason": words});
    builder.post(&format!("{customer}/wallet/grants"), &grant).with(201);
    let payment = json!({"id": format!("{name}-payment"), "amount": "7", "provider": "manual",
        "method": {"by": "transfer"}});
    builder.post(&format!("{customer}/payments"), &payment).with(201);
    let received = format!("{customer}/payments/{name}-payment/received?app={name}-app");
    platform.post(&received, &json!({"reference": words})).with(200);
    let refund = json!({"id": "refund", "amount": "0.1", "borne_by": "builder", "reason": words});
    builder.post(&format!("/v1/events/{name}-app/one/refunds"), &refund).with(201);
}

#[rustfmt::skip]
fn matrix(alpha: &Tenant) -> Vec<Row> {
    use Reach::{Named, Own, Signed};
    let event = |id: &str| json!({"specversion": "1.0", "id": id, "source": "alpha-app", "type": "t",
        "subject": "alpha-customer", "time": "2026-10-01T00:00:00Z", "data": {}});
    let terms = json!({"platform_share": "0.1", "surcharge_max": "10", "price_book": "alpha-book"});
    let at = |path: &str| path.to_owned();
    let of_customer = |path: &str| format!("/v1/customers/alpha-customer/{path}?app=alpha-app");
    let of_payout = |step: &str| format!("/v1/builders/alpha/payouts/2026-10/USD{step}");
    let endpoint = |rest: &str| format!("/v1/endpoints/{}{rest}", alpha.endpoint);
    let url = json!({"url": "https://mine.invalid/"});
    vec![
        ("GET", "/metrics", at("/metrics"), None, Named),
        ("GET", "/v1/builders", at("/v1/builders"), None, Own),
        ("POST", "/v1/builders", at("/v1/builders"), Some(json!({"id": "new", "name": "New"})), Named),
        ("GET", "/v1/builders/{id}", at("/v1/builders/alpha"), None, Named),
        ("PUT", "/v1/builders/{id}", at("/v1/builders/alpha"), Some(json!({"name": "Other"})), Named),
        ("GET", "/v1/builders/{id}/earnings", at("/v1/builders/alpha/earnings"), None, Named),
        ("GET", "/v1/apps", at("/v1/apps"), None, Own),
        ("POST", "/v1/apps", at("/v1/apps"), Some(json!({"id": "x", "name": "X", "builder": "alpha", "currency": "USD"})), Named),
        ("GET", "/v1/apps/{id}", at("/v1/apps/alpha-app"), None, Named),
        ("PUT", "/v1/apps/{id}", at("/v1/apps/alpha-app"), Some(json!({"name": "Mine", "terms": terms})), Named),
        ("GET", "/v1/apps/{id}/periods", at("/v1/apps/alpha-app/periods"), None, Named),
        ("GET", "/v1/apps/{id}/statements", at("/v1/apps/alpha-app/statements"), None, Named),
        ("POST", "/v1/apps/{id}/periods/{period}/close", at("/v1/apps/alpha-app/periods/2026-10/close"), Some(json!({})), Named),
        ("GET", "/v1/customers", at("/v1/customers?app=alpha-app"), None, Named),
        ("POST", "/v1/customers", at("/v1/customers"), Some(json!({"app": "alpha-app", "id": "c", "name": "C"})), Named),
        ("GET", "/v1/customers/{id}", at("/v1/customers/alpha-customer?app=alpha-app"), None, Named),
        ("PUT", "/v1/customers/{id}", at("/v1/customers/alpha-customer?app=alpha-app"), Some(json!({"name": "Mine"})), Named),
        ("GET", "/v1/customers/{id}/usage", at("/v1/customers/alpha-customer/usage?app=alpha-app&period=2026-10"), None, Named),
        ("GET", "/v1/customers/{id}/statements", at("/v1/customers/alpha-customer/statements?app=alpha-app"), None, Named),
        ("GET", "/v1/customers/{id}/statements/{period}", at("/v1/customers/alpha-customer/statements/2026-10?app=alpha-app"), None, Named),
        ("GET", "/v1/customers/{id}/events", at("/v1/customers/alpha-customer/events?app=alpha-app"), None, Named),
        ("GET", "/v1/price-books", at("/v1/price-books"), None, Own),
        ("POST", "/v1/price-books", at("/v1/price-books"), Some(json!({"id": "x", "prices": {"currency": "USD", "entries": []}})), Named),
        ("GET", "/v1/price-books/{id}", at("/v1/price-books/alpha-book"), None, Named),
        ("PUT", "/v1/price-books/{id}", at("/v1/price-books/alpha-book"), Some(json!({"prices": {"currency": "USD", "entries": []}})), Named),
        ("GET", "/v1/plugins", at("/v1/plugins"), None, Own),
        ("POST", "/v1/plugins", at("/v1/plugins?builder=alpha"), Some(json!({})), Named),
        ("GET", "/v1/plugins/{digest}", format!("/v1/plugins/{}", alpha.plugin), None, Named),
        ("GET", "/v1/plugins/{digest}/component", format!("/v1/plugins/{}/component", alpha.plugin), None, Named),
        ("GET", "/v1/tariffs", at("/v1/tariffs?app=alpha-app"), None, Named),
        ("POST", "/v1/tariffs", at("/v1/tariffs"), Some(json!({"id": "mine", "app": "alpha-app", "plugin": alpha.plugin,
            "settings": {"attribute": "a", "price": "0"}, "effective_from": "2026-01-01T00:00:00Z"})), Named),
        ("GET", "/v1/tariffs/{id}", at("/v1/tariffs/alpha-tariff"), None, Named),
        ("GET", "/v1/keys", at("/v1/keys"), None, Own),
        ("POST", "/v1/keys", at("/v1/keys"), Some(json!({"name": "k", "scope": {"type": "app_ingest", "app": "alpha-app"}})), Named),
        ("GET", "/v1/keys/{id}", format!("/v1/keys/{}", alpha.key_id), None, Named),
        ("DELETE", "/v1/keys/{id}", format!("/v1/keys/{}", alpha.key_id), None, Named),
        ("POST", "/v1/events", at("/v1/events"), Some(event("three")), Own),
        ("GET", "/v1/events/{source}/{id}", at("/v1/events/alpha-app/one"), None, Named),
        ("POST", "/v1/events/{source}/{id}/void", at("/v1/events/alpha-app/one/void"), Some(json!({"reason": "envy"})), Named),
        ("POST", "/v1/quotes", at("/v1/quotes"), Some(event("any")), Own),
        ("GET", "/v1/held", at("/v1/held"), None, Own),
        ("POST", "/v1/held/retry", at("/v1/held/retry"), Some(json!({"app": "alpha-app"})), Named),
        ("GET", "/v1/endpoints", at("/v1/endpoints"), None, Own),
        ("POST", "/v1/endpoints", at("/v1/endpoints"), Some(json!({"builder": "alpha", "url": "https://mine.invalid/"})), Named),
        ("GET", "/v1/endpoints/{id}", endpoint(""), None, Named),
        ("PUT", "/v1/endpoints/{id}", endpoint("?builder=alpha"), Some(url), Named),
        ("DELETE", "/v1/endpoints/{id}", endpoint("?builder=alpha"), None, Named),
        ("POST", "/v1/endpoints/{id}/rotate", endpoint("/rotate?builder=alpha"), Some(json!({})), Named),
        ("POST", "/v1/endpoints/{id}/test", endpoint("/test"), Some(json!({})), Named),
        ("POST", "/v1/endpoints/{id}/replay", endpoint("/replay"), Some(json!({"since": "2026-01-01T00:00:00Z"})), Named),
        ("GET", "/v1/endpoints/{id}/deliveries", endpoint("/deliveries"), None, Named),
        ("POST", "/v1/endpoints/{id}/deliveries/{delivery}/replay",
            endpoint(&format!("/deliveries/msg_{}_1/replay", alpha.endpoint)), Some(json!({})), Named),
        ("GET", "/v1/notices", at("/v1/notices"), None, Own),
        ("GET", "/v1/customers/{id}/wallet", of_customer("wallet"), None, Named),
        ("PUT", "/v1/customers/{id}/wallet", of_customer("wallet"), Some(json!({"credit_limit": "0"})), Named),
        ("GET", "/v1/customers/{id}/wallet/grants", of_customer("wallet/grants"), None, Named),
        ("POST", "/v1/customers/{id}/wallet/grants", of_customer("wallet/grants"), Some(json!({"id": "g", "amount": "1", "funder": "builder"})), Named),
        ("GET", "/v1/customers/{id}/wallet/entries", of_customer("wallet/entries"), None, Named),
        ("GET", "/v1/customers/{id}/payments", of_customer("payments"), None, Named),
        ("POST", "/v1/customers/{id}/payments", of_customer("payments"), Some(json!({"id": "mine", "amount": "1",
            "provider": "manual", "method": {"by": "transfer"}})), Named),
        ("GET", "/v1/customers/{id}/payments/{payment}", of_customer("payments/alpha-payment"), None, Named),
        ("POST", "/v1/customers/{id}/payments/{payment}/received", of_customer("payments/alpha-payment/received"), Some(json!({"reference": "mine"})), Named),
        ("POST", "/v1/customers/{id}/payments/{payment}/refunds", of_customer("payments/alpha-payment/refunds"), Some(json!({"id": "mine", "amount": "1"})), Named),
        ("POST", "/v1/events/{source}/{id}/refunds", at("/v1/events/alpha-app/one/refunds"), Some(json!({"id": "mine", "borne_by": "builder", "reason": "envy"})), Named),
        ("POST", "/v1/authorizations", at("/v1/authorizations"), Some(event("three")), Named),
        ("GET", "/v1/authorizations/{source}/{id}", at("/v1/authorizations/alpha-app/estimated"), None, Named),
        ("POST", "/v1/authorizations/{source}/{id}/capture", at("/v1/authorizations/alpha-app/estimated/capture"), Some(event("estimated")), Named),
        ("POST", "/v1/authorizations/{source}/{id}/void", at("/v1/authorizations/alpha-app/estimated/void"), Some(json!({})), Named),
        ("GET", "/v1/payouts", at("/v1/payouts"), None, Own),
        ("POST", "/v1/payouts/run", at("/v1/payouts/run"), Some(json!({"period": "2026-10"})), Named),
        ("GET", "/v1/builders/{id}/payouts/{period}/{currency}", of_payout(""), None, Named),
        ("GET", "/v1/builders/{id}/payouts/{period}/{currency}/remittance", of_payout("/remittance"), None, Named),
        ("POST", "/v1/builders/{id}/payouts/{period}/{currency}/approve", of_payout("/approve"), Some(json!({})), Named),
        ("POST", "/v1/builders/{id}/payouts/{period}/{currency}/submit", of_payout("/submit"), Some(json!({})), Named),
        ("POST", "/v1/builders/{id}/payouts/{period}/{currency}/paid", of_payout("/paid"), Some(json!({"reference": "mine"})), Named),
        ("POST", "/v1/builders/{id}/payouts/{period}/{currency}/returned", of_payout("/returned"), Some(json!({"reason": "envy"})), Named),
        ("GET", "/v1/providers/settlements", at("/v1/providers/settlements"), None, Named),
        ("POST", "/v1/providers/settlements", at("/v1/providers/settlements"), Some(json!({"provider": "network", "currency": "USD", "amount": "1", "reference": "mine"})), Named),
        ("POST", "/v1/providers/{provider}/webhook", at("/v1/providers/manual/webhook"), Some(json!({"payment": "alpha-payment"})), Signed),
        ("POST", "/v1/reconciliations", at("/v1/reconciliations"), Some(json!({"provider": "manual", "from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z", "report": []})), Named),
        ("GET", "/v1/suspensions", at("/v1/suspensions"), None, Own),
        ("POST", "/v1/suspensions/{tariff}/retry", at("/v1/suspensions/alpha-tariff/retry"), Some(json!({})), Named),
    ]
}

fn ask(who: &Client, (method, _, path, body, _): &Row) -> (u16, String) {
    let text = body.as_ref().map_or_else(String::new, Value::to_string);
    let reply = who.ask(method, path, &[("content-type", "application/json")], &text);
    (reply.status, reply.text)
}

#[test]
fn nobody_sees_or_touches_what_is_another_s() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[]);
    let (platform, alpha, beta) = tenants(&server);
    let matrix = matrix(&alpha);
    every_route_is_in(&platform, &matrix);

    let revoked = platform.post("/v1/keys", &json!({"name": "r", "scope": {"type": "platform"}})).with(201);
    let gone = platform.ask("DELETE", &format!("/v1/keys/{}", revoked["id"].as_str().unwrap()), &[], "");
    assert_eq!(gone.status, 200, "{}", gone.text);
    let invalid = ["", "tollgate_platform_000000000000_x", revoked["key"].as_str().unwrap()];
    let before = platform.get("/v1/events/alpha-app/one").with(200);
    let mut asked = 0;
    for row in &matrix {
        let (method, _, path, _, reach) = row;
        for key in invalid {
            let (status, text) = ask(&platform.with_key(key), row);
            let expected = if *reach == Reach::Signed { 404 } else { 401 };
            assert_eq!(status, expected, "{method} {path} with {key:?}: {text}");
            assert!(!text.contains(MARK), "{method} {path}: {text}");
        }
        for (name, who) in [("Builder", &beta.builder), ("ingest", &beta.ingest), ("customer", &beta.reader)]
        {
            let (status, text) = ask(who, row);
            asked += 1;
            assert!(!text.contains(MARK), "{method} {path} as another {name}: {text}");
            let refused = [403, 404].contains(&status);
            // A list in which nothing is found, or a body that names what is not there.
            let as_if_absent = status == 422 && *method == "POST" && *reach == Reach::Named;
            assert!(
                refused || as_if_absent || *reach == Reach::Own && status < 500,
                "{method} {path} as another {name}: {status} {text}"
            );
        }
    }
    println!("{} routes, {asked} requests of another tenant", matrix.len());
    // Nothing of it has been touched.
    assert_eq!(platform.get("/v1/events/alpha-app/one").with(200), before);
    assert_eq!(platform.get("/v1/events/alpha-app/three").status, 404);
    assert_eq!(alpha.builder.get("/v1/apps/alpha-app").with(200)["name"], MARK);
}

/// What is refused is told in the same words as what never was.
#[test]
fn another_s_and_nobody_s_are_told_alike() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[]);
    let (_, alpha, beta) = tenants(&server);
    let told = |who: &Client, path: &str| {
        let mut problem = who.get(path).json();
        problem["request_id"] = Value::Null;
        problem.to_string().replace("alpha", "nobody")
    };
    for path in [
        "/v1/builders/alpha",
        "/v1/apps/alpha-app",
        "/v1/customers/alpha-customer?app=alpha-app",
        "/v1/customers/alpha-customer/statements/2026-10?app=alpha-app",
        "/v1/events/alpha-app/one",
        "/v1/tariffs/alpha-tariff",
        "/v1/price-books/alpha-book",
        "/v1/tariffs?app=alpha-app",
        "/v1/builders/alpha/earnings",
        "/v1/customers/alpha-customer/wallet?app=alpha-app",
        "/v1/customers/alpha-customer/payments/alpha-payment?app=alpha-app",
        "/v1/authorizations/alpha-app/estimated",
        "/v1/builders/alpha/payouts/2026-10/USD",
    ] {
        let (theirs, nobodys) =
            (told(&beta.builder, path), told(&beta.builder, &path.replace("alpha", "nobody")));
        assert_eq!(theirs, nobodys, "{path}");
    }
    // A customer pays the total: what is behind it, it is not told.
    for path in [
        "/v1/events/alpha-app/one",
        "/v1/customers/alpha-customer/events",
        "/v1/customers/alpha-customer/statements/2026-10",
    ] {
        let (customers, builders) = (alpha.reader.get(path), alpha.builder.get(path));
        assert_eq!((customers.status, builders.status), (200, 200), "{path}");
        for word in ["network_cost", "network cost", "platform_fee", "builder_earnings", "measures"] {
            assert!(!customers.text.contains(word), "{path}: {word} in {}", customers.text);
        }
        assert!(builders.text.contains("network_cost"), "{path}: {}", builders.text);
    }
    // Its own money it sees, and not who pays for what it was given.
    let customer = "/v1/customers/alpha-customer";
    for path in ["wallet", "wallet/grants", "wallet/entries", "payments", "payments/alpha-payment"] {
        let path = format!("{customer}/{path}");
        let (customers, builders) = (alpha.reader.get(&path), alpha.builder.get(&path));
        assert_eq!((customers.status, builders.status), (200, 200), "{path}");
        for word in ["funder", "borne_by", "clawed_back", "\"request\""] {
            assert!(!customers.text.contains(word), "{path}: {word} in {}", customers.text);
        }
    }
    assert_eq!(alpha.reader.get("/v1/authorizations/alpha-app/estimated").status, 200);
    // A key of the tenant's own that is too small is told so.
    assert_eq!(alpha.reader.get("/v1/builders").status, 403);
    assert_eq!(alpha.ingest.get("/v1/customers/alpha-customer/usage?app=alpha-app").status, 403);
}

fn every_route_is_in(platform: &Client, matrix: &[Row]) {
    let description = platform.get("/openapi.json").with(200);
    let mut described = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        let methods = item
            .as_object()
            .unwrap()
            .keys()
            .filter(|method| ["get", "post", "put", "delete", "patch"].contains(&method.as_str()));
        described.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
    }
    let covered: BTreeSet<_> =
        matrix.iter().map(|(method, route, ..)| ((*method).to_owned(), (*route).to_owned())).collect();
    assert_eq!(described, covered);
}

/// A refusal must not be lost because the connection is closed upon a body that nobody wanted to read.
#[test]
fn a_refusal_reaches_a_client_that_is_still_sending() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[]);
    let mut stream = TcpStream::connect(server.address.trim_start_matches("http://")).unwrap();
    let head = "POST /v1/events HTTP/1.1\r\nhost: tollgate\r\nauthorization: Bearer none\r\ncontent-length: 2\r\n\r\n";
    for _ in 0..2 {
        stream.write_all(head.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        stream.write_all(b"{}").unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 401");
        // The connection goes on: take the rest of the answer off it.
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        assert!(ended.is_err(), "the connection stays open");
    }
}
