//! `rate-card` against other engines' test suites, their numbers typed again.
#![allow(clippy::unwrap_used)] // What cannot be is a failed test.

use rate_card::RateCard;
use tollgate_sdk::prelude::*;

/// Times of day, or spans of them, with their prices.
type Table = &'static [(&'static str, &'static str)];

/// openmeterio/openmeter: `openmeter/cost/adapter/compute_test.go`: prices of tokens by provider, model and kind.
#[test]
fn tokens_by_model_as_in_openmeter() {
    let rate = |provider: &str, model: &str, input: &str, output: &str| {
        json!({ "when": { "provider": [provider], "model": [model] },
            "prices": { "input_tokens": input, "output_tokens": output } })
    };
    let settings = json!({ "rates": [
        rate("openai", "gpt-4", "0.01", "0.03"),
        rate("anthropic", "claude-3-5-sonnet", "0.003", "0.015"),
    ] });
    let mut bench = TestBench::<RateCard>::new(settings).unwrap();
    let cases =
        [("openai", "gpt-4", "100", "50", "2.50"), ("anthropic", "claude-3-5-sonnet", "200", "80", "1.800")];
    for (provider, model, input, output, expected) in cases {
        let event = TestEvent::new().provider(provider).model(model);
        let event = event.measure("input_tokens", input).measure("output_tokens", output);
        assert_eq!(bench.event(event).unwrap().to_string(), format!("usage: 1 = {expected}"));
    }
}

/// leodearden/solar-challenge: `tests/unit/test_tariff.py`: an electricity tariff's prices by the time of day. A time
/// that no period has is refused there, and held here.
#[test]
fn times_of_day_as_an_electricity_tariff_has_them() {
    let periods = |periods: &[(&str, &str)]| {
        let rates = periods
            .iter()
            .map(|(hours, price)| json!({ "when": { "hours": [hours] }, "prices": { "kwh": price } }));
        TestBench::<RateCard>::new(json!({ "rates": rates.collect::<Vec<_>>() })).unwrap()
    };
    // 15 January 2024, a Monday.
    let at = |time: &str| {
        let (hour, minute) = time.split_once(':').unwrap();
        let minutes = 60 * hour.parse::<i64>().unwrap() + minute.parse::<i64>().unwrap();
        TestEvent::new().time(1_705_276_800_000 + 60_000 * minutes).measure("kwh", "1")
    };
    let tables: [(Table, Table); 5] = [
        (
            &[("09:00-17:00", "0.25")],
            &[("12:30", "0.25"), ("09:00", "0.25"), ("17:00", ""), ("08:59", ""), ("17:01", "")],
        ),
        (
            &[("23:00-07:00", "0.09")],
            &[("23:30", "0.09"), ("06:30", "0.09"), ("00:00", "0.09"), ("12:00", "")],
        ),
        (
            &[("00:30-07:30", "0.09"), ("07:30-00:30", "0.25")],
            &[("00:30", "0.09"), ("00:29", "0.25"), ("07:30", "0.25"), ("07:29", "0.09")],
        ),
        (
            &[("00:00-07:00", "0.09"), ("07:00-23:00", "0.25"), ("23:00-00:00", "0.15")],
            &[("03:00", "0.09"), ("12:00", "0.25"), ("23:30", "0.15")],
        ),
        (&[("00:00-00:00", "0.20")], &[("00:00", "0.20"), ("12:00", "0.20"), ("23:59", "0.20")]),
    ];
    for (tariff, moments) in tables {
        let mut bench = periods(tariff);
        for (time, price) in moments {
            let answer = bench.event(at(time)).map(|priced| priced.to_string());
            match *price {
                "" => assert!(answer.unwrap_err().message().starts_with("no rate fits"), "{time}"),
                price => assert_eq!(answer.unwrap(), format!("usage: 1 = {price}"), "{time}"),
            }
        }
    }
}
