//! One file a command; here each is chosen.

mod backup;
mod demo;
mod init;
mod ledger;
mod operate;
mod payment;
mod payout;
mod plugin;
mod providers;
mod rate;
mod reconcile;
mod refund;
mod serve;
mod statement;
mod wallet;

use std::io::Write as _;

use crate::arguments::{Arguments, Command, Ledger};

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
        Command::Wallet(command) => wallet::run(&command),
        Command::Payment(command) => payment::run(&command),
        Command::Refund(arguments) => refund::run(&arguments),
        Command::Payout(command) => payout::run(&command),
        Command::Providers(command) => providers::run(&command),
        Command::Reconcile(arguments) => reconcile::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Backup(arguments) => backup::backup(&arguments),
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Ledger(Ledger::Verify(arguments)) => ledger::verify(&arguments),
        Command::Plugin(command) => plugin::run(&command),
        Command::CompileComponent { output } => plugin::compile(&output),
    }
}

/// The present, in milliseconds since 1970.
fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Writes to standard output. A reader that has gone away, as in `| head`, is no error.
fn print(text: &str) -> anyhow::Result<()> {
    let written = std::io::stdout().lock().write_all(text.as_bytes());
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
