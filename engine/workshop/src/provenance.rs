//! Where a component comes from, written into it: SDK, tools, and the revision of its sources.
//!
//! Any language's build can use it: component bytes in, component bytes out. The contract's version needs no note,
//! being part of what the component exports.

use std::{path::Path, process::Command};

use wasm_encoder::{ComponentSection as _, CustomSection};
use wasm_metadata::AddMetadata;

/// The custom section that holds it, by the convention of the WebAssembly tools.
pub(crate) const REVISION: &str = "revision";

/// The revision of sources that were changed since: there is none to go back to.
const MODIFIED: &str = "modified";

/// Where a component comes from. What is empty is not written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The SDK's name and version.
    pub sdk: Option<(String, String)>,
    /// Names and versions of the tools that made it: compiler, bundler.
    pub tools: Vec<(String, String)>,
    /// The revision of the sources.
    pub revision: Option<String>,
}

impl Provenance {
    /// The component with this written into it. The same gives the same bytes.
    ///
    /// # Errors
    /// When the bytes are no component; says what is wrong.
    pub fn written_into(&self, component: &[u8]) -> Result<Vec<u8>, String> {
        if *self == Self::default() {
            return Ok(component.to_vec());
        }
        let mut note = AddMetadata::default();
        note.sdk.extend(self.sdk.clone());
        note.processed_by.clone_from(&self.tools);
        let mut component = note.to_wasm(component).map_err(|error| format!("{error:#}"))?;
        if let Some(revision) = &self.revision {
            let section = CustomSection { name: REVISION.into(), data: revision.as_bytes().into() };
            section.append_to_component(&mut component);
        }
        Ok(component)
    }
}

/// The git revision of what is in a folder: `modified` where files differ from it, none where git knows nothing.
pub(crate) fn revision(folder: &Path) -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
        let text = output.status.success().then(|| String::from_utf8(output.stdout).ok())??;
        Some(text.trim().to_owned())
    };
    let head = git(&["rev-parse", "HEAD"])?;
    let changed = git(&["status", "--porcelain"])?;
    Some(if changed.is_empty() { head } else { MODIFIED.to_owned() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may stop where it stands
mod tests {
    use super::*;
    use crate::inspect;

    #[test]
    fn what_is_written_is_read_again_and_changes_nothing_else() {
        let plugin = include_bytes!("../../../plugins/prebuilt/tiered.wasm");
        let provenance = Provenance {
            sdk: Some(("tollgate-sdk".to_owned(), "0.1.0".to_owned())),
            tools: vec![("rustc".to_owned(), "1.96.0".to_owned())],
            revision: Some(MODIFIED.to_owned()),
        };
        let written = provenance.written_into(plugin).unwrap();
        assert_eq!(provenance.written_into(plugin).unwrap(), written);
        let (before, after) = (inspect(plugin).unwrap(), inspect(&written).unwrap());
        after.verify().unwrap();
        assert_eq!((after.imports, after.exports), (before.imports, before.exports));
        assert_eq!(after.revision.as_deref(), Some("modified"));
        for producer in ["sdk: tollgate-sdk 0.1.0", "processed-by: rustc 1.96.0"] {
            assert!(
                after.producers.iter().any(|known| known == producer),
                "{producer}: {:?}",
                after.producers
            );
        }
        assert_eq!(Provenance::default().written_into(plugin).unwrap(), plugin);
    }

    #[test]
    fn a_folder_that_differs_from_its_revision_has_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(revision(folder.path()), None);
        let git = |arguments: &[&str]| {
            let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
            let run =
                Command::new("git").arg("-C").arg(folder.path()).args(identity).args(arguments).output();
            assert!(run.unwrap().status.success(), "{arguments:?}");
        };
        git(&["init", "--quiet"]);
        std::fs::write(folder.path().join("file"), "one").unwrap();
        git(&["add", "."]);
        git(&["commit", "--quiet", "-m", "First"]);
        assert_eq!(revision(folder.path()).map(|revision| revision.len()), Some(40));
        std::fs::write(folder.path().join("file"), "two").unwrap();
        assert_eq!(revision(folder.path()).as_deref(), Some("modified"));
    }
}
