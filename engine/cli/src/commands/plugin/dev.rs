//! `plugin dev`: builds and tests again whenever a file changes, until it is interrupted.

use std::thread;
use std::time::{Duration, Instant};

use tollgate_workshop::watch::Watch;

use super::target::Found;
use super::test;
use crate::arguments::{PluginDev, PluginTest};

/// How often the folder is looked at; an editor's several writes of one save fall into one look.
const LOOK: Duration = Duration::from_millis(300);

/// Watches a plugin's folder.
pub fn run(arguments: &PluginDev) -> anyhow::Result<u8> {
    let arguments = &arguments.test;
    let mut watch = Watch::new(&arguments.directory);
    loop {
        round(arguments)?;
        // What the round itself wrote is no reason for another.
        watch.changed();
        super::super::print(&format!("watching {}\n", arguments.directory.display()))?;
        let changed = loop {
            thread::sleep(LOOK);
            let changed = watch.changed();
            if !changed.is_empty() {
                break changed;
            }
        };
        let names: Vec<String> = changed.iter().map(|path| path.display().to_string()).collect();
        super::super::print(&format!("\nchanged: {}\n", names.join(", ")))?;
    }
}

/// Builds and tests once. What goes wrong is what the author is about to change, so it ends nothing.
fn round(arguments: &PluginTest) -> anyhow::Result<()> {
    let start = Instant::now();
    let found = match &arguments.component {
        None => Found::built(&arguments.directory),
        Some(component) => {
            Found::from(component).map(|found| Found { folder: Some(arguments.directory.clone()), ..found })
        }
    };
    let text = match found.and_then(|found| test::test(&found, arguments)) {
        Ok(report) => report.text,
        Err(error) => format!("{error:#}\n"),
    };
    let seconds = start.elapsed().as_millis();
    super::super::print(&format!("{text}({}.{} s)\n", seconds / 1_000, seconds % 1_000 / 100))
}
