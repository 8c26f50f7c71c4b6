//! From a crate to a component: cargo for WebAssembly, then `wit-component` in this process.
//!
//! The same sources and compiler give the same bytes, wherever they lie: no absolute path gets in.

use super::{BuildError, BuildOptions, Made, read};
use crate::{
    Toolchain,
    cargo::{self, Crate},
};
use std::{
    ffi::OsString,
    fs,
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

/// Builds the crate in a directory.
pub(super) fn build(directory: &Path, options: &BuildOptions) -> Result<Made, BuildError> {
    let source = Crate::in_directory(directory)?;
    let toolchain = Toolchain::find(directory)?;
    let module_path = compile(&source, &toolchain, options)?;
    let module = read(&module_path)?;
    let component = component(&source.name, &module)?;
    Ok(Made {
        name: source.name,
        version: source.version,
        component,
        path: module_path.with_extension("component.wasm"),
        module_size: module.len(),
        sdk: source.sdk,
        toolchain: toolchain.version,
    })
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
