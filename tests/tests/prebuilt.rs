//! The committed plugins are the ones the manifest names and the ones their sources give.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

use std::collections::BTreeSet;

use tollgate_core::plugin::Digest;
use tollgate_tests::tollgate::{committed, repository, say};
use tollgate_workshop::BuildError;
use tollgate_workshop::prebuilt::{Comparison, Manifest, PrebuiltError, compare};

#[test]
fn the_manifest_has_the_digests_of_the_committed_files() {
    let manifest: Manifest = serde_json::from_str(&committed("plugins/prebuilt/manifest.json")).unwrap();
    let folder = repository().join("plugins/prebuilt");
    for entry in &manifest.plugins {
        let component = std::fs::read(folder.join(&entry.file)).unwrap();
        assert_eq!(Digest::of(&component).to_string(), format!("sha256:{}", entry.sha256), "{}", entry.name);
        assert_eq!(component.len(), entry.size, "{}", entry.name);
    }
    let listed: BTreeSet<String> = manifest.plugins.iter().map(|entry| entry.file.clone()).collect();
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap()).filter(|name| name != "manifest.json");
    assert_eq!(listed, names.collect(), "every file in the folder is in the manifest");
}

#[test]
fn the_committed_plugins_are_what_their_sources_give() {
    let built = |plugin: &tollgate_workshop::Built| say(&format!("built {} again", plugin.name));
    match compare(repository(), built) {
        Ok(Comparison::Same) => {}
        Ok(Comparison::Different(names)) => {
            panic!("{} changed; run `cargo run -p tollgate-workshop --example prebuild`", names.join(", "))
        }
        Ok(Comparison::OtherToolchain { committed, here }) => {
            say(&format!("skipped: the committed plugins were built with {committed}, here is {here}"));
        }
        Err(PrebuiltError::Build(BuildError::NoToolchain(_))) => {
            say("skipped: no toolchain here builds for WebAssembly");
        }
        Err(error) => panic!("{error}"),
    }
}
