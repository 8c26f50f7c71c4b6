//! The cases under `fixtures/`, natively; `tollgate plugin test` runs the same ones in the sandbox.

use desk::Desk;

#[test]
fn every_fixture_costs_what_it_says() {
    tollgate_sdk::run_fixtures::<Desk>(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
}
