//! `plugin`: what its author does, and the child that compiles. One file for each of the larger commands.

mod author;
mod bench;
mod dev;
mod inspect;
mod new;
mod plot;
mod publish;
mod target;
mod test;

use std::path::Path;

use tollgate_sandbox::{Limits, compile_in_child};
use tollgate_workshop::BuildOptions;

use crate::arguments::{Plugin, PluginBuild};

/// Runs one of the commands; gives back the exit code.
pub fn run(command: &Plugin) -> anyhow::Result<u8> {
    match command {
        Plugin::New(arguments) => new::run(arguments),
        Plugin::Build(arguments) => build(arguments),
        Plugin::Check(arguments) => author::check(arguments),
        Plugin::Run(arguments) => author::run(arguments),
        Plugin::Test(arguments) => test::run(arguments),
        Plugin::Plot(arguments) => plot::run(arguments),
        Plugin::Bench(arguments) => bench::run(arguments),
        Plugin::Dev(arguments) => dev::run(arguments),
        Plugin::Keygen(arguments) => publish::keygen(arguments),
        Plugin::Publish(arguments) => publish::publish(arguments),
        Plugin::Pull(arguments) => publish::pull(arguments),
        Plugin::Inspect { plugin } => inspect::run(plugin),
    }
}

/// Builds a plugin project.
fn build(arguments: &PluginBuild) -> anyhow::Result<u8> {
    let PluginBuild { directory, output, strip } = arguments;
    let options = BuildOptions {
        output: output.clone(),
        without_symbols: *strip,
        show_progress: true,
        ..BuildOptions::default()
    };
    let built = tollgate_workshop::build(directory, &options)?;
    super::print(&format!(
        "{} {}: {} ({} bytes)\n  sha256:{}\n",
        built.name,
        built.version,
        built.path.display(),
        built.size,
        built.sha256
    ))?;
    Ok(0)
}

/// Compiles standard input in this process, which ends afterwards.
pub fn compile(output: &Path) -> anyhow::Result<u8> {
    compile_in_child(output, &Limits::default()).map_err(anyhow::Error::msg)?;
    Ok(0)
}
