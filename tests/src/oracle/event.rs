//! An event as the oracle reads it: only what a price can depend on, numbers as they are written.

use std::collections::BTreeMap;

use num_traits::Zero as _;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::fraction::{self, Fraction};

#[derive(Deserialize)]
pub struct Event<'a> {
    pub source: String,
    pub id: String,
    pub subject: String,
    pub time: String,
    #[serde(borrow)]
    pub data: Data<'a>,
}

#[derive(Deserialize)]
pub struct Data<'a> {
    #[serde(default)]
    pub route: String,
    #[serde(default)]
    pub model: String,
    #[serde(borrow, default)]
    measures: BTreeMap<String, &'a RawValue>,
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    pub network_cost: Option<String>,
}

impl<'a> Event<'a> {
    pub fn read(line: &'a str) -> Self {
        serde_json::from_str(line).expect("an event")
    }

    /// A measure is a JSON number or a decimal string; zero when the event has none of that name.
    pub fn measure(&self, name: &str) -> Fraction {
        let written = self.data.measures.get(name).map(|raw| raw.get().trim_matches('"'));
        written.map_or_else(Fraction::zero, fraction::read)
    }

    /// The calendar month, in a zone so many minutes ahead of UTC: `2023-11`. Times are in UTC.
    pub fn period(&self, minutes_ahead: u32) -> String {
        let number = |from: usize, to: usize| -> u32 { self.time[from..to].parse().expect("a time") };
        let (mut year, mut month, mut day) = (number(0, 4), number(5, 7), number(8, 10));
        assert!(self.time.ends_with('Z'), "{}", self.time);
        if number(11, 13) * 60 + number(14, 16) + minutes_ahead >= 24 * 60 {
            day += 1;
        }
        if day > days_of(year, month) {
            month += 1;
        }
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
        format!("{year:04}-{month:02}")
    }
}

fn days_of(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
