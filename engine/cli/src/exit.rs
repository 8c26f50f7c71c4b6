//! Exit codes, and the one place where an error becomes words on standard error.

use std::process::ExitCode;

use tollgate_core::engine::EngineError;

/// Something went wrong on the way: a file, the database, the sandbox.
pub const FAILED: u8 = 1;
/// An input was refused before anything was done: definitions, settings, price book, plugin, a movement of
/// money that cannot be.
/// (2 is what a wrong command line gives.)
pub const REFUSED: u8 = 3;
/// With `--strict`: everything was done, but some events were held, invalid or in conflict.
pub const PROBLEMS: u8 = 4;
/// `ledger verify` found an invariant that does not hold.
pub const BROKEN: u8 = 5;
/// `reconcile` found differences.
pub const DIFFERENT: u8 = 6;

/// `plugin check`, `test`, `bench`, `run` or `publish` found something wrong with the plugin.
pub const UNFIT: u8 = 7;

/// The table of exit codes, as `--help` shows it.
pub const TABLE: &str = "\
Exit codes:
  0  done
  1  something went wrong on the way: a file, the database, the sandbox
  2  the command line is wrong
  3  an input was refused before anything was done: definitions, settings, price book, plugin,
     a movement of money that cannot be
  4  with --strict: done, but some events were held, invalid or in conflict
  5  ledger verify found an invariant that does not hold
  6  reconcile found differences
  7  plugin check, test, bench, run or publish found something wrong with the plugin";

/// An error that ends with [`REFUSED`] instead of [`FAILED`].
#[derive(Debug)]
pub struct Refused;

impl std::fmt::Display for Refused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("nothing was done")
    }
}

impl std::error::Error for Refused {}

/// How a command ended, as the exit code.
pub fn code_of(result: anyhow::Result<u8>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("tollgate: {}", story(&error));
            ExitCode::from(if is_refused(&error) { REFUSED } else { FAILED })
        }
    }
}

/// Whether nothing was done because the core, or this program, refused what it was asked.
fn is_refused(error: &anyhow::Error) -> bool {
    let refusal = error.downcast_ref::<EngineError>();
    error.is::<Refused>() || matches!(refusal, Some(EngineError::Money(_)))
}

/// The chain of causes on one line, without the marker that only chooses the code.
fn story(error: &anyhow::Error) -> String {
    let causes = error.chain().filter(|cause| !cause.is::<Refused>()).map(ToString::to_string);
    causes.collect::<Vec<_>>().join(": ")
}
