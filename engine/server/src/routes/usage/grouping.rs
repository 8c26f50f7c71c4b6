//! Adds usage and charges up by what the reader asks for.
//!
//! A quantity is how far the events moved their counters (after − before): of a distinct unit a key counts
//! once, of a maximum only the rise counts, and what is taken back is taken off.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tollgate_core::catalog::App;
use tollgate_core::charge::UsageRow;
use tollgate_core::period::Calendar;
use tollgate_core::quantity::QuantitySum;
use tollgate_core::wallet::{Draw, Source};

use super::posted::Posting;
use crate::problem::{Fault, Problem};

/// The most things to group by at once.
const DIMENSIONS_MAX: usize = 8;
/// The most groups of an answer.
const GROUPS_MAX: usize = 10_000;

/// What usage is grouped by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dimension {
    /// The calendar day in the app's time zone on which the event happened.
    Day,
    Feature,
    Route,
    Model,
    Unit,
    /// The period it is counted in.
    Period,
    /// An attribute of the event.
    Attribute(String),
}

impl Dimension {
    /// Reads a comma list.
    ///
    /// # Errors
    /// 422 for an unknown word, one twice, or too many.
    pub fn list(text: &str) -> Result<Vec<Self>, Problem> {
        let known = "day, feature, route, model, unit, period, attribute:<name>";
        let dimensions = comma_list(text, known, Self::read)?;
        if dimensions.len() > DIMENSIONS_MAX {
            return Err(refused(format!("may name at most {DIMENSIONS_MAX}")));
        }
        Ok(dimensions)
    }

    fn read(word: &str) -> Option<Self> {
        Some(match word {
            "day" => Self::Day,
            "feature" => Self::Feature,
            "route" => Self::Route,
            "model" => Self::Model,
            "unit" => Self::Unit,
            "period" => Self::Period,
            other => {
                Self::Attribute(other.strip_prefix("attribute:").filter(|name| !name.is_empty())?.to_owned())
            }
        })
    }

    /// The word that names it.
    pub fn word(&self) -> String {
        match self {
            Self::Day => "day".to_owned(),
            Self::Feature => "feature".to_owned(),
            Self::Route => "route".to_owned(),
            Self::Model => "model".to_owned(),
            Self::Unit => "unit".to_owned(),
            Self::Period => "period".to_owned(),
            Self::Attribute(name) => format!("attribute:{name}"),
        }
    }

    fn value(&self, posting: Posting<'_>, unit: &str, calendar: &Calendar) -> String {
        let Posting { event, charge, .. } = posting;
        match self {
            Self::Day => day(calendar, event.time),
            Self::Feature => event.feature.clone(),
            Self::Route => event.route.clone(),
            Self::Model => event.model.clone(),
            Self::Unit => unit.to_owned(),
            Self::Period => charge.period.to_string(),
            Self::Attribute(name) => {
                let attribute = event.attributes.iter().find(|(other, _)| other == name);
                attribute.map_or_else(String::new, |(_, value)| value.clone())
            }
        }
    }
}

/// Reads `group_by`: a comma list of words, of which `known` tells all.
///
/// # Errors
/// 422 for an unknown word, or one twice.
pub(in crate::routes) fn comma_list<T: PartialEq>(
    text: &str,
    known: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, Problem> {
    let mut list = Vec::new();
    for word in text.split(',').map(str::trim) {
        match read(word) {
            None => return Err(refused(format!("{word:?} is not one of {known}"))),
            Some(item) if list.contains(&item) => return Err(refused(format!("names {word:?} twice"))),
            Some(item) => list.push(item),
        }
    }
    Ok(list)
}

fn refused(message: String) -> Problem {
    Problem::invalid(vec![Fault::parameter("group_by", message)])
}

/// An app's calendar.
///
/// # Errors
/// 500 when its time zone is not known any more.
pub(in crate::routes) fn calendar_of(app: &App) -> Result<Calendar, Problem> {
    Calendar::new(&app.time_zone).map_err(|error| {
        tracing::error!(%error, app = app.id, "an app's time zone is unknown");
        Problem::internal()
    })
}

/// The day in which a moment (milliseconds since 1970) lies, as `2026-11-03`; empty outside the calendar.
pub(in crate::routes) fn day(calendar: &Calendar, moment: i64) -> String {
    calendar.day(moment).map_or_else(|_| String::new(), |day| day.to_string())
}

/// Sums by group, sorted by the groups' values.
#[derive(Debug)]
pub(super) struct Grouping {
    dimensions: Vec<Dimension>,
    calendar: Calendar,
    pub groups: BTreeMap<Vec<String>, Sum>,
}

/// What one group adds up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    /// Charged events, less those taken back.
    pub events: i64,
    /// Nano-units of the app's currency.
    pub charged: i128,
    /// How much of it granted credit covered, in nano-units.
    pub from_granted: i128,
    /// How much of it the customer's own money covered, in nano-units.
    pub from_paid: i128,
    /// By unit, the quantity.
    pub usage: BTreeMap<Arc<str>, QuantitySum>,
}

impl Grouping {
    pub fn new(dimensions: Vec<Dimension>, calendar: Calendar) -> Self {
        Self { dimensions, calendar, groups: BTreeMap::new() }
    }

    /// Whether units have groups of their own. A charge is for a whole event, so there are no amounts then.
    pub fn is_by_unit(&self) -> bool {
        self.dimensions.contains(&Dimension::Unit)
    }

    /// Adds a posting.
    ///
    /// # Errors
    /// 422 when there are too many groups, 500 when a sum does not fit.
    pub fn add(&mut self, posting: Posting<'_>) -> Result<(), Problem> {
        if self.is_by_unit() {
            let mut met = BTreeSet::new();
            for row in &posting.charge.usage {
                let is_first = met.insert(&*row.unit);
                let sum = self.group(posting, &row.unit)?;
                sum.events = sum.events.saturating_add(if is_first { posting.sign } else { 0 });
                sum.add_usage(row)?;
            }
            return Ok(());
        }
        let sum = self.group(posting, "")?;
        sum.events = sum.events.saturating_add(posting.sign);
        let total = i128::from(posting.charge.total.nano());
        sum.charged = sum.charged.checked_add(total).ok_or_else(Problem::internal)?;
        posting.charge.draws.iter().try_for_each(|draw| sum.add_draw(draw))?;
        posting.charge.usage.iter().try_for_each(|row| sum.add_usage(row))
    }

    fn group(&mut self, posting: Posting<'_>, unit: &str) -> Result<&mut Sum, Problem> {
        let values: Vec<_> =
            self.dimensions.iter().map(|dimension| dimension.value(posting, unit, &self.calendar)).collect();
        if self.groups.len() >= GROUPS_MAX && !self.groups.contains_key(&values) {
            let message = format!("gives more than {GROUPS_MAX} groups: group by less");
            return Err(refused(message));
        }
        Ok(self.groups.entry(values).or_default())
    }
}

impl Sum {
    fn add_draw(&mut self, draw: &Draw) -> Result<(), Problem> {
        let covered = match draw.source {
            Source::Grant(_) => &mut self.from_granted,
            Source::Paid => &mut self.from_paid,
            Source::Credit | Source::Uncovered => return Ok(()),
        };
        let added = covered.checked_add(i128::from(draw.amount.nano()));
        *covered = added.ok_or_else(Problem::internal)?;
        Ok(())
    }

    fn add_usage(&mut self, row: &UsageRow) -> Result<(), Problem> {
        let moved = QuantitySum::from(row.after).checked_add(QuantitySum::from(row.before.opposite()));
        let sum = self.usage.entry(Arc::clone(&row.unit)).or_default();
        let moved = moved.and_then(|moved| sum.checked_add(moved));
        *sum = moved.ok_or_else(Problem::internal)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use tollgate_core::catalog::Definition;
    use tollgate_core::charge::{Charge, Split};
    use tollgate_core::door;
    use tollgate_core::event::Event;
    use tollgate_core::money::Amount;
    use tollgate_core::quantity::Quantity;

    use super::*;

    fn paris() -> Calendar {
        let app = r#"{"app":{"id":"a","name":"A","builder":"b","currency":"EUR","time_zone":"Europe/Paris",
            "platform_share":"0.2","surcharge_max":"10","price_book":"p"}}"#;
        let Definition::App(app) = serde_json::from_str::<Definition>(app).unwrap() else { panic!("an app") };
        let app: App = app;
        calendar_of(&app).unwrap()
    }

    fn event(time: &str, project: &str) -> Event {
        let text = format!(
            r#"{{"specversion":"1.0","id":"1","source":"a","type":"t","subject":"s","time":"{time}",
                "data":{{"feature":"review","attributes":{{"project":"{project}"}}}}}}"#
        );
        door::parse(text.as_bytes()).unwrap()
    }

    fn row(unit: &str, before: u32, after: u32) -> UsageRow {
        let (group, key) = (Arc::from(""), Arc::from(""));
        let [before, after] = [before, after].map(Quantity::from);
        UsageRow { unit: unit.into(), group, key, quantity: Quantity::from(7), before, after }
    }

    fn charge(nano: i64, usage: Vec<UsageRow>) -> Charge {
        let (period, total) = ("2026-11".parse().unwrap(), Amount::from_nano(nano));
        let (split, lines, refused) = (Split::default(), Vec::new(), Vec::new());
        let draws = vec![Draw { source: Source::Paid, amount: total }];
        Charge {
            tariff: "t".into(),
            parent: None,
            period,
            late: false,
            total,
            split,
            usage,
            lines,
            refused,
            draws,
        }
    }

    #[test]
    fn words_are_read_and_refused() {
        let read = Dimension::list("day, attribute:project,unit").unwrap();
        assert_eq!(read, [Dimension::Day, Dimension::Attribute("project".into()), Dimension::Unit]);
        assert_eq!(read[1].word(), "attribute:project");
        for text in [
            "",
            "days",
            "day,day",
            "attribute:",
            "day,",
            "unit,model,feature,route,day,period,attribute:a,attribute:b,attribute:c",
        ] {
            assert!(Dimension::list(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counters_moves_are_added_up_by_local_day_and_attribute_and_voids_are_taken_off() {
        let mut grouping = Grouping::new(Dimension::list("day,attribute:project").unwrap(), paris());
        let (evening, night) = (event("2026-11-02T22:30:00Z", "x"), event("2026-11-02T23:30:00Z", "x"));
        // A maximum rose from 3 to 5 by an event worth 7 less 2: the rise counts.
        let first = charge(10, vec![row("seats", 3, 5), row("document", 0, 7)]);
        let second = charge(5, vec![row("document", 7, 9)]);
        let taken_back = second.clone().reversed(second.period, false).unwrap();
        grouping.add(Posting { event: &evening, charge: &first, sign: 1 }).unwrap();
        grouping.add(Posting { event: &night, charge: &second, sign: 1 }).unwrap();
        grouping.add(Posting { event: &night, charge: &taken_back, sign: -1 }).unwrap();
        let told = grouping.groups.iter().map(|(values, sum)| {
            let usage: Vec<_> = sum.usage.iter().map(|(unit, sum)| format!("{unit} {sum}")).collect();
            (values.join(" "), sum.events, sum.charged, usage.join(", "))
        });
        let expected = [
            ("2026-11-02 x".to_owned(), 1, 10, "document 7, seats 2".to_owned()),
            ("2026-11-03 x".to_owned(), 0, 0, "document 0".to_owned()),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn by_unit_an_event_counts_once_in_each_and_has_no_amounts() {
        let mut grouping = Grouping::new(Dimension::list("unit").unwrap(), paris());
        let event = event("2026-11-02T22:30:00Z", "x");
        let charge = charge(10, vec![row("document", 0, 3), row("document", 3, 4), row("seats", 0, 1)]);
        grouping.add(Posting { event: &event, charge: &charge, sign: 1 }).unwrap();
        let events: Vec<_> = grouping.groups.iter().map(|(values, sum)| (&*values[0], sum.events)).collect();
        assert_eq!(events, [("document", 1), ("seats", 1)]);
        assert!(grouping.groups.values().all(|sum| sum.charged == 0));
    }
}
