//! `plugin test`: fixtures in the sandbox, then the laws.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use tollgate_workshop::fixture::{self, Fixture, FuelChange, FuelSnapshot, Verdict};
use tollgate_workshop::laws::{self, Effort, Exceptions, Ruling};
use tollgate_workshop::trial::Plugin;

use super::target::Found;
use crate::arguments::PluginTest;
use crate::exit::{Refused, UNFIT};

/// Tests a plugin.
pub fn run(arguments: &PluginTest) -> anyhow::Result<u8> {
    let found = match &arguments.component {
        None => Found::built(&arguments.directory)?,
        Some(component) => Found { folder: Some(arguments.directory.clone()), ..Found::from(component)? },
    };
    let report = test(&found, arguments)?;
    super::super::print(&report.text)?;
    Ok(if report.failures > 0 { UNFIT } else { 0 })
}

/// What a test came to.
pub struct Report {
    pub text: String,
    pub failures: usize,
}

impl Report {
    fn line(&mut self, good: bool, text: &str) {
        let mark = if good { "ok    " } else { "FAILED" };
        self.failures += usize::from(!good);
        let _ = writeln!(self.text, "{mark}  {text}");
    }
}

/// Runs every fixture, and tries the laws under the settings of each.
pub fn test(found: &Found, arguments: &PluginTest) -> anyhow::Result<Report> {
    let plugin = found.load()?;
    let fixtures = found.fixtures();
    let mut report = Report { text: format!("{}\n", plugin.label()), failures: 0 };
    if fixtures.is_empty() {
        let folder = found.folder.as_deref().unwrap_or_else(|| Path::new("")).join(fixture::FOLDER);
        report.line(
            false,
            &format!(
                "{} holds no case: make a folder in it with settings.json and events.ndjson, and run with \
                 --bless",
                folder.display()
            ),
        );
        return Ok(report);
    }
    let folder = found.folder.as_deref().unwrap_or_else(|| Path::new(""));
    let before = FuelSnapshot::read(folder).context(Refused)?;
    let mut now = FuelSnapshot {
        tolerance_percent: before
            .as_ref()
            .map_or_else(|| FuelSnapshot::default().tolerance_percent, |fuel| fuel.tolerance_percent),
        ..FuelSnapshot::default()
    };
    for case in &fixtures {
        if let Err(error) =
            fixture_case(case, &plugin, arguments.bless, before.as_ref(), &mut now, &mut report)
        {
            report.line(false, &format!("fixture {}: {error}", case.name));
        }
    }
    if arguments.bless && before.as_ref() != Some(&now) {
        now.write(folder)?;
        let _ = writeln!(report.text, "        fixtures/fuel.json written");
    }
    if arguments.trials > 0 {
        for case in &fixtures {
            laws_of(case, &plugin, arguments, &mut report)?;
        }
    }
    let _ = match report.failures {
        0 => writeln!(report.text, "all {} fixtures and their laws hold", fixtures.len()),
        failures => writeln!(report.text, "{failures} failed"),
    };
    Ok(report)
}

fn fixture_case(
    case: &Fixture,
    plugin: &Plugin,
    bless: bool,
    before: Option<&FuelSnapshot>,
    now: &mut FuelSnapshot,
    report: &mut Report,
) -> Result<(), fixture::FixtureError> {
    let run = case.run(plugin)?;
    let fuel = run.batches.iter().map(|batch| batch.fuel).sum::<u64>() + run.close_fuel;
    now.cases.insert(case.name.clone(), fuel);
    let count = run.outcomes.len();
    match case.judge(&run, &plugin.label(), bless)? {
        Verdict::Same => report.line(true, &format!("fixture {}: {count} events, {fuel} fuel", case.name)),
        Verdict::Blessed => report.line(
            true,
            &format!("fixture {}: {} written; read what changed", case.name, case.shown("expected.json")),
        ),
        Verdict::Differs(difference) => {
            let text = format!(
                "fixture {}: it costs something else than {} says (-), namely (+):\n{difference}        \
                 fix: put the plugin right, or run with --bless if this is meant",
                case.name,
                case.shown("expected.json"),
            );
            report.line(false, &text);
        }
    }
    let Some(snapshot) = before.filter(|_| !bless) else { return Ok(()) };
    if let FuelChange::Beyond { before: blessed } = snapshot.compare(&case.name, fuel) {
        let tolerance = snapshot.tolerance_percent;
        let text = format!(
            "fuel of {}: {fuel}, was {blessed}: a change of more than {tolerance} %\n        fix: look for what \
             takes it, or run with --bless if this is meant",
            case.name
        );
        report.line(false, &text);
    }
    Ok(())
}

fn laws_of(
    case: &Fixture,
    plugin: &Plugin,
    arguments: &PluginTest,
    report: &mut Report,
) -> anyhow::Result<()> {
    // What is wrong with the case's files has been said with its fixture.
    let (Ok(trial), Ok(events)) = (case.trial(plugin), case.events()) else { return Ok(()) };
    let exceptions = exceptions(case)?;
    let effort = Effort { trials: arguments.trials, seed: arguments.seed };
    let rulings = laws::try_all(&trial, &events, &exceptions, effort)?;
    let mut held = 0;
    for (law, ruling) in &rulings.laws {
        match ruling {
            Ruling::Holds => held += 1,
            Ruling::Excused(reason) => {
                let _ = writeln!(
                    report.text,
                    "        laws of {}: not held to \"{}\": {reason}",
                    case.name,
                    law.sentence()
                );
            }
            Ruling::Follows(other) => {
                let (law, other) = (law.sentence(), other.sentence());
                let _ = writeln!(
                    report.text,
                    "        laws of {}: \"{law}\" does not hold either, since \"{other}\" does not",
                    case.name
                );
            }
            Ruling::Broken(violation) => {
                report.line(
                    false,
                    &format!("laws of {}: {violation}", case.name).trim_end().replace('\n', "\n        "),
                );
            }
        }
    }
    let (priced, made) = rulings.priced;
    report.line(
        true,
        &format!(
            "laws of {}: {held} of {} hold on {made} events made of {}; {priced} could be priced",
            case.name,
            rulings.laws.len(),
            rulings.words
        ),
    );
    Ok(())
}

fn exceptions(case: &Fixture) -> anyhow::Result<Exceptions> {
    let path = case.file("laws.json");
    if !path.exists() {
        return Ok(Exceptions::default());
    }
    let named =
        || format!("{}: it may say {{\"more_usage_may_cost_less\": \"why\"}}", case.shown("laws.json"));
    let text = fs::read_to_string(&path).with_context(named).context(Refused)?;
    serde_json::from_str(&text).with_context(named).context(Refused)
}
