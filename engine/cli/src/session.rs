//! Opens an engine over a store, with the sandbox.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use tollgate_core::engine::Engine;
use tollgate_core::store::Store;
use tollgate_sandbox::{Compiler, Sandbox, SandboxConfig};
use tollgate_store::{MemoryStore, Options, SqliteStore};

/// The database's file in a data directory.
const DATABASE: &str = "tollgate.db";

/// An engine that keeps nothing after this process.
pub fn in_memory() -> anyhow::Result<Engine> {
    engine(Arc::new(MemoryStore::new()), user_cache())
}

/// An engine over the database in a directory, which is created if absent.
pub fn create(directory: &Path) -> anyhow::Result<Engine> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot create the data directory {}", directory.display()))?;
    open_database(directory)
}

/// An engine over the database in a directory, which must be there.
pub fn open(directory: &Path) -> anyhow::Result<Engine> {
    let database = directory.join(DATABASE);
    anyhow::ensure!(
        database.is_file(),
        "{} has no Tollgate database; `tollgate record --data` or `tollgate define --data` makes one",
        directory.display()
    );
    open_database(directory)
}

fn open_database(directory: &Path) -> anyhow::Result<Engine> {
    let store = SqliteStore::open(&directory.join(DATABASE), &Options::default())?;
    engine(Arc::new(store), user_cache())
}

fn engine(store: Arc<dyn Store>, cache_directory: Option<PathBuf>) -> anyhow::Result<Engine> {
    let compiler = Compiler::Child {
        program: std::env::current_exe().context("cannot find this program to compile plugins with")?,
        arguments: vec!["compile-component".into()],
    };
    let sandbox = Sandbox::new(SandboxConfig { compiler, cache_directory, ..SandboxConfig::default() })?;
    Ok(Engine::open(store, Arc::new(sandbox))?)
}

/// Where compiled plugins are kept for this user (`$XDG_CACHE_HOME/tollgate`, else `~/.cache/tollgate`);
/// without a home they are compiled anew each time.
fn user_cache() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")))?;
    Some(cache.join("tollgate"))
}
