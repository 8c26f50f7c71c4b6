//! The arguments of `tollgate plugin`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Format, PluginKeygen, PluginPublish, PluginPull};

/// What the author of a plugin does, in this order.
#[derive(Subcommand)]
pub enum Plugin {
    /// Write a new plugin project that tests, builds and prices as it is
    New(PluginNew),
    /// Build a plugin project (Rust, JavaScript or Python) into a component, ready to use
    Build(PluginBuild),
    /// Check a component: contract, imports, sizes, descriptor, settings, what an empty call takes
    Check(PluginCheck),
    /// Price events and show usage, lines, fuel and memory of each
    Run(PluginRun),
    /// Run the fixtures in the sandbox, and try the laws on events made up from the plugin's own words
    Test(PluginTest),
    /// Draw what a customer would pay over usage: tier edges, cliffs, several settings or versions
    Plot(PluginPlot),
    /// Measure time, fuel and memory of events at several batch sizes
    Bench(PluginBench),
    /// Watch a plugin's folder: build and test again whenever something changes
    Dev(PluginDev),
    /// Make a key to sign plugins with
    Keygen(PluginKeygen),
    /// Check a plugin, sign it, and send it to a server or an OCI registry
    Publish(PluginPublish),
    /// Get a component from an OCI registry
    Pull(PluginPull),
    /// Show what a component is: digest, contract, imports, sizes, units, lines, settings
    Inspect {
        /// A component file, or the name of a bundled plugin
        #[arg(value_name = "FILE.wasm|NAME")]
        plugin: String,
    },
}

#[derive(Args)]
pub struct PluginNew {
    /// The plugin's name: lower-case letters, digits and hyphens
    pub name: String,
    /// The language it is written in
    #[arg(long, value_enum, default_value_t = Lang::Rust)]
    pub lang: Lang,
    /// What it starts from
    #[arg(long, value_enum, default_value_t = Template::PerUnit)]
    pub template: Template,
    /// Where to write it (default: a folder of the plugin's name)
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// Rust: a component of some 100 KB; the fastest
    Rust,
    /// JavaScript or TypeScript: Node builds it; 12 MB, an engine with the plugin in it
    Js,
    /// Python: componentize-py builds it; 18 MB, an interpreter with the plugin in it
    Python,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// Each unit beyond the included ones has a price
    PerUnit,
    /// The price of a unit depends on how many were used in the period
    Tiered,
    /// Each distinct thing is charged once, however many events it takes
    Distinct,
}

#[derive(Args)]
pub struct PluginBuild {
    /// The project's directory: of a Cargo.toml, a package.json or a pyproject.toml
    #[arg(default_value = ".", value_name = "DIR")]
    pub directory: PathBuf,
    /// Where to write the component (default: in `target` or `build` of the project)
    #[arg(long, value_name = "FILE.wasm")]
    pub output: Option<PathBuf>,
    /// Leave out symbols of Rust: smaller by far, but a trap then names no source line
    #[arg(long)]
    pub strip: bool,
}

/// Which plugin: what is in a folder is built first.
#[derive(Args, Clone)]
pub struct Target {
    /// A project's directory, a component file, or the name of a bundled plugin
    #[arg(default_value = ".", value_name = "DIR|FILE.wasm|NAME")]
    pub plugin: String,
}

#[derive(Args)]
pub struct PluginCheck {
    #[command(flatten)]
    pub target: Target,
    /// Settings to make an empty call with (default: those of the fixtures)
    #[arg(long, value_name = "FILE.json")]
    pub settings: Vec<PathBuf>,
}

#[derive(Args)]
pub struct PluginRun {
    #[command(flatten)]
    pub target: Target,
    /// The tariff's settings (default: those of the first fixture)
    #[arg(long, value_name = "FILE.json")]
    pub settings: Option<PathBuf>,
    /// `CloudEvents`, one JSON object a line (default: those of the first fixture)
    #[arg(long, value_name = "FILE.ndjson")]
    pub events: Option<PathBuf>,
    /// What models cost the network; without it, what each event reports, or nothing
    #[arg(long, value_name = "FILE.json")]
    pub prices: Option<PathBuf>,
    /// How many events are priced together; with more than 1, fuel is shared out among them
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4_000))]
    pub batch: u32,
    /// Close the period in the end, and show what that charges
    #[arg(long)]
    pub close: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

#[derive(Args, Clone)]
pub struct PluginTest {
    /// The plugin's folder, with its `fixtures`
    #[arg(default_value = ".", value_name = "DIR")]
    pub directory: PathBuf,
    /// Test this component instead of building the project
    #[arg(long, value_name = "FILE.wasm|NAME")]
    pub component: Option<String>,
    /// Write what is charged now into expected.json, and the fuel into fuel.json; read what changed
    #[arg(long)]
    pub bless: bool,
    /// On how many made-up sequences each law is tried; 0 for none
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub trials: u32,
    /// Other numbers try other sequences
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

#[derive(Args)]
pub struct PluginBench {
    #[command(flatten)]
    pub target: Target,
    /// The tariff's settings (default: those of the first fixture)
    #[arg(long, value_name = "FILE.json")]
    pub settings: Option<PathBuf>,
    /// Events to price over and over (default: those of the first fixture)
    #[arg(long, value_name = "FILE.ndjson")]
    pub events: Option<PathBuf>,
    /// Fail when an event burns more fuel in batches of 1,000
    #[arg(long, value_name = "FUEL")]
    pub fuel_max: Option<u64>,
    /// Fail when the median event takes longer in batches of 1,000
    #[arg(long, value_name = "NS")]
    pub ns_max: Option<u64>,
}

#[derive(Args)]
pub struct PluginPlot {
    /// The plugin: a project's directory, a component file, or the name of a bundled plugin; two or more for
    /// two versions
    #[arg(default_value = ".", value_name = "DIR|FILE.wasm|NAME")]
    pub plugins: Vec<String>,
    /// The tariff's settings; several are drawn over each other (default: those of the first fixture)
    #[arg(long, value_name = "FILE.json")]
    pub settings: Vec<PathBuf>,
    /// What is used more and more: a measure, or `events` (default: the first measure that makes a difference)
    #[arg(long, value_name = "MEASURE")]
    pub over: Option<String>,
    /// How far (default: past the largest number in the settings)
    #[arg(long, value_name = "UNITS")]
    pub up_to: Option<u64>,
    /// How much of the measure each event brings (default: one event brings all)
    #[arg(long, value_name = "UNITS")]
    pub per_event: Option<u64>,
    /// An event like those that are priced (default: the first of the first fixture)
    #[arg(long, value_name = "FILE.json")]
    pub event: Option<PathBuf>,
    /// What models cost the network, and in which currency; without it, what the event reports, or nothing, and USD
    #[arg(long, value_name = "FILE.json")]
    pub prices: Option<PathBuf>,
    /// Write the drawing as SVG
    #[arg(long, value_name = "FILE.svg")]
    pub svg: Option<PathBuf>,
    /// Write the drawing as PNG
    #[arg(long, value_name = "FILE.png")]
    pub png: Option<PathBuf>,
}

#[derive(Args)]
pub struct PluginDev {
    #[command(flatten)]
    pub test: PluginTest,
}
