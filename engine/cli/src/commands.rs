//! One file a command; here each is chosen.

mod backup;
mod demo;
mod init;
mod ledger;
mod operate;
mod plugin;
mod rate;
mod serve;
mod statement;

use std::io::Write as _;

use crate::arguments::{Arguments, Command, Ledger, Plugin};

/// Runs a command; gives back the exit code.
pub fn run(arguments: Arguments) -> anyhow::Result<u8> {
    match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Rate(arguments) => rate::rate(&arguments),
        Command::Record(arguments) => rate::record(&arguments),
        Command::Define(arguments) => operate::define(&arguments),
        Command::Held(arguments) => operate::held(&arguments),
        Command::Close(arguments) => operate::close(&arguments),
        Command::Statement(arguments) => statement::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Backup(arguments) => backup::backup(&arguments),
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Ledger(Ledger::Verify(arguments)) => ledger::verify(&arguments),
        Command::Plugin(Plugin::Build { directory, output }) => plugin::build(&directory, output),
        Command::Plugin(Plugin::Inspect { plugin }) => plugin::inspect(&plugin),
        Command::CompileComponent { output } => plugin::compile(&output),
    }
}

/// Writes to standard output. A reader that has gone away, as in `| head`, is no error.
fn print(text: &str) -> anyhow::Result<()> {
    let written = std::io::stdout().lock().write_all(text.as_bytes());
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
