//! The plugins that are committed as components, with a manifest of their digests.

use crate::{BuildError, BuildOptions, Built, Toolchain, build, build::sha256};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Where the components and the manifest lie in the repository.
const FOLDER: &str = "plugins/prebuilt";
const MANIFEST: &str = "manifest.json";
/// The plugins that come with Tollgate, each the name of its folder under `plugins/`.
const PLUGINS: [&str; 6] =
    ["conversation", "cost-plus", "included-overage", "percentage", "rate-card", "tiered"];

/// What is committed, and what made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The compiler, as `rustc --version` gives it. Another one makes other bytes.
    pub toolchain: String,
    /// The components, by name.
    pub plugins: Vec<Entry>,
}

/// One committed component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The plugin's name.
    pub name: String,
    /// The plugin's version.
    pub version: String,
    /// The file's name, beside the manifest.
    pub file: String,
    /// Of the file, in lower-case hexadecimal digits.
    pub sha256: String,
    /// Bytes.
    pub size: usize,
}

/// What a comparison of the committed components with a fresh build found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// Every component is what its source gives.
    Same,
    /// The compiler at hand is another one, so bytes tell nothing.
    OtherToolchain {
        /// The compiler of the committed components.
        committed: String,
        /// The compiler at hand.
        here: String,
    },
    /// Components that are not what their sources give, by name.
    Different(Vec<String>),
}

/// Why the committed components could not be rebuilt or compared.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // The messages say what each field is.
pub enum PrebuiltError {
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{} is not a manifest: {error}", path.display())]
    Manifest { path: PathBuf, error: serde_json::Error },
    #[error("{} is not the file that the manifest describes", path.display())]
    Tampered { path: PathBuf },
}

/// Builds every plugin of the repository and writes the components with a fresh manifest.
///
/// # Errors
/// When a plugin cannot be built or a file cannot be written.
pub fn rebuild(repository: &Path, progress: impl Fn(&Built)) -> Result<Manifest, PrebuiltError> {
    let folder = repository.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| PrebuiltError::File { path: folder.clone(), error })?;
    let (manifest, components) = build_all(repository, progress)?;
    for (entry, component) in manifest.plugins.iter().zip(components) {
        write(&folder.join(&entry.file), &component)?;
    }
    let path = folder.join(MANIFEST);
    let text = serde_json::to_string_pretty(&manifest)
        .map_err(|error| PrebuiltError::Manifest { path: path.clone(), error })?;
    write(&path, format!("{text}\n").as_bytes())?;
    Ok(manifest)
}

/// Builds every plugin again and compares the bytes with what is committed.
///
/// # Errors
/// When a plugin cannot be built, and when a committed file is not the one in the manifest.
pub fn compare(repository: &Path, progress: impl Fn(&Built)) -> Result<Comparison, PrebuiltError> {
    let folder = repository.join(FOLDER);
    let committed = read_manifest(&folder.join(MANIFEST))?;
    for entry in &committed.plugins {
        let path = folder.join(&entry.file);
        if sha256(&read(&path)?) != entry.sha256 {
            return Err(PrebuiltError::Tampered { path });
        }
    }
    let here = Toolchain::find(repository).map_err(BuildError::from)?.version;
    if here != committed.toolchain {
        return Ok(Comparison::OtherToolchain { committed: committed.toolchain, here });
    }
    let (fresh, _) = build_all(repository, progress)?;
    let is_committed = |entry: &&Entry| committed.plugins.contains(entry);
    let different: Vec<String> =
        fresh.plugins.iter().filter(|entry| !is_committed(entry)).map(|entry| entry.name.clone()).collect();
    Ok(if different.is_empty() { Comparison::Same } else { Comparison::Different(different) })
}

fn build_all(
    repository: &Path,
    progress: impl Fn(&Built),
) -> Result<(Manifest, Vec<Vec<u8>>), PrebuiltError> {
    let options = BuildOptions { without_symbols: true, without_provenance: true, ..BuildOptions::default() };
    let mut manifest = Manifest { toolchain: String::new(), plugins: Vec::new() };
    let mut components = Vec::new();
    for name in PLUGINS {
        let built = build(&repository.join("plugins").join(name), &options)?;
        progress(&built);
        components.push(read(&built.path)?);
        manifest.toolchain = built.toolchain;
        let (name, version, sha256, size) = (built.name, built.version, built.sha256, built.size);
        manifest.plugins.push(Entry { file: format!("{name}.wasm"), name, version, sha256, size });
    }
    Ok((manifest, components))
}

fn read_manifest(path: &Path) -> Result<Manifest, PrebuiltError> {
    let text = read(path)?;
    serde_json::from_slice(&text).map_err(|error| PrebuiltError::Manifest { path: path.to_owned(), error })
}

fn read(path: &Path) -> Result<Vec<u8>, PrebuiltError> {
    fs::read(path).map_err(|error| PrebuiltError::File { path: path.to_owned(), error })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), PrebuiltError> {
    fs::write(path, bytes).map_err(|error| PrebuiltError::File { path: path.to_owned(), error })
}
