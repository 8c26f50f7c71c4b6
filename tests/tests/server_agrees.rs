//! The same events over HTTP, by `record` and by `rate`: the same charges, bit for bit.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)] // a test may panic

use serde_json::{Value, json};
use tollgate_core::store::{Outcome, StoredEvent};
use tollgate_tests::database::{Priced, events_after, open};
use tollgate_tests::events::{PRICES, generate, trace};
use tollgate_tests::server::{Client, Server};
use tollgate_tests::tollgate::{Folder, committed, say};

/// Events a request.
const BATCH: usize = 100;

#[test]
fn every_plugin_charges_the_trace_over_http_as_record_and_rate_do() {
    let Some(events) = trace() else { return };
    let prices = committed("examples/rate/prices.json");
    for plugin in ["included-overage", "tiered", "conversation", "cost-plus"] {
        let settings = committed(&format!("examples/rate/{plugin}.json"));
        let apps = &["acme-code"];
        agree(&Priced { plugin, settings: &settings, prices: &prices, apps }, &events);
    }
}

#[test]
fn made_up_events_are_charged_alike_with_their_repeats_out_of_order_in_two_apps() {
    let settings = r#"{"unit": "page", "measures": ["pages"], "divide_by": "8", "tiers": [
        {"up_to": "77.7", "unit_price": "0.0333333333", "flat": "1"},
        {"up_to": null, "unit_price": "0.0123456789"}]}"#;
    let apps = &["acme-code", "acme-docs"];
    agree(&Priced { plugin: "tiered", settings, prices: PRICES, apps }, &generate(2_000));
}

/// Sends events every way in, and compares everything.
fn agree(priced: &Priced<'_>, events: &str) {
    let folder = Folder::new();
    folder.write("events.jsonl", events);
    folder.write("settings.json", priced.settings);
    folder.write("prices.json", priced.prices);

    priced.define(&folder, "data");
    let server = Server::start(&folder, &[]);
    let client = server.platform();
    let receipts = send(&client, events);

    let rated = folder.run(&format!(
        "rate --plugin {} --settings settings.json --prices prices.json --platform-share {} --format json \
         events.jsonl",
        priced.plugin,
        Priced::PLATFORM_SHARE,
    ));
    let rated = rated.json();
    priced.define(&folder, "recorded");
    let recorded = folder.run(&format!("record --data recorded --batch {BATCH} --format json events.jsonl"));
    let recorded = recorded.json();
    assert_eq!(recorded, rated, "{}", priced.plugin);

    let customers = rated["customers"].as_array().unwrap();
    assert!(!customers.is_empty());
    statements_agree(&client, priced.apps, customers);
    assert!(server.stop(), "the server ended well");

    let over_http = events_after(&open(&Server::database(&folder)), 0);
    let kept = events_after(&open(&folder.path("recorded/tollgate.db")), 0);
    assert_eq!(over_http.len(), kept.len());
    for (event, kept) in over_http.iter().zip(&kept) {
        assert_eq!(event, kept, "{}", priced.plugin);
    }
    receipts_say_what_is_kept(&receipts, &over_http);
    assert_eq!(u64::try_from(over_http.len()).unwrap(), rated["events"]["rated"].as_u64().unwrap());
    folder.run("ledger verify --data data").done();
    say(&format!(
        "{}: {} events over HTTP, {BATCH} a request: the charges of `record`; {} statements as by `rate`",
        priced.plugin,
        over_http.len(),
        customers.len(),
    ));
}

/// Sends events in order; gives the receipts of all of them.
fn send(client: &Client, events: &str) -> Vec<Value> {
    let lines: Vec<&str> = events.lines().collect();
    let mut receipts = Vec::new();
    for batch in lines.chunks(BATCH) {
        let answer = client.send("/v1/events", &batch.join("\n")).with(200);
        let answered = answer["receipts"].as_array().unwrap();
        assert_eq!(answered.len(), batch.len());
        receipts.extend(answered.iter().cloned());
    }
    receipts
}

/// What a receipt said when the event came is what is kept of it; whatever came again was told the same.
fn receipts_say_what_is_kept(receipts: &[Value], kept: &[StoredEvent]) {
    let mut kept_events = kept.iter();
    for receipt in receipts {
        let charge = match receipt["status"].as_str().unwrap() {
            "rated" => {
                let event = kept_events.next().expect("every event that was rated is kept");
                assert_eq!(receipt["id"], event.key.id);
                says(&receipt["charge"], event);
                continue;
            }
            "duplicate" => &receipt["first"]["charge"],
            other => panic!("{other}: {receipt}"),
        };
        let first = kept.iter().find(|event| receipt["id"] == event.key.id);
        says(charge, first.expect("the first is kept"));
    }
    assert!(kept_events.next().is_none(), "an event is kept that no receipt calls rated");
}

fn says(charge: &Value, event: &StoredEvent) {
    let Outcome::Rated(kept) = &event.outcome else { panic!("{event:?}") };
    assert_eq!(charge["total"], kept.total.to_string());
    assert_eq!(charge["period"], kept.period.to_string());
    let split = json!({
        "network_cost": kept.split.network_cost.to_string(),
        "platform_fee": kept.split.platform_fee.to_string(),
        "builder_earnings": kept.split.builder_earnings.to_string(),
    });
    assert_eq!(charge["split"], split);
    let lines = charge["lines"].as_array().unwrap();
    assert_eq!(lines.len(), kept.lines.len());
    for (said, line) in lines.iter().zip(&kept.lines) {
        assert_eq!(said["code"], *line.code);
        assert_eq!(said["quantity"], line.quantity.to_string());
        assert_eq!(said["amount"], line.amount.to_string());
    }
}

/// Every customer's part of the report is what the server states, to the last digit.
fn statements_agree(client: &Client, apps: &[&str], customers: &[Value]) {
    let mut stated = Vec::new();
    for (customer, period) in places(customers) {
        for app in apps {
            let path = format!("/v1/customers/{customer}/statements/{period}?app={app}");
            let reply = client.get(&path);
            if reply.status != 404 || apps.len() == 1 {
                stated.push(as_reported(&reply.with(200)));
            }
        }
    }
    assert_eq!(stated, customers);
}

/// Whose statements a report has, each once, in its order.
fn places(customers: &[Value]) -> Vec<(&str, &str)> {
    let mut places: Vec<_> = customers
        .iter()
        .map(|customer| (customer["customer"].as_str().unwrap(), customer["period"].as_str().unwrap()))
        .collect();
    places.dedup();
    places
}

/// A statement of the server in the words of the command line's report.
fn as_reported(statement: &Value) -> Value {
    let usage = statement["usage"].as_array().unwrap().iter().map(|used| {
        let mut report = json!({"unit": used["unit"], "used": used["quantity"]});
        if used["group"].as_array().is_some_and(|group| !group.is_empty()) {
            report["group"] = used["group"].clone();
        }
        report
    });
    let lines = statement["lines"].as_array().unwrap().iter();
    let lines = lines
        .map(|line| json!({"code": line["code"], "quantity": line["quantity"], "amount": line["amount"]}));
    json!({
        "customer": statement["customer"], "period": statement["period"],
        "usage": usage.collect::<Vec<_>>(), "lines": lines.collect::<Vec<_>>(),
        "network_cost": statement["network_cost"], "platform_fee": statement["platform_fee"],
        "builder_earnings": statement["builder_earnings"], "total": statement["total"],
    })
}
