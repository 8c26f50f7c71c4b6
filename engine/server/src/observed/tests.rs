//! The figures of a pricer whose every answer is known.

#![allow(clippy::unwrap_used)]

use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

use super::*;

/// Meters anything at 7 fuel a row, traps on rating; a plugin of no bytes cannot be started.
struct Known;

struct KnownRun(u64);

impl Pricer for Known {
    fn admit(&self, component: &[u8]) -> Result<(Digest, Descriptor), PricerError> {
        let name = match component {
            [b'x', ..] => return Err(PricerError::NotAPlugin("x".to_owned())),
            _ => format!("known \"{}\"", String::from_utf8_lossy(component)),
        };
        let (version, summary, settings_schema) = ("1.2.0".to_owned(), String::new(), "{}".to_owned());
        let (units, lines, refusals) = Default::default();
        let descriptor = Descriptor { name, version, summary, units, lines, refusals, settings_schema };
        Ok((Digest::of(component), descriptor))
    }

    fn check(&self, _: &Digest, settings: &str) -> Result<Vec<Problem>, PricerError> {
        Ok(vec![Problem { pointer: String::new(), message: settings.to_owned() }])
    }

    fn open<'a>(&'a self, plugin: &Digest, _: &'a str) -> Result<Box<dyn Pricing + 'a>, PricerError> {
        if *plugin == Digest::of(b"") {
            return Err(PricerError::Infrastructure("no room".to_owned()));
        }
        Ok(Box::new(KnownRun(0)))
    }

    fn fuel_budget(&self, rows: usize) -> u64 {
        rows as u64 + 1
    }
}

impl Pricing for KnownRun {
    fn meter(&mut self, frame: &Frame) -> Result<Metered, PricerError> {
        self.0 += 7 * u64::from(frame.rows);
        Ok(Metered { counts: vec![3], ..Metered::default() })
    }

    fn rate(&mut self, _: &Frame, _: &Counted) -> Result<Rated, PricerError> {
        self.0 += 1;
        Err(PricerError::Failed { reason: "it trapped".to_owned() })
    }

    fn close(&mut self, _: &Frame, _: &Totals) -> Result<Rated, PricerError> {
        Ok(Rated { counts: vec![9], ..Rated::default() })
    }

    fn fuel_spent(&self) -> u64 {
        self.0
    }
}

fn observed() -> (Observed, Registry) {
    let (figures, mut registry) = (PluginFigures::new(), Registry::default());
    figures.register(&mut registry);
    (Observed::new(Arc::new(Known), &figures), registry)
}

fn assert_shows(registry: &Registry, lines: &[&str]) {
    let mut shown = String::new();
    text::encode(&mut shown, registry).unwrap();
    for line in lines {
        assert!(shown.lines().any(|other| other == *line), "{line} is not in\n{shown}");
    }
}

fn frame(rows: u32) -> Frame {
    Frame { rows, ..Frame::default() }
}

#[test]
fn hands_everything_on_as_it_is() {
    let (observed, _) = observed();
    assert_eq!(observed.admit(b"x"), Err(PricerError::NotAPlugin("x".to_owned())));
    assert_eq!(observed.admit(b"a"), Known.admit(b"a"));
    let plugin = Digest::of(b"a");
    assert_eq!(observed.check(&plugin, "s"), Known.check(&plugin, "s"));
    assert_eq!(observed.fuel_budget(4), 5);
    let mut run = observed.open(&plugin, "{}").unwrap();
    assert_eq!(run.meter(&frame(2)).unwrap().counts, [3]);
    assert!(matches!(run.rate(&frame(2), &Counted::default()), Err(PricerError::Failed { .. })));
    assert_eq!(run.close(&frame(2), &Totals::default()).unwrap().counts, [9]);
    assert_eq!(run.fuel_spent(), 15);
}

#[test]
fn counts_runs_events_fuel_and_failures_by_plugin() {
    let (observed, registry) = observed();
    observed.admit(b"a").unwrap();
    observed.admit(b"").unwrap();
    for _ in 0..2 {
        let mut run = observed.open(&Digest::of(b"a"), "{}").unwrap();
        run.meter(&frame(10)).unwrap();
        run.rate(&frame(10), &Counted::default()).unwrap_err();
    }
    assert!(observed.open(&Digest::of(b""), "{}").is_err());
    assert_shows(
        &registry,
        &[
            r#"plugin_run_seconds_count{plugin="known \"a\"@1.2.0",digest="ca978112"} 2"#,
            r#"plugin_events_total{plugin="known \"a\"@1.2.0",digest="ca978112"} 20"#,
            r#"plugin_fuel_total{plugin="known \"a\"@1.2.0",digest="ca978112"} 142"#,
            r#"plugin_failures_total{plugin="known \"a\"@1.2.0",digest="ca978112",cause="plugin"} 2"#,
            r#"plugin_failures_total{plugin="known \"a\"@1.2.0",digest="ca978112",cause="host"} 0"#,
            r#"plugin_failures_total{plugin="known \"\"@1.2.0",digest="e3b0c442",cause="host"} 1"#,
            r#"plugin_run_seconds_count{plugin="other",digest=""} 0"#,
        ],
    );
}

#[test]
fn plugins_beyond_the_limit_share_their_figures() {
    let (observed, registry) = observed();
    for number in 0..PLUGINS_MAX + 3 {
        let component = number.to_string();
        let (digest, _) = observed.admit(component.as_bytes()).unwrap();
        // Twice: only the first run takes a place.
        observed.open(&digest, "{}").unwrap().meter(&frame(1)).unwrap();
        observed.open(&digest, "{}").unwrap().meter(&frame(1)).unwrap();
    }
    assert_shows(&registry, &[r#"plugin_events_total{plugin="other",digest=""} 6"#]);
    let mut shown = String::new();
    text::encode(&mut shown, &registry).unwrap();
    let shown = shown.lines().filter(|line| line.starts_with("plugin_events_total")).count();
    assert_eq!(shown, PLUGINS_MAX + 1);
}
