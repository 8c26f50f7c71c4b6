//! The events that are sent: of one app and forty customers, under ids as apps make them.

use std::fmt::Write as _;

use crate::connection::post;

/// How many customers the app has; as many more have wallets.
pub const CUSTOMERS: u64 = 40;
pub const APP: &str = "acme-code";
pub const SETTINGS: &str = r#"{"unit": "document", "count": "documents", "included": "1000", "overage_price": "0.02",
    "premium_routes": ["premium"], "premium_surcharge": "0.05"}"#;
pub const PRICES: &str = r#"{"currency": "USD", "entries": [{"model": "gpt-4o-mini", "prices": [
    {"measure": "input_tokens", "price": "0.15", "per": 1000000},
    {"measure": "output_tokens", "price": "0.60", "per": 1000000}]}]}"#;

/// How ids come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// As UUIDs of version 7: they begin with the time.
    Ordered,
    /// As UUIDs of version 4: they are random.
    Random,
}

/// How much is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipts {
    /// A receipt for each event.
    Full,
    /// Counts.
    Summary,
}

/// Where events come from, each once.
pub struct Traffic {
    pub key: String,
    pub ids: Ids,
    /// How many have come so far.
    pub events: u64,
}

/// A request with events, ready to be sent.
pub struct Request {
    pub bytes: Vec<u8>,
    pub events: usize,
    /// What the answer must say, where it is not a receipt that counts.
    pub expected: Option<&'static str>,
}

impl Traffic {
    /// The next so many events, so many to a request.
    pub fn requests(&mut self, count: u64, each: u64, receipts: Receipts) -> Vec<Request> {
        let requests = count.div_ceil(each);
        (0..requests).map(|number| self.request(each.min(count - number * each), receipts)).collect()
    }

    fn request(&mut self, events: u64, receipts: Receipts) -> Request {
        let mut lines = String::new();
        for _ in 0..events {
            self.write_event("workspace", &mut lines);
            self.events += 1;
        }
        let path = match receipts {
            Receipts::Full => "/v1/events",
            Receipts::Summary => "/v1/events?receipt=summary",
        };
        let bytes = post(path, &self.key, "application/x-ndjson", &lines);
        let events = usize::try_from(events).expect("a count of this process");
        Request { bytes, events, expected: None }
    }

    fn write_event(&self, kind: &str, lines: &mut String) {
        let number = self.events;
        let id = id(self.ids, number);
        let (customer, documents) = (number * 7_919 % CUSTOMERS, 1 + number % 3);
        let feature = ["review", "completion", "search"][usize::try_from(number % 3).expect("below 3")];
        let route = if number.is_multiple_of(7) { "premium" } else { "default" };
        let (input, output) = (number * 2_654_435_761 % 7_000 + 1, number * 40_503 % 700 + 1);
        let (day, hour, minute, second) =
            (1 + number / 1_000_000 % 28, number / 40_000 % 24, number / 700 % 60, number / 11 % 60);
        let _ = writeln!(
            lines,
            r#"{{"specversion":"1.0","id":"{id}","source":"{APP}","type":"ai.usage","subject":"{kind}-{customer:02}","time":"2026-11-{day:02}T{hour:02}:{minute:02}:{second:02}.040Z","data":{{"feature":"{feature}","route":"{route}","model":"gpt-4o-mini","measures":{{"documents":{documents},"input_tokens":{input},"output_tokens":{output}}},"attributes":{{"conversation":"c{customer:02}-{}"}}}}}}"#,
            number / 120,
        );
    }

    /// Requests for authorisation of the next so many events of forty customers who have wallets, and those that
    /// capture them.
    pub fn authorizations(&mut self, count: u64) -> (Vec<Request>, Vec<Request>) {
        let requests = (0..count).map(|_| {
            let mut line = String::new();
            self.write_event("prepaid", &mut line);
            self.events += 1;
            let ask = post("/v1/authorizations", &self.key, "application/cloudevents+json", &line);
            let record = post("/v1/events", &self.key, "application/cloudevents+json", &line);
            (
                Request { bytes: ask, events: 1, expected: Some(r#""allowed":true"#) },
                Request { bytes: record, events: 1, expected: None },
            )
        });
        requests.unzip()
    }

    /// Requests for a quote, for one customer after the other.
    pub fn quotes(&self) -> Vec<Vec<u8>> {
        let quote = |customer| {
            let body = format!(
                r#"{{"source":"{APP}","subject":"workspace-{customer:02}","data":{{"feature":"review","route":"premium","model":"gpt-4o-mini","measures":{{"documents":2,"input_tokens":1200,"output_tokens":300}}}}}}"#
            );
            post("/v1/quotes", &self.key, "application/json", &body)
        };
        (0..CUSTOMERS).map(quote).collect()
    }
}

/// The id of an event, as a UUID in its usual text.
pub fn id(ids: Ids, number: u64) -> String {
    let (high, low) = (scramble(number), scramble(number ^ 0xdead_beef));
    let (time, version) = match ids {
        // Some twenty events a millisecond, from 1 November 2026 on.
        Ids::Ordered => (1_793_491_200_000 + number / 20, 7),
        Ids::Random => (high >> 16, 4),
    };
    format!(
        "{:08x}-{:04x}-{version}{:03x}-a{:03x}-{:012x}",
        time >> 16,
        time & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff,
    )
}

/// A number that looks random and is not: splitmix64.
fn scramble(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
