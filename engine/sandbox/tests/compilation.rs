//! The compiled-code cache and the compiling child.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use support::{HOSTILE, frame, price, settings};
use tollgate_core::pricer::{Pricer, PricerError};
use tollgate_sandbox::{Compiler, Limits, Sandbox, SandboxConfig, compile_in_child};

/// A program that cannot compile: whoever uses it must have had the code already.
fn never() -> Compiler {
    Compiler::Child { program: "/bin/false".into(), arguments: vec![] }
}

fn sandbox(compiler: Compiler, cache: Option<&Path>, limits: Limits) -> Sandbox {
    let cache_directory = cache.map(Path::to_owned);
    Sandbox::new(SandboxConfig { limits, compiler, cache_directory, ..SandboxConfig::default() }).unwrap()
}

fn works(sandbox: &Sandbox) {
    let (plugin, _) = sandbox.admit(HOSTILE).unwrap();
    assert_eq!(price(sandbox, &plugin, &settings("none", "always", "rate"), &frame(&["a", "b"])), Ok(2));
}

fn only_file(directory: &Path) -> PathBuf {
    let files: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn code_is_compiled_once_and_again_only_when_damaged() {
    let parent = tempfile::tempdir().unwrap();
    let cache = parent.path().join("plugins");
    works(&sandbox(Compiler::InProcess, Some(&cache), Limits::default()));
    assert_eq!(fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    works(&sandbox(never(), Some(&cache), Limits::default()));

    let file = only_file(&cache);
    let mut code = fs::read(&file).unwrap();
    let middle = code.len() / 2;
    code[middle] ^= 1;
    fs::write(&file, &code).unwrap();
    let refused = sandbox(never(), Some(&cache), Limits::default()).admit(HOSTILE).unwrap_err();
    assert!(refused.to_string().contains("gave up"), "{refused}");
    works(&sandbox(Compiler::InProcess, Some(&cache), Limits::default()));
    works(&sandbox(never(), Some(&cache), Limits::default()));
}

#[test]
fn a_cache_that_others_can_write_to_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let config =
        SandboxConfig { cache_directory: Some(directory.path().to_owned()), ..SandboxConfig::default() };
    let error = Sandbox::new(config).err().unwrap().to_string();
    let shown = directory.path().display().to_string();
    insta::assert_snapshot!(error.replace(&shown, "DIR"), @"the plugin cache DIR must be a directory that only its owner, this user, can write to: it holds code that will run (`chmod go-w` it, or choose another)");
}

/// Not a test: what the child of the two tests below runs.
#[test]
#[ignore = "run by the tests below in a process of its own"]
fn child() {
    let output = std::env::args().next_back().unwrap();
    if output.starts_with('/') {
        compile_in_child(Path::new(&output), &Limits::default()).unwrap();
    }
}

fn this_test() -> Compiler {
    let arguments = ["--exact", "child", "--ignored", "--nocapture"].map(Into::into).to_vec();
    Compiler::Child { program: std::env::current_exe().unwrap(), arguments }
}

#[test]
fn a_child_compiles_what_this_process_can_run() {
    works(&sandbox(this_test(), None, Limits::default()));
    let parent = tempfile::tempdir().unwrap();
    let cache = parent.path().join("plugins");
    works(&sandbox(this_test(), Some(&cache), Limits::default()));
    works(&sandbox(never(), Some(&cache), Limits::default()));
}

#[test]
fn a_child_that_takes_too_long_is_killed() {
    let arguments = ["-c", "exec sleep 60"].map(Into::into).to_vec();
    let slow = Compiler::Child { program: "/bin/sh".into(), arguments };
    let limits = Limits { compile_time: Duration::from_millis(200), ..Limits::default() };
    let start = Instant::now();
    let error = sandbox(slow, None, limits).admit(HOSTILE).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(error, PricerError::NotAPlugin("it took longer than 0.2 s to compile".into()));
}

#[test]
fn a_child_that_cannot_be_started_is_the_hosts_fault() {
    let missing = Compiler::Child { program: "/nonexistent/compiler".into(), arguments: vec![] };
    let error = sandbox(missing, None, Limits::default()).admit(HOSTILE).unwrap_err();
    assert!(matches!(error, PricerError::Infrastructure(_)), "{error:?}");
}
