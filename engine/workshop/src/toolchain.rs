//! Finds a Rust toolchain that builds for WebAssembly, or says how to get one.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// What plugins are built for. It has no system interface, so nothing can be imported by accident.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Where Debian's packages `rustc-web`, `cargo-web` and `rust-web-src` put what they hold.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_SOURCES: &str = "/usr/lib/rustlib/src/rust";
/// The linker's names, best first; `lld-19` is what Debian ships beside its `rustc-web`.
const LINKERS: [&str; 6] = ["wasm-ld-19", "wasm-ld-20", "wasm-ld-21", "wasm-ld-22", "wasm-ld-18", "wasm-ld"];

/// A toolchain that builds for WebAssembly.
#[derive(Debug, Clone)]
pub struct Toolchain {
    /// What `rustc --version` says. Bytes are only comparable between builds of one version.
    pub version: String,
    sysroot: PathBuf,
    /// Debian's linker, when the standard library has to be built from source.
    source_build: Option<PathBuf>,
}

/// No toolchain on this machine builds for WebAssembly.
#[derive(Debug, thiserror::Error)]
#[error(
    "no Rust toolchain here builds for {TARGET}. Run\n\n    rustup target add {TARGET}\n\n\
     or, on a Debian without rustup,\n\n    apt-get install rustc-web cargo-web rust-web-src lld-19\n\n\
     and build again"
)]
pub struct NoToolchain;

impl Toolchain {
    /// The toolchain for a crate: the one that `rustc` means there, if its WebAssembly target is
    /// installed, else Debian's.
    ///
    /// # Errors
    /// When there is neither; the message says what to run.
    pub fn find(directory: &Path) -> Result<Self, NoToolchain> {
        Self::installed(directory).or_else(Self::debian).ok_or(NoToolchain)
    }

    fn installed(directory: &Path) -> Option<Self> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let ask = |question: &[&str]| {
            output(Command::new(&rustc).args(question).current_dir(directory).env_remove("LD_LIBRARY_PATH"))
        };
        let sysroot = PathBuf::from(ask(&["--print", "sysroot"])?);
        if !sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir() {
            return None;
        }
        Some(Self { version: ask(&["--version"])?, sysroot, source_build: None })
    }

    fn debian() -> Option<Self> {
        if !Path::new(DEBIAN_CARGO).is_file() || !Path::new(DEBIAN_SOURCES).join("library/std").is_dir() {
            return None;
        }
        let linker = LINKERS.iter().find_map(|name| on_path(name))?;
        let version = output(Command::new(DEBIAN_RUSTC).arg("--version").env_remove("LD_LIBRARY_PATH"))?;
        Some(Self { version, sysroot: "/usr".into(), source_build: Some(linker) })
    }

    /// A `cargo build` for WebAssembly, run in a directory; what to build is the caller's to add.
    pub(crate) fn cargo_build(&self, directory: &Path) -> Command {
        let mut command = match &self.source_build {
            None => Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
            Some(linker) => {
                let mut command = Command::new(DEBIAN_CARGO);
                command.env("RUSTC", DEBIAN_RUSTC).env_remove("RUSTUP_TOOLCHAIN");
                // The standard library is built from source, which only this lets a stable compiler do.
                command.env("RUSTC_BOOTSTRAP", "1");
                command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                command
            }
        };
        // A cargo that runs this program leaves behind the path to its own compiler's libraries.
        command.current_dir(directory).env_remove("LD_LIBRARY_PATH").env_remove("CARGO_BUILD_TARGET");
        command.args(["build", "--release", "--target", TARGET]);
        if self.source_build.is_some() {
            command.arg("-Zbuild-std=std,panic_abort");
        }
        command
    }

    /// The directories that hold the standard library's sources, as the compiler may spell them.
    pub(crate) fn sources(&self) -> Vec<PathBuf> {
        let sources = self.sysroot.join("lib/rustlib/src/rust");
        let resolved = sources.canonicalize().ok().filter(|resolved| *resolved != sources);
        std::iter::once(sources).chain(resolved).collect()
    }
}

/// What a program prints, trimmed; nothing if it cannot be run or fails.
fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(program)).find(|candidate| candidate.is_file())
}
