//! What happens to a plugin that misbehaves: it is stopped, the reason is worth reading, and nobody else
//! notices.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use support::{HOSTILE, by_hand, frame, hostile, price, settings};
use tollgate_core::pricer::{Pricer, PricerError};
use tollgate_sandbox::{Limits, LogLevel, Sandbox, SandboxConfig};

#[test]
fn each_crime_has_its_message() {
    let (sandbox, plugin) = hostile();
    let frame = frame(&["fine", "trap-here", "fine"]);
    let mut table = Vec::new();
    for phase in ["meter", "rate"] {
        for crime in
            ["loop", "allocate", "recurse", "panic", "abort", "endless-log", "too-many-rows", "long-strings"]
        {
            let settings = settings(crime, "trap-here", phase);
            let error = price(&sandbox, &plugin, &settings, &frame).unwrap_err();
            assert!(matches!(error, PricerError::Failed { .. }), "{error:?}");
            table.push(format!("{phase} {crime}: {error}"));
        }
    }
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn answers_that_only_the_core_can_judge_come_through() {
    let (sandbox, plugin) = hostile();
    let frame = frame(&["fine", "trap-here"]);
    let run = |crime: &str| {
        let settings = settings(crime, "trap-here", "rate");
        let mut run = sandbox.open(&plugin, &settings).unwrap();
        let metered = run.meter(&frame).unwrap();
        run.rate(&frame, &support::count(&metered)).unwrap()
    };
    assert_eq!(run("none").amounts, [1, 2 << 32, 1, 2 << 32]);
    assert_eq!(run("wrong-line-index").lines, [0, 4_000_000_000]);
    assert_eq!(run("wrong-counts").counts, [1, 8]);
    assert_eq!(run("short-column").amounts.len(), 3);
    assert_eq!(run("non-canonical-decimal").amounts, [1, 2 << 32, 1, 1 << 40]);
    assert_eq!(run("negative-charge").amounts, [1, 2 << 32, 1, 1 << 63 | 2 << 32]);
    assert_eq!(run("fault").faults[0].event, 1);
    assert_eq!(run("refuse").refusals[0].detail, "not today");
}

#[test]
fn a_trapped_instance_is_gone_and_the_next_is_sound() {
    let (sandbox, plugin) = hostile();
    let settings = settings("panic", "trap-here", "meter");
    let mut run = sandbox.open(&plugin, &settings).unwrap();
    run.meter(&frame(&["trap-here"])).unwrap_err();
    let again = run.meter(&frame(&["fine"])).unwrap_err();
    assert_eq!(again.to_string(), "hostile 6.6.6: this instance has failed before");
    assert_eq!(price(&sandbox, &plugin, &settings, &frame(&["fine", "fine"])), Ok(2));
}

#[test]
fn nothing_is_left_in_a_slot_for_the_next_instance() {
    let limits = Limits { instances: 1, ..Limits::default() };
    let sandbox = Sandbox::new(SandboxConfig { limits, ..SandboxConfig::default() }).unwrap();
    let (plugin, _) = sandbox.admit(HOSTILE).unwrap();
    let greedy = settings("allocate", "trap-here", "meter");
    for _ in 0..5 {
        price(&sandbox, &plugin, &greedy, &frame(&["trap-here"])).unwrap_err();
        assert_eq!(price(&sandbox, &plugin, &greedy, &frame(&["fine"])), Ok(1));
    }
    let _held = sandbox.open(&plugin, &greedy).unwrap();
    let full = sandbox.open(&plugin, &greedy).err().unwrap();
    assert_eq!(full, PricerError::Infrastructure(full.to_string()));
    insta::assert_snapshot!(full, @"hostile 6.6.6: its start found all of this host's instances in use (1)");
}

#[test]
fn fuel_is_the_same_each_time_and_grows_with_the_rows() {
    let (sandbox, plugin) = hostile();
    let spent = |crime: &str, features: &[&str]| {
        let settings = settings(crime, "trap-here", "meter");
        let mut run = sandbox.open(&plugin, &settings).unwrap();
        let result = run.meter(&frame(features));
        (run.fuel_spent(), result.is_ok())
    };
    assert_eq!(spent("loop", &["trap-here"]), (sandbox.fuel_budget(1), false));
    assert_eq!(spent("loop", &["trap-here"; 3]), (sandbox.fuel_budget(3), false));
    assert_eq!(sandbox.fuel_budget(1000), 30_000_000);
    let honest = spent("none", &["fine"; 100]);
    assert_eq!(honest, spent("none", &["fine"; 100]));
    assert!(honest.1 && honest.0 < 200_000, "{honest:?}");
}

#[test]
fn the_wall_clock_is_an_infrastructure_failure_and_never_a_price() {
    let limits =
        Limits { call_fuel: u64::MAX / 2, call_time: Duration::from_millis(150), ..Limits::default() };
    let sandbox = Sandbox::new(SandboxConfig { limits, ..SandboxConfig::default() }).unwrap();
    let (plugin, _) = sandbox.admit(HOSTILE).unwrap();
    let start = Instant::now();
    let error = price(&sandbox, &plugin, &settings("loop", "always", "rate"), &frame(&["x"])).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(error, PricerError::Infrastructure("hostile 6.6.6: `rate` took longer than 0.15 s".into()));
}

#[test]
fn starting_is_bounded_too() {
    let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
    let refusal = |memory: &str, body: &str| sandbox.admit(&by_hand(memory, body)).unwrap_err().to_string();
    let looping = refusal("1", "(func $spin (loop br 0)) (start $spin)");
    let large = refusal("2000", "");
    let tables = refusal("1", "(table 1000000 funcref)");
    let silent = refusal("1", "");
    insta::assert_snapshot!([looping, large, tables, silent].join("\n"));
}

#[test]
fn what_a_plugin_logs_is_heard_up_to_the_cap() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&lines);
    let config = SandboxConfig {
        on_log: Some(Arc::new(move |line| heard.lock().unwrap().push(line.clone()))),
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::new(config).unwrap();
    let (plugin, _) = sandbox.admit(HOSTILE).unwrap();
    price(&sandbox, &plugin, &settings("endless-log", "always", "meter"), &frame(&["x"])).unwrap_err();
    let bytes: usize = lines.lock().unwrap().iter().map(|line| line.message.len()).sum();
    assert_eq!(bytes, Limits::default().log_bytes);
    lines.lock().unwrap().clear();

    price(&sandbox, &plugin, &settings("panic", "always", "meter"), &frame(&["x"])).unwrap_err();
    let lines = lines.lock().unwrap().clone();
    assert_eq!(
        (lines.len(), lines[0].level, lines[0].plugin.as_str()),
        (1, LogLevel::Error, "hostile 6.6.6")
    );
    assert!(lines[0].message.contains("no rate for model"), "{}", lines[0].message);
}

#[test]
fn settings_are_judged_by_the_schema_and_then_by_the_plugin() {
    let (sandbox, plugin) = hostile();
    let problems = |settings: &str| {
        let problems = sandbox.check(&plugin, settings).unwrap();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let cases = [
        r#"{"crime":"none"}"#,
        r#"{"crime":"problem"}"#,
        r#"{"crime":1,"phase":"never"}"#,
        r#"{"crime":"none","reward":true}"#,
        "{}",
        "[]",
        "{",
    ];
    let table: Vec<String> = cases.iter().map(|case| format!("{case} -> {}", problems(case))).collect();
    insta::assert_snapshot!(table.join("\n"));
    let error = sandbox.check(&plugin, &settings("panic", "always", "check")).unwrap_err();
    insta::assert_snapshot!(error, @r#"hostile 6.6.6: `check` panicked: no rate for model "gpt-99", at src/crimes.rs:24:25"#);
}
