//! The cases under `fixtures/`, natively; `tollgate plugin test` runs the same ones in the sandbox.

use {{crate}}::{{Type}};

#[test]
fn every_fixture_costs_what_it_says() {
    tollgate_sdk::run_fixtures::<{{Type}}>(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
}
