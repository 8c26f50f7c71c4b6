//! The README's first steps and its way to a plugin, run line by line in a shell, as a stranger would.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test may stop where it stands

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tollgate_tests::tollgate::{Folder, committed, program, repository, say};

/// The commands under a heading of the README.
fn commands(heading: &str) -> String {
    let readme = committed("README.md");
    let section = readme.split(&format!("## {heading}\n")).nth(1).expect("the heading is there");
    let block = section.split("```sh\n").nth(1).expect("commands follow it");
    block.split("```").next().unwrap().to_owned()
}

/// Runs the commands under headings, one after the other, and looks for the answers that they tell, in order. Gives
/// back the folder in which they ran; nothing when there is no curl.
fn walk(headings: &[&str]) -> Option<Folder> {
    let has_curl = Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !has_curl {
        say("skipped: the walk-through needs curl");
        return None;
    }
    let folder = Folder::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let commands: String = headings.iter().map(|heading| commands(heading)).collect();
    let built = program().parent().unwrap().display().to_string();
    let script = commands.replace("8080", &free.to_string()).replace("$PWD/target/release", &built);
    std::os::unix::fs::symlink(repository().join("examples"), folder.path("examples")).unwrap();
    folder.write("walk.sh", format!("set -euo pipefail\nset -m\n{script}"));
    let mut shell = folder.shell("walk.sh");
    shell.env("CARGO_TARGET_DIR", repository().join("target/workshop-tests"));
    let ran = shell.output().unwrap();
    let (said, errors) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
    if errors.contains("no Rust toolchain here builds for") {
        say("skipped: no toolchain here builds plugins for WebAssembly");
        return None;
    }
    assert!(ran.status.success(), "{said}\n{errors}");
    // The answers come in the order in which the README tells them.
    let mut rest = &*said;
    for expected in script.lines().filter_map(|line| line.strip_prefix("# → ")) {
        let at = rest.find(expected).unwrap_or_else(|| panic!("no {expected:?} in: {rest}"));
        rest = &rest[at + expected.len()..];
    }
    Some(folder)
}

#[test]
fn the_first_event_is_priced_as_the_readme_says() {
    let Some(folder) = walk(&["Price your first event in two minutes"]) else { return };
    let page = std::fs::read_to_string(folder.path("statement.html")).unwrap();
    assert!(page.contains("harbor-legal") && page.contains("0.40"), "{page}");
}

#[test]
fn a_customer_pays_first_as_the_readme_says() {
    walk(&["A prepaid customer in five minutes"]);
}

/// From `new` to a rated event, as a stranger does it: with a compiler that is there, and packages as registries give
/// them. It takes less than ten minutes.
fn a_plugin_is_written(language: &str) {
    let start = Instant::now();
    if walk(&[&format!("In {language}"), "Then, in any language"]).is_some() {
        let took = start.elapsed();
        say(&format!("a plugin in {language}, from `new` to a rated event: {} s", took.as_secs()));
        assert!(took < Duration::from_mins(10), "{took:?}");
    }
}

#[test]
fn a_plugin_is_written_in_rust_as_the_readme_says() {
    a_plugin_is_written("Rust");
}

#[test]
fn a_plugin_is_written_in_javascript_as_the_readme_says() {
    if succeeds("npm", &["view", "esbuild@0.25.9", "version"]) {
        a_plugin_is_written("JavaScript");
    } else {
        say("skipped: to write a plugin in JavaScript takes npm, and its registry");
    }
}

#[test]
fn a_plugin_is_written_in_python_as_the_readme_says() {
    let folder = Folder::new();
    let into = folder.path("reached").display().to_string();
    let wheel = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", &into, "iniconfig"];
    if succeeds("python3", &["-m", "venv", "--help"]) && succeeds("python3", &wheel) {
        a_plugin_is_written("Python");
    } else {
        say("skipped: to write a plugin in Python takes python3 with venv and pip, and the package index");
    }
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
