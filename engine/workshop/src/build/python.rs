//! Python: the SDK's own builder puts the plugin and an interpreter together, by componentize-py.

use super::{BuildError, Made, Scripted, read};
use serde::Deserialize;
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

const MANIFEST: &str = "pyproject.toml";
/// Where a project's own interpreter is, and its SDK.
const INTERPRETER: &str = ".venv/bin/python3";
const SDK: &str = "sdk/python";

#[derive(Deserialize)]
struct Manifest {
    project: Option<Project>,
    tool: Option<Tool>,
}

#[derive(Deserialize)]
struct Project {
    name: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Tool {
    tollgate: Option<Tollgate>,
}

#[derive(Deserialize)]
struct Tollgate {
    plugin: String,
}

/// Builds the project in a directory.
pub(super) fn build(directory: &Path) -> Result<Made, BuildError> {
    let manifest = directory.join(MANIFEST);
    let wrong = |reason: String| BuildError::Manifest { manifest: manifest.clone(), reason };
    let text = String::from_utf8_lossy(&read(&manifest)?).into_owned();
    let Manifest { project, tool } =
        toml::from_str(&text).map_err(|error| wrong(format!("this is no project: {error}")))?;
    let Some((Some(name), Some(version))) = project.map(|project| (project.name, project.version)) else {
        return Err(wrong("[project] has no `name` and `version`; write both".to_owned()));
    };
    let Some(Tollgate { plugin }) = tool.and_then(|tool| tool.tollgate) else {
        return Err(wrong(
            "it does not say which class is the plugin; write\n\n    [tool.tollgate]\n    plugin = \"plugin:PerDocument\"\n"
                .to_owned(),
        ));
    };
    let folder =
        directory.canonicalize().map_err(|error| BuildError::File { path: directory.to_owned(), error })?;
    let own = folder.join(INTERPRETER);
    let mut command = Command::new(if own.is_file() { own } else { "python3".into() });
    command.args(["-m", "tollgate_sdk.build", &plugin, "--path"]);
    command.arg(if folder.join("src").is_dir() { "src" } else { "." });
    let sdk = folder.join(SDK);
    if sdk.is_dir() {
        command.env("PYTHONPATH", with(sdk));
    }
    // A folder that is built from stays as its author left it.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    Scripted { name, version, folder }.build(command, || BuildError::NoTool {
        what: "Python",
        missing: "it takes Python 3.10 or later, with componentize-py",
        run: format!(
            "cd {} && python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
            directory.display()
        ),
    })
}

/// Python's path with the SDK in front.
fn with(sdk: PathBuf) -> std::ffi::OsString {
    let before = env::var_os("PYTHONPATH").unwrap_or_default();
    let folders = std::iter::once(sdk.clone()).chain(env::split_paths(&before));
    // A folder whose name has a colon in it cannot be on a path with others.
    env::join_paths(folders).unwrap_or_else(|_| sdk.into_os_string())
}
