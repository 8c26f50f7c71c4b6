//! The API does what its description says: schemathesis asks the real server whatever the description
//! allows, and what it does not.
//!
//! Skipped, saying so, where schemathesis is not installed: `pip install schemathesis`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may stop where it stands

use std::process::{Command, Stdio};

use serde_json::json;
use tollgate_tests::server::Server;
use tollgate_tests::tollgate::{Folder, say};

/// How many requests are made up for each route, unless `TOLLGATE_SCHEMA_EXAMPLES` tells.
const EXAMPLES: &str = "10";

/// How to write and read what is not JSON.
const HOOKS: &str = r#"
import json
import schemathesis

@schemathesis.serializer("application/wasm", "application/x-ndjson")
def as_it_is(context, value):
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()
"#;

#[test]
fn every_answer_is_as_described() {
    let mut version = Command::new("schemathesis");
    version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    let is_there = version.status().is_ok_and(|status| status.success());
    if !is_there {
        say("skipped: schemathesis is not installed (pip install schemathesis)");
        return;
    }
    let folder = Folder::new();
    let server = Server::start(&folder, &["rate_per_second=100000", "rate_burst=100000"]);
    let platform = server.platform();
    // Something for the examples of the description to find.
    let book = json!({"id": "network", "prices": {"currency": "USD", "entries": []}});
    platform.post("/v1/price-books", &book).with(201);
    let terms = json!({"platform_share": "0.20", "surcharge_max": "1000", "price_book": "network"});
    platform.post("/v1/builders", &json!({"id": "acme", "name": "Acme Apps", "app_terms": terms})).with(201);
    let app =
        json!({"id": "acme-docs", "name": "Acme Docs", "builder": "acme", "currency": "USD", "terms": terms});
    platform.post("/v1/apps", &app).with(201);
    let legal = "/v1/customers/legal";
    platform.put(&format!("{legal}/wallet?app=acme-docs"), &json!({"credit_limit": "100"})).with(200);
    let grant = json!({"id": "welcome", "amount": "20", "funder": "builder"});
    platform.post(&format!("{legal}/wallet/grants?app=acme-docs"), &grant).with(201);
    let payment =
        json!({"id": "top-up-1", "amount": "50", "provider": "manual", "method": {"by": "transfer"}});
    platform.post(&format!("{legal}/payments?app=acme-docs"), &payment).with(201);

    folder.write("hooks.py", HOOKS);
    let examples = std::env::var("TOLLGATE_SCHEMA_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned());
    let mut run = Command::new("schemathesis");
    run.env("SCHEMATHESIS_HOOKS", "hooks");
    run.arg("run").arg(format!("{}/openapi.json", server.address));
    run.args([
        "--checks",
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
    ]);
    run.args(["--max-examples", &examples, "--seed", "1", "--no-color", "--suppress-health-check", "all"]);
    run.arg("--header").arg(format!("Authorization: Bearer {}", platform.key));
    // Revoking keys would in time revoke the one that asks; a component is no JSON to be compared.
    run.args(["--exclude-path", "/v1/keys/{id}", "--exclude-path", "/v1/plugins/{digest}/component"]);
    let ran = run.current_dir(folder.path("")).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{told}\n{}", String::from_utf8_lossy(&ran.stderr));
    say(told
        .lines()
        .rev()
        .take(12)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect::<Vec<_>>()
        .join("\n")
        .as_str());
    assert!(server.stop(), "it still stops when asked");
    folder.run("ledger verify --data data").done();
}
