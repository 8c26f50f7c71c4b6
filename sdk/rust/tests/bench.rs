//! What the SDK promises an author, seen through a plugin that uses all of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // What cannot be is a failed test.

use tollgate_sdk::{Aggregation, LineKind, native, prelude::*};

/// What a tariff sets.
#[settings]
pub struct Settings {
    /// What a gigabyte costs.
    price: Decimal,
    /// The column to count by.
    #[allow(dead_code)] // Read by the host alone, through the pointer `/by`.
    by: String,
    /// What a customer pays at least.
    #[serde(default)]
    minimum: Decimal,
}

/// Charges for everything
/// at once. And this is no longer the summary.
#[plugin(
    unit(SEAT, name = "seat", aggregation = max, pooled),
    unit(TRAFFIC, name = "gigabyte", aggregation = sum, group_by = ["feature", "/by"]),
    unit(VISITOR, name = "visitor", aggregation = distinct),
    line(TRAFFIC_LINE, code = "traffic", title = "Traffic", unit = "gigabyte"),
    line(MINIMUM, code = "minimum", title = "Up to the minimum", unit = "seat", kind = adjustment),
    refusal(CROWDED, code = "crowded", title = "Too many visitors")
)]
impl Pricing for Everything {
    type Settings = Settings;

    fn check(settings: &Settings, problems: &mut Problems) {
        problems.refuse_negative("/price", settings.price);
    }

    fn meter(_: &Settings, event: &Event, usage: &mut Usage) -> Outcome {
        usage.add(SEAT, event.measure("seats"))?;
        usage.add(TRAFFIC, event.measure("gigabytes"))?;
        if !event.attribute("visitor").is_absent() {
            usage.add_distinct(VISITOR, event.attribute("visitor"))?;
        }
        if event.route() == "shared" {
            usage.add_distinct(VISITOR, format!("{}@{}", event.model(), event.customer()))?;
        }
        if event.route() == "broken" { Err(Fault::new("the route is broken")) } else { Ok(()) }
    }

    fn rate(settings: &Settings, event: &Event, counted: &Counted, bill: &mut Bill) -> Outcome {
        if let Some(traffic) = counted.of(TRAFFIC) {
            let quantity = traffic.after;
            let amount = traffic.cumulative(|total| total.times(settings.price))?;
            bill.add(Line { code: TRAFFIC_LINE, quantity, unit_price: settings.price, amount })?;
        }
        if counted.of(VISITOR).is_some_and(|visitors| visitors.after > Decimal::from(2)) {
            bill.refuse(CROWDED, format!("{} rows", counted.rows().count()));
        }
        if event.provider() == "unknown" { Err(Fault::new("nobody knows the provider")) } else { Ok(()) }
    }

    fn close(settings: &Settings, customer: &Closing, totals: &Totals, bill: &mut Bill) -> Outcome {
        let missing = settings.minimum.minus(customer.charged_as(TRAFFIC_LINE))?;
        bill.add(Line {
            code: MINIMUM,
            quantity: totals.of(SEAT),
            unit_price: Decimal::ZERO,
            amount: missing,
        })
    }
}

fn bench() -> TestBench<Everything> {
    TestBench::new(json!({ "price": "0.5", "by": "model", "minimum": "10" })).unwrap()
}

fn traffic(customer: &str, gigabytes: &str) -> TestEvent {
    TestEvent::new().customer(customer).measure("gigabytes", gigabytes)
}

#[test]
fn sums_are_counted_by_customer_and_group() {
    let mut bench = bench();
    let cases = [
        (traffic("a", "2"), "traffic: 2 at 0.5 = 1.0"),
        (traffic("a", "1.5"), "traffic: 3.5 at 0.5 = 0.75"),
        (traffic("b", "1"), "traffic: 1 at 0.5 = 0.5"),
        (traffic("a", "1").feature("search"), "traffic: 1 at 0.5 = 0.5"),
        (traffic("a", "1").feature("search").model("small"), "traffic: 1 at 0.5 = 0.5"),
        (traffic("a", "1").feature("search"), "traffic: 2 at 0.5 = 0.5"),
        (traffic("a", "0"), "nothing"),
    ];
    for (event, expected) in cases {
        assert_eq!(bench.event(event).unwrap().to_string(), expected);
    }
}

#[test]
fn distinct_keys_count_once_whoever_made_them() {
    let visit = |visitor: &str| TestEvent::new().attribute("visitor", visitor);
    let mut bench = bench();
    for known in ["ann", "bob", "ann"] {
        assert_eq!(bench.event(visit(known)).unwrap().to_string(), "nothing");
    }
    assert_eq!(bench.event(visit("cid")).unwrap().to_string(), "refused: crowded 1 rows");
    // A key of the plugin's own and one of the event's are the same key when their text is.
    let own = || TestEvent::new().route("shared").model("ann");
    assert_eq!(bench.event(own().customer("a")).unwrap().to_string(), "nothing");
    assert_eq!(bench.event(visit("ann@a").customer("a")).unwrap().to_string(), "nothing");
    assert_eq!(bench.event(visit("x").customer("a")).unwrap().to_string(), "nothing");
    assert_eq!(bench.event(visit("y").customer("a")).unwrap().to_string(), "refused: crowded 1 rows");
}

#[test]
fn a_fault_leaves_nothing_of_its_event_and_all_of_its_neighbours() {
    let mut bench = bench();
    let answers = bench.batch([
        traffic("a", "1"),
        traffic("a", "100").route("broken"),
        traffic("a", "1").provider("unknown"),
        traffic("a", "1"),
        traffic("a", "0.0000000000001"),
        TestEvent::new().measure("seats", "-1"),
    ]);
    let shown: Vec<String> = answers
        .iter()
        .map(|answer| answer.as_ref().map_or_else(ToString::to_string, ToString::to_string))
        .collect();
    assert_eq!(
        shown,
        [
            "traffic: 1 at 0.5 = 0.5",
            "the route is broken",
            "nobody knows the provider",
            "traffic: 3 at 0.5 = 0.5",
            "the quantity 0.0000000000001 has more than 12 digits after the point",
            "the quantity -1 is negative",
        ]
    );
}

#[test]
fn closing_sees_pooled_counters_and_what_was_charged() {
    let mut bench = bench();
    for (customer, seats) in [("a", "3"), ("b", "7"), ("a", "5")] {
        bench.event(TestEvent::new().customer(customer).parent("agency").measure("seats", seats)).unwrap();
    }
    let customer = TestEvent::new().customer("a").parent("agency").charged("traffic", "2.5");
    assert_eq!(bench.close(&customer).unwrap().to_string(), "minimum: 7 = 7.5");
}

#[test]
fn the_descriptor_says_what_was_declared() {
    let descriptor = native::describe::<Everything>();
    assert_eq!(descriptor.name, "tollgate-sdk");
    assert_eq!(descriptor.summary, "Charges for everything at once.");
    let units: Vec<_> =
        descriptor.units.iter().map(|unit| (unit.name, unit.aggregation, unit.pooled)).collect();
    let expected = [
        ("seat", Aggregation::Max, true),
        ("gigabyte", Aggregation::Sum, false),
        ("visitor", Aggregation::Distinct, false),
    ];
    assert_eq!(units, expected);
    assert_eq!(descriptor.units[1].group_by, ["feature", "/by"]);
    assert_eq!(descriptor.lines[1].kind, LineKind::Adjustment);
    assert_eq!(descriptor.refusals[0].title, "Too many visitors");
    let schema: serde_json::Value = serde_json::from_str(&descriptor.settings_schema).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], json!(["price", "by"]));
    assert_eq!(schema["properties"]["price"]["type"], "string");
    assert_eq!(schema["properties"]["price"]["description"], "What a gigabyte costs.");
}

#[test]
fn settings_that_do_not_fit_are_problems_with_a_pointer() {
    let cases = [
        (r#"{"price":"-1","by":"model"}"#, "/price", "-1 is negative; use zero or more"),
        (r#"{"price":0.5,"by":"model"}"#, "/price", "expected a decimal in quotation marks"),
        (r#"{"price":"1e3","by":"model"}"#, "/price", "`1e3` is not a decimal"),
        (r#"{"price":"1"}"#, "", "missing field `by`"),
        (r#"{"price":"1","by":"model","bye":"x"}"#, "/bye", "unknown field `bye`"),
        (r#"{"price":"1","by":"model"} more"#, "", "trailing characters"),
    ];
    for (settings, pointer, message) in cases {
        let problems = native::check::<Everything>(settings);
        assert_eq!(problems.len(), 1, "{settings}");
        assert_eq!(problems[0].pointer, pointer, "{settings}");
        assert!(problems[0].message.contains(message), "{settings}: {}", problems[0].message);
    }
    assert!(native::meter::<Everything>("{}", &native::Frame::default()).is_err());
}

#[test]
fn columns_it_does_not_know_are_ignored() {
    let column = |name: &str, words| native::NumberColumn { name: name.into(), words };
    let frame = native::Frame {
        rows: 1,
        strings: vec![String::new()],
        times: vec![0],
        texts: vec![native::TextColumn { name: "weather".into(), ids: vec![0] }],
        numbers: vec![column("tide", vec![9, 0]), column("measure:gigabytes", vec![25, 1 << 32])],
    };
    let metered = native::meter::<Everything>(r#"{"price":"1","by":"model"}"#, &frame).unwrap();
    assert_eq!((metered.counts, metered.units), (vec![1], vec![1]));
    assert_eq!(metered.quantities, [25, 1 << 32]);
}

#[test]
fn a_unit_is_used_as_it_was_declared() {
    /// Counts a visitor without saying which.
    #[plugin(unit(GUEST, name = "guest", aggregation = distinct), unit(PAGE, name = "page", aggregation = sum))]
    impl Pricing for Confused {
        type Settings = ();

        fn meter((): &(), event: &Event, usage: &mut Usage) -> Outcome {
            match event.route().as_str() {
                "sum" => usage.add_distinct(PAGE, "key"),
                "empty" => usage.add_distinct(GUEST, event.model()),
                _ => usage.add(GUEST, Decimal::ONE),
            }
        }

        fn rate((): &(), _: &Event, _: &Counted, _: &mut Bill) -> Outcome {
            Ok(())
        }
    }

    let mut bench = TestBench::<Confused>::new(json!(null)).unwrap();
    let cases = [
        ("sum", "the plugin adds a key to a unit that is not `distinct`; use add"),
        ("empty", "the key of a `distinct` unit is empty"),
        ("", "the plugin adds to a `distinct` unit without a key; use add_distinct"),
    ];
    for (route, message) in cases {
        assert_eq!(bench.event(TestEvent::new().route(route)).unwrap_err().message(), message);
    }
}
