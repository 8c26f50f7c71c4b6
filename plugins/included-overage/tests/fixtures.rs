//! The cases under `fixtures/`: events, and what they cost. The examples of the documentation are among them.

use included_overage::IncludedOverage;

#[test]
fn every_fixture_costs_what_it_says() {
    tollgate_sdk::run_fixtures::<IncludedOverage>(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
}
