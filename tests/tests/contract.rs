//! Guests in every language keep the contract: each one that is present answers the vectors in `tests/contract`
//! through the real sandbox, digit for digit, whether its events come in one batch or one by one.
//!
//! The answers in the files are the Rust guest's; `TOLLGATE_BLESS=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

#[path = "contract/columns.rs"]
mod columns;
#[path = "contract/cost.rs"]
mod cost;
#[path = "contract/decimals.rs"]
mod decimals;
#[path = "contract/guests.rs"]
mod guests;
#[path = "contract/split.rs"]
mod split;
#[path = "contract/vectors.rs"]
mod vectors;

use guests::Guest;
use included_overage::IncludedOverage;
use tollgate_core::plugin::Digest;
use tollgate_core::pricer::Pricer;
use tollgate_sandbox::{Sandbox, SandboxConfig};
use tollgate_tests::native::NativePricer;
use tollgate_tests::tollgate::say;
use vectors::{MeteredText, RatedText, Vectors};

#[test]
fn the_vectors_are_what_the_rust_plugin_answers() {
    let native = NativePricer::<IncludedOverage>::new();
    let answered = |questions: Vectors| {
        let sandbox = sandbox();
        let compiled = sandbox.admit(&guests::rust().component).unwrap();
        let checked = questions.answered(&sandbox, &compiled);
        questions.answered(&native, &native.admit(&[]).unwrap()).with_checks_of(checked)
    };
    if std::env::var_os("TOLLGATE_BLESS").is_some() {
        answered(Vectors::read()).write();
        decimals::bless();
    }
    Vectors::read().compare(&answered(Vectors::read()), "Rust, natively");
    decimals::hold();
}

#[test]
fn the_rust_guest_answers_the_vectors() {
    answers_the_vectors(&guests::rust());
}

#[test]
fn the_python_guest_answers_the_vectors() {
    guests::python().iter().for_each(answers_the_vectors);
}

#[test]
fn the_javascript_guest_answers_the_vectors() {
    guests::javascript().iter().for_each(answers_the_vectors);
}

#[test]
fn the_javascript_guest_that_is_compiled_answers_the_vectors() {
    guests::javascript_aot().iter().for_each(answers_the_vectors);
}

#[test]
fn the_zig_guest_answers_the_vectors() {
    guests::zig().iter().for_each(answers_the_vectors);
}

/// What an author's own tests run: no WebAssembly, and the same vectors.
#[test]
fn the_python_sdk_and_example_pass_their_own_tests() {
    for folder in ["sdk/python/tests", "examples/included-overage/python"] {
        match guests::run(&mut guests::python_in(folder, &["-m", "unittest"])) {
            Some(tested) => assert!(tested.status.success(), "{folder}: {}", guests::words(&tested)),
            None => say("skipped: the Python SDK's own tests need python3"),
        }
    }
}

#[test]
fn the_javascript_sdk_and_example_pass_their_own_tests() {
    if !guests::has_node() {
        say(
            "skipped: the JavaScript SDK's own tests need Node (npm install, in examples/included-overage/js)",
        );
        return;
    }
    for (folder, file) in [
        ("sdk/js", "test/vectors.test.js"),
        ("sdk/js", "test/decimals.test.js"),
        ("examples/included-overage/js", "prices.test.js"),
    ] {
        let tested = guests::run(&mut guests::node_in(folder, &["--test", file])).unwrap();
        assert!(tested.status.success(), "{folder}: {}", guests::words(&tested));
    }
}

/// No test: it prints figures.
#[test]
#[ignore = "it measures, and needs a quiet machine"]
fn guests_cost() {
    let sandbox = sandbox();
    let guests = [Some(guests::rust()), guests::zig(), guests::javascript(), guests::python()];
    for guest in guests.iter().flatten() {
        let (plugin, _) = sandbox.admit(&guest.component).unwrap();
        cost::tell(&sandbox, &plugin, guest);
    }
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
