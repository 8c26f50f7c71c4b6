//! From a project to a component, with the builder of the language that it is written in.
//!
//! What comes out of any of them must keep the contract, and is written in one place. Each builder says which tool is
//! missing and the one command that gets it.

mod javascript;
mod python;
mod rust;

use crate::{
    Language, NoToolchain,
    cargo::SDK,
    inspect,
    inspect::InspectError,
    provenance::{self, Provenance},
};
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// How to build.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// Where to put the component; in the project's own folder for what is built when this is not given.
    pub output: Option<PathBuf>,
    /// Leave out line tables and names: smaller by far, but a trap then shows no source lines. A panic still
    /// says where it happened. For Rust; an interpreter has none of its author's.
    pub without_symbols: bool,
    /// Leave out where it comes from, so that every clone gives the same bytes.
    pub without_provenance: bool,
    /// Let cargo show its progress on standard error. Otherwise its words come with the error, if it fails.
    pub show_progress: bool,
}

/// A component that was built.
#[derive(Debug, Clone)]
pub struct Built {
    /// The package's name, which is the plugin's.
    pub name: String,
    /// The package's version.
    pub version: String,
    /// The component.
    pub path: PathBuf,
    /// Of the component's bytes, in lower-case hexadecimal digits.
    pub sha256: String,
    /// Bytes of the component.
    pub size: usize,
    /// Bytes of what the builder made, before it became this component.
    pub module_size: usize,
    /// The compiler and its version, as it names itself.
    pub toolchain: String,
}

/// Why a project did not become a component.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // The messages say what each field is.
pub enum BuildError {
    #[error(
        "there is nothing to build in {}: it holds no Cargo.toml, package.json or pyproject.toml; \
         `tollgate plugin new NAME` makes a project",
        directory.display()
    )]
    NoProject { directory: PathBuf },
    #[error("there is no crate to build in {}: {reason}", directory.display())]
    NoCrate { directory: PathBuf, reason: String },
    #[error("{}: {reason}", manifest.display())]
    Manifest { manifest: PathBuf, reason: String },
    #[error(
        "`{name}` is not built as a plugin; add to its Cargo.toml\n\n    [lib]\n    crate-type = [\"cdylib\", \"rlib\"]\n"
    )]
    NotCdylib { name: String },
    #[error(transparent)]
    NoToolchain(#[from] NoToolchain),
    #[error("what builds {what} plugins is not installed: {missing}. Run\n\n    {run}\n\nand build again")]
    NoTool { what: &'static str, missing: &'static str, run: String },
    #[error("`{name}` does not compile:\n{output}")]
    DoesNotCompile { name: String, output: String },
    #[error("`{name}` exports no plugin; is there an `impl Pricing` under #[plugin(...)]?\n{reason}")]
    NoPlugin { name: String, reason: String },
    #[error(transparent)]
    BreaksContract(#[from] InspectError),
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
}

/// What a language's builder made.
struct Made {
    name: String,
    version: String,
    component: Vec<u8>,
    /// Where the component goes when nobody says otherwise.
    path: PathBuf,
    module_size: usize,
    /// The SDK's version, where the builder tells it.
    sdk: Option<String>,
    toolchain: String,
}

/// Builds the project in a directory, in whichever language it is, and makes a component of it.
///
/// # Errors
/// When there is no project or no toolchain, when it does not compile, and when what comes out is not a
/// plugin by the contract of this host.
pub fn build(directory: &Path, options: &BuildOptions) -> Result<Built, BuildError> {
    let made = match Language::of(directory) {
        Some(Language::Rust) => rust::build(directory, options)?,
        Some(Language::JavaScript) => javascript::build(directory)?,
        Some(Language::Python) => python::build(directory)?,
        None => return Err(BuildError::NoProject { directory: directory.to_owned() }),
    };
    let provenance =
        if options.without_provenance { Provenance::default() } else { provenance(&made, directory) };
    let component = (provenance.written_into(&made.component))
        .map_err(|reason| BuildError::NoPlugin { name: made.name.clone(), reason })?;
    inspect(&component)?.verify()?;
    let path = options.output.clone().unwrap_or(made.path);
    fs::write(&path, &component).map_err(|error| BuildError::File { path: path.clone(), error })?;
    Ok(Built {
        name: made.name,
        version: made.version,
        path,
        sha256: sha256(&component),
        size: component.len(),
        module_size: made.module_size,
        toolchain: made.toolchain,
    })
}

/// What is known of where a project's component comes from.
fn provenance(made: &Made, directory: &Path) -> Provenance {
    let tool = made.toolchain.split_once(' ');
    Provenance {
        sdk: made.sdk.clone().map(|version| (SDK.to_owned(), version)),
        tools: tool.map(|(name, version)| (name.to_owned(), version.to_owned())).into_iter().collect(),
        revision: provenance::revision(directory),
    }
}

/// The digest that identifies a plugin, in lower-case hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn read(path: &Path) -> Result<Vec<u8>, BuildError> {
    fs::read(path).map_err(|error| BuildError::File { path: path.to_owned(), error })
}

/// How the builders of the SDKs say that they miss what they stand on.
const NO_TOOL: i32 = 3;

/// A project whose SDK has a builder of its own, which leaves alone what need not be built again.
struct Scripted {
    name: String,
    version: String,
    /// The project's folder, as an absolute path.
    folder: PathBuf,
}

impl Scripted {
    /// Runs the builder in the project's folder, and reads what it made.
    fn build(self, mut command: Command, no_tool: impl Fn() -> BuildError) -> Result<Made, BuildError> {
        let folder = self.folder.join("build");
        fs::create_dir_all(&folder).map_err(|error| BuildError::File { path: folder.clone(), error })?;
        let component = folder.join("component.wasm");
        command.arg("--output").arg(&component).arg("--stamp").arg(folder.join("component.stamp"));
        command.current_dir(&self.folder).stdin(Stdio::null());
        let ran = match command.output() {
            Ok(ran) => ran,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(no_tool()),
            Err(error) => return Err(BuildError::File { path: command.get_program().into(), error }),
        };
        if ran.status.code() == Some(NO_TOOL) {
            return Err(no_tool());
        }
        if !ran.status.success() {
            let output = String::from_utf8_lossy(&ran.stderr).trim().to_owned();
            return Err(BuildError::DoesNotCompile { name: self.name, output });
        }
        let component = read(&component)?;
        Ok(Made {
            path: folder.join(format!("{}.wasm", self.name)),
            name: self.name,
            version: self.version,
            module_size: component.len(),
            component,
            sdk: None,
            toolchain: String::from_utf8_lossy(&ran.stdout).trim().to_owned(),
        })
    }
}
