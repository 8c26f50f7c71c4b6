//! Which plugin is meant, and what to try it with: a folder is built, a file is read, a bundled one is at hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use tollgate_core::event::Event;
use tollgate_core::price_book::PriceBook;
use tollgate_workshop::fixture::{self, Fixture};
use tollgate_workshop::trial::{Parents, Plugin, Workbench, read_events};
use tollgate_workshop::{BuildOptions, Tried, build};

use crate::exit::Refused;
use crate::{bundled, session};

/// A component, and the folder of its sources where it was built from them.
pub struct Found {
    pub name: String,
    pub component: Vec<u8>,
    pub folder: Option<PathBuf>,
}

impl Found {
    /// Builds what is in a folder, reads a file, or takes a bundled plugin.
    pub fn from(plugin: &str) -> anyhow::Result<Self> {
        let path = Path::new(plugin);
        if path.is_dir() {
            return Self::built(path);
        }
        let component = bundled::component(plugin, Path::new(""))?.into_owned();
        Ok(Self { name: plugin.to_owned(), component, folder: None })
    }

    /// Builds the project in a folder.
    pub fn built(folder: &Path) -> anyhow::Result<Self> {
        let built = build(folder, &BuildOptions::default())?;
        let component = fs::read(&built.path).with_context(|| built.path.display().to_string())?;
        Ok(Self { name: built.name, component, folder: Some(folder.to_owned()) })
    }

    /// The plugin, admitted by the sandbox.
    pub fn load(&self) -> anyhow::Result<Plugin> {
        workbench().load(&self.component).with_context(|| self.name.clone()).context(Refused)
    }

    /// The cases beside its sources.
    pub fn fixtures(&self) -> Vec<Fixture> {
        self.folder.as_deref().map(fixture::discover).unwrap_or_default()
    }

    /// The settings that are given, or else those of the first fixture.
    pub fn settings(&self, given: Option<&Path>) -> anyhow::Result<Tried> {
        if let Some(path) = given {
            return tried(path);
        }
        match self.fixtures().first() {
            Some(first) => settings_of(first),
            None => Err(anyhow::anyhow!(
                "{}: there are no fixtures to take settings from; give --settings FILE.json",
                self.name
            )
            .context(Refused)),
        }
    }

    /// The settings of every fixture.
    pub fn fixture_settings(&self) -> anyhow::Result<Vec<Tried>> {
        self.fixtures().iter().map(settings_of).collect()
    }

    /// Who has a parent where the events are those of the first fixture.
    pub fn parents(&self, given: Option<&Path>) -> anyhow::Result<Parents> {
        match (given, self.fixtures().first()) {
            (None, Some(first)) => first.parents().context(Refused),
            _ => Ok(Parents::new()),
        }
    }

    /// The events that are given, or else those of the first fixture.
    pub fn events(&self, given: Option<&Path>, from_prices: bool) -> anyhow::Result<Vec<Arc<Event>>> {
        let path = match (given, self.fixtures().first()) {
            (Some(path), _) => path.to_owned(),
            (None, Some(first)) => first.file("events.ndjson"),
            (None, None) => {
                let message = format!(
                    "{}: there are no fixtures to take events from; give --events FILE.ndjson",
                    self.name
                );
                return Err(anyhow::Error::msg(message).context(Refused));
            }
        };
        let name = || path.display().to_string();
        let text = fs::read_to_string(&path).with_context(name).context(Refused)?;
        let events = read_events(&text, from_prices).with_context(name).context(Refused)?;
        anyhow::ensure!(!events.is_empty(), "{} holds no event", name());
        Ok(events)
    }
}

/// Where compiled code is kept, as for every other command.
pub fn workbench() -> Workbench {
    Workbench { compiler: None, cache_directory: session::user_cache() }
}

/// The settings of a case, by the name that its author knows.
fn settings_of(case: &Fixture) -> anyhow::Result<Tried> {
    Ok(Tried { name: case.shown("settings.json"), ..tried(&case.file("settings.json"))? })
}

/// A settings file.
pub fn tried(path: &Path) -> anyhow::Result<Tried> {
    let name = path.display().to_string();
    let settings = fs::read_to_string(path).with_context(|| name.clone()).context(Refused)?;
    Ok(Tried { name, settings })
}

/// What models cost, where a file says it.
pub fn prices(path: Option<&Path>) -> anyhow::Result<Option<PriceBook>> {
    let Some(path) = path else { return Ok(None) };
    let name = || path.display().to_string();
    let text = fs::read_to_string(path).with_context(name).context(Refused)?;
    PriceBook::parse(&text).map(Some).with_context(name).context(Refused)
}
