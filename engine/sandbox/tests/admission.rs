//! What is refused at the door, and what is said about it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

mod support;

use support::{HOSTILE, by_hand, component};
use tollgate_core::plugin::Digest;
use tollgate_core::pricer::{Pricer, PricerError};
use tollgate_sandbox::{Limits, Sandbox, SandboxConfig};

#[test]
fn what_is_not_a_plugin_is_told_why() {
    let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
    let wit = include_str!("../../../sdk/wit/pricing.wit");
    let wasi = "package wasi:clocks@0.2.0; interface wall-clock { now: func() -> u64; } world clock { import wall-clock; }";
    let other = "package acme:net; interface fetch { get: func(); } world net { import fetch; }";
    let core = wat::parse_str("(module)").unwrap();
    let cases: [(&str, Vec<u8>); 9] = [
        ("empty file", vec![]),
        ("text file", b"#!/bin/sh\n".to_vec()),
        ("core module", core.clone()),
        ("cut short", HOSTILE[..HOSTILE.len() / 2].to_vec()),
        (
            "imports WASI",
            component(
                r#"(module (import "wasi:clocks/wall-clock@0.2.0" "now" (func (result i64))))"#,
                wasi,
                "clock",
            ),
        ),
        ("imports another", component(r#"(module (import "acme:net/fetch" "get" (func)))"#, other, "net")),
        ("exports nothing", component("(module)", "package acme:empty; world empty {}", "empty")),
        (
            "later contract",
            rename(&by_hand("1", ""), "tollgate:pricing/plugin@0.1.0", "tollgate:pricing/plugin@0.2.0"),
        ),
        (
            "another shape",
            component(
                r#"(module (func (export "tollgate:pricing/plugin@0.1.0#describe")))"#,
                &only_describe(wit),
                "pricing",
            ),
        ),
    ];
    let table: Vec<String> = cases
        .iter()
        .map(|(name, bytes)| match sandbox.admit(bytes).unwrap_err() {
            PricerError::NotAPlugin(reason) => format!("{name}: {reason}"),
            other => panic!("{name}: {other:?}"),
        })
        .collect();
    insta::assert_snapshot!(table.join("\n"));
}

/// The contract with a single function of another type.
fn only_describe(wit: &str) -> String {
    let version = wit.lines().find(|line| line.starts_with("package ")).unwrap();
    format!("{version} interface plugin {{ describe: func(); }} world pricing {{ export plugin; }}")
}

/// Replaces a name by one of the same length.
fn rename(component: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut component = component.to_vec();
    let places: Vec<usize> =
        (0..component.len()).filter(|at| component[*at..].starts_with(from.as_bytes())).collect();
    assert!(!places.is_empty());
    for at in places {
        component[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    component
}

#[test]
fn a_component_past_the_size_limit_is_refused_unread() {
    let mut limits = Limits { component_bytes: 1000, ..Limits::default() };
    limits.interpreted.component_bytes = 1000;
    let sandbox = Sandbox::new(SandboxConfig { limits, ..SandboxConfig::default() }).unwrap();
    let refused = sandbox.admit(HOSTILE).unwrap_err().to_string();
    assert_eq!(refused, format!("the component has {} bytes; at most 1000 are accepted", HOSTILE.len()));
}

#[test]
fn a_plugin_that_was_not_admitted_is_unknown() {
    let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
    let stranger = Digest::of(b"stranger");
    assert_eq!(sandbox.open(&stranger, "{}").err(), Some(PricerError::Unknown(stranger)));
    assert_eq!(sandbox.check(&stranger, "{}").err(), Some(PricerError::Unknown(stranger)));
}

#[test]
fn an_admitted_plugin_describes_itself() {
    let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
    let (digest, descriptor) = sandbox.admit(HOSTILE).unwrap();
    assert_eq!(digest, Digest::of(HOSTILE));
    assert_eq!((descriptor.name.as_str(), descriptor.version.as_str()), ("hostile", "6.6.6"));
    assert_eq!(descriptor.lines[0].title, "Requests");
    assert_eq!(sandbox.admit(HOSTILE), Ok((digest, descriptor)));
}
