//! Price books: what a model costs the network, measure by measure, and when.
//!
//! Owns the choice of the entry that applies to an event and the exact sum of its prices. What a customer
//! pays is a plugin's business; whether a cost that the event itself reports counts instead is the caller's.
//!
//! Of the entries for an event's model, those apply whose route and provider are the event's or any, whose
//! `effective_from` is not after the event, and whose `above_input_tokens`, if any, all of the event's input
//! is strictly above. Among them decide, in this order: an exact route, an exact provider, the highest
//! threshold, the latest date. So an entry is superseded by a later one with the same model, route,
//! provider and threshold, and a threshold's price covers the whole request.

mod definition;
mod entry;

use std::cmp::Reverse;

use iso_currency::Currency;
use jiff::Timestamp;
use rustc_hash::FxHashMap;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::event::Event;
use crate::measure;
use crate::money::Amount;
pub use definition::PriceBookFault;
use entry::Entry;

/// What models cost the network, in one currency. Read from and kept as its JSON definition.
#[derive(Clone, Debug)]
pub struct PriceBook {
    currency: Currency,
    definition: Box<str>,
    /// Entries by model, the first that applies being the right one.
    models: FxHashMap<Box<str>, Vec<Entry>>,
}

/// Why an event's network cost cannot be told. The event is held until a price book can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unpriced {
    /// It has a provider's measures but names no model.
    #[error("the event has {measure} but names no model: give data.model, or data.network_cost")]
    NoModel {
        /// The first measure that needs a price.
        measure: String,
    },
    /// No entry applies to its model, route, provider and time.
    #[error(
        "no price for {measure} of model {model:?}{whose} at {time}: add an entry for it to the price book"
    )]
    NoEntry {
        /// The event's model.
        model: String,
        /// The route and provider, where the event names them.
        whose: String,
        /// The first measure that needs a price.
        measure: String,
        /// When the event happened, RFC 3339.
        time: String,
    },
    /// The entry that applies has no price for a provider's measure, nor for those it would take one from.
    #[error(
        "no price for {measure} of model {model:?} at {time}: entries[{entry}] of the price book has none, and none to take in its place"
    )]
    NoPrice {
        /// The event's model.
        model: String,
        /// The measure without a price.
        measure: String,
        /// When the event happened, RFC 3339.
        time: String,
        /// The entry's position in the book.
        entry: usize,
    },
    /// The exact sum is larger than the engine counts.
    #[error(
        "the network cost of model {model:?} by entries[{entry}] of the price book is too large to count"
    )]
    OutOfRange {
        /// The event's model.
        model: String,
        /// The entry's position in the book.
        entry: usize,
    },
}

impl PriceBook {
    /// Reads a price book from its JSON text.
    ///
    /// # Errors
    /// The first thing that is wrong: which entry, which field, what would be right.
    pub fn parse(definition: &str) -> Result<Self, PriceBookFault> {
        let (currency, entries) = definition::read(definition)?;
        let mut models: FxHashMap<Box<str>, Vec<Entry>> = FxHashMap::default();
        for (model, entry) in entries {
            models.entry(model).or_default().push(entry);
        }
        for entries in models.values_mut() {
            entries.sort_by_key(|entry| Reverse(entry.precedence()));
            definition::refuse_doubles(entries)?;
        }
        Ok(Self { currency, definition: definition.trim().into(), models })
    }

    /// The currency of every price, as ISO 4217 writes it: `USD`.
    pub fn currency(&self) -> &'static str {
        self.currency.code()
    }

    /// The JSON text it was read from.
    pub fn definition(&self) -> &str {
        &self.definition
    }

    /// What the event costs the network: the exact sum of quantity × price / per over its measures, rounded
    /// once, half to even, to a nano-unit.
    ///
    /// A provider's measure without a price of its own takes its parent's. A Builder's own measure without
    /// one costs nothing.
    ///
    /// # Errors
    /// When a provider's measure has no price, or the sum cannot be counted.
    pub fn network_cost(&self, event: &Event) -> Result<Amount, Unpriced> {
        let entries = self.models.get(event.model.as_str()).map_or(&[][..], Vec::as_slice);
        match entries.iter().find(|entry| entry.applies_to(event)) {
            Some(entry) => entry.cost(event),
            None => no_entry(event),
        }
    }
}

/// Without an entry only a Builder's own measures, and none at all, cost nothing.
fn no_entry(event: &Event) -> Result<Amount, Unpriced> {
    let owed =
        event.measures.iter().find(|(name, quantity)| !quantity.is_zero() && measure::is_a_providers(name));
    let Some((measure, _)) = owed else { return Ok(Amount::ZERO) };
    let (measure, model) = (measure.clone(), event.model.clone());
    if model.is_empty() {
        return Err(Unpriced::NoModel { measure });
    }
    let word = |preposition: &str, name: &str| match name {
        "" => String::new(),
        name => format!(" {preposition} {name:?}"),
    };
    let whose = word("on route", &event.route) + &word("from provider", &event.provider);
    Err(Unpriced::NoEntry { model, whose, measure, time: moment(event.time) })
}

/// A time in milliseconds as RFC 3339.
fn moment(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| milliseconds.to_string(), |time| time.to_string())
}

/// The same definition is the same price book.
impl PartialEq for PriceBook {
    fn eq(&self, other: &Self) -> bool {
        self.definition == other.definition
    }
}

impl Eq for PriceBook {}

/// Writes the JSON definition itself; for JSON only.
impl Serialize for PriceBook {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(&self.definition).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PriceBook {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let definition = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(definition.get()).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
