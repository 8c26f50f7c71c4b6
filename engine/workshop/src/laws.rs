//! What must hold for every plugin, tried on events made up from its own words, with the smallest
//! counterexample when it does not.
//!
//! A law is about two runs of the same events that must agree. Events are made of the measures, columns and
//! attributes that make a difference to the plugin (`vocabulary.rs`, `made.rs`); `law.rs` says what is run and
//! compared, `linear.rs` measures fuel, `violation.rs` shows two runs side by side.

mod law;
mod linear;
mod made;
mod violation;
mod vocabulary;

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use serde::Deserialize;
use tollgate_core::event::Event;

use crate::trial::{Trial, TrialError};
use law::Case;
pub use law::Law;
pub use violation::Violation;
use vocabulary::Vocabulary;

/// How hard the laws are tried.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// How many sequences of events each law is tried on.
    pub trials: u32,
    /// Another number tries other sequences; the same one the same.
    pub seed: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { trials: 64, seed: 0 }
    }
}

/// `laws.json` beside a case's settings: which law these settings are not held to, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exceptions {
    /// Why more usage may lower the period's total under these settings, as when a volume price is reached.
    pub more_usage_may_cost_less: Option<String>,
}

impl Exceptions {
    fn excuse(&self, law: Law) -> Option<&str> {
        if law == Law::MoreCostsNoLess { self.more_usage_may_cost_less.as_deref() } else { None }
    }
}

/// What came of one law.
#[derive(Debug)]
pub enum Ruling {
    /// It held for every sequence that was tried.
    Holds,
    /// The settings declare that it need not hold, and why.
    Excused(String),
    /// It does not hold.
    Broken(Box<Violation>),
}

/// What came of all laws.
#[derive(Debug)]
pub struct Rulings {
    /// One for each law, in order.
    pub laws: Vec<(Law, Ruling)>,
    /// How many of the events that were made up could be priced, of how many.
    pub priced: (u64, u64),
    /// What the events were made of.
    pub words: String,
}

/// Tries every law on a plugin with settings. `examples` are events that the plugin is meant for.
///
/// # Errors
/// When the engine fails, which is not the plugin's doing.
pub fn try_all(
    trial: &Trial<'_>,
    examples: &[Arc<Event>],
    exceptions: &Exceptions,
    effort: Effort,
) -> Result<Rulings, TrialError> {
    let vocabulary = Vocabulary::of(trial, examples)?;
    let priced = (Cell::new(0), Cell::new(0));
    let mut laws = Vec::new();
    for law in Law::ALL {
        let ruling = match exceptions.excuse(law) {
            Some(reason) => Ruling::Excused(reason.to_owned()),
            None => {
                let broken = match law {
                    Law::LinearFuel => linear::examine(trial, &vocabulary, effort)?,
                    _ => search(law, trial, &vocabulary, effort, &priced)?,
                };
                broken.map_or(Ruling::Holds, |violation| Ruling::Broken(Box::new(violation)))
            }
        };
        laws.push((law, ruling));
    }
    let words = vocabulary.to_string();
    Ok(Rulings { laws, priced: (priced.0.get(), priced.1.get()), words })
}

/// The measures that make a difference to a plugin with settings, and the whole numbers in its settings.
///
/// # Errors
/// When the engine fails.
pub(crate) fn measures_and_numbers(
    trial: &Trial<'_>,
    examples: &[Arc<Event>],
) -> Result<(Vec<String>, Vec<u64>), TrialError> {
    let vocabulary = Vocabulary::of(trial, examples)?;
    Ok((vocabulary.measures, vocabulary.numbers.iter().map(|number| number / 1_000).collect()))
}

/// Looks for a sequence that breaks the law, and makes it as small as it can.
fn search(
    law: Law,
    trial: &Trial<'_>,
    vocabulary: &Vocabulary,
    effort: Effort,
    priced: &(Cell<u64>, Cell<u64>),
) -> Result<Option<Violation>, TrialError> {
    if law == Law::MoreCostsNoLess {
        for case in made::at_numbers(vocabulary, &mut runner(effort)) {
            let broken = law.examine(trial, vocabulary, &case, &|_| ())?;
            if broken.is_some() {
                return Ok(broken);
            }
        }
    }
    let failure = RefCell::new(None);
    let examined = runner(effort).run(&made::cases(vocabulary), |case: Case| {
        let counting = |run: &crate::trial::PeriodRun| {
            let rated = run.outcomes.iter().filter(|outcome| outcome.charge().is_some()).count();
            priced.0.set(priced.0.get() + rated as u64);
            priced.1.set(priced.1.get() + run.outcomes.len() as u64);
        };
        match law.examine(trial, vocabulary, &case, &counting) {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err(TestCaseError::fail(law.sentence())),
            Err(error) => {
                failure.borrow_mut().get_or_insert(error);
                Ok(())
            }
        }
    });
    if let Some(error) = failure.take() {
        return Err(error);
    }
    match examined {
        Err(TestError::Fail(_, smallest)) => law.examine(trial, vocabulary, &smallest, &|_| ()),
        _ => Ok(None),
    }
}

/// A runner that tries the same sequences each time.
fn runner(effort: Effort) -> TestRunner {
    let config = Config {
        cases: effort.trials,
        failure_persistence: None,
        max_shrink_iters: 1_000,
        ..Config::default()
    };
    let mut seed = [7; 32];
    for (byte, of_seed) in seed.iter_mut().zip(effort.seed.to_le_bytes()) {
        *byte = of_seed;
    }
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}
