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
}

/// A Builder with an app, a customer, a plugin of its own, a tariff, an event, and keys. `words` stands in
/// every text that is not an id.
fn tenant(platform: &Client, name: &str, words: &str) -> Tenant {
    let terms = json!({"platform_share": "0.1", "surcharge_max": "10", "price_book": "network"});
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
    Tenant { builder, ingest, reader, plugin, key_id }
}

#[rustfmt::skip]
fn matrix(alpha: &Tenant) -> Vec<Row> {
    use Reach::{Named, Own};
    let event = |id: &str| json!({"specversion": "1.0", "id": id, "source": "alpha-app", "type": "t",
        "subject": "alpha-customer", "time": "2026-10-01T00:00:00Z", "data": {}});
    let terms = json!({"platform_share": "0.1", "surcharge_max": "10", "price_book": "network"});
    let at = |path: &str| path.to_owned();
    vec![
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
        ("GET", "/v1/price-books/{id}", at("/v1/price-books/network"), None, Own),
        ("PUT", "/v1/price-books/{id}", at("/v1/price-books/network"), Some(json!({"prices": {"currency": "USD", "entries": []}})), Named),
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
        ("DELETE", "/v1/keys/{id}", format!("/v1/keys/{}", alpha.key_id), None, Named),
        ("POST", "/v1/events", at("/v1/events"), Some(event("three")), Own),
        ("GET", "/v1/events/{source}/{id}", at("/v1/events/alpha-app/one"), None, Named),
        ("POST", "/v1/events/{source}/{id}/void", at("/v1/events/alpha-app/one/void"), Some(json!({"reason": "envy"})), Named),
        ("POST", "/v1/quotes", at("/v1/quotes"), Some(event("any")), Own),
        ("GET", "/v1/held", at("/v1/held"), None, Own),
        ("POST", "/v1/held/retry", at("/v1/held/retry"), Some(json!({"app": "alpha-app"})), Named),
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
    let platform = server.platform();
    let book = json!({"id": "network", "prices": {"currency": "USD", "entries": [
        {"model": "m", "prices": [{"measure": "input_tokens", "price": "1", "per": 1000}]}]}});
    platform.post("/v1/price-books", &book).with(201);
    let alpha = tenant(&platform, "alpha", MARK);
    let beta = tenant(&platform, "beta", "Greenland");
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
            assert_eq!(status, 401, "{method} {path} with {key:?}: {text}");
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
    let platform = server.platform();
    let book = json!({"id": "network", "prices": {"currency": "USD", "entries": [
        {"model": "m", "prices": [{"measure": "input_tokens", "price": "1", "per": 1000}]}]}});
    platform.post("/v1/price-books", &book).with(201);
    let alpha = tenant(&platform, "alpha", MARK);
    let beta = tenant(&platform, "beta", "Greenland");
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
        "/v1/tariffs?app=alpha-app",
        "/v1/builders/alpha/earnings",
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
        described.extend(
            methods.filter(|_| path.starts_with("/v1/")).map(|method| (method.to_uppercase(), path.clone())),
        );
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
