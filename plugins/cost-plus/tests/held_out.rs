//! `cost-plus` with the app's own prices, against other engines' test suites, their numbers typed again.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // What cannot be is a failed test.

use cost_plus::CostPlus;
use tollgate_sdk::prelude::*;

/// What a period with these prices costs.
fn costs(settings: serde_json::Value, prices: &[&str]) -> Decimal {
    let mut settings = settings;
    settings["cost"] = json!("price");
    let events = prices.iter().map(|price| TestEvent::new().measure("price", price));
    TestBench::<CostPlus>::new(&settings).unwrap().period(events).unwrap()
}

/// getlago/lago-api: `spec/services/charge_models/dynamic_service_spec.rb` and `grouped_service_spec.rb`, in cents there.
#[test]
fn dynamic_as_in_lago() {
    assert_eq!(costs(json!({}), &["0.202", "0.2"]), decimal!("0.402"));
    assert_eq!(costs(json!({}), &["0.12", "0.09"]), decimal!("0.21"));
    assert_eq!(costs(json!({ "unpriced": "free" }), &["0"]), Decimal::ZERO);
}

/// openmeterio/openmeter: `openmeter/billing/rating/service/rate/dynamic_test.go`. Sums are rounded to cents there, and
/// to nine places here: 13.3333 is billed as 13.33, 160 after a cap of 100 as 100.
#[test]
fn dynamic_as_in_openmeter() {
    let multiplied = |period: serde_json::Value| json!({ "margin": "0.33333", "period": period });
    assert_eq!(costs(multiplied(json!({})), &["10"]).rounded(2), decimal!("13.33"));
    assert_eq!(costs(multiplied(json!({ "cap": "100" })), &["10"]).rounded(2), decimal!("13.33"));
    assert_eq!(costs(multiplied(json!({})), &["70", "50"]).rounded(2), decimal!("160.00"));
    assert_eq!(costs(multiplied(json!({ "cap": "100" })), &["70", "50"]), decimal!("100"));
    assert_eq!(costs(multiplied(json!({ "minimum": "100" })), &[]), decimal!("100"));
}
