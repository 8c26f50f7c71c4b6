//! From a crate to a component: cargo for WebAssembly, then `wit-component` in this process.
//!
//! The same sources and compiler give the same bytes, wherever they lie: no absolute path gets in.

use crate::{
    NoToolchain, Toolchain,
    cargo::{self, Crate, SDK},
    inspect,
    inspect::InspectError,
    provenance::{self, Provenance},
};
use sha2::{Digest, Sha256};
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
};
use wit_component::ComponentEncoder;

/// Settings of the release profile that plugins are built with, whatever the workspace says.
const PROFILE: [&str; 9] = [
    "opt-level=3",
    // The bulk of a plugin is JSON and its schema, which run once a batch; what runs for each event is
    // generic or inlined, and so compiled with the plugin.
    "package.\"*\".opt-level=\"s\"",
    // Except this one: it multiplies 128 bits.
    "package.compiler_builtins.opt-level=3",
    "lto=\"fat\"",
    "codegen-units=1",
    "panic=\"abort\"",
    "incremental=false",
    // In a price an integer that wraps around is worse than a trap; the libraries do their own checks.
    "overflow-checks=true",
    "package.\"*\".overflow-checks=false",
];

/// How to build.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// Where to put the component; beside the module in the target folder when this is not given.
    pub output: Option<PathBuf>,
    /// Leave out line tables and names: smaller by far, but a trap then shows no source lines. A panic still
    /// says where it happened.
    pub without_symbols: bool,
    /// Let cargo show its progress on standard error. Otherwise its words come with the error, if it fails.
    pub show_progress: bool,
    /// Leave out where it comes from, so that every clone gives the same bytes.
    pub without_provenance: bool,
}

/// A component that was built.
#[derive(Debug, Clone)]
pub struct Built {
    /// The crate's name, which is the plugin's.
    pub name: String,
    /// The crate's version.
    pub version: String,
    /// The component.
    pub path: PathBuf,
    /// Of the component's bytes, in lower-case hexadecimal digits.
    pub sha256: String,
    /// Bytes of the component.
    pub size: usize,
    /// Bytes of the core module that it was made of.
    pub module_size: usize,
    /// The compiler, as `rustc --version` gives it.
    pub toolchain: String,
}

/// Why a crate did not become a component.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // The messages say what each field is.
pub enum BuildError {
    #[error("there is no crate to build in {}: {reason}", directory.display())]
    NoCrate { directory: PathBuf, reason: String },
    #[error(
        "`{name}` is not built as a plugin; add to its Cargo.toml\n\n    [lib]\n    crate-type = [\"cdylib\", \"rlib\"]\n"
    )]
    NotCdylib { name: String },
    #[error(transparent)]
    NoToolchain(#[from] NoToolchain),
    #[error("`{name}` does not compile:\n{output}")]
    DoesNotCompile { name: String, output: String },
    #[error("`{name}` exports no plugin; is there an `impl Pricing` under #[plugin(...)]?\n{reason}")]
    NoPlugin { name: String, reason: String },
    #[error(transparent)]
    BreaksContract(#[from] InspectError),
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
}

/// Builds the crate in a directory and makes a component of it.
///
/// # Errors
/// When there is no crate or no toolchain, when it does not compile, and when what comes out is not a
/// plugin by the contract of this host.
pub fn build(directory: &Path, options: &BuildOptions) -> Result<Built, BuildError> {
    let source = Crate::in_directory(directory)?;
    let toolchain = Toolchain::find(directory)?;
    let module_path = compile(&source, &toolchain, options)?;
    let module = read(&module_path)?;
    let component = component(&source.name, &module)?;
    let provenance =
        if options.without_provenance { Provenance::default() } else { provenance(&source, &toolchain) };
    let component = (provenance.written_into(&component))
        .map_err(|reason| BuildError::NoPlugin { name: source.name.clone(), reason })?;
    inspect(&component)?.verify()?;
    let path = options.output.clone().unwrap_or_else(|| module_path.with_extension("component.wasm"));
    fs::write(&path, &component).map_err(|error| BuildError::File { path: path.clone(), error })?;
    Ok(Built {
        name: source.name,
        version: source.version,
        path,
        sha256: sha256(&component),
        size: component.len(),
        module_size: module.len(),
        toolchain: toolchain.version,
    })
}

/// What is known of where a crate's component comes from.
fn provenance(source: &Crate, toolchain: &Toolchain) -> Provenance {
    let compiler = toolchain.version.split_once(' ');
    Provenance {
        sdk: source.sdk.clone().map(|version| (SDK.to_owned(), version)),
        tools: compiler.map(|(name, version)| (name.to_owned(), version.to_owned())).into_iter().collect(),
        revision: source.manifest.parent().and_then(provenance::revision),
    }
}

/// The digest that identifies a plugin, in lower-case hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}

/// Runs cargo and returns the core module's path.
fn compile(source: &Crate, toolchain: &Toolchain, options: &BuildOptions) -> Result<PathBuf, BuildError> {
    let mut command = toolchain.cargo_build(source.manifest.parent().unwrap_or(&source.workspace));
    command.args(["--lib", "--message-format", "json-render-diagnostics", "--manifest-path"]);
    command.arg(&source.manifest);
    // A folder of its own: guests are built with other flags, and not wait for the host's build.
    command.arg("--target-dir").arg(source.target_directory.join("plugins"));
    let lines = if options.without_symbols { "debug=false" } else { "debug=\"line-tables-only\"" };
    let strip = if options.without_symbols { "strip=\"symbols\"" } else { "strip=\"none\"" };
    for setting in PROFILE.iter().chain([&lines, &strip]) {
        command.arg("--config").arg(format!("profile.release.{setting}"));
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", remapped_paths(source, toolchain)).env_remove("RUSTFLAGS");
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(if options.show_progress { Stdio::inherit() } else { Stdio::piped() });
    let failed = |output: String| BuildError::DoesNotCompile { name: source.name.clone(), output };
    let output = command.output().map_err(|error| failed(format!("cargo cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    cargo::module_in(&output.stdout, &source.manifest)
        .ok_or_else(|| failed("cargo made no .wasm file".to_owned()))
}

/// Compiler flags that keep this machine's folders out of the module, in cargo's encoding.
fn remapped_paths(source: &Crate, toolchain: &Toolchain) -> OsString {
    let mut flags = OsString::new();
    let mut remap = |from: &Path, to: &str| {
        if !flags.is_empty() {
            flags.push("\u{1f}");
        }
        flags.push("--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    };
    // The last that matches wins, so the more specific ones follow.
    remap(&source.workspace, "workspace");
    for (folder, name) in &source.elsewhere {
        remap(folder, name);
    }
    if let Some(home) = cargo::home() {
        remap(&home, "cargo");
        // Folders of sources are named for where they came from, which may be a mirror.
        for registry in fs::read_dir(home.join("registry/src")).into_iter().flatten().flatten() {
            remap(&registry.path(), "crates");
        }
    }
    for sources in toolchain.sources() {
        remap(&sources, "rust");
    }
    flags
}

fn component(name: &str, module: &[u8]) -> Result<Vec<u8>, BuildError> {
    let encoded =
        ComponentEncoder::default().validate(true).module(module).and_then(ComponentEncoder::encode);
    // The alternate form lists the causes as well.
    encoded.map_err(|error| BuildError::NoPlugin { name: name.to_owned(), reason: format!("{error:#}") })
}

fn read(path: &Path) -> Result<Vec<u8>, BuildError> {
    fs::read(path).map_err(|error| BuildError::File { path: path.to_owned(), error })
}
