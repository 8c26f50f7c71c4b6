//! `examples/agency`: its script against the real server, and the statements that its clients get.

#![allow(clippy::unwrap_used)] // a test may panic

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;

use serde_json::Value;
use tollgate_tests::project::Language;
use tollgate_tests::tollgate::{Folder, program, repository, say};

#[test]
fn each_client_of_the_agency_gets_its_statement() {
    let example = repository().join("examples/agency");
    if !Language::JavaScript.is_here() {
        return;
    }
    if !example.join("plugins/recalls/node_modules/tollgate-sdk").exists() {
        say("skipped: the agency's JavaScript plugin needs npm install, in examples/agency/plugins/recalls");
        return;
    }
    let folder = Folder::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut script = folder.shell(&format!("{}/month.sh month", example.display()));
    let here = program().parent().unwrap().display().to_string();
    script.env("PATH", format!("{here}:{}", std::env::var("PATH").unwrap()));
    script.env("TOLLGATE_LISTEN", free.to_string()).env("TRIALS", "4");
    script.env("CARGO_TARGET_DIR", repository().join("target/workshop-tests"));
    let ran = script.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    if said.contains("no Rust toolchain here builds for") {
        say("skipped: no toolchain here builds plugins for WebAssembly");
        return;
    }
    assert!(ran.status.success(), "{said}");
    assert!(said.contains("12 of 12 times a client asked for the statement of another: not found"), "{said}");
    let month = folder.path("month");
    let mut statements = String::new();
    for client in ["harbor-legal", "smile-dental", "keystone-realty", "apex-motors"] {
        let text = fs::read_to_string(month.join(format!("statements/{client}.json"))).unwrap();
        let statement: Value = serde_json::from_str(&text).unwrap();
        let _ = writeln!(statements, "# {client}\n{}\n", serde_json::to_string_pretty(&statement).unwrap());
        let page = fs::read_to_string(month.join(format!("statements/{client}.html"))).unwrap();
        assert!(page.contains(client), "{page}");
    }
    insta::assert_snapshot!(statements);
}
