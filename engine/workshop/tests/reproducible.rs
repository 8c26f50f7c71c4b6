//! The same sources and compiler give the same bytes, wherever they lie.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // What cannot be is a failed test.

use std::{fs, path::Path, process::Command};
use tollgate_workshop::{BuildOptions, Toolchain, build, prebuilt::Manifest};

/// A workspace with nothing but the SDK and the plugins, in another place than this one.
fn copy_of_the_plugins(to: &Path) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for folder in ["sdk", "plugins"] {
        let copied = Command::new("cp").arg("-r").arg(repository.join(folder)).arg(to).status().unwrap();
        assert!(copied.success());
    }
    fs::copy(repository.join("Cargo.lock"), to.join("Cargo.lock")).unwrap();
    let manifest = fs::read_to_string(repository.join("Cargo.toml")).unwrap();
    let narrowed = manifest.lines().map(|line| {
        let members = line.starts_with("members = ");
        if members { r#"members = ["sdk/rust", "sdk/rust/macro", "plugins/*"]"# } else { line }
    });
    fs::write(to.join("Cargo.toml"), narrowed.collect::<Vec<_>>().join("\n")).unwrap();
}

#[test]
#[ignore = "compiles a plugin from scratch, which takes minutes where the standard library is built as well"]
fn a_copy_at_another_place_gives_the_committed_bytes() {
    let elsewhere = tempfile::tempdir().unwrap();
    copy_of_the_plugins(elsewhere.path());
    let Ok(toolchain) = Toolchain::find(elsewhere.path()) else {
        println!("skipped: no toolchain here builds for WebAssembly");
        return;
    };
    let manifest = fs::read(elsewhere.path().join("plugins/prebuilt/manifest.json")).unwrap();
    let manifest: Manifest = serde_json::from_slice(&manifest).unwrap();
    if manifest.toolchain != toolchain.version {
        println!("skipped: the committed plugins were built with {}", manifest.toolchain);
        return;
    }
    let options = BuildOptions { without_symbols: true, without_provenance: true, ..BuildOptions::default() };
    let built = build(&elsewhere.path().join("plugins/tiered"), &options).unwrap();
    let committed = manifest.plugins.iter().find(|plugin| plugin.name == "tiered").unwrap();
    assert_eq!(built.sha256, committed.sha256);
}

#[test]
#[ignore = "compiles a plugin from scratch, which takes minutes where the standard library is built as well"]
fn no_folder_of_this_machine_is_in_a_plugin() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let sdk = repository.join("sdk/rust");
    // The SDK lies outside the plugin's own workspace, as in a team's repository.
    let manifest = format!(
        "[package]\nname = \"tiered\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n\
         [dependencies]\ntollgate-sdk = {{ path = {sdk:?} }}\n\n[workspace]\n"
    );
    fs::write(elsewhere.path().join("Cargo.toml"), manifest).unwrap();
    fs::copy(repository.join("Cargo.lock"), elsewhere.path().join("Cargo.lock")).unwrap();
    let sources = repository.join("plugins/tiered/src");
    let copied = Command::new("cp").arg("-r").arg(sources).arg(elsewhere.path()).status();
    assert!(copied.unwrap().success());
    if Toolchain::find(elsewhere.path()).is_err() {
        println!("skipped: no toolchain here builds for WebAssembly");
        return;
    }
    let built = build(elsewhere.path(), &BuildOptions::default()).unwrap();
    let component = fs::read(&built.path).unwrap();
    let home = std::env::home_dir().unwrap();
    for folder in [repository.as_path(), elsewhere.path(), &home] {
        let folder = folder.to_str().unwrap();
        let is_there = component.windows(folder.len()).any(|bytes| bytes == folder.as_bytes());
        assert!(!is_there, "{folder} is in the component");
    }
}
