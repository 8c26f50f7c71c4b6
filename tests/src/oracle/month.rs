//! From events to the report: counts, customers and totals, as `--format json` must give them.

use std::collections::{BTreeMap, BTreeSet};

use num_traits::Zero as _;
use serde_json::{Value, json};

use super::event::Event;
use super::fraction::{Fraction, larger, nano, read, written};
use super::network;
use super::plugin::{Plugin, Used};

/// What events are rated under.
pub struct Terms<'a> {
    /// The name of a first-party plugin.
    pub plugin: &'a str,
    /// Its settings, JSON.
    pub settings: &'a str,
    /// The price book, JSON.
    pub prices: &'a str,
    /// The platform's share of what exceeds the network cost, a decimal.
    pub platform_share: &'a str,
    /// How far the app's time zone is ahead of UTC.
    pub minutes_ahead: u32,
}

#[derive(Default)]
struct Statement {
    used: Used,
    /// Quantity and amount, by code.
    lines: BTreeMap<&'static str, (Fraction, Fraction)>,
    sums: Sums,
}

#[derive(Default)]
struct Sums {
    network_cost: Fraction,
    platform_fee: Fraction,
    total: Fraction,
}

/// `events`, `customers` and `totals` of the report on these lines, in which nothing is wrong. The second
/// of two events with one source and id is a duplicate.
pub fn expected(lines: &str, terms: &Terms<'_>) -> Value {
    let settings: Value = serde_json::from_str(terms.settings).expect("settings");
    let prices: Value = serde_json::from_str(terms.prices).expect("prices");
    let plugin = Plugin { name: terms.plugin, settings: &settings };
    let mut statements: BTreeMap<(String, String, String), Statement> = BTreeMap::new();
    let mut known = BTreeSet::new();
    let (mut read_lines, mut duplicates) = (0, 0);
    for line in lines.lines() {
        let event = Event::read(line);
        read_lines += 1;
        if !known.insert((event.source.clone(), event.id.clone())) {
            duplicates += 1;
            continue;
        }
        let key = (event.subject.clone(), event.period(terms.minutes_ahead), event.source.clone());
        let statement = statements.entry(key).or_default();
        let cost = network::cost(&prices, &event);
        statement.charge(&plugin, &event, cost, &read(terms.platform_share));
    }
    let mut totals = Sums::default();
    for statement in statements.values() {
        totals.add(&statement.sums);
    }
    let customers = statements.iter().map(|((customer, period, _), statement)| {
        let mut object = json!({
            "customer": customer,
            "period": period,
            "usage": [{"unit": plugin.unit(), "used": written(&statement.used.count)}],
            "lines": statement.lines(),
        });
        object.as_object_mut().unwrap().extend(statement.sums.written());
        object
    });
    json!({
        "events": {
            "read": read_lines, "rated": read_lines - duplicates, "held": 0, "duplicate": duplicates, "invalid": 0,
        },
        "customers": customers.collect::<Vec<_>>(),
        "totals": totals.written(),
    })
}

impl Statement {
    fn charge(&mut self, plugin: &Plugin<'_>, event: &Event<'_>, cost: Fraction, share: &Fraction) {
        let mut total = Fraction::zero();
        for line in plugin.charge(event, &cost, &mut self.used) {
            total += &line.amount;
            let (quantity, amount) = self.lines.entry(line.code).or_default();
            *quantity += line.quantity;
            *amount += line.amount;
        }
        let platform_fee = nano(&(share * larger(Fraction::zero(), &total - &cost)));
        self.sums.add(&Sums { network_cost: cost, platform_fee, total });
    }

    fn lines(&self) -> Vec<Value> {
        let line = |(code, (quantity, amount)): (&&str, &(Fraction, Fraction))| json!({"code": code, "quantity": written(quantity), "amount": written(amount)});
        self.lines.iter().map(line).collect()
    }
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.network_cost += &other.network_cost;
        self.platform_fee += &other.platform_fee;
        self.total += &other.total;
    }

    fn written(&self) -> serde_json::Map<String, Value> {
        let earnings = &self.total - &self.network_cost - &self.platform_fee;
        let sums = [
            ("network_cost", &self.network_cost),
            ("platform_fee", &self.platform_fee),
            ("builder_earnings", &earnings),
            ("total", &self.total),
        ];
        sums.into_iter().map(|(name, sum)| (name.to_owned(), written(sum).into())).collect()
    }
}
