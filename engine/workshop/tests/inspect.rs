//! What is said of bytes that are not a plugin for this host.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // What cannot be is a failed test.

use std::{fs, path::Path};
use tollgate_workshop::{CONTRACT_VERSION, inspect};

fn plugin() -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/prebuilt/tiered.wasm");
    fs::read(file).unwrap()
}

/// The plugin with every occurrence of a name replaced by one of the same length.
fn renamed(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = plugin();
    let places: Vec<usize> =
        (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from.as_bytes())).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

fn refusal(bytes: &[u8]) -> String {
    inspect(bytes).and_then(|inspection| inspection.verify()).unwrap_err().to_string()
}

#[test]
fn what_is_not_a_plugin_is_told_why() {
    insta::assert_snapshot!(refusal(b"PK\x03\x04"), @r"this is not WebAssembly: it does not begin with \0asm");
    insta::assert_snapshot!(refusal(b"\0asm\x01\0\0\0"), @"this is a core module, not a component; build it with `tollgate plugin build`, which makes the component as well");
    insta::assert_snapshot!(refusal(b"\0asm\x0d\0\x01\0"), @"the component does not export `tollgate:pricing/plugin`, so it is not a pricing plugin");
    let truncated = refusal(&plugin()[..2000]);
    assert!(truncated.starts_with("this is not a valid component: "), "{truncated}");
    let wasi = renamed("tollgate:pricing/log@0.1.0", "wasi:filesystem/types@0.2.");
    insta::assert_snapshot!(refusal(&wasi), @"the plugin imports `wasi:filesystem/types@0.2.`. A plugin may import nothing but `tollgate:pricing/log`: no clock, no randomness, no files, no network");
}

#[test]
fn versions_agree_up_to_the_first_number_that_is_not_zero() {
    let speaking = |version: &str| renamed("pricing/plugin@0.1.0", &format!("pricing/plugin@{version}"));
    inspect(&speaking("0.1.7")).unwrap().verify().unwrap();
    insta::assert_snapshot!(refusal(&speaking("0.2.0")), @"the plugin speaks version 0.2.0 of tollgate:pricing, this host version 0.1.0; build it against this host's SDK");
    assert!(refusal(&speaking("1.1.0")).contains("1.1.0"));
}

#[test]
fn the_host_speaks_the_contract_in_the_repository() {
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/wit/pricing.wit");
    let contract = fs::read_to_string(contract).unwrap();
    assert!(contract.contains(&format!("package tollgate:pricing@{CONTRACT_VERSION};")));
}
