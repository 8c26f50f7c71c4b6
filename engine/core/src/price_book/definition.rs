//! A price book's JSON, read strictly: a misspelt field would be a wrong price.

use std::fmt;

use iso_currency::Currency;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::entry::{Entry, Price, Scope};
use crate::json::{self, Fields, Kind};
use crate::number::{self, Exact, Limits, NumberFault};
use crate::quantity::Quantity;

const FIELDS_MAX: usize = 64;
const PRICE_LIMITS: Limits = Limits { whole_digits: 10, fraction_digits: 18 };
const WHOLE_LIMITS: Limits = Limits { whole_digits: 15, fraction_digits: 0 };

const ENTRY_FIELDS: [&str; 6] =
    ["provider", "model", "route", "effective_from", "above_input_tokens", "prices"];
const PRICE_FIELDS: [&str; 3] = ["measure", "price", "per"];

/// What is wrong with a price book.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PriceBookFault {
    /// The field at fault: `entries[3].prices[0].per`; `price book` for the whole.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
    /// What would be right.
    pub remedy: String,
}

impl fmt::Display for PriceBookFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}; {}", self.field, self.problem, self.remedy)
    }
}

fn fault(field: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) -> PriceBookFault {
    PriceBookFault { field: field.into(), problem: problem.into(), remedy: remedy.into() }
}

/// Entries with their models, in the order they are written.
pub(super) type Entries = Vec<(Box<str>, Entry)>;

/// The currency and the entries.
pub(super) fn read(text: &str) -> Result<(Currency, Entries), PriceBookFault> {
    let remedy = r#"a price book is {"currency":"USD","entries":[…]}"#;
    let book = Fields::read(text, FIELDS_MAX)
        .map_err(|problem| fault("price book", problem.to_string(), problem.remedy(remedy)))?;
    let currency = currency(&book)?;
    let entries = book.get("entries").ok_or_else(|| fault("entries", "is missing", remedy))?;
    let entries = json::list(entries)
        .ok_or_else(|| fault("entries", format!("is {}, not a list", json::kind(entries)), remedy))?;
    let entries = entries.into_iter().enumerate().map(|(position, raw)| entry(position, raw));
    Ok((currency, entries.collect::<Result<_, _>>()?))
}

fn currency(book: &Fields<'_>) -> Result<Currency, PriceBookFault> {
    let remedy = "name the currency of all prices by its ISO 4217 code, as in \"USD\"";
    let raw = book.get("currency").ok_or_else(|| fault("currency", "is missing", remedy))?;
    let known = json::text(raw).and_then(|code| Currency::from_code(&code));
    known.ok_or_else(|| fault("currency", format!("is {}, which is no currency", json::excerpt(raw)), remedy))
}

/// One object within the book, and where it stands.
struct Part<'a> {
    place: String,
    fields: Fields<'a>,
}

impl<'a> Part<'a> {
    fn read(place: String, raw: &'a str, known: &[&str]) -> Result<Self, PriceBookFault> {
        let remedy = format!("it is an object of {}", known.join(", "));
        let fields = match Fields::read(raw, FIELDS_MAX) {
            Ok(fields) => fields,
            Err(problem) => return Err(fault(place, problem.to_string(), problem.remedy(&remedy))),
        };
        if let Some((name, _)) = fields.iter().find(|(name, _)| !known.contains(&name.as_ref())) {
            return Err(fault(format!("{place}.{}", json::excerpt(name)), "is no known field", remedy));
        }
        Ok(Self { place, fields })
    }

    fn fault(&self, name: &str, problem: impl Into<String>, remedy: impl Into<String>) -> PriceBookFault {
        fault(format!("{}.{name}", self.place), problem, remedy)
    }

    /// A text that is not empty, if the field is given.
    fn word(&self, name: &str) -> Result<Option<Box<str>>, PriceBookFault> {
        let Some(raw) = self.fields.get(name) else { return Ok(None) };
        match json::text(raw).filter(|text| !text.is_empty()) {
            Some(text) => Ok(Some(text.into())),
            None => Err(self.fault(
                name,
                format!("is {}", json::excerpt(raw)),
                "it must be a string that is not empty",
            )),
        }
    }

    /// A number or decimal string, if the field is given.
    fn number(&self, name: &str, limits: Limits, remedy: &str) -> Result<Option<Exact>, PriceBookFault> {
        let Some(raw) = self.fields.get(name) else { return Ok(None) };
        let read = match json::kind(raw) {
            Kind::Number => number::read(raw, limits),
            Kind::Text => {
                json::text(raw).map_or(Err(NumberFault::NotANumber), |text| number::read(&text, limits))
            }
            _ => Err(NumberFault::NotANumber),
        };
        let shown = json::excerpt(raw);
        let problem = match read {
            Ok(exact) if exact.coefficient >= 0 => return Ok(Some(exact)),
            Ok(_) => "negative",
            Err(NumberFault::NotANumber) => "not a number",
            Err(NumberFault::TooPrecise) => "too precise",
            Err(NumberFault::TooLarge) => "too large",
        };
        Err(self.fault(name, format!("is {shown}, which is {problem}"), remedy))
    }
}

fn entry(position: usize, raw: &str) -> Result<(Box<str>, Entry), PriceBookFault> {
    let part = Part::read(format!("entries[{position}]"), raw, &ENTRY_FIELDS)?;
    let model = part.word("model")?;
    let model =
        model.ok_or_else(|| part.fault("model", "is missing", "name the model whose prices these are"))?;
    let remedy = "it is a whole number of tokens, as in 200000; the prices apply to requests with more input";
    let threshold = part.number("above_input_tokens", WHOLE_LIMITS, remedy)?;
    let scope = Scope {
        route: part.word("route")?.filter(|route| &**route != "*"),
        provider: part.word("provider")?,
        above_input_tokens: threshold.and_then(Exact::decimal).and_then(|tokens| Quantity::new(tokens).ok()),
        effective_from: effective_from(&part)?,
    };
    let prices = prices(&part)?;
    let entry = Entry::new(position, scope, &prices);
    let entry = entry.ok_or_else(|| {
        let problem = "have no common denominator that can be counted with";
        part.fault(
            "prices",
            problem,
            "give fewer digits, or put measures of very different `per` on the same one",
        )
    })?;
    Ok((model, entry))
}

/// Midnight UTC of a date, or a moment; without it, since ever.
fn effective_from(part: &Part<'_>) -> Result<i64, PriceBookFault> {
    let Some(text) = part.word("effective_from")? else { return Ok(i64::MIN) };
    let moment = if text.len() == 10 {
        text.parse::<Date>().and_then(|date| TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)))
    } else {
        text.parse::<Timestamp>()
    };
    moment.map(Timestamp::as_millisecond).map_err(|_| {
        let remedy = "write a date, which begins at midnight UTC, or a moment with its offset: \
                      \"2023-01-01\" or \"2023-01-01T09:00:00+01:00\"";
        part.fault("effective_from", format!("is {text:?}"), remedy)
    })
}

fn prices(part: &Part<'_>) -> Result<Vec<Price>, PriceBookFault> {
    let remedy =
        r#"list what each measure costs, as in [{"measure":"input_tokens","price":"0.15","per":1000000}]"#;
    let listed = part.fields.get("prices").ok_or_else(|| part.fault("prices", "is missing", remedy))?;
    let listed = json::list(listed).filter(|listed| !listed.is_empty());
    let listed = listed.ok_or_else(|| part.fault("prices", "is not a list of at least one price", remedy))?;
    let mut prices: Vec<Price> = Vec::with_capacity(listed.len());
    for (position, raw) in listed.into_iter().enumerate() {
        let part = Part::read(format!("{}.prices[{position}]", part.place), raw, &PRICE_FIELDS)?;
        let price = price(&part)?;
        if prices.iter().any(|other| other.measure == price.measure) {
            return Err(part.fault(
                "measure",
                format!("is {:?} a second time", price.measure),
                "give each measure one price",
            ));
        }
        prices.push(price);
    }
    Ok(prices)
}

fn price(part: &Part<'_>) -> Result<Price, PriceBookFault> {
    let measure = part.word("measure")?;
    let measure = measure
        .ok_or_else(|| part.fault("measure", "is missing", "name a measure, as in \"input_tokens\""))?;
    let remedy = "it is a decimal string, zero or more, below 10000000000, with at most 18 digits after the point, as in \"0.15\"";
    let amount = part.number("price", PRICE_LIMITS, remedy)?;
    let amount = amount.ok_or_else(|| part.fault("price", "is missing", remedy))?;
    let remedy = "it is a whole number, one or more, as in 1000000; left out, it is 1";
    let per = part.number("per", WHOLE_LIMITS, remedy)?.map_or(1, |per| per.coefficient);
    if per == 0 {
        return Err(part.fault("per", "is 0", remedy));
    }
    Ok(Price { measure, amount, per })
}

/// Two entries that would always apply together leave it to chance which one counts.
pub(super) fn refuse_doubles(entries: &[Entry]) -> Result<(), PriceBookFault> {
    for (position, entry) in entries.iter().enumerate() {
        // Only the neighbours of the same precedence can be its double.
        let following = entries.iter().skip(position.saturating_add(1));
        let mut peers = following.take_while(|other| other.precedence() == entry.precedence());
        if let Some(double) = peers.find(|other| other.scope == entry.scope) {
            let (first, second) = (entry.position.min(double.position), entry.position.max(double.position));
            return Err(fault(
                format!("entries[{second}]"),
                format!(
                    "has the model, route, provider, effective_from and above_input_tokens of entries[{first}]"
                ),
                "keep one of them, or give it another date",
            ));
        }
    }
    Ok(())
}
