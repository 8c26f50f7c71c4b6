//! `init`: a database with the bundled plugins and a first platform key.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tollgate_core::access::{AccessStore, Scope};
use tollgate_core::engine::Engine;
use tollgate_server::keys::Keyring;

use crate::arguments::Init;
use crate::{bundled, session};

/// What the first key is called in listings.
const KEY_NAME: &str = "made by tollgate init";

/// Makes a database ready and prints a key.
pub fn run(arguments: &Init) -> anyhow::Result<u8> {
    let directory = &arguments.data.data;
    let served = session::serve(directory, |pricer| pricer)?;
    let key = prepare(&served.engine, served.access, arguments.new_key)?;
    super::print(&in_words(directory, key.as_deref()))?;
    Ok(0)
}

/// Takes the bundled plugins in for every Builder. Makes a platform key where there is none that is valid,
/// or where one more is wanted, and gives back its text.
pub fn prepare(
    engine: &Engine,
    access: Arc<dyn AccessStore>,
    one_more: bool,
) -> anyhow::Result<Option<String>> {
    for (_, component) in bundled::PLUGINS {
        engine.add_plugin(component, None)?;
    }
    let keyring = Keyring::open(access)?;
    let now = Timestamp::now().as_millisecond();
    let has_one = keyring.list().iter().any(|key| key.scope == Scope::Platform && key.is_valid_at(now));
    if has_one && !one_more {
        return Ok(None);
    }
    let (_, text) = keyring.make(KEY_NAME, Scope::Platform, None, now)?;
    Ok(Some(text))
}

/// What a person reads of it. The key is shown here and never again.
pub fn in_words(directory: &Path, key: Option<&str>) -> String {
    let directory = directory.display();
    match key {
        Some(key) => format!("{directory} is ready. Its platform key, shown this once:\n{key}\n"),
        None => format!("{directory} is ready and has a platform key already (--new-key makes one more)\n"),
    }
}
