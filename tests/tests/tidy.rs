//! The house is in order: what a reviewer would have to look for, an ordinary test finds.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

use std::path::Path;
use std::process::Command;

use tollgate_tests::tollgate::{committed, repository};

const TOP_LEVEL: [&str; 10] = [
    "ARCHITECTURE.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "engine",
    "examples",
    "plugins",
    "sdk",
    "tests",
];

const LINES_MAX: usize = 400;
const BYTES_MAX: u64 = 1 << 20;

/// What is in the repository, by path.
fn files() -> Vec<String> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(repository()).output().unwrap();
    assert!(listed.status.success(), "git lists the files of the repository");
    let paths = String::from_utf8(listed.stdout).unwrap();
    let paths = paths.split('\0').filter(|path| !path.is_empty() && repository().join(path).is_file());
    paths.map(str::to_owned).collect()
}

fn rust_files() -> Vec<String> {
    files().into_iter().filter(|path| has_ending(path, "rs")).collect()
}

fn has_ending(path: &str, ending: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == ending)
}

/// Fails with every finding at once.
#[track_caller]
fn none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn the_top_level_is_fixed() {
    let tops = files().into_iter().map(|path| path.split('/').next().unwrap_or_default().to_owned());
    let strangers = tops.filter(|top| !top.starts_with('.') && !TOP_LEVEL.contains(&top.as_str()));
    none(&strangers.collect::<Vec<_>>());
}

#[test]
fn every_source_file_says_what_it_owns_and_fits_in_a_head() {
    let mut findings = Vec::new();
    for path in rust_files() {
        let text = committed(&path);
        // A case of the compiler's messages begins with what is wrong in it.
        if !text.starts_with("//!") && !path.contains("/tests/ui/") {
            findings.push(format!("{path} does not begin with what it owns (//!)"));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX {
            findings.push(format!("{path} has {lines} lines; at most {LINES_MAX}"));
        }
    }
    none(&findings);
}

#[test]
fn nothing_is_left_for_later() {
    // Written apart, so that this file does not find itself.
    let words = [["to", "do!("], ["unimple", "mented!("], ["FIX", "ME"], ["TO", "DO"], ["XX", "X"]];
    let words = words.map(|[first, second]| format!("{first}{second}"));
    // Not in the middle of a longer word, as in the name of a bank.
    let stands_alone = |text: &str, word: &str| {
        text.match_indices(word).any(|(at, _)| !text[..at].ends_with(char::is_alphanumeric))
    };
    let mut findings = Vec::new();
    for path in files().into_iter().filter(|path| !has_ending(path, "wasm")) {
        for (line, text) in (1..).zip(committed(&path).lines()) {
            findings.extend(
                words
                    .iter()
                    .filter(|word| stands_alone(text, word))
                    .map(|word| format!("{path}:{line}: {word}")),
            );
        }
    }
    none(&findings);
}

#[test]
fn no_float_comes_near_money() {
    let near_money = |path: &String| {
        ["engine/core/", "engine/payments/", "sdk/rust/src/"].iter().any(|room| path.starts_with(room))
    };
    let mut findings = Vec::new();
    for path in rust_files().into_iter().filter(near_money) {
        for (line, text) in (1..).zip(committed(&path).lines()) {
            let code = text.split("//").next().unwrap_or_default();
            let mut words = code.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            if words.any(|word| word == "f32" || word == "f64") {
                findings.push(format!("{path}:{line}: {}", text.trim()));
            }
        }
    }
    none(&findings);
}

#[test]
fn no_machine_is_spoken_of() {
    let roots = ["root", "home", "work", "Users"].map(|folder| format!("/{folder}/"));
    let mut findings = Vec::new();
    for path in files().into_iter().filter(|path| !has_ending(path, "wasm")) {
        for (line, text) in (1..).zip(committed(&path).lines()) {
            if roots.iter().any(|root| leads_somewhere(text, root)) {
                findings.push(format!("{path}:{line}: {}", text.trim()));
            }
        }
    }
    none(&findings);
}

/// Whether `root` begins a path in a text: nothing of a name before it, and a name after it.
fn leads_somewhere(text: &str, root: &str) -> bool {
    let is_name = |letter: char| letter.is_alphanumeric() || "._-*".contains(letter);
    text.match_indices(root).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + root.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(is_name) && after.is_some_and(is_name)
    })
}

#[test]
fn no_file_is_large() {
    let size = |path: &String| std::fs::metadata(repository().join(path)).unwrap().len();
    let large = files().into_iter().filter(|path| size(path) > BYTES_MAX);
    none(&large.collect::<Vec<_>>());
}

/// Arrows only point down: the program composes the rooms, the rooms know the core, the core knows nobody.
#[test]
fn dependencies_point_down() {
    let mut findings = Vec::new();
    let mut may_only = |crate_path: &str, rooms: &[&str]| {
        for name in dependencies(crate_path) {
            if name.starts_with("tollgate") && !rooms.contains(&name.as_str()) {
                findings.push(format!("{crate_path} depends on {name}"));
            }
        }
    };
    may_only("engine/core", &[]);
    may_only("engine/sandbox", &["tollgate-core"]);
    may_only("engine/registry", &["tollgate-core"]);
    may_only("engine/store", &["tollgate-core"]);
    may_only("engine/payments", &["tollgate-core"]);
    may_only("engine/workshop", &["tollgate-core", "tollgate-sandbox", "tollgate-store"]);
    may_only("engine/server", &["tollgate-core"]);
    may_only("sdk/rust", &["tollgate-sdk-macro"]);
    may_only("sdk/rust/macro", &[]);
    for plugin in ["conversation", "cost-plus", "included-overage", "percentage", "rate-card", "tiered"] {
        may_only(&format!("plugins/{plugin}"), &["tollgate-sdk"]);
    }
    for (room, strangers) in [
        ("engine/core", &["wasmtime", "tokio", "axum", "rusqlite", "rustix"][..]),
        ("engine/store", &["wasmtime", "tokio", "axum"]),
        ("engine/sandbox", &["rusqlite", "tokio", "axum"]),
        ("engine/workshop", &["wasmtime", "rusqlite", "axum"]),
        ("engine/server", &["wasmtime", "rusqlite"]),
        ("engine/registry", &["wasmtime", "rusqlite", "axum"]),
        ("engine/payments", &["wasmtime", "rusqlite", "tokio", "axum"]),
    ] {
        let names = dependencies(room).into_iter().filter(|name| strangers.contains(&name.as_str()));
        findings.extend(names.map(|name| format!("{room} depends on {name}")));
    }
    assert!(dependencies("engine/cli").contains(&"tollgate-store".to_owned()), "the reader reads");
    none(&findings);
}

/// What a crate depends on when it is not being tested.
fn dependencies(crate_path: &str) -> Vec<String> {
    let manifest = committed(&format!("{crate_path}/Cargo.toml"));
    let mut names = Vec::new();
    let mut is_dependency = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            is_dependency = section.ends_with("dependencies") && !section.contains("dev-");
            names.extend(section.strip_prefix("dependencies.").map(str::to_owned));
        } else if is_dependency && !line.starts_with('#') {
            names.extend(
                line.split(['.', ' ', '=']).next().filter(|name| !name.is_empty()).map(str::to_owned),
            );
        }
    }
    names
}
