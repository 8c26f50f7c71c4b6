//! What must hold for any tiers: nothing falls through, more never costs less, and no split of the same units costs
//! something else.
#![allow(clippy::unwrap_used)] // What cannot be is a failed test.

use proptest::prelude::*;
use tiered::Tiered;
use tollgate_sdk::prelude::{Decimal, TestBench, TestEvent, json};

/// Thousandths, as a decimal text.
fn thousandths(number: u32) -> String {
    format!("{}.{:03}", number / 1000, number % 1000)
}

/// Bounds and prices in thousandths, all above zero; some tiers sell packages.
fn tiers() -> impl Strategy<Value = serde_json::Value> {
    let tier = (1..40_000_u32, 1..5_000_u32, 0..3_000_u32, prop::option::weighted(0.3, 1..9_000_u32));
    prop::collection::vec(tier, 1..5).prop_map(|tiers| {
        let count = tiers.len();
        let mut floor = 0;
        let tiers = tiers.into_iter().enumerate().map(|(place, (size, price, flat, package))| {
            floor += size;
            let up_to = (place + 1 < count).then(|| thousandths(floor));
            json!({ "up_to": up_to, "unit_price": thousandths(price), "flat": thousandths(flat),
                "package": package.map(thousandths) })
        });
        json!(tiers.collect::<Vec<_>>())
    })
}

fn settings() -> impl Strategy<Value = serde_json::Value> {
    let words = (
        prop::sample::select(vec!["graduated", "volume"]),
        prop::sample::select(vec!["inclusive", "exclusive"]),
        prop::sample::select(vec!["exact", "up"]),
    );
    (tiers(), words).prop_map(|(tiers, (mode, bounds, fractions))| {
        json!({ "measures": ["units"], "tiers": tiers, "mode": mode, "bounds": bounds, "fractions": fractions })
    })
}

fn period(settings: &serde_json::Value, quantities: &[u32]) -> Decimal {
    let events = quantities.iter().map(|number| TestEvent::new().measure("units", &thousandths(*number)));
    TestBench::<Tiered>::new(settings).unwrap().period(events).unwrap()
}

proptest! {
    #[test]
    fn a_period_costs_the_same_however_its_units_are_split(
        settings in settings(), quantities in prop::collection::vec(0..30_000_u32, 1..8),
    ) {
        prop_assert_eq!(period(&settings, &quantities), period(&settings, &[quantities.iter().sum()]));
    }

    #[test]
    fn nothing_falls_between_two_tiers(settings in settings(), total in 1..150_000_u32) {
        prop_assert!(period(&settings, &[total]) > Decimal::ZERO);
    }

    #[test]
    fn more_units_never_cost_less_when_graduated(
        mut settings in settings(), total in 0..150_000_u32, more in 0..20_000_u32,
    ) {
        settings["mode"] = json!("graduated");
        prop_assert!(period(&settings, &[total]) <= period(&settings, &[total + more]));
    }
}
