//! The interface describes itself, whole and for everybody.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tollgate_server::config::Config;

use crate::fixture::Running;
use crate::pages::House;
use crate::till::Bank;

async fn description(server: &Running) -> Value {
    let answer = server.get("/openapi.json").await;
    assert_eq!((answer.status(), answer.header("content-type")), (200, Some("application/json")));
    serde_json::from_str(&answer.body).unwrap()
}

fn operations(description: &Value) -> impl Iterator<Item = (String, &Value)> {
    let paths = description["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (format!("{method} {path}"), operation))
    })
}

#[tokio::test]
async fn every_operation_says_what_it_takes_and_what_it_answers() {
    let server = Running::start(Config::default()).await;
    let description = description(&server).await;
    assert_eq!(description["openapi"], "3.1.0");
    let tags: Vec<&Value> = description["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(&description) {
        assert!(operation["summary"].is_string(), "{name} has no summary");
        assert!(tags.contains(&&operation["tags"][0]), "{name} is in no group: {}", operation["tags"]);
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{name} shares its id");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{name} never succeeds");
        // What has no key is not told that it is missing.
        let is_open = operation.get("security").is_some();
        let of_keys = ["401", "403", "429"].into_iter().filter(|_| !is_open);
        for status in ["400", "500", "503", "504"].into_iter().chain(of_keys) {
            assert!(responses.contains_key(status), "{name} does not tell of {status}");
        }
        for (status, response) in responses {
            assert!(response["description"].is_string(), "{name} {status}");
            for (media_type, content) in response["content"].as_object().into_iter().flatten() {
                let example = content.get("example").or(content.get("examples"));
                assert!(example.is_some_and(|example| !example.is_null()), "{name} {status} {media_type}");
            }
            assert!(response["headers"]["X-Request-Id"].is_object(), "{name} {status}");
            if status.starts_with(['4', '5']) {
                let example = &response["content"]["application/problem+json"]["example"];
                assert_eq!(example["status"].to_string(), *status, "{name}");
                let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{name} {status}");
            }
        }
        let writes = !name.starts_with("get ") && !name.ends_with("/v1/quotes") && !is_open;
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let is_done_once = parameters.filter(|parameter| parameter["name"] == "Idempotency-Key").count();
        assert_eq!(is_done_once, usize::from(writes), "{name}");
        for content in operation["requestBody"]["content"].as_object().into_iter().flatten() {
            let example = content.1.get("example").or(content.1.get("examples"));
            assert!(example.is_some(), "{name} has no example of {}", content.0);
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{name} {}", parameter["name"]);
        }
    }
}

/// Every reference leads somewhere.
#[tokio::test]
async fn nothing_is_referred_to_that_is_not_described() {
    let server = Running::start(Config::default()).await;
    let description = description(&server).await;
    let text = description.to_string();
    let mut found = 0;
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        let before = &text[..text.find(reference).unwrap()];
        let before: String = before.chars().rev().take(300).collect::<Vec<_>>().into_iter().rev().collect();
        assert!(description.pointer(pointer).is_some(), "{pointer} in {before}");
        found += 1;
    }
    assert!(found > 100, "{found}");
}

#[tokio::test]
async fn the_reference_page_needs_nothing_from_elsewhere() {
    let server = Running::start(Config::default()).await;
    let page = server.get("/docs").await;
    assert_eq!((page.status(), page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"));
    for elsewhere in ["http://", "https://", "src=", "@import", "innerHTML", "style=\"", "onclick"] {
        assert!(!page.body.contains(elsewhere), "{elsewhere}");
    }
    let moved = server.get("/").await;
    assert_eq!((moved.status(), moved.header("location")), (307, Some("/docs")));
}

/// Whatever is created and can be read says where; an id may have any character.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_created_says_where_it_can_be_read() {
    let house = Bank::open().await;
    let description = description(&house.running).await;
    let described = operations(&description)
        .filter(|(_, operation)| !operation["responses"]["201"]["headers"]["Location"].is_null())
        .map(|(name, _)| name.replace("post ", ""));
    let odd = "a/b ü?&%";
    let terms = json!({"platform_share": "0.2", "surcharge_max": "10", "price_book": "network"});
    let made = [
        ("/v1/builders", "/v1/builders", json!({"id": odd, "name": "B"})),
        (
            "/v1/apps",
            "/v1/apps",
            json!({"id": odd, "name": "A", "builder": "acme", "currency": "USD", "terms": terms}),
        ),
        ("/v1/customers", "/v1/customers", json!({"app": odd, "id": odd, "name": "C"})),
        (
            "/v1/price-books",
            "/v1/price-books",
            json!({"id": odd, "prices": {"currency": "USD", "entries": []}}),
        ),
        (
            "/v1/tariffs",
            "/v1/tariffs",
            json!({"id": odd, "app": odd, "plugin": "two-a-page", "settings": {}}),
        ),
        ("/v1/keys", "/v1/keys", json!({"name": "K", "scope": {"type": "app_ingest", "app": odd}})),
        ("/v1/endpoints", "/v1/endpoints", json!({"builder": "acme", "url": "https://acme.invalid/"})),
        ("/v1/plugins", "/v1/plugins", Value::Null),
        (
            "/v1/customers/{id}/payments",
            "/v1/customers/legal/payments?app=acme-docs",
            json!({"id": odd, "amount": "5", "provider": "till", "method": {"by": "transfer"}}),
        ),
    ];
    assert_eq!(
        described.collect::<BTreeSet<_>>(),
        made.iter().map(|(path, ..)| (*path).to_owned()).collect()
    );
    for (_, path, body) in made {
        let media_type = if body.is_null() { "application/wasm" } else { "application/json" };
        let answer = house.post(&house.platform, path, media_type, &body.to_string()).await;
        assert_eq!(answer.status(), 201, "{path} {}", answer.body);
        let created: Value = serde_json::from_str(&answer.body).unwrap();
        let location = answer.header("location").unwrap_or_else(|| panic!("{path}\n{}", answer.head));
        let read = house.read(&house.platform, location).await;
        for id in ["id", "digest"] {
            assert_eq!(read[id], created[id], "{location}");
        }
        let again = house.post(&house.platform, path, media_type, &body.to_string()).await;
        assert!(again.status() == 201 || again.header("location").is_none(), "{}", again.head);
    }
}

/// Every object within every example of a request.
fn objects_in(value: &Value, pointer: &str, found: &mut Vec<String>) {
    let within: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (name.replace('/', "~1"), field)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    for (name, part) in within {
        let pointer = format!("{pointer}/{name}");
        if part.is_object() {
            found.push(pointer.clone());
        }
        objects_in(part, &pointer, found);
    }
}

/// A list would be read as an object's fields, in an order that nobody has promised.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_list_is_taken_for_an_object() {
    let house = House::open().await;
    let description = description(&house.running).await;
    let mut asked = BTreeSet::new();
    for (name, operation) in operations(&description) {
        let content = &operation["requestBody"]["content"]["application/json"];
        // Events are answered in their places.
        let of_events = ["/v1/events", "/v1/quotes", "/v1/authorizations", "/capture", "/webhook"];
        if of_events.iter().any(|path| name.ends_with(path)) || content.is_null() {
            continue;
        }
        let (method, path) = name.split_once(' ').unwrap();
        let path =
            path.replace("{period}", "2026-10").replace("{currency}", "USD").replace("{id}", "network");
        let path = path.replace(['{', '}'], "");
        let several = content["examples"].as_object().into_iter().flat_map(|examples| examples.values());
        let several = several.map(|example| &example["value"]);
        for example in several.chain(content.get("example")) {
            let mut found = Vec::new();
            objects_in(example, "", &mut found);
            // Settings are the plugin's, which must be there first.
            for pointer in found.into_iter().filter(|pointer| pointer != "/settings") {
                let mut wrong = example.clone();
                *wrong.pointer_mut(&pointer).unwrap() = json!([]);
                let request = format!("{} {path}", method.to_uppercase());
                let problem = house.expect(&house.platform, &request, &wrong, 422).await;
                assert_eq!(problem["errors"][0]["pointer"], pointer, "{request} {wrong} {problem}");
                asked.insert(format!("{name} {pointer}"));
            }
        }
    }
    assert!(asked.len() > 20, "{asked:#?}");
}
