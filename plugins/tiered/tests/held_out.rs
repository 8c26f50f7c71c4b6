//! `tiered` against the test suites of open billing engines: their numbers, typed again, with where they are.
//!
//! Where an engine's convention differs from the default, the case sets it; where one is wrong, the case says so.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // What cannot be is a failed test.

use tiered::Tiered;
use tollgate_sdk::prelude::*;

/// What a period with these quantities costs, its close included.
fn period(settings: &serde_json::Value, quantities: &[&str]) -> Decimal {
    let mut settings = settings.clone();
    settings["measures"] = json!(["units"]);
    let events = quantities.iter().map(|quantity| TestEvent::new().measure("units", quantity));
    TestBench::<Tiered>::new(&settings).unwrap().period(events).unwrap()
}

/// The total alone decides: at once, in two steps, and in steps of a tenth.
#[track_caller]
fn costs(settings: &serde_json::Value, total: &str, expected: &str) {
    let expected: Decimal = expected.parse().unwrap();
    assert_eq!(period(settings, &[total]), expected, "{total} at once");
    let total: Decimal = total.parse().unwrap();
    let tenth = total.times(decimal!("0.1")).unwrap();
    let rest = total.minus(tenth).unwrap().to_string();
    assert_eq!(period(settings, &[&rest, &tenth.to_string()]), expected, "{total} in two steps");
    assert_eq!(period(settings, &[tenth.to_string().as_str(); 10]), expected, "{total} in ten steps");
}

fn tiers(tiers: &[(Option<&str>, &str, &str)]) -> serde_json::Value {
    let tiers =
        tiers.iter().map(|(up_to, price, flat)| json!({ "up_to": up_to, "unit_price": price, "flat": flat }));
    json!({ "tiers": tiers.collect::<Vec<_>>() })
}

fn with(mut settings: serde_json::Value, more: &serde_json::Value) -> serde_json::Value {
    for (name, value) in more.as_object().unwrap() {
        settings[name] = value.clone();
    }
    settings
}

/// getlago/lago-api: `spec/services/charge_models/standard_service_spec.rb`, and
/// openmeterio/openmeter: `openmeter/billing/rating/service/rate/unit_test.go`
#[test]
fn per_unit() {
    costs(&tiers(&[(None, "5.12345", "0")]), "10", "51.2345");
    costs(&tiers(&[(None, "10", "0")]), "0", "0");
    costs(&tiers(&[(None, "100", "0")]), "10", "1000");
    // meteroid-oss/meteroid: `modules/meteroid/crates/meteroid-store/src/services/invoice_lines/fees.rs`
    costs(&tiers(&[(None, "0.001", "0")]), "100", "0.10");
}

/// getlago/lago-api: `spec/services/charge_models/graduated_service_spec.rb`
#[test]
fn graduated_as_in_lago() {
    let settings = with(
        tiers(&[(Some("10"), "10", "2"), (Some("20"), "5", "3"), (None, "5", "3")]),
        &json!({ "flat_at_zero": true }),
    );
    for (total, expected) in
        [("0", "2"), ("1", "12"), ("10", "102"), ("11", "110"), ("12", "115"), ("21", "163")]
    {
        costs(&settings, total, expected);
    }
    let nothing_at_first = with(
        tiers(&[(Some("0.01"), "0", "0"), (Some("10"), "10", "2"), (None, "5", "3")]),
        &json!({ "flat_at_zero": true }),
    );
    costs(&nothing_at_first, "0", "0");
    let decimal = tiers(&[(Some("0.1"), "10", "0"), (Some("1"), "5", "0"), (None, "2", "0")]);
    costs(&decimal, "0.05", "0.5");
    costs(&decimal, "0.5", "3");
}

/// openmeterio/openmeter: `openmeter/billing/rating/service/rate/tieredgraduated_test.go`
#[test]
fn graduated_as_in_openmeter() {
    let priced =
        tiers(&[(Some("5"), "0", "100"), (Some("10"), "0", "50"), (Some("15"), "5", "0"), (None, "1", "0")]);
    costs(&priced, "22", "182");
    costs(&with(priced.clone(), &json!({ "period": { "cap": "170" } })), "22", "170");
    costs(&with(priced.clone(), &json!({ "period": { "minimum": "1000" } })), "2", "1000");
    let zero = json!({ "period": { "minimum": "1000" }, "flat_at_zero": true });
    costs(&with(priced, &zero), "0", "1000");
    let totals = with(
        tiers(&[(Some("5"), "0", "100"), (Some("10"), "0", "50"), (Some("15"), "10", "0"), (None, "5", "0")]),
        &json!({ "flat_at_zero": true }),
    );
    for (total, expected) in [
        ("0", "100"),
        ("3", "100"),
        ("5", "100"),
        ("5.001", "150"),
        ("7", "150"),
        ("12", "170"),
        ("22", "235"),
    ] {
        costs(&totals, total, expected);
    }
}

/// getlago/lago-api: `spec/services/charge_models/graduated_percentage_service_spec.rb`
#[test]
fn graduated_percentage_as_in_lago() {
    let settings = with(
        tiers(&[(Some("10"), "0.01", "200"), (Some("20"), "0.02", "300"), (None, "0.03", "400")]),
        &json!({ "flat_at_zero": true }),
    );
    for (total, expected) in
        [("0", "200"), ("1", "200.01"), ("10", "200.1"), ("11", "500.12"), ("12", "500.14"), ("21", "900.33")]
    {
        costs(&settings, total, expected);
    }
}

/// getlago/lago-api: `spec/services/charge_models/volume_service_spec.rb`
#[test]
fn volume_as_in_lago() {
    let settings = with(
        tiers(&[(Some("100"), "2", "10"), (Some("200"), "1", "0"), (None, "0.5", "50")]),
        &json!({ "mode": "volume", "flat_at_zero": true }),
    );
    for (total, expected) in [
        ("0", "10"),
        ("1", "12"),
        ("100", "210"),
        // Between the integers of two tiers: it belongs to the second, and never costs nothing.
        ("100.5", "100.5"),
        ("101", "101"),
        ("200", "200"),
        ("300", "200"),
        ("210", "155"),
    ] {
        costs(&settings, total, expected);
    }
}

/// openmeterio/openmeter: `openmeter/billing/rating/service/rate/tieredvolume_test.go`
#[test]
fn volume_as_in_openmeter() {
    let priced = tiers(&[
        (Some("5"), "0", "100"),
        (Some("10"), "0", "150"),
        (Some("15"), "10", "0"),
        (None, "5", "0"),
    ]);
    let volume = with(priced, &json!({ "mode": "volume", "flat_at_zero": true }));
    for (total, expected) in
        [("0", "100"), ("3", "100"), ("5", "100"), ("14", "140"), ("15", "150"), ("16", "80"), ("100", "500")]
    {
        costs(&volume, total, expected);
    }
    for (minimum, total, expected) in
        [("150", "0", "150"), ("100", "100", "500"), ("150", "5", "150"), ("100", "5", "100")]
    {
        costs(&with(volume.clone(), &json!({ "period": { "minimum": minimum } })), total, expected);
    }
    for (cap, total, expected) in [("100", "5", "100"), ("125", "7", "125")] {
        costs(&with(volume.clone(), &json!({ "period": { "cap": cap } })), total, expected);
    }
    let per_unit = with(tiers(&[(None, "5", "0")]), &json!({ "mode": "volume", "flat_at_zero": true }));
    costs(&per_unit, "0", "0");
}

/// meteroid-oss/meteroid: `modules/meteroid/crates/meteroid-store/src/services/invoice_lines/fees.rs`
#[test]
fn tiers_as_in_meteroid() {
    let steps = [(Some("100"), "1.0", "0"), (Some("200"), "0.5", "0"), (None, "0.25", "0")];
    let graduated = with(tiers(&steps), &json!({ "bounds": "exclusive" }));
    costs(&graduated, "150", "125");
    let volume = with(graduated, &json!({ "mode": "volume" }));
    costs(&volume, "150", "75");
    costs(&tiers(&[(None, "1.0", "10")]), "5", "15");
    costs(&with(tiers(&[(None, "1.0", "0")]), &json!({ "period": { "cap": "3" } })), "5", "3");
    // There, a tier ends one unit below the next (`first_unit - 1`): 99.5 units fall between and cost nothing.
    costs(&volume, "99.5", "99.5");
    costs(&volume, "99", "99");
    costs(&volume, "100", "50");
}

fn packages(size: &str, price: &str, more: &serde_json::Value) -> serde_json::Value {
    let tiers = json!({ "tiers": [{ "up_to": null, "package": size, "unit_price": price }] });
    with(tiers, more)
}

/// getlago/lago-api: `spec/services/charge_models/package_service_spec.rb`
#[test]
fn packages_as_in_lago() {
    costs(&packages("10", "100", &json!({})), "121", "1300");
    let free = |units: &str| json!({ "tiers": [{ "up_to": units }, { "up_to": null, "package": "10", "unit_price": "100" }] });
    costs(&free("10"), "121", "1200");
    costs(&free("200"), "121", "0");
}

/// openmeterio/openmeter: `openmeter/billing/rating/service/rate/package_test.go`; meteroid: `fees.rs`
#[test]
fn packages_as_in_openmeter_and_meteroid() {
    let none = json!({});
    for (total, expected) in [("0", "0"), ("5", "15"), ("10", "15"), ("17", "30"), ("22", "45"), ("60", "90")]
    {
        costs(&packages("10", "15", &none), total, expected);
    }
    costs(&packages("10", "15", &json!({ "period": { "minimum": "100" } })), "0", "100");
    costs(&packages("10", "15", &json!({ "period": { "cap": "100" } })), "10", "15");
    costs(&packages("10", "15", &json!({ "period": { "cap": "100" } })), "110", "100");
    costs(&packages("20", "5", &none), "45", "15");
}

/// openmeterio/openmeter: `unit_test.go`: a cap across two invoices of a period, 7 units and then 5.
#[test]
fn a_cap_is_reached_event_by_event() {
    let settings =
        json!({ "measures": ["units"], "tiers": [{ "unit_price": "10" }], "period": { "cap": "100" } });
    let mut bench = TestBench::<Tiered>::new(settings).unwrap();
    for (quantity, expected) in [("7", "tiered: 7 = 70"), ("5", "tiered: 5 = 30"), ("1", "tiered: 1 = 0")] {
        let priced = bench.event(TestEvent::new().measure("units", quantity)).unwrap();
        assert_eq!(priced.to_string(), expected);
    }
}

/// openmeterio/openmeter: `openmeter/billing/rating/service/rate/unitconfig_rating_test.go`: thousands, rounded up.
#[test]
fn whole_units_as_in_openmeter() {
    let thousands = json!({ "divide_by": "1000", "fractions": "up" });
    costs(&with(tiers(&[(None, "10", "0")]), &thousands), "1400", "20");
    costs(&with(tiers(&[(Some("5"), "1", "0"), (None, "0.5", "0")]), &thousands), "7400", "6.5");
    // Billed in two parts, 1400 and then 1300, each is rounded up there: 20 and 20. A period here is 2700 units
    // however it is split, and three thousands are begun: 20 and then 10.
    assert_eq!(period(&with(tiers(&[(None, "10", "0")]), &thousands), &["1400", "1300"]), decimal!("30"));
}

/// getlago/lago-api: `spec/services/charge_models/grouped_service_spec.rb`: 10 units on one cloud, 20 on another.
#[test]
fn groups_as_in_lago() {
    let settings =
        with(tiers(&[(None, "5.12345", "0")]), &json!({ "measures": ["units"], "group": "attribute:cloud" }));
    let mut bench = TestBench::<Tiered>::new(settings).unwrap();
    for (cloud, units, expected) in [("aws", "10", "51.23450"), ("gcp", "20", "102.46900")] {
        let event = TestEvent::new().attribute("cloud", cloud).measure("units", units);
        let priced = bench.event(event).unwrap();
        assert_eq!(priced.to_string(), format!("tiered: {units} = {expected}"));
        assert_eq!(priced.usage[0].group, cloud);
    }
}

/// killbill/killbill: `invoice/src/test/java/org/killbill/billing/invoice/usage/TestContiguousIntervalConsumableInArrear.java`
///
/// There a tier is a block of so many units, its price, and how many blocks it holds.
#[test]
fn blocks_as_in_kill_bill() {
    let blocks = |mode: &str, tiers: &[(Option<&str>, &str, &str)]| {
        let tiers = tiers.iter().map(
            |(up_to, package, price)| json!({ "up_to": up_to, "package": package, "unit_price": price }),
        );
        json!({ "mode": mode, "tiers": tiers.collect::<Vec<_>>() })
    };
    // testComputeBilledUsageSizeOneWith_ALL_TIERS: 15 + 100 + 0.5
    let ones = [(Some("10"), "1", "1.5"), (Some("110"), "1", "1.0"), (None, "1", "0.5")];
    costs(&blocks("graduated", &ones), "111", "115.5");
    // testComputeBilledUsageWith_ALL_TIERS and …WithUnlimitedMaxWith_ALL_TIERS: 10 + 5
    let growing = [(Some("1000"), "100", "1"), (None, "1000", "1")];
    costs(&blocks("graduated", &growing), "5325", "15");
    // testComputeBilledUsageWith_TOP_TIER
    let top = [(Some("1000"), "100", "1"), (Some("101000"), "1000", "1"), (None, "1000", "0.5")];
    for (total, expected) in [("1000", "10"), ("101000", "101"), ("101001", "51.0"), ("300000", "150.0")] {
        costs(&blocks("volume", &top), total, expected);
    }
    // testComputeBilledUsageWithUnlimitedMaxWith_TOP_TIER
    costs(&blocks("volume", &[(Some("1000"), "100", "10"), (None, "100", "1")]), "2000", "20");
    // testComputeBilledUsageSizeOneWith_TOP_TIER
    costs(&blocks("volume", &ones), "111", "55.5");
    // testComputeMissingItems: 130 and 271 units a month, then 199, in blocks of 100
    costs(&blocks("graduated", &[(None, "100", "1")]), "401", "5");
    costs(&blocks("graduated", &[(None, "100", "1")]), "199", "2");
}

/// getlago/lago-api: `spec/services/commitments/minimum/calculate_true_up_fee_service_spec.rb` (650 cents
/// charged, 9,350 missing) and `spec/services/fees/create_true_up_service_spec.rb`
#[test]
fn minimum_commitments_as_in_lago() {
    let committed = |minimum: &str| {
        let period = json!({ "fee": "2", "minimum": minimum });
        with(tiers(&[(None, "1", "0")]), &json!({ "period": period }))
    };
    // The subscription's 2.00 and charges of 3.00 and 1.50 count: 93.50 are missing.
    assert_eq!(period(&committed("100"), &["3", "1.5"]), decimal!("100"));
    assert_eq!(period(&committed("2"), &["3", "1.5"]), decimal!("6.5"));
    let charge = with(tiers(&[(None, "1", "0")]), &json!({ "period": { "minimum": "10" } }));
    assert_eq!(period(&charge, &["7"]), decimal!("10"));
    assert_eq!(period(&charge, &["15"]), decimal!("15"));
}
