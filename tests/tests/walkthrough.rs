//! The README's first steps, run line by line in a shell, as a stranger would.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test may stop where it stands

use std::net::TcpListener;
use std::process::{Command, Stdio};

use tollgate_tests::tollgate::{Folder, committed, program, repository};

/// The commands under a heading of the README.
fn commands(heading: &str) -> String {
    let readme = committed("README.md");
    let section = readme.split(&format!("## {heading}\n")).nth(1).expect("the heading is there");
    let block = section.split("```sh\n").nth(1).expect("commands follow it");
    block.split("```").next().unwrap().to_owned()
}

/// Runs the commands under a heading, and looks for the answers that it tells, in order. Gives back the folder in
/// which they ran; nothing when there is no curl.
fn walk(heading: &str) -> Option<Folder> {
    let has_curl = Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !has_curl {
        tollgate_tests::tollgate::say("skipped: the walk-through needs curl");
        return None;
    }
    let folder = Folder::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let commands = commands(heading);
    let built = program().parent().unwrap().display().to_string();
    let script = commands.replace("8080", &free.to_string()).replace("$PWD/target/release", &built);
    std::os::unix::fs::symlink(repository().join("examples"), folder.path("examples")).unwrap();
    folder.write("walk.sh", format!("set -euo pipefail\nset -m\n{script}"));
    let mut shell = folder.shell("walk.sh");
    let ran = shell.output().unwrap();
    let (said, errors) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
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
    let Some(folder) = walk("Price your first event in two minutes") else { return };
    let page = std::fs::read_to_string(folder.path("statement.html")).unwrap();
    assert!(page.contains("harbor-legal") && page.contains("0.40"), "{page}");
}

#[test]
fn a_customer_pays_first_as_the_readme_says() {
    walk("A prepaid customer in five minutes");
}
