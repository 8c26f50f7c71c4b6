//! Opens an engine over a store, with the sandbox.

use std::fs::DirBuilder;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use tollgate_core::access::AccessStore;
use tollgate_core::engine::Engine;
use tollgate_core::pricer::Pricer;
use tollgate_core::store::Store;
use tollgate_sandbox::{Compiler, Sandbox, SandboxConfig};
use tollgate_store::{MemoryStore, Options, SqliteStore};

/// The database's file in a data directory.
pub const DATABASE: &str = "tollgate.db";

/// An engine that keeps nothing after this process.
pub fn in_memory() -> anyhow::Result<Engine> {
    engine(Arc::new(MemoryStore::new()), user_cache())
}

/// An engine over the database in a directory, which is created if absent.
pub fn create(directory: &Path) -> anyhow::Result<Engine> {
    engine(Arc::new(store(directory)?), user_cache())
}

/// An engine over the database in a directory, which must be there.
pub fn open(directory: &Path) -> anyhow::Result<Engine> {
    database(directory)?;
    create(directory)
}

/// The file of the database in a directory, which must be there.
pub fn database(directory: &Path) -> anyhow::Result<PathBuf> {
    let database = directory.join(DATABASE);
    anyhow::ensure!(
        database.is_file(),
        "{} has no Tollgate database; `tollgate init --data` makes one, and so do `record` and `define`",
        directory.display()
    );
    Ok(database)
}

/// What is served: an engine, and the keys beside it.
pub struct Served {
    pub engine: Arc<Engine>,
    pub access: Arc<dyn AccessStore>,
}

/// All of the database in a directory, which is created if absent. `wrap` may stand between the engine and
/// the sandbox.
pub fn serve(
    directory: &Path,
    wrap: impl FnOnce(Arc<dyn Pricer>) -> Arc<dyn Pricer>,
) -> anyhow::Result<Served> {
    let store = Arc::new(store(directory)?);
    let engine = Engine::open(Arc::clone(&store) as _, wrap(Arc::new(sandbox(user_cache())?)))?;
    Ok(Served { engine: Arc::new(engine), access: store })
}

fn store(directory: &Path) -> anyhow::Result<SqliteStore> {
    create_directory(directory)?;
    Ok(SqliteStore::open(&directory.join(DATABASE), &Options::default())?)
}

/// Makes the data directory, for its owner alone, unless it is there.
pub fn create_directory(directory: &Path) -> anyhow::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(directory)
        .with_context(|| format!("cannot create the data directory {}", directory.display()))
}

fn engine(store: Arc<dyn Store>, cache_directory: Option<PathBuf>) -> anyhow::Result<Engine> {
    Ok(Engine::open(store, Arc::new(sandbox(cache_directory)?))?)
}

fn sandbox(cache_directory: Option<PathBuf>) -> anyhow::Result<Sandbox> {
    let compiler = Compiler::Child {
        program: std::env::current_exe().context("cannot find this program to compile plugins with")?,
        arguments: vec!["compile-component".into()],
    };
    Ok(Sandbox::new(SandboxConfig { compiler, cache_directory, ..SandboxConfig::default() })?)
}

/// Where compiled plugins are kept for this user (`$XDG_CACHE_HOME/tollgate`, else `~/.cache/tollgate`);
/// without a home they are compiled anew each time.
pub fn user_cache() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")))?;
    Some(cache.join("tollgate"))
}
