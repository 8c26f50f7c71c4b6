//! `ledger verify`: the proof, line by line.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use indicatif::ProgressBar;
use tollgate_core::engine::Engine;
use tollgate_core::verify::{self, Check};

use crate::arguments::Data;
use crate::{exit, session};

/// Verifies the ledger of a database.
pub fn verify(arguments: &Data) -> anyhow::Result<u8> {
    let engine = session::open(&arguments.data)?;
    let checks = check(&engine)?;
    super::print(&in_words(&checks))?;
    Ok(if checks.iter().all(|check| check.violations == 0) { 0 } else { exit::BROKEN })
}

/// Goes through everything, with a progress bar on a terminal.
pub fn check(engine: &Engine) -> anyhow::Result<Vec<Check>> {
    let counts = engine.store().counts()?;
    let length = counts.rated.saturating_add(counts.held);
    let progress =
        if std::io::stderr().is_terminal() { ProgressBar::new(length) } else { ProgressBar::hidden() };
    let checks = verify::verify(engine, &mut |events| progress.set_position(events))?;
    progress.finish_and_clear();
    Ok(checks)
}

/// One line an invariant, with what was counted; below it what does not hold.
pub fn in_words(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        let verdict = if check.violations == 0 { "holds " } else { "BROKEN" };
        let _ = writeln!(text, "  {verdict}  {} ({})", check.invariant, check.counted);
        for told in &check.told {
            let _ = writeln!(text, "            {told}");
        }
        let untold = check.violations.saturating_sub(check.told.len() as u64);
        if untold > 0 {
            let _ = writeln!(text, "            and {untold} more");
        }
    }
    let broken = checks.iter().filter(|check| check.violations > 0).count();
    let verdict = if broken == 0 {
        format!("The ledger holds: {} invariants, none violated.\n", checks.len())
    } else {
        format!("The ledger is BROKEN: {broken} of {} invariants are violated.\n", checks.len())
    };
    text + &verdict
}
