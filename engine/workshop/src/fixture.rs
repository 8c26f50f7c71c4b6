//! Fixtures: folders that show events beside what they cost, run in the real sandbox with the engine's counters.
//!
//! The files are the ones that the SDK's `run_fixtures` reads when it runs a plugin natively, to the byte.

mod expected;
mod fuel;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tollgate_core::event::Event;

use crate::{
    diff::difference,
    trial::{Answers, EventsError, Parents, PeriodRun, Plugin, Trial, TrialError, read_events},
};
pub use expected::Expected;
pub(crate) use expected::group;
pub use fuel::{FuelChange, FuelError, FuelSnapshot};

/// The folder of cases, beside a plugin's sources.
pub const FOLDER: &str = "fixtures";

/// One folder with a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixture {
    /// The folder's name.
    pub name: String,
    folder: PathBuf,
}

/// What came of a case.
#[derive(Debug)]
pub enum Verdict {
    /// It costs what it says.
    Same,
    /// `expected.json` was written, and was another before.
    Blessed,
    /// It costs something else: the lines that differ, expected (`-`) and charged (`+`).
    Differs(String),
}

/// Why a case cannot be tried.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // The messages say what each field is.
pub enum FixtureError {
    #[error("{}: {error}{}", path.display(), hint(path))]
    File { path: PathBuf, error: io::Error },
    #[error("{}: {error}; decimals are strings, and --bless writes the file anew", path.display())]
    Json { path: PathBuf, error: serde_json::Error },
    #[error("{}: {error}; it is one object, as in {{\"workshop\": \"head office\"}}", path.display())]
    Parents { path: PathBuf, error: serde_json::Error },
    #[error("{}: {error}", path.display())]
    Events { path: PathBuf, error: EventsError },
    #[error("{}: {error}", path.display())]
    Trial { path: PathBuf, error: TrialError },
    #[error("{}: {reason}", path.display())]
    Unfit { path: PathBuf, reason: String },
}

/// What is missing when a file is not there.
fn hint(path: &Path) -> &'static str {
    match path.file_name().and_then(|name| name.to_str()) {
        Some("expected.json") if !path.exists() => "; `--bless` writes what is charged now",
        Some("settings.json") if !path.exists() => "; write the tariff's settings there, a JSON object",
        Some("events.ndjson") if !path.exists() => "; write events there, one CloudEvents object a line",
        _ => "",
    }
}

/// The cases under a plugin's folder, by name.
pub fn discover(plugin: &Path) -> Vec<Fixture> {
    let entries = fs::read_dir(plugin.join(FOLDER)).into_iter().flatten().flatten();
    let folders = entries.map(|entry| entry.path()).filter(|path| path.is_dir());
    let mut fixtures: Vec<Fixture> = folders
        .map(|folder| Fixture {
            name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            folder,
        })
        .collect();
    fixtures.sort_by(|one, other| one.name.cmp(&other.name));
    fixtures
}

impl Fixture {
    /// A file of the case.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// How the case's own files are called in what people read.
    pub fn shown(&self, name: &str) -> String {
        format!("{FOLDER}/{}/{name}", self.name)
    }

    /// The plugin with the case's settings.
    ///
    /// # Errors
    /// When they cannot be read or the plugin refuses them.
    pub fn trial<'p>(&self, plugin: &'p Plugin) -> Result<Trial<'p>, FixtureError> {
        let path = self.file("settings.json");
        let settings = read(&path)?;
        let trial = plugin.with_settings(&settings).map_err(|error| FixtureError::Trial { path, error })?;
        Ok(trial.with_parents(self.parents()?))
    }

    /// Which of the case's customers have a parent: none, unless there is a `parents.json`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn parents(&self) -> Result<Parents, FixtureError> {
        let path = self.file("parents.json");
        if !path.exists() {
            return Ok(Parents::new());
        }
        let text = read(&path)?;
        serde_json::from_str(&text).map_err(|error| FixtureError::Parents { path, error })
    }

    /// The case's events.
    ///
    /// # Errors
    /// When they cannot be read, and when they are of several apps.
    pub fn events(&self) -> Result<Vec<Arc<Event>>, FixtureError> {
        let path = self.file("events.ndjson");
        let events = read_events(&read(&path)?, false)
            .map_err(|error| FixtureError::Events { path: path.clone(), error })?;
        let mut apps = events.iter().map(|event| &event.key.app);
        let first = apps.next();
        match apps.find(|app| Some(*app) != first) {
            None => Ok(events),
            Some(other) => {
                let first = first.map_or("", String::as_str);
                let reason = format!("its events are of two apps, {first:?} and {other:?}; use one `source`");
                Err(FixtureError::Unfit { path, reason })
            }
        }
    }

    /// Prices the case's events as one batch and closes their period.
    ///
    /// # Errors
    /// When the files cannot be read, or the plugin cannot close the period.
    pub fn run(&self, plugin: &Plugin) -> Result<PeriodRun, FixtureError> {
        let trial = self.trial(plugin)?;
        let events = self.events()?;
        let run = trial
            .period(&[&events], Answers::First)
            .map_err(|error| FixtureError::Trial { path: self.file("events.ndjson"), error })?;
        let mut periods: Vec<_> =
            run.outcomes.iter().filter_map(|priced| priced.charge().map(|charge| charge.period)).collect();
        periods.dedup();
        if let [first, second, ..] = periods.as_slice() {
            let reason = format!(
                "its events are of two periods, {first} and {second}; a case shows one month, which is \
                 closed in the end"
            );
            return Err(FixtureError::Unfit { path: self.file("events.ndjson"), reason });
        }
        Ok(run)
    }

    /// Compares what was charged with `expected.json`, or writes it there.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn judge(&self, run: &PeriodRun, plugin: &str, bless: bool) -> Result<Verdict, FixtureError> {
        let path = self.file("expected.json");
        let charged = Expected::of(run, plugin);
        if bless {
            let text = charged.to_string();
            let as_before = fs::read_to_string(&path).is_ok_and(|before| before == text);
            fs::write(&path, text).map_err(|error| FixtureError::File { path, error })?;
            return Ok(if as_before { Verdict::Same } else { Verdict::Blessed });
        }
        let text = read(&path)?;
        let expected: Expected =
            serde_json::from_str(&text).map_err(|error| FixtureError::Json { path, error })?;
        if expected == charged {
            return Ok(Verdict::Same);
        }
        Ok(Verdict::Differs(difference(&expected.to_string(), &charged.to_string())))
    }
}

fn read(path: &Path) -> Result<String, FixtureError> {
    fs::read_to_string(path).map_err(|error| FixtureError::File { path: path.to_owned(), error })
}
