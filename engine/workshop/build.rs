//! Puts the SDKs' sources into the workshop, so that a new project has them without a network.
//!
//! Manifests are written out in full, since a project knows nothing of this workspace; the versions that the
//! Rust SDK was tested with come along as a `Cargo.lock`.
#![allow(clippy::unwrap_used, clippy::expect_used)] // What cannot be fails the build.

use std::{
    collections::BTreeSet,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Endings of what an SDK consists of.
const ENDINGS: [&str; 5] = ["rs", "wit", "js", "ts", "py"];

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the package's folder"));
    let repository = here.join("../..").canonicalize().expect("the repository");
    let workspace = read(&repository.join("Cargo.toml"));
    let text = |path: &str| read(&repository.join(path));
    let mut written = String::new();
    table("CONTRACT", &repository, &["sdk/wit"], &[], &mut written);
    let manifests = ["sdk/rust/Cargo.toml", "sdk/rust/macro/Cargo.toml"];
    let mut made: Vec<(&str, String)> =
        manifests.iter().map(|path| (*path, manifest(&text(path), &workspace))).collect();
    made.push(("Cargo.lock", lock(&text("Cargo.lock"))));
    table("RUST", &repository, &["sdk/rust/src", "sdk/rust/macro/src"], &made, &mut written);
    let made = [("sdk/js/package.json", text("sdk/js/package.json"))];
    table("JAVASCRIPT", &repository, &["sdk/js/bin", "sdk/js/src"], &made, &mut written);
    let python = text("sdk/python/pyproject.toml");
    // Its README is for readers of the repository.
    let made = [("sdk/python/pyproject.toml", python.replace("readme = \"README.md\"\n", ""))];
    table("PYTHON", &repository, &["sdk/python/tollgate_sdk"], &made, &mut written);
    let tool = python.lines().find_map(|line| line.strip_prefix("build = [")).expect("the SDK's build tool");
    let _ = writeln!(written, "pub(super) const COMPONENTIZE_PY: &str = {};", tool.trim_end_matches(']'));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder")).join("sdk.rs");
    fs::write(out, written).expect("the folder can be written");
}

/// Writes a table of paths and texts: the sources in folders, and files that are made here.
fn table(name: &str, repository: &Path, folders: &[&str], made: &[(&str, String)], written: &mut String) {
    let mut files = Vec::new();
    for folder in folders {
        sources(repository, folder, &mut files);
    }
    let _ = writeln!(written, "const {name}: &[(&str, &str)] = &[");
    for path in files {
        let absolute = repository.join(&path).display().to_string();
        println!("cargo::rerun-if-changed={absolute}");
        let _ = writeln!(written, "    ({path:?}, include_str!({absolute:?})),");
    }
    for (path, text) in made {
        let _ = writeln!(written, "    ({path:?}, {text:?}),");
    }
    written.push_str("];\n");
}

fn read(path: &Path) -> String {
    println!("cargo::rerun-if-changed={}", path.display());
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files under a folder of the repository, sorted.
fn sources(repository: &Path, folder: &str, files: &mut Vec<String>) {
    let mut names: Vec<PathBuf> = fs::read_dir(repository.join(folder))
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| entry.expect("a folder can be read").path())
        .collect();
    names.sort();
    for path in names {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let inner = format!("{folder}/{name}");
        if path.is_dir() {
            sources(repository, &inner, files);
        } else if path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)) {
            files.push(inner);
        }
    }
}

/// A manifest without what it takes from the workspace, and without what only the repository's tests need.
fn manifest(text: &str, workspace: &str) -> String {
    let value_of = |section: &str, name: &str| {
        let start = workspace.find(section).unwrap_or_else(|| panic!("the workspace has no {section}"));
        let mut lines = workspace.get(start..).unwrap_or_default().lines().skip(1);
        let is_it = |line: &&str| line.split_once('=').is_some_and(|(key, _)| key.trim() == name);
        let line = lines.find(is_it).unwrap_or_else(|| panic!("{section} has no {name}"));
        line.split_once('=').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let (mut section, mut written) = (String::new(), String::new());
    for line in text.lines() {
        if line.starts_with('[') {
            line.clone_into(&mut section);
        }
        if matches!(section.as_str(), "[lints]" | "[dev-dependencies]") {
            continue;
        }
        let line = match line.strip_suffix(".workspace = true") {
            Some("tollgate-sdk-macro") => "tollgate-sdk-macro = { path = \"macro\" }".to_owned(),
            Some(name) if section == "[package]" => {
                format!("{name} = {}", value_of("[workspace.package]", name))
            }
            Some(name) => format!("{name} = {}", value_of("[workspace.dependencies]", name)),
            None => line.to_owned(),
        };
        written.push_str(&line);
        written.push('\n');
    }
    written.trim_end().to_owned() + "\n"
}

/// Of the repository's lock file, what the SDK needs.
fn lock(text: &str) -> String {
    let (head, packages) = text.split_once("[[package]]").expect("a lock file has packages");
    let packages: Vec<&str> = packages.split("[[package]]").collect();
    let field = |package: &str, name: &str| {
        let start = format!("{name} = \"");
        let line = package.lines().find_map(|line| line.strip_prefix(&start));
        line.map(|value| value.trim_end_matches('"').to_owned()).unwrap_or_default()
    };
    // A dependency is named by its name, and by its version as well where there are several.
    let needs = |package: &str| -> Vec<String> {
        let list = package.split_once("dependencies = [").map_or("", |(_, list)| list);
        let list = list.split_once(']').map_or("", |(list, _)| list);
        let names = list.split(',').map(|name| name.trim().trim_matches('"').to_owned());
        names.filter(|name| !name.is_empty()).collect()
    };
    let mut wanted = vec!["tollgate-sdk".to_owned()];
    let mut taken = BTreeSet::new();
    while let Some(wish) = wanted.pop() {
        let mut words = wish.split(' ');
        let (name, version) = (words.next().unwrap_or_default(), words.next());
        let fits = |package: &str| {
            field(package, "name") == name && version.is_none_or(|it| field(package, "version") == it)
        };
        let found = packages.iter().enumerate().find(|(_, package)| fits(package));
        if let Some((_, package)) = found.filter(|(position, _)| taken.insert(*position)) {
            wanted.extend(needs(package));
        }
    }
    let kept = packages.iter().enumerate().filter(|(position, _)| taken.contains(position));
    let kept = kept.map(|(_, package)| format!("[[package]]{package}"));
    head.to_owned() + kept.collect::<String>().trim_end() + "\n"
}
