//! JavaScript and TypeScript: the SDK's own builder, run by Node, bundles the plugin and puts an engine around it.

use super::{BuildError, Made, Scripted, read};
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

const MANIFEST: &str = "package.json";
/// The builder within the SDK's package.
const BUILDER: &str = "node_modules/tollgate-sdk/bin/build.js";

#[derive(Deserialize)]
struct Package {
    name: Option<String>,
    version: Option<String>,
    main: Option<String>,
}

/// Builds the package in a directory.
pub(super) fn build(directory: &Path) -> Result<Made, BuildError> {
    let manifest = directory.join(MANIFEST);
    let wrong = |reason: String| BuildError::Manifest { manifest: manifest.clone(), reason };
    let package: Package = serde_json::from_slice(&read(&manifest)?)
        .map_err(|error| wrong(format!("this is no package: {error}")))?;
    let missing =
        |field: &str, example: &str| wrong(format!("`{field}` is missing; write \"{field}\": \"{example}\""));
    let name = package.name.ok_or_else(|| missing("name", "per-document"))?;
    let version = package.version.ok_or_else(|| missing("version", "0.1.0"))?;
    let main = package.main.ok_or_else(|| missing("main", "src/plugin.js"))?;
    if !directory.join(&main).is_file() {
        return Err(wrong(format!(
            "`main` is {main:?}, which is not there; name the module that exports `plugin`"
        )));
    }
    let folder =
        directory.canonicalize().map_err(|error| BuildError::File { path: directory.to_owned(), error })?;
    let no_tool = || BuildError::NoTool {
        what: "JavaScript",
        missing: "it takes Node 20 or later, with the packages of the project",
        run: format!("npm install --prefix {}", directory.display()),
    };
    let builder = builder(&folder).ok_or_else(no_tool)?;
    let mut command = Command::new("node");
    command.arg(builder).arg(main);
    Scripted { name, version, folder }.build(command, no_tool)
}

/// The SDK's builder among the packages of the project, or of a workspace that it is part of.
fn builder(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(BUILDER)).find(|builder| builder.is_file())
}
