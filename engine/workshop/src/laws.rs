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

use std::sync::Arc;

use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde::Deserialize;
use tollgate_core::event::Event;

use crate::trial::{Parents, Trial, TrialError};
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
    /// It does not hold either, which follows from another that does not.
    Follows(Law),
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
    let [first, _, pooled] = made::CUSTOMERS.map(str::to_owned);
    let trial = &trial.clone().with_parents(Parents::from([(pooled, first)]));
    let vocabulary = Vocabulary::of(trial, examples)?;
    let mut priced = (0, 0);
    let mut laws = Vec::new();
    for law in Law::ALL {
        let ruling = if let Some(reason) = exceptions.excuse(law) {
            Ruling::Excused(reason.to_owned())
        } else {
            let broken = match law {
                Law::LinearFuel => linear::examine(trial, &vocabulary, effort)?,
                _ => search(law, trial, &vocabulary, effort, &mut priced)?,
            };
            broken.map_or(Ruling::Holds, |violation| Ruling::Broken(Box::new(violation)))
        };
        laws.push((law, ruling));
    }
    tell_causes(&mut laws);
    let words = vocabulary.to_string();
    Ok(Rulings { laws, priced, words })
}

/// One mistake breaks several laws; the one that names the cause is told, and the others follow from it.
fn tell_causes(laws: &mut [(Law, Ruling)]) {
    let broken = |law: Law| {
        laws.iter().find_map(|(other, ruling)| match ruling {
            Ruling::Broken(violation) if *other == law => Some(violation),
            _ => None,
        })
    };
    // What a single event shows is remembered from call to call; what takes several may be about neighbours.
    let remembers = broken(Law::Repeatable).is_some_and(|violation| violation.events() == 1);
    let order = if remembers {
        [Law::Answers, Law::Repeatable, Law::Neighbours, Law::Splits, Law::Signs]
    } else {
        [Law::Answers, Law::Neighbours, Law::Splits, Law::Repeatable, Law::Signs]
    };
    let Some(cause) = order.into_iter().find(|law| broken(*law).is_some()) else { return };
    for (law, ruling) in laws.iter_mut() {
        let is_apart = *law == cause || *law == Law::LinearFuel;
        if !is_apart && matches!(ruling, Ruling::Broken(_)) {
            *ruling = Ruling::Follows(cause);
        }
    }
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

/// The most steps in which a case is made smaller.
const SMALLER_STEPS_MAX: u32 = 500;

/// Looks for a sequence that breaks the law, and makes it as small as it can.
fn search(
    law: Law,
    trial: &Trial<'_>,
    vocabulary: &Vocabulary,
    effort: Effort,
    priced: &mut (u64, u64),
) -> Result<Option<Violation>, TrialError> {
    let mut runner = runner(effort);
    if law == Law::MoreCostsNoLess {
        for case in made::at_numbers(vocabulary, &mut runner) {
            let broken = law.examine(trial, vocabulary, &case, priced)?;
            if broken.is_some() {
                return Ok(broken);
            }
        }
    }
    let cases = made::cases(vocabulary);
    for _ in 0..effort.trials {
        // A strategy that never rejects always has a value.
        let Ok(mut tree) = cases.new_tree(&mut runner) else { break };
        let Some(mut smallest) = law.examine(trial, vocabulary, &tree.current(), priced)? else { continue };
        let mut is_broken = true;
        for _ in 0..SMALLER_STEPS_MAX {
            if !(if is_broken { tree.simplify() } else { tree.complicate() }) {
                break;
            }
            let broken = law.examine(trial, vocabulary, &tree.current(), &mut (0, 0))?;
            is_broken = broken.is_some();
            if let Some(violation) = broken {
                smallest = violation;
            }
        }
        return Ok(Some(smallest));
    }
    Ok(None)
}

/// A runner that tries the same sequences each time.
fn runner(effort: Effort) -> TestRunner {
    let mut seed = [7; 32];
    for (byte, of_seed) in seed.iter_mut().zip(effort.seed.to_le_bytes()) {
        *byte = of_seed;
    }
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}
