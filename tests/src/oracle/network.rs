//! What an event costs the network, by a price book.

use num_traits::Zero as _;
use serde_json::Value;

use super::event::Event;
use super::fraction::{self, Fraction};

/// Measures that are input of the model: their sum is judged by long-context tiers.
const INPUT: [&str; 2] = ["input_tokens", "cache_read_tokens"];

/// Rounded once, to nano-units. A cost that the event itself gives is authoritative.
pub fn cost(prices: &Value, event: &Event<'_>) -> Fraction {
    if let Some(cost) = &event.data.network_cost {
        return fraction::read(cost);
    }
    let entries = prices["entries"].as_array().expect("entries");
    let applying = entries.iter().filter(|entry| applies(entry, event));
    // An exact route over `*`, a long-context entry over a plain one, then the latest date.
    let entry = applying.max_by_key(|entry| {
        let date = entry["effective_from"].as_str().unwrap_or_default();
        (route(entry) != "*", entry["above_input_tokens"].as_u64(), date)
    });
    let entry = entry.unwrap_or_else(|| panic!("no price for event {}", event.id));
    let listed = entry["prices"].as_array().expect("prices").iter();
    let costs = listed.map(|price| {
        let per = price["per"].as_u64().unwrap_or(1).to_string();
        event.measure(text(price, "measure")) * fraction::read(text(price, "price")) / fraction::read(&per)
    });
    fraction::nano(&costs.fold(Fraction::zero(), |sum, cost| sum + cost))
}

fn applies(entry: &Value, event: &Event<'_>) -> bool {
    let input = INPUT.iter().fold(Fraction::zero(), |sum, name| sum + event.measure(name));
    let is_long = |tokens: u64| input > fraction::read(&tokens.to_string());
    let date = entry["effective_from"].as_str().unwrap_or_default();
    text(entry, "model") == event.data.model
        && (route(entry) == "*" || route(entry) == event.data.route)
        && date <= event.time.as_str()
        && entry["above_input_tokens"].as_u64().is_none_or(is_long)
}

fn route(entry: &Value) -> &str {
    entry["route"].as_str().unwrap_or("*")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} of {value}"))
}
