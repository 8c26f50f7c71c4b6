//! A usage object, or one of the objects within it, read count by count.

use rust_decimal::Decimal;

use super::{Counts, FIELDS_MAX, UsageFault};
use crate::json::{self, Fields, Kind};
use crate::number::{self, Limits, NumberFault};
use crate::quantity::Quantity;

/// Counts are whole and below 10¹⁵.
const LIMITS: Limits = Limits { whole_digits: 15, fraction_digits: 0 };
const REMEDY: &str = "a count is a whole number, zero or more and below 1000000000000000";

/// An object of counts; without fields where the body does not have it.
pub(super) struct Section<'a> {
    path: &'static str,
    fields: Option<Fields<'a>>,
}

/// A count, and where it was read; zero when the body does not give it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    path: &'static str,
    name: &'static str,
    pub value: i64,
}

impl Count {
    /// A count that was worked out; it goes by the name of the one it comes from.
    pub fn with(self, value: i64) -> Self {
        Self { value, ..self }
    }

    /// The field it was read from, dotted.
    pub fn field(&self) -> String {
        dotted(self.path, self.name)
    }
}

fn dotted(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

impl<'a> Section<'a> {
    /// The usage object itself.
    pub fn whole(fields: Fields<'a>) -> Self {
        Self { path: "", fields: Some(fields) }
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.fields.as_ref().and_then(|fields| fields.get(name))
    }

    /// Whether a field is given and not null.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether any field's name is like this.
    pub fn any(&self, like: impl Fn(&str) -> bool) -> bool {
        self.fields.as_ref().is_some_and(|fields| fields.iter().any(|(name, _)| like(name)))
    }

    /// The count under the first of these names that the body gives.
    pub fn count(&self, names: &[&'static str]) -> Result<Count, UsageFault> {
        for name in names {
            if let Some(raw) = self.get(name) {
                let value =
                    whole_number(raw).map_err(|problem| fault(dotted(self.path, name), problem, REMEDY))?;
                return Ok(Count { path: self.path, name, value });
            }
        }
        Ok(Count { path: self.path, name: names.first().unwrap_or(&""), value: 0 })
    }

    /// The object under the first of these names that the body gives. Names are unique in a body, so its
    /// path is its name.
    pub fn section(&self, names: &[&'static str]) -> Result<Section<'a>, UsageFault> {
        let given = names.iter().find_map(|name| self.get(name).map(|raw| (*name, raw)));
        let Some((path, raw)) = given else {
            return Ok(Section { path: names.first().unwrap_or(&""), fields: None });
        };
        match Fields::read(raw, FIELDS_MAX) {
            Ok(fields) => Ok(Section { path, fields: Some(fields) }),
            Err(problem) => Err(fault(
                dotted(self.path, path),
                problem.to_string(),
                "give it as the provider sent it, or leave it out",
            )),
        }
    }

    /// The objects in the list under the first of these names that the body gives.
    pub fn list(&self, names: &[&'static str]) -> Result<Vec<Section<'a>>, UsageFault> {
        let given = names.iter().find_map(|name| self.get(name).map(|raw| (*name, raw)));
        let Some((path, raw)) = given else { return Ok(Vec::new()) };
        let refuse = || {
            fault(
                dotted(self.path, path),
                "is not a short list of objects".to_owned(),
                "give it as the provider sent it, or leave it out",
            )
        };
        let elements = json::list(raw).filter(|elements| elements.len() <= FIELDS_MAX).ok_or_else(refuse)?;
        elements
            .into_iter()
            .map(|element| {
                Fields::read(element, FIELDS_MAX).map(|fields| Section { path, fields: Some(fields) })
            })
            .collect::<Result<_, _>>()
            .map_err(|_| refuse())
    }

    /// The text of a field; `None` where it is absent or no text.
    pub fn word(&self, name: &str) -> Option<std::borrow::Cow<'a, str>> {
        self.get(name).and_then(json::text)
    }
}

fn whole_number(raw: &str) -> Result<i64, String> {
    let shown = json::excerpt(raw);
    if json::kind(raw) != Kind::Number {
        return Err(format!("is {} ({shown})", json::kind(raw)));
    }
    let exact = number::read(raw, LIMITS).map_err(|problem| match problem {
        NumberFault::TooLarge => format!("is {shown}, which is too large"),
        NumberFault::TooPrecise => format!("is {shown}, which is not a whole number"),
        NumberFault::NotANumber => format!("is {shown}, which is not a number"),
    })?;
    match i64::try_from(exact.coefficient) {
        Ok(count @ 0..) => Ok(count),
        Ok(_) => Err(format!("is {shown}, which is negative")),
        Err(_) => Err(format!("is {shown}, which is too large")),
    }
}

fn fault(field: String, problem: String, remedy: &'static str) -> UsageFault {
    UsageFault { field, problem, remedy }
}

/// The counts that are not zero, as quantities.
pub(super) fn quantities(counts: &[(&'static str, i64)]) -> Counts {
    counts
        .iter()
        .filter(|(_, count)| *count != 0)
        .filter_map(|(measure, count)| Some((*measure, Quantity::new(Decimal::from(*count)).ok()?)))
        .collect()
}
