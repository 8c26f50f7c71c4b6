//! Guests in every language keep the contract: each one that is present answers the vectors in `tests/contract`
//! through the real sandbox, digit for digit, whether its events come in one batch or one by one.
//!
//! The answers in the files are the Rust guest's; `TOLLGATE_BLESS=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

#[path = "contract/columns.rs"]
mod columns;
#[path = "contract/decimals.rs"]
mod decimals;
#[path = "contract/guests.rs"]
mod guests;
#[path = "contract/split.rs"]
mod split;
#[path = "contract/vectors.rs"]
mod vectors;

use guests::Guest;
use tollgate_core::plugin::Digest;
use tollgate_core::pricer::Pricer;
use tollgate_sandbox::{Sandbox, SandboxConfig};
use vectors::{MeteredText, RatedText, Vectors};

#[test]
fn the_rust_guest_answers_the_vectors() {
    if std::env::var_os("TOLLGATE_BLESS").is_some() {
        let sandbox = sandbox();
        let plugin = sandbox.admit(&guests::rust().component).unwrap();
        Vectors::read().answered(&sandbox, &plugin).write();
        decimals::bless();
    }
    answers_the_vectors(&guests::rust());
}

#[test]
fn decimals_are_what_the_vectors_say() {
    decimals::hold();
}

fn sandbox() -> Sandbox {
    let cache_directory = Some(guests::folder().join("code"));
    Sandbox::new(SandboxConfig { cache_directory, ..SandboxConfig::default() }).unwrap()
}

fn answers_the_vectors(guest: &Guest) {
    let sandbox = sandbox();
    let plugin = sandbox.admit(&guest.component).unwrap();
    let expected = Vectors::read();
    expected.compare(&expected.answered(&sandbox, &plugin), guest.name);
    one_by_one(&sandbox, &plugin.0, &expected, guest.name);
}

/// The same events, each in a batch of its own, in one instance.
fn one_by_one(sandbox: &Sandbox, plugin: &Digest, expected: &Vectors, guest: &str) {
    for case in &expected.meter {
        let (settings, frame) = (case.settings.to_string(), case.frame.to_frame());
        let mut run = sandbox.open(plugin, &settings).unwrap();
        let answers = (0..case.frame.rows as usize)
            .map(|row| MeteredText::of(&run.meter(&split::row(&frame, row)).unwrap()));
        let joined = split::joined_metered(answers);
        assert_eq!(Some(joined), case.metered, "{guest}: meter, one by one: {}", case.about);
    }
    for case in &expected.rate {
        let (settings, frame) = (case.settings.to_string(), case.frame.to_frame());
        let counted = case.counted.to_counted();
        let mut run = sandbox.open(plugin, &settings).unwrap();
        let answers = (0..case.frame.rows as usize).map(|row| {
            RatedText::of(&run.rate(&split::row(&frame, row), &split::counted(&counted, row)).unwrap())
        });
        let joined = split::joined_rated(answers);
        assert_eq!(Some(joined), case.rated, "{guest}: rate, one by one: {}", case.about);
    }
}
