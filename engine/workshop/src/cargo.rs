//! What cargo says: which crate a directory holds, and which file a build made.

use crate::{BuildError, toolchain::TARGET};
use serde::Deserialize;
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The crate that hides the contract from a plugin's author.
pub(crate) const SDK: &str = "tollgate-sdk";

/// The crate in a directory.
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) manifest: PathBuf,
    pub(crate) workspace: PathBuf,
    pub(crate) target_directory: PathBuf,
    /// Folders of crates outside the workspace that are used by their paths, with the crates' names.
    pub(crate) elsewhere: Vec<(PathBuf, String)>,
    /// The version of the SDK, if it uses ours.
    pub(crate) sdk: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
    /// Where it comes from; nothing for a folder.
    source: Option<String>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

impl Crate {
    /// The crate whose `Cargo.toml` stands in this directory.
    pub(crate) fn in_directory(directory: &Path) -> Result<Self, BuildError> {
        let no_crate = |reason: String| BuildError::NoCrate { directory: directory.to_owned(), reason };
        let manifest = directory.join("Cargo.toml");
        let manifest = manifest.canonicalize().map_err(|error| no_crate(error.to_string()))?;
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["metadata", "--format-version", "1", "--filter-platform", TARGET, "--manifest-path"]);
        command.arg(&manifest);
        let output = command.output().map_err(|error| no_crate(format!("cargo cannot be run: {error}")))?;
        if !output.status.success() {
            return Err(no_crate(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        let metadata: Metadata =
            serde_json::from_slice(&output.stdout).map_err(|error| no_crate(error.to_string()))?;
        let elsewhere = metadata.packages.iter().filter(|package| package.source.is_none());
        let elsewhere = elsewhere.filter_map(|package| {
            let folder = package.manifest_path.parent()?;
            let is_outside = !folder.starts_with(&metadata.workspace_root);
            is_outside.then(|| (folder.to_owned(), package.name.clone()))
        });
        let elsewhere = elsewhere.collect();
        let sdk = metadata.packages.iter().find(|package| package.name == SDK);
        let sdk = sdk.map(|package| package.version.clone());
        let package = (metadata.packages.into_iter())
            .find(|package| package.manifest_path == manifest)
            .ok_or_else(|| no_crate("Cargo.toml describes a workspace, not a crate".to_owned()))?;
        let is_library = |target: &Target| target.crate_types.iter().any(|kind| kind == "cdylib");
        if !package.targets.iter().any(is_library) {
            return Err(BuildError::NotCdylib { name: package.name });
        }
        Ok(Self {
            name: package.name,
            version: package.version,
            manifest,
            workspace: metadata.workspace_root,
            target_directory: metadata.target_directory,
            elsewhere,
            sdk,
        })
    }
}

/// Cargo's home, where the sources of dependencies lie.
pub(crate) fn home() -> Option<PathBuf> {
    let home = || env::home_dir().map(|home| home.join(".cargo"));
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home)
}

/// The WebAssembly file among the messages of `cargo build --message-format json`.
pub(crate) fn module_in(messages: &[u8], manifest: &Path) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        reason: String,
        manifest_path: Option<PathBuf>,
        #[serde(default)]
        filenames: Vec<PathBuf>,
    }
    let messages = serde_json::Deserializer::from_slice(messages).into_iter::<Message>();
    let artifacts = messages.filter_map(Result::ok).filter(|message| message.reason == "compiler-artifact");
    let ours = artifacts.filter(|message| message.manifest_path.as_deref() == Some(manifest));
    ours.flat_map(|message| message.filenames)
        .find(|file| file.extension().is_some_and(|name| name == "wasm"))
}
