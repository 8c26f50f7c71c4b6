//! `plugin check`: everything that can be said of a component before the first event.
//!
//! What the bytes tell is looked at before anything is compiled: whose contract it speaks, what it imports.

mod schema;

use tollgate_core::{
    plugin::Descriptor,
    pricer::{Pricer as _, PricerError},
};
use tollgate_sandbox::{Call, Limits};

use crate::{
    InspectError, Inspection,
    columns::thousands,
    finding::{Finding, Weight},
    inspect,
    trial::{Plugin, Trial, TrialError, Workbench},
};

/// What a check found, and the plugin if it could be loaded.
pub struct Checked {
    /// In the order in which things were looked at.
    pub findings: Vec<Finding>,
    /// The plugin, unless something made it impossible to load.
    pub plugin: Option<Plugin>,
}

impl Checked {
    /// Whether anything is wrong.
    pub fn is_wrong(&self) -> bool {
        self.findings.iter().any(|finding| finding.weight == Weight::Wrong)
    }
}

/// Settings to try the plugin with: where they come from, and what they are.
pub struct Tried {
    /// The file, as people read it.
    pub name: String,
    /// A JSON object.
    pub settings: String,
}

/// Checks a component. `name` is what its file is called: it may not come far enough to say its own name.
pub fn check(name: &str, component: &[u8], settings: &[Tried], workbench: &Workbench) -> Checked {
    let mut findings = Vec::new();
    let limits = Limits::default().of_component(component.len());
    if !bytes(name, component, &limits, &mut findings) {
        return Checked { findings, plugin: None };
    }
    let plugin = match workbench.load(component) {
        Ok(plugin) => plugin,
        Err(error) => {
            findings.push(refused(&error));
            return Checked { findings, plugin: None };
        }
    };
    describe(plugin.descriptor(), &mut findings);
    findings.extend(schema::examine(&plugin.descriptor().settings_schema));
    let tried = tried(settings, plugin.descriptor());
    for tried in &tried {
        empty_call(&plugin, tried, &limits, &mut findings);
    }
    if tried.is_empty() {
        findings.push(Finding::advice(
            "empty call",
            "not made: there are no settings to make it with",
            "give --settings FILE.json, or make a folder fixtures/first with a settings.json",
        ));
    }
    Checked { findings, plugin: Some(plugin) }
}

/// Looks at the bytes alone. Whether the rest is worth looking at.
fn bytes(name: &str, component: &[u8], limits: &Limits, findings: &mut Vec<Finding>) -> bool {
    let inspection = match inspect(component) {
        Ok(inspection) => inspection,
        Err(error) => {
            findings.push(unusable(name, &error));
            return false;
        }
    };
    if let Err(error) = inspection.verify() {
        findings.push(unusable(name, &error));
        return false;
    }
    findings.push(Finding::good(
        "contract",
        format!("tollgate:pricing {}", inspection.contract.clone().unwrap_or_default()),
    ));
    let imports =
        if inspection.imports.is_empty() { "none".to_owned() } else { inspection.imports.join(", ") };
    findings.push(Finding::good("imports", imports));
    findings.push(size(&inspection, limits));
    true
}

fn unusable(name: &str, error: &InspectError) -> Finding {
    let build = "build the crate with `tollgate plugin build`, and check what it writes";
    match error {
        InspectError::NotWasm => {
            Finding::wrong("file", format!("{name} is not WebAssembly: it does not begin with \\0asm"), build)
        }
        InspectError::CoreModule => {
            Finding::wrong("file", format!("{name} is a core module, not a component"), build)
        }
        InspectError::Malformed { reason } => {
            Finding::wrong("file", format!("{name} is not a valid component: {reason}"), build)
        }
        InspectError::ForeignImport { import } => Finding::wrong(
            "imports",
            format!("{name} imports `{import}`; a plugin may import nothing but `tollgate:pricing/log`"),
            if import.starts_with("wasi:") {
                "it was built for WASI: build it for wasm32-unknown-unknown, as `tollgate plugin build` does, \
                 and take time from the event"
            } else {
                "remove what needs it: a price depends on settings, event and counters alone"
            },
        ),
        InspectError::NotPlugin => Finding::wrong(
            "exports",
            format!("{name} does not export `tollgate:pricing/plugin`, so it is no pricing plugin"),
            "put #[plugin(...)] above an `impl Pricing`",
        ),
        InspectError::OtherContract { plugin } => Finding::wrong(
            "contract",
            format!(
                "{name} speaks version {plugin} of tollgate:pricing, this host version {}",
                tollgate_sandbox::CONTRACT_VERSION
            ),
            "build it again with this host's SDK: `tollgate plugin new` writes a project that holds it",
        ),
    }
}

/// Sizes by section, and whether debugging sections are most of it.
fn size(inspection: &Inspection, limits: &Limits) -> Finding {
    let mut sections: Vec<(&str, u64)> =
        inspection.sections.iter().map(|(name, size)| (name.as_str(), *size)).collect();
    sections.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let of_symbols: u64 = sections.iter().filter(|(name, _)| is_symbols(name)).map(|(_, size)| size).sum();
    let largest = sections.iter().filter(|(name, _)| !is_symbols(name)).take(3);
    let largest = largest.map(|(name, size)| format!("{name} {}", thousands(*size)));
    let largest = largest.chain((of_symbols > 0).then(|| format!("symbols {}", thousands(of_symbols))));
    let what = format!(
        "{} bytes of {}: {}",
        thousands(inspection.size as u64),
        thousands(limits.component_bytes as u64),
        largest.collect::<Vec<_>>().join(", ")
    );
    if inspection.size > limits.component_bytes {
        return Finding::wrong("size", what, "build with --strip, and leave out large dependencies");
    }
    if of_symbols * 2 > inspection.size as u64 {
        return Finding::advice(
            "size",
            what,
            "more than half is symbols, which name source lines in traps; `build --strip` for publishing",
        );
    }
    Finding::good("size", what)
}

fn is_symbols(section: &str) -> bool {
    section.starts_with("custom: .debug") || section == "custom: name"
}

fn refused(error: &PricerError) -> Finding {
    let fix = match error {
        PricerError::Failed { .. } => "`describe` is called with nothing and must answer; it may not panic",
        PricerError::Infrastructure(_) => "this is the host's doing: try again",
        _ => "change what #[plugin(...)] declares, and build again",
    };
    Finding::wrong("descriptor", error.to_string(), fix)
}

fn describe(descriptor: &Descriptor, findings: &mut Vec<Finding>) {
    let Descriptor { name, version, units, lines, refusals, .. } = descriptor;
    let what = format!(
        "{name} {version}: {} units, {} lines, {} refusals",
        units.len(),
        lines.len(),
        refusals.len()
    );
    if lines.is_empty() {
        let fix =
            "declare what customers are charged for: line(FEE, code = \"fee\", title = ..., unit = ...)";
        findings.push(Finding::wrong("descriptor", format!("{what}; it can charge nothing"), fix));
        return;
    }
    findings.push(Finding::good("descriptor", what));
    let unread = units.iter().filter(|unit| lines.iter().all(|line| line.unit != unit.name));
    for unit in unread {
        findings.push(Finding::advice(
            "descriptor",
            format!("no line counts the unit {:?}", unit.name),
            "customers see it counted but never charged; drop it if nothing reads it",
        ));
    }
}

/// The settings that are given, or an example that the schema alone gives.
fn tried(settings: &[Tried], descriptor: &Descriptor) -> Vec<Tried> {
    if !settings.is_empty() {
        return settings
            .iter()
            .map(|tried| Tried { name: tried.name.clone(), settings: tried.settings.clone() })
            .collect();
    }
    let example = schema::example(&descriptor.settings_schema);
    example
        .map(|settings| Tried { name: "the schema's own example".to_owned(), settings })
        .into_iter()
        .collect()
}

/// What a batch without events takes: what every batch takes on top of its events.
fn empty_call(plugin: &Plugin, tried: &Tried, limits: &Limits, findings: &mut Vec<Finding>) {
    let trial = match plugin.with_settings(&tried.settings) {
        Ok(trial) => trial,
        Err(error) => {
            findings.push(not_accepted(tried, &error, plugin.descriptor()));
            return;
        }
    };
    match call_with_nothing(&trial) {
        Ok(calls) => findings.push(cost(&calls, tried, limits)),
        Err(error) => findings.push(Finding::wrong(
            "empty call",
            format!("{} with {}", error, tried.name),
            "a batch may be empty; answer it with empty lists",
        )),
    }
}

fn not_accepted(tried: &Tried, error: &TrialError, descriptor: &Descriptor) -> Finding {
    let TrialError::Settings(problems) = error else {
        let fix = "the plugin's `check` must answer for any settings that the schema allows";
        return Finding::wrong("settings", format!("{}: {error}", tried.name), fix);
    };
    let lines: Vec<String> = problems.iter().map(|problem| format!("{}: {problem}", tried.name)).collect();
    let any = |words: &str| problems.iter().any(|problem| problem.message.contains(words));
    let fix = if any("is not of type \"string\"") {
        "write decimals as strings, so that no float comes near money: \"0.25\"".to_owned()
    } else if any("not allowed") || any("is a required property") {
        format!("the plugin's settings are: {}", schema::names(&descriptor.settings_schema).join(", "))
    } else if any("are not JSON") {
        "write a JSON object, as in {\"price\": \"0.25\"}".to_owned()
    } else {
        "put the settings right at these places".to_owned()
    };
    Finding::wrong("settings", lines.join("\n"), fix)
}

fn call_with_nothing(trial: &Trial<'_>) -> Result<Vec<Call>, PricerError> {
    let plugin = trial.plugin();
    plugin.take_calls();
    let mut instance = plugin.sandbox().open(&plugin.digest(), trial.settings())?;
    let frame = tollgate_core::frame::Frame { strings: vec![String::new()], ..Default::default() };
    instance.meter(&frame)?;
    instance.rate(&frame, &tollgate_core::frame::Counted::default())?;
    Ok(plugin.take_calls())
}

fn cost(calls: &[Call], tried: &Tried, limits: &Limits) -> Finding {
    let worst = calls.iter().map(|call| call.fuel).max().unwrap_or(0);
    let memory = calls.iter().map(|call| call.memory_bytes).max().unwrap_or(0);
    let fuel = calls.iter().map(|call| format!("{} {}", call.function, thousands(call.fuel)));
    let what = format!(
        "{} fuel of {} each, {} KiB of {} ({})",
        fuel.collect::<Vec<_>>().join(", "),
        thousands(limits.call_fuel),
        memory >> 10,
        limits.memory_bytes >> 10,
        tried.name
    );
    if worst.saturating_mul(2) > limits.call_fuel {
        let fix = "more than half of the budget goes before the first event: settings are read once a batch, \
                   so make them shorter, or do less with them";
        return Finding::advice("empty call", what, fix);
    }
    Finding::good("empty call", what)
}
