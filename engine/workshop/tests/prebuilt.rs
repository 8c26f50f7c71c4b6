//! The committed components are plugins by this host's contract, and hold nothing of the machine they were built on.

use std::{fs, path::Path};
use tollgate_workshop::{inspect, prebuilt::Manifest};

#[test]
fn committed_plugins_are_what_the_manifest_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/prebuilt");
    let manifest: Manifest =
        serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest.plugins.len(), 6);
    for plugin in &manifest.plugins {
        let component = fs::read(folder.join(&plugin.file)).unwrap();
        assert_eq!(component.len(), plugin.size, "{}", plugin.name);
        let inspection = inspect(&component).unwrap();
        inspection.verify().unwrap();
        println!("{}\n{inspection}", plugin.name);
        assert_eq!(inspection.imports, ["tollgate:pricing/log@0.1.0"]);
        for folder in [b"/home/".as_slice(), b"/root/", b"/usr/", b"/tmp/", b".cargo", b"registry/src"] {
            let found = component.windows(folder.len()).any(|window| window == folder);
            assert!(!found, "{} holds the path {}", plugin.name, String::from_utf8_lossy(folder));
        }
    }
}
