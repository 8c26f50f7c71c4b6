//! Which events a rate or an adjustment is for: by their texts, and by the hour and day.

use std::collections::BTreeMap;
use tollgate_sdk::prelude::*;

/// What an event must be like. What is left out is not asked; of a list, one is enough. A text that ends in `*`
/// fits whatever begins like it.
#[settings]
#[derive(Default)]
#[serde(default)]
pub struct When {
    /// Features.
    feature: Vec<String>,
    /// Routes.
    route: Vec<String>,
    /// Models: "gpt-4*".
    model: Vec<String>,
    /// Providers.
    provider: Vec<String>,
    /// For each attribute named, its values: `{"department": ["legal", "tax"]}`.
    attributes: BTreeMap<String, Vec<String>>,
    /// Times of day from the first minute up to the last, which is not part of it: "22:00-06:00".
    hours: Vec<String>,
    /// Days of the week: "sat", "sun".
    days: Vec<Day>,
}

/// A day of the week.
#[settings]
#[derive(Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// The days in the order of the calendar; 1970 began with the first.
const DAYS: [Day; 7] = [Day::Thu, Day::Fri, Day::Sat, Day::Sun, Day::Mon, Day::Tue, Day::Wed];
const DAY_MINUTES: i64 = 24 * 60;

impl When {
    /// Whether the event is like that.
    pub fn fits(&self, event: &Event, clock: &Clock) -> bool {
        listed(&self.feature, event.feature())
            && listed(&self.route, event.route())
            && listed(&self.model, event.model())
            && listed(&self.provider, event.provider())
            && self.attributes.iter().all(|(name, values)| listed(values, event.attribute(name)))
            && self.is_time(clock.minutes(event.time()))
    }

    fn is_time(&self, minutes: i64) -> bool {
        let (day, minute) = (minutes.div_euclid(DAY_MINUTES), minutes.rem_euclid(DAY_MINUTES));
        let is_day = || {
            let day = usize::try_from(day.rem_euclid(7)).ok().and_then(|day| DAYS.get(day));
            day.is_some_and(|day| self.days.contains(day))
        };
        let is_hour = || self.hours.iter().filter_map(|hours| span(hours)).any(|span| within(span, minute));
        (self.days.is_empty() || is_day()) && (self.hours.is_empty() || is_hour())
    }

    /// Adds whatever is wrong with it.
    pub fn check(&self, pointer: &str, problems: &mut Problems) {
        for (position, hours) in self.hours.iter().enumerate().filter(|(_, hours)| span(hours).is_none()) {
            problems.add(
                format!("{pointer}/hours/{position}"),
                format!("`{hours}` is not a time of day; write it like \"22:00-06:00\""),
            );
        }
    }
}

/// Whether a text is in a list, or nothing is listed.
fn listed(list: &[String], text: Text) -> bool {
    list.is_empty()
        || list.iter().any(|listed| match listed.strip_suffix('*') {
            Some(beginning) => text.starts_with(beginning),
            None => text == *listed,
        })
}

/// Two minutes of a day, from "22:00-06:00".
fn span(hours: &str) -> Option<(i64, i64)> {
    let (from, to) = hours.split_once('-')?;
    Some((minute(from)?, minute(to)?))
}

/// The minute of the day, from "22:00"; "24:00" is the end of it.
fn minute(time: &str) -> Option<i64> {
    let (hour, minute) = time.split_once(':')?;
    let two_digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
    Some(60 * hour + minute).filter(|total| minute < 60 && *total <= DAY_MINUTES)
}

/// Whether a minute lies in a span, which may go past midnight. One that ends where it begins is a whole day.
fn within((from, to): (i64, i64), minute: i64) -> bool {
    if from < to { from <= minute && minute < to } else { minute >= from || minute < to }
}

/// A clock that is always as far from UTC: it knows no summer time.
#[settings]
#[serde(from = "String")]
#[schemars(with = "String")]
pub struct Clock {
    written: String,
    offset_minutes: Option<i64>,
}

impl From<String> for Clock {
    fn from(written: String) -> Self {
        let offset_minutes = match written.split_at_checked(1) {
            Some(("+", offset)) => minute(offset),
            Some(("-", offset)) => minute(offset).map(|minutes| -minutes),
            _ => None,
        };
        Self { written, offset_minutes }
    }
}

impl Default for Clock {
    fn default() -> Self {
        "+00:00".to_owned().into()
    }
}

impl Clock {
    /// The minutes since 1970 began where the clock hangs.
    fn minutes(&self, time: i64) -> i64 {
        time.div_euclid(60_000) + self.offset_minutes.unwrap_or_default()
    }

    /// Adds a problem when it is not an offset.
    pub fn check(&self, pointer: &str, problems: &mut Problems) {
        if self.offset_minutes.is_none() {
            let written = &self.written;
            problems.add(pointer, format!("`{written}` is not an offset from UTC; write it like \"+02:00\""));
        }
    }
}
