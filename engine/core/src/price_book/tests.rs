//! Which entry applies, what it comes to, and what is refused; against a calculation with big fractions.

use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::event::EventKey;
use crate::quantity::Quantity;

fn event(model: &str, measures: &[(&str, &str)]) -> Event {
    let quantity = |text: &str| Quantity::new(text.parse::<Decimal>().unwrap()).unwrap();
    Event {
        key: EventKey { app: "app".into(), id: "1".into() },
        customer: "customer".into(),
        time: at("2023-11-16T18:15:46.680Z"),
        feature: String::new(),
        route: "default".into(),
        model: model.into(),
        provider: String::new(),
        measures: measures.iter().map(|(name, text)| ((*name).to_owned(), quantity(text))).collect(),
        attributes: Vec::new(),
        reported_cost: None,
        fingerprint: [0; 16],
        received: "{}".into(),
    }
}

fn at(time: &str) -> i64 {
    time.parse::<Timestamp>().unwrap().as_millisecond()
}

fn book(entries: &str) -> PriceBook {
    let definition = format!(r#"{{"currency":"USD","entries":[{entries}]}}"#);
    PriceBook::parse(&definition).unwrap_or_else(|fault| panic!("{fault}\n{definition}"))
}

/// A book in which each entry charges its own price for one input token.
fn book_of(entries: &[(&str, &str)]) -> PriceBook {
    let entry = |(scope, price): &(&str, &str)| {
        let comma = if scope.is_empty() { "" } else { "," };
        format!(r#"{{"model":"m"{comma}{scope},"prices":[{{"measure":"input_tokens","price":"{price}"}}]}}"#)
    };
    book(&entries.iter().map(entry).collect::<Vec<_>>().join(","))
}

fn cost(book: &PriceBook, event: &Event) -> String {
    match book.network_cost(event) {
        Ok(amount) => amount.to_string(),
        Err(unpriced) => unpriced.to_string(),
    }
}

#[test]
fn costs_are_exact() {
    let priced = |price: &str, per: &str, quantity: &str| {
        let book =
            book(&format!(r#"{{"model":"m","prices":[{{"measure":"pages","price":{price},"per":{per}}}]}}"#));
        cost(&book, &event("m", &[("pages", quantity)]))
    };
    for (price, per, quantity, expected) in [
        ("\"0.15\"", "1000000", "480", "0.000072"),
        ("\"0.0375\"", "1000000", "1", "0.000000038"),
        ("\"0.0375\"", "1000000", "2", "0.000000075"),
        ("\"0.0375\"", "1000000", "1000000", "0.0375"),
        ("0.006", "60", "7", "0.0007"),
        ("0.006", "60", "7.001", "0.0007001"),
        ("\"1\"", "3", "1", "0.333333333"),
        ("\"1\"", "3", "2", "0.666666667"),
        ("\"1\"", "3", "3", "1"),
        // Half a nano-unit goes to the even neighbour.
        ("\"0.0005\"", "1000000", "1", "0"),
        ("\"0.0005\"", "1000000", "3", "0.000000002"),
        ("\"0.0005\"", "1000000", "5", "0.000000002"),
        ("0", "1", "999999999999999", "0"),
        ("1e-18", "1", "1000000000", "0.000000001"),
        ("\"9223372036.854775807\"", "1", "1", "9223372036.854775807"),
    ] {
        assert_eq!(priced(price, per, quantity), expected, "{quantity} × {price} / {per}");
    }
}

#[test]
fn prices_of_an_event_are_one_sum_rounded_once() {
    let prices = r#"{"model":"m","prices":[{"measure":"input_tokens","price":"0.0004","per":1000000},{"measure":"output_tokens","price":"1","per":3000000000}]}"#;
    // 0.4 nano and a third of one: neither alone makes a nano-unit, together they do.
    assert_eq!(cost(&book(prices), &event("m", &[("input_tokens", "1")])), "0");
    assert_eq!(cost(&book(prices), &event("m", &[("output_tokens", "1")])), "0");
    assert_eq!(
        cost(&book(prices), &event("m", &[("input_tokens", "1"), ("output_tokens", "1")])),
        "0.000000001"
    );
}

#[test]
fn the_most_specific_entry_wins() {
    let book = book_of(&[
        ("", "1"),
        (r#""provider":"p""#, "2"),
        (r#""route":"premium""#, "3"),
        (r#""route":"premium","provider":"p""#, "4"),
        (r#""route":"premium","effective_from":"2023-06-01""#, "5"),
        (r#""route":"*","effective_from":"2023-11-01""#, "6"),
    ]);
    for (route, provider, expected) in [
        ("default", "", "6"),
        ("default", "p", "2"),
        ("premium", "q", "5"),
        ("premium", "p", "4"),
        ("", "", "6"),
    ] {
        let mut event = event("m", &[("input_tokens", "1")]);
        (event.route, event.provider) = (route.into(), provider.into());
        assert_eq!(cost(&book, &event), expected, "{route} {provider}");
    }
}

#[test]
fn the_latest_entry_not_after_the_event_wins() {
    let book = book_of(&[
        (r#""effective_from":"2023-11-16T20:00:00+01:00""#, "3"),
        (r#""effective_from":"2023-01-01""#, "1"),
        (r#""effective_from":"2023-11-16""#, "2"),
    ]);
    for (time, expected) in [
        (
            "2022-12-31T23:59:59.999Z",
            "no price for input_tokens of model \"m\" on route \"default\" at 2022-12-31T23:59:59.999Z: add an entry for it to the price book",
        ),
        ("2023-01-01T00:00:00Z", "1"),
        ("2023-11-15T23:59:59.999Z", "1"),
        ("2023-11-16T00:00:00Z", "2"),
        ("2023-11-16T18:59:59.999Z", "2"),
        ("2023-11-16T19:00:00Z", "3"),
    ] {
        let mut event = event("m", &[("input_tokens", "1")]);
        event.time = at(time);
        assert_eq!(cost(&book, &event), expected, "{time}");
    }
}

#[test]
fn a_long_context_is_repriced_whole() {
    let prices = |input: &str, output: &str| {
        format!(
            r#""prices":[{{"measure":"input_tokens","price":"{input}"}},{{"measure":"output_tokens","price":"{output}"}}]"#
        )
    };
    let book = book(&format!(
        r#"{{"model":"m","effective_from":"2023-03-01",{}}},{{"model":"m","above_input_tokens":100,{}}},{{"model":"m","above_input_tokens":"1000",{}}}"#,
        prices("1", "10"),
        prices("2", "20"),
        prices("3", "30"),
    ));
    for (measures, expected) in [
        (vec![("input_tokens", "99"), ("output_tokens", "1")], "109"),
        (vec![("input_tokens", "100"), ("output_tokens", "500")], "5100"),
        (vec![("input_tokens", "100.5")], "201"),
        (vec![("input_tokens", "101"), ("output_tokens", "1")], "222"),
        // Everything that went in counts, cached or not; what came out does not.
        (vec![("cache_read_tokens", "60"), ("cache_write_1h_tokens", "40")], "100"),
        (
            vec![("cache_read_tokens", "60"), ("cache_write_1h_tokens", "40"), ("input_audio_tokens", "1")],
            "202",
        ),
        (vec![("input_tokens", "1000")], "2000"),
        (vec![("input_tokens", "1001"), ("documents", "7")], "3003"),
    ] {
        assert_eq!(cost(&book, &event("m", &measures)), expected, "{measures:?}");
    }
}

#[test]
fn a_measure_without_a_price_takes_its_parents() {
    let book = book(
        r#"{"model":"m","prices":[{"measure":"input_tokens","price":"1"},{"measure":"cache_write_tokens","price":"5"},{"measure":"output_tokens","price":"10"}]},
           {"model":"in","prices":[{"measure":"input_tokens","price":"1"}]},
           {"model":"docs","prices":[{"measure":"documents","price":"0.5"}]}"#,
    );
    for (model, measure, expected) in [
        ("m", "cache_read_tokens", "2"),
        ("m", "cache_read_audio_tokens", "2"),
        ("m", "cache_write_1h_tokens", "10"),
        ("m", "reasoning_tokens", "20"),
        ("m", "output_audio_tokens", "20"),
        ("m", "documents", "0"),
        ("docs", "documents", "1"),
        ("unknown", "documents", "0"),
        ("", "documents", "0"),
        (
            "in",
            "web_searches",
            "no price for web_searches of model \"in\" at 2023-11-16T18:15:46.68Z: entries[1] of the price book has none, and none to take in its place",
        ),
        (
            "in",
            "reasoning_tokens",
            "no price for reasoning_tokens of model \"in\" at 2023-11-16T18:15:46.68Z: entries[1] of the price book has none, and none to take in its place",
        ),
        (
            "unknown",
            "output_tokens",
            "no price for output_tokens of model \"unknown\" on route \"default\" at 2023-11-16T18:15:46.68Z: add an entry for it to the price book",
        ),
        (
            "",
            "output_tokens",
            "the event has output_tokens but names no model: give data.model, or data.network_cost",
        ),
    ] {
        assert_eq!(cost(&book, &event(model, &[(measure, "2")])), expected, "{model} {measure}");
    }
    assert_eq!(cost(&book, &event("unknown", &[])), "0");
    assert_eq!(cost(&book, &event("in", &[("input_tokens", "1"), ("output_tokens", "0")])), "1");
}

#[test]
fn the_example_prices_real_usage_from_the_door_on() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/prices/models.json");
    let book = PriceBook::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    let priced = |provider: &str, model: &str, usage: &str| {
        let event = format!(
            r#"{{"specversion":"1.0","id":"1","source":"app","type":"ai.usage","subject":"c","time":"2026-01-01T00:00:00Z","data":{{"provider":"{provider}","model":"{model}","usage":{usage}}}}}"#
        );
        cost(&book, &crate::door::parse(event.as_bytes()).unwrap())
    };
    // 1,024 fresh and 896 cached of 1,920: counting the cached ones twice would give 0.0003552.
    let chat =
        r#"{"prompt_tokens":1920,"completion_tokens":0,"prompt_tokens_details":{"cached_tokens":896}}"#;
    assert_eq!(priced("openai", "gpt-4o-mini", chat), "0.0002208");
    let searching = r#"{"input_tokens":3,"cache_read_input_tokens":1111,"cache_creation_input_tokens":418,"output_tokens":33,"server_tool_use":{"web_search_requests":1}}"#;
    assert_eq!(priced("anthropic", "claude-sonnet-4-5", searching), "0.0124048");
    let long = r#"{"input_tokens":1,"cache_read_input_tokens":200000,"cache_creation_input_tokens":0,"output_tokens":10}"#;
    assert_eq!(priced("anthropic", "claude-sonnet-4-5", long), "0.120231");
    let spoken = r#"{"promptTokenCount":640,"candidatesTokenCount":109,"thoughtsTokenCount":93,"promptTokensDetails":[{"modality":"VIDEO","tokenCount":526},{"modality":"AUDIO","tokenCount":44}]}"#;
    assert_eq!(priced("google", "gemini-2.5-flash", spoken), "0.0007278");
}

#[test]
fn what_cannot_be_counted_is_unpriced() {
    let dear = book(
        r#"{"model":"m","prices":[{"measure":"pages","price":"9999999999.000000000000000001","per":999999999999999}]},
           {"model":"n","prices":[{"measure":"pages","price":"9999999999"}]}"#,
    );
    for (model, quantity, entry) in
        [("m", "999999999999999.999999999", 0), ("n", "1", 1), ("n", "9999999999999999", 1)]
    {
        let expected = Unpriced::OutOfRange { model: model.into(), entry };
        assert_eq!(dear.network_cost(&event(model, &[("pages", quantity)])), Err(expected));
    }
}

#[test]
fn a_price_book_survives_as_json() {
    let book = book_of(&[("", "0.10")]);
    assert_eq!(book.currency(), "USD");
    let json = serde_json::to_string(&book).unwrap();
    assert_eq!(json, book.definition());
    let back: PriceBook = serde_json::from_str(&json).unwrap();
    assert_eq!(back, book);
    assert_eq!(cost(&back, &event("m", &[("input_tokens", "1")])), "0.1");
    assert!(
        serde_json::from_str::<PriceBook>(r#"{"currency":"USD"}"#)
            .unwrap_err()
            .to_string()
            .starts_with("entries is missing")
    );
}

#[test]
fn what_is_wrong_with_a_book_is_named() {
    let entry = |fields: &str| {
        format!(
            r#"{{"currency":"USD","entries":[{{"model":"ok","prices":[{{"measure":"a","price":"1"}}]}},{{{fields}}}]}}"#
        )
    };
    let price = |fields: &str| entry(&format!(r#""model":"m","prices":[{{{fields}}}]"#));
    let prices = r#""prices":[{"measure":"a","price":"1"}]"#;
    let books = [
        "[]".to_owned(),
        "{\"currency\"".to_owned(),
        r#"{"entries":[]}"#.to_owned(),
        r#"{"currency":"DOLLAR","entries":[]}"#.to_owned(),
        r#"{"currency":"USD"}"#.to_owned(),
        r#"{"currency":"USD","entries":{}}"#.to_owned(),
        r#"{"currency":"USD","entries":[7]}"#.to_owned(),
        entry(prices),
        entry(&format!(r#""model":"",{prices}"#)),
        entry(&format!(r#""model":"m","above_input_token":1,{prices}"#)),
        entry(&format!(r#""model":"m","above_input_tokens":"many",{prices}"#)),
        entry(&format!(r#""model":"m","effective_from":"2023-02-30",{prices}"#)),
        entry(&format!(r#""model":"m","effective_from":"2023-02-03T10:00:00",{prices}"#)),
        entry(r#""model":"m""#),
        entry(r#""model":"m","prices":[]"#),
        price(r#""price":"1""#),
        price(r#""measure":"a""#),
        price(r#""measure":"a","price":"free""#),
        price(r#""measure":"a","price":"-1""#),
        price(r#""measure":"a","price":"0.0000000000000000001""#),
        price(r#""measure":"a","price":10000000000"#),
        price(r#""measure":"a","price":"1","per":0"#),
        price(r#""measure":"a","price":"1","per":0.5"#),
        price(r#""measure":"a","price":"1","price":"2""#),
        price(r#""measure":"a","price":"1"},{"measure":"a","price":"2""#),
        price(
            r#""measure":"a","price":"0.000000000000000001","per":999999999999989},{"measure":"b","price":"1","per":999999999999947"#,
        ),
        entry(&format!(r#""model":"ok","route":"*",{prices}"#)),
    ];
    let table: Vec<String> = books
        .iter()
        .map(|text| format!("{text}\n    {}", PriceBook::parse(text).map(|_| ()).expect_err(text)))
        .collect();
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("faults", table.join("\n"));
    });
}

/// `fraction` in whole nano-units, half to even, worked out another way than the engine does.
fn nano_of(fraction: &BigRational) -> BigInt {
    let nano = fraction * BigInt::from(1_000_000_000);
    let floor = nano.floor();
    let rest = &nano - &floor;
    let half = BigRational::new(1.into(), 2.into());
    let even = (floor.to_integer() % BigInt::from(2)) == BigInt::from(0);
    if rest > half || (rest == half && !even) { floor.to_integer() + 1 } else { floor.to_integer() }
}

fn decimal_text(coefficient: i64, scale: u32) -> String {
    Decimal::new(coefficient, scale).to_string()
}

fn fraction(coefficient: i64, scale: u32) -> BigRational {
    BigRational::new(coefficient.into(), BigInt::from(10).pow(scale))
}

proptest! {
    #[test]
    fn costs_agree_with_big_fractions(rows in prop::collection::vec(
        (0_i64..100_000_000, 0_u32..=12, prop::sample::select(vec![1_i64, 3, 7, 60, 1000, 3600, 1_000_000]), 0_i64..10_000_000_000, 0_u32..=9),
        1..6,
    )) {
        let mut prices = Vec::new();
        let mut measures = Vec::new();
        let mut exact = BigRational::from(BigInt::from(0));
        for (row, (price, price_scale, per, quantity, quantity_scale)) in rows.iter().enumerate() {
            prices.push(format!(r#"{{"measure":"m{row}","price":"{}","per":{per}}}"#, decimal_text(*price, *price_scale)));
            measures.push((format!("m{row}"), decimal_text(*quantity, *quantity_scale)));
            exact += fraction(*quantity, *quantity_scale) * fraction(*price, *price_scale) / BigInt::from(*per);
        }
        let book = book(&format!(r#"{{"model":"m","prices":[{}]}}"#, prices.join(",")));
        let measures: Vec<(&str, &str)> = measures.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let expected = nano_of(&exact);
        match book.network_cost(&event("m", &measures)) {
            Ok(amount) => prop_assert_eq!(BigInt::from(amount.nano()), expected),
            // What the sum needs has to fit 128 bits: far beyond a thousand million, whatever the digits.
            Err(_) => prop_assert!(expected > BigInt::from(1_000_000_000_000_000_000_i64), "{} was refused", expected),
        }
    }

    #[test]
    fn no_definition_panics(text in "[\\[\\]{}\":,a-z0-9.*-]{0,80}") {
        let _ = PriceBook::parse(&text);
    }
}

#[test]
#[ignore = "prints a speed; run it in release"]
fn speed_of_pricing() {
    let book = book(
        r#"{"model":"gpt-4o-mini","effective_from":"2023-01-01","prices":[{"measure":"input_tokens","price":"0.15","per":1000000},{"measure":"output_tokens","price":"0.60","per":1000000}]}"#,
    );
    let event = event("gpt-4o-mini", &[("input_tokens", "480"), ("output_tokens", "27")]);
    let rounds = 1_000_000_u32;
    let best = (0..10).map(|_| {
        let started = std::time::Instant::now();
        for _ in 0..rounds {
            std::hint::black_box(book.network_cost(std::hint::black_box(&event))).unwrap();
        }
        started.elapsed() / rounds
    });
    println!("{} ns an event at best", best.min().unwrap().as_nanos());
}
