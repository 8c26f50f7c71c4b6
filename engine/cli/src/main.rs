//! The `tollgate` program: the only place that composes the engine, the sandbox, a store, the server and the workshop.

mod arguments;
mod bundled;
mod commands;
mod definitions;
mod exit;
mod ingest;
mod report;
mod session;
mod settings;
mod table;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    exit::code_of(commands::run(arguments::Arguments::parse()))
}
