//! The `data` of an event: what ran, and what it used.

use super::envelope::{bearable, string};
use super::{ATTRIBUTE_BYTES_MAX, ATTRIBUTES_MAX, FIELDS_MAX, MEASURES_MAX, NAME_BYTES_MAX, Rejected};
use crate::dialect::{self, UsageFault};
use crate::json::{self, Fields, Kind};
use crate::money::Amount;
use crate::number::{self, Exact, Limits, NumberFault};
use crate::quantity::Quantity;

/// What a measure may be.
const MEASURE_LIMITS: Limits = Limits { whole_digits: 15, fraction_digits: 9 };
/// What a network cost may be: as much as one posting holds.
const COST_LIMITS: Limits = Limits { whole_digits: 10, fraction_digits: 9 };

pub(super) struct Data {
    pub feature: String,
    pub route: String,
    pub model: String,
    pub provider: String,
    pub measures: Vec<(String, Quantity)>,
    pub attributes: Vec<(String, String)>,
    pub reported_cost: Option<Amount>,
}

pub(super) fn read(raw: &str) -> Result<Data, Rejected> {
    let fields = Fields::read(raw, FIELDS_MAX).map_err(|fault| {
        Rejected::new(
            "data",
            fault.to_string(),
            fault.remedy("the app's own words belong in data.attributes"),
        )
    })?;
    let word = |name: &str, field: &'static str| match fields.get(name) {
        Some(raw) => string(field, raw, NAME_BYTES_MAX).map(std::borrow::Cow::into_owned),
        None => Ok(String::new()),
    };
    Ok(Data {
        feature: word("feature", "data.feature")?,
        route: word("route", "data.route")?,
        model: word("model", "data.model")?,
        provider: word("provider", "data.provider")?,
        measures: measures(&fields)?,
        attributes: attributes(&fields)?,
        reported_cost: reported_cost(&fields)?,
    })
}

fn measures(data: &Fields<'_>) -> Result<Vec<(String, Quantity)>, Rejected> {
    let mut measures = given_measures(data)?;
    for (name, quantity) in usage(data)? {
        if measures.iter().any(|(given, _)| given == name) {
            let problem = "is also counted by the event's usage object";
            return Err(Rejected::new(format!("data.measures.{name}"), problem, "give it in one of the two"));
        }
        measures.push((name.to_owned(), quantity));
    }
    measures.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    Ok(measures)
}

fn given_measures(data: &Fields<'_>) -> Result<Vec<(String, Quantity)>, Rejected> {
    let Some(raw) = data.get("measures") else { return Ok(Vec::new()) };
    let fields = Fields::read(raw, MEASURES_MAX).map_err(|fault| {
        Rejected::new(
            "data.measures",
            fault.to_string(),
            fault.remedy("name at most 64 measures, as in {\"input_tokens\":480}"),
        )
    })?;
    let mut measures = Vec::with_capacity(fields.len());
    for (name, raw) in fields.iter() {
        let field = || format!("data.measures.{}", json::excerpt(name));
        check_name(name, field)?;
        if name.starts_with(dialect::OPEN_TELEMETRY_PREFIX) {
            let remedy =
                "OpenTelemetry's counts overlap: give them in data.usage, where they are taken apart";
            return Err(Rejected::new(field(), "is not a measure", remedy));
        }
        let quantity = quantity(raw).map_err(|problem| {
            let remedy = "a measure is a number or decimal string, zero or more, below 1000000000000000, \
                          with at most 9 digits after the point";
            Rejected::new(field(), problem, remedy)
        })?;
        measures.push((name.clone().into_owned(), quantity));
    }
    Ok(measures)
}

fn check_name(name: &str, field: impl Fn() -> String) -> Result<(), Rejected> {
    if name.is_empty() {
        return Err(Rejected::new(field(), "has no name", "give every key a name"));
    }
    bearable(name, NAME_BYTES_MAX).map_err(|(problem, remedy)| Rejected::new(field(), problem, remedy))
}

fn quantity(raw: &str) -> Result<Quantity, String> {
    let decimal = not_negative(raw, MEASURE_LIMITS)?.decimal();
    let quantity = decimal.and_then(|decimal| Quantity::new(decimal).ok());
    quantity.ok_or_else(|| format!("is {}, which is out of range", json::excerpt(raw)))
}

/// A number, or a string that holds one, from zero up.
fn not_negative(raw: &str, limits: Limits) -> Result<Exact, String> {
    let shown = json::excerpt(raw);
    let written = match json::kind(raw) {
        Kind::Number => Some(raw.into()),
        Kind::Text => json::text(raw),
        kind => return Err(format!("is {kind}")),
    };
    let read = written.map_or(Err(NumberFault::NotANumber), |written| number::read(&written, limits));
    match read {
        Ok(exact) if exact.coefficient < 0 => Err(format!("is {shown}, which is negative")),
        Ok(exact) => Ok(exact),
        Err(NumberFault::NotANumber) => Err(format!("is {shown}, which is not a number")),
        Err(NumberFault::TooPrecise) => Err(format!("is {shown}, which is too precise")),
        Err(NumberFault::TooLarge) => Err(format!("is {shown}, which is too large")),
    }
}

/// The counts of a provider's own usage object, wherever the event carries it.
fn usage(data: &Fields<'_>) -> Result<dialect::Counts, Rejected> {
    let flat = data.iter().any(|(name, _)| name.starts_with(dialect::OPEN_TELEMETRY_PREFIX));
    let mut given = ["usage", "usageMetadata"].into_iter().filter(|name| data.get(name).is_some());
    let name = match (given.next(), given.next(), flat) {
        (None, _, false) => return Ok(Vec::new()),
        (None, _, true) => {
            let attributes = data.only(|name| name.starts_with(dialect::OPEN_TELEMETRY_PREFIX));
            return dialect::normalise_fields(attributes).map_err(|fault| within("data", fault));
        }
        (Some(name), None, false) => name,
        (Some(_), _, _) => {
            let problem = "carries two usage objects";
            return Err(Rejected::new(
                "data",
                problem,
                "give usage, usageMetadata or gen_ai.usage.*, and only one of them",
            ));
        }
    };
    let counted = dialect::normalise(data.get(name).unwrap_or_default());
    counted.map_err(|fault| within(if name == "usage" { "data.usage" } else { "data.usageMetadata" }, fault))
}

fn within(place: &'static str, fault: UsageFault) -> Rejected {
    let dot = if fault.field.is_empty() { "" } else { "." };
    Rejected::new(format!("{place}{dot}{}", fault.field), fault.problem, fault.remedy)
}

fn attributes(data: &Fields<'_>) -> Result<Vec<(String, String)>, Rejected> {
    let Some(raw) = data.get("attributes") else { return Ok(Vec::new()) };
    let fields = Fields::read(raw, ATTRIBUTES_MAX).map_err(|fault| {
        Rejected::new(
            "data.attributes",
            fault.to_string(),
            fault.remedy("name at most 64 attributes, as in {\"team\":\"legal\"}"),
        )
    })?;
    let mut attributes = Vec::with_capacity(fields.len());
    for (name, raw) in fields.iter() {
        let field = || format!("data.attributes.{}", json::excerpt(name));
        check_name(name, field)?;
        let value = match json::kind(raw) {
            Kind::Null => continue,
            Kind::Number | Kind::Boolean if raw.len() <= ATTRIBUTE_BYTES_MAX => raw.to_owned(),
            _ => string(&field(), raw, ATTRIBUTE_BYTES_MAX)?.into_owned(),
        };
        attributes.push((name.clone().into_owned(), value));
    }
    attributes.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    Ok(attributes)
}

fn reported_cost(data: &Fields<'_>) -> Result<Option<Amount>, Rejected> {
    let Some(raw) = data.get("network_cost") else { return Ok(None) };
    let read = not_negative(raw, COST_LIMITS).and_then(|exact| {
        let amount = exact.decimal().and_then(|decimal| Amount::exact(decimal).ok());
        amount.ok_or_else(|| format!("is {}, which is too large", json::excerpt(raw)))
    });
    read.map(Some).map_err(|problem| {
        let remedy = "a network cost is a decimal string in units of the currency, zero or more, \
                      with at most 9 digits after the point, as in \"0.00042\"";
        Rejected::new("data.network_cost", problem, remedy)
    })
}
