//! Billing periods: calendar months in the app's time zone.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

/// A calendar month, written `2023-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Period {
    first: Date,
}

/// Why there is no such period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Not a month.
    #[error("{0:?} is not a period: a year and a month, as in \"2023-11\"")]
    NotAPeriod(String),
    /// Not in the time zone database.
    #[error("{0:?} is not a time zone of the IANA database, such as \"Europe/Paris\"")]
    UnknownTimeZone(String),
    /// Outside what a calendar holds.
    #[error("the time {0} ms is outside the calendar (years -9999 to 9999)")]
    OutOfRange(i64),
}

impl Period {
    /// The month after this one; `None` after the year 9999.
    pub fn next(self) -> Option<Self> {
        self.first.checked_add(1.month()).ok().map(|first| Self { first })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let well_formed = text.len() == 7 && text.as_bytes().get(4) == Some(&b'-');
        let date = if well_formed { format!("{text}-01").parse::<Date>().ok() } else { None };
        date.map(|first| Self { first }).ok_or_else(|| PeriodError::NotAPeriod(text.to_owned()))
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodError;

    fn try_from(text: String) -> Result<Self, PeriodError> {
        text.parse()
    }
}

/// Finds the period of a moment, in one time zone.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    /// The span of the period found last: most events of a batch share it.
    last: Option<(std::ops::Range<i64>, Period)>,
}

impl Calendar {
    /// The calendar of an IANA time zone.
    ///
    /// # Errors
    /// [`PeriodError::UnknownTimeZone`].
    pub fn new(zone: &str) -> Result<Self, PeriodError> {
        let zone = TimeZone::get(zone).map_err(|_| PeriodError::UnknownTimeZone(zone.to_owned()))?;
        Ok(Self { zone, last: None })
    }

    /// The period in which a moment (milliseconds since 1970) lies.
    ///
    /// # Errors
    /// [`PeriodError::OutOfRange`].
    pub fn period(&mut self, time: i64) -> Result<Period, PeriodError> {
        if let Some((span, period)) = &self.last
            && span.contains(&time)
        {
            return Ok(*period);
        }
        let first = self.day(time)?.first_of_month();
        // A period is written with a year of four digits.
        if first.year() < 0 {
            return Err(PeriodError::OutOfRange(time));
        }
        let period = Period { first };
        self.last = Some((self.span(period)?, period));
        Ok(period)
    }

    /// The day in which a moment (milliseconds since 1970) lies.
    ///
    /// # Errors
    /// [`PeriodError::OutOfRange`].
    pub fn day(&self, time: i64) -> Result<Date, PeriodError> {
        let moment = Timestamp::from_millisecond(time).map_err(|_| PeriodError::OutOfRange(time))?;
        Ok(self.zone.to_datetime(moment).date())
    }

    /// The moments a period spans, in milliseconds since 1970: from its start up to, not including, its end.
    ///
    /// # Errors
    /// [`PeriodError::OutOfRange`].
    pub fn span(&self, period: Period) -> Result<std::ops::Range<i64>, PeriodError> {
        let start = |date: Date| {
            date.to_zoned_datetime(self.zone.clone())
                .map(|zoned| zoned.timestamp().as_millisecond())
                .map_err(|_| PeriodError::OutOfRange(i64::MAX))
        };
        let next = period.next().ok_or(PeriodError::OutOfRange(i64::MAX))?;
        Ok(start(period.first)?..start(next.first)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_at_local_midnight() {
        let mut paris = Calendar::new("Europe/Paris").unwrap();
        let november: Period = "2023-11".parse().unwrap();
        let span = paris.span(november).unwrap();
        assert_eq!(span.start, "2023-10-31T23:00:00Z".parse::<Timestamp>().unwrap().as_millisecond());
        assert_eq!(paris.period(span.start), Ok(november));
        assert_eq!(paris.period(span.start - 1).unwrap().to_string(), "2023-10");
        assert_eq!(paris.period(span.end - 1), Ok(november));
        assert_eq!(paris.period(span.end).unwrap().to_string(), "2023-12");
    }

    #[test]
    fn a_day_begins_at_local_midnight_also_when_clocks_change() {
        let paris = Calendar::new("Europe/Paris").unwrap();
        for (time, day) in [
            ("2026-11-02T22:59:59.999Z", "2026-11-02"),
            ("2026-11-02T23:00:00Z", "2026-11-03"),
            // Summer time: midnight is an hour earlier, and the day of the change has 25 hours.
            ("2026-10-24T21:59:59Z", "2026-10-24"),
            ("2026-10-24T22:00:00Z", "2026-10-25"),
            ("2026-10-25T22:59:59Z", "2026-10-25"),
            ("2026-10-25T23:00:00Z", "2026-10-26"),
        ] {
            let moment = time.parse::<Timestamp>().unwrap().as_millisecond();
            assert_eq!(paris.day(moment).unwrap().to_string(), day, "{time}");
        }
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in ["2023", "2023-13", "2023-1", "november", "2023-11-01", ""] {
            assert_eq!(text.parse::<Period>(), Err(PeriodError::NotAPeriod(text.to_owned())));
        }
        assert!(matches!(Calendar::new("Mars/Olympus"), Err(PeriodError::UnknownTimeZone(_))));
    }
}
