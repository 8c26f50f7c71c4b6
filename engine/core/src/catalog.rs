//! What is defined before an event arrives: Builders, apps, customers, price books, tariffs.
//!
//! Definitions are kept as an append-only history; [`Catalog`] is the part of it in force, in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::money::Amount;
use crate::plugin::Digest;
use crate::price_book::PriceBook;

/// Who owns apps and plugins, and is paid out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Builder {
    /// A stable id.
    pub id: String,
    /// What a person reads.
    pub name: String,
}

/// An application whose AI traffic is metered. Its id is the events' `source`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// The events' `source`.
    pub id: String,
    /// What a person reads.
    pub name: String,
    /// Its Builder.
    pub builder: String,
    /// ISO 4217 code.
    pub currency: String,
    /// IANA name; periods are calendar months in it.
    pub time_zone: String,
    /// The platform's share of what exceeds the network cost, 0 to 1.
    #[serde(with = "rust_decimal::serde::str")]
    pub platform_share: Decimal,
    /// The most an event's total may exceed its network cost; beyond it the event is held.
    pub surcharge_max: Amount,
    /// The price book that gives its events their network cost.
    pub price_book: String,
}

/// A customer of an app that has more to say than its name: others need no definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The app.
    pub app: String,
    /// The events' `subject`.
    pub id: String,
    /// What a person reads.
    pub name: String,
    /// The customer that pooled units are counted for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

/// What prices an app's events, or those of one customer of it, from some moment on. Never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tariff {
    /// A stable id.
    pub id: String,
    /// The app it is bound to.
    pub app: String,
    /// The one customer it is bound to, if not all of the app's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The plugin that prices.
    pub plugin: Digest,
    /// The plugin's settings: a JSON object as text.
    pub settings: String,
    /// When it takes effect, in milliseconds since 1970.
    pub effective_from: i64,
}

/// One entry of the history of definitions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Definition {
    /// A Builder; a later definition of the same id replaces it.
    Builder(Builder),
    /// An app; likewise.
    App(App),
    /// A customer; likewise.
    Customer(Customer),
    /// A price book and its id; likewise. Charges keep the network cost they were given.
    PriceBook(String, PriceBook),
    /// A tariff; the same id with other content is refused.
    Tariff(Tariff),
}

/// Why a definition is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// It names something that is not defined.
    #[error("{kind} {id:?} is not defined: define it first")]
    Missing {
        /// `Builder`, `app`, `price book`.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// A tariff of this id exists and says something else.
    #[error(
        "tariff {0:?} exists and is different: a tariff never changes, give the new one an id of its own"
    )]
    TariffConflict(String),
    /// A value cannot be.
    #[error("{field}: {message}")]
    Invalid {
        /// The field's name.
        field: &'static str,
        /// What is wrong and what would be right.
        message: String,
    },
}

/// The definitions in force.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    builders: BTreeMap<String, Builder>,
    apps: BTreeMap<String, Arc<App>>,
    price_books: BTreeMap<String, Arc<PriceBook>>,
    customers: BTreeMap<String, BTreeMap<String, Customer>>,
    tariffs: BTreeMap<String, Arc<Tariff>>,
    /// Of each app, of each customer (empty for the app's own): tariffs by effective-from.
    bindings: BTreeMap<String, BTreeMap<String, Vec<Arc<Tariff>>>>,
}

impl Catalog {
    /// Takes a definition in. Gives back whether it changed anything.
    ///
    /// # Errors
    /// As [`Self::check`]; then nothing changed.
    pub fn define(&mut self, definition: &Definition) -> Result<bool, CatalogError> {
        self.check(definition)?;
        Ok(match definition.clone() {
            Definition::Builder(builder) => replace(&mut self.builders, builder.id.clone(), builder),
            Definition::PriceBook(id, book) => replace(&mut self.price_books, id, Arc::new(book)),
            Definition::App(app) => replace(&mut self.apps, app.id.clone(), Arc::new(app)),
            Definition::Customer(customer) => {
                let customers = self.customers.entry(customer.app.clone()).or_default();
                replace(customers, customer.id.clone(), customer)
            }
            Definition::Tariff(tariff) => self.bind(Arc::new(tariff)),
        })
    }

    /// Whether a definition may be taken in.
    ///
    /// # Errors
    /// When it refers to what is not defined, changes what never changes, or has a value that cannot be.
    pub fn check(&self, definition: &Definition) -> Result<(), CatalogError> {
        match definition {
            Definition::Builder(_) | Definition::PriceBook(..) => Ok(()),
            Definition::App(app) => self.check_app(app),
            Definition::Customer(customer) => {
                required("app", &customer.app, self.apps.get(&customer.app)).map(|_| ())
            }
            Definition::Tariff(tariff) => {
                required("app", &tariff.app, self.apps.get(&tariff.app))?;
                match self.tariffs.get(&tariff.id) {
                    Some(known) if **known != *tariff => Err(CatalogError::TariffConflict(tariff.id.clone())),
                    _ => Ok(()),
                }
            }
        }
    }

    fn check_app(&self, app: &App) -> Result<(), CatalogError> {
        let invalid = |field, message: String| Err(CatalogError::Invalid { field, message });
        required("Builder", &app.builder, self.builders.get(&app.builder))?;
        let book = required("price book", &app.price_book, self.price_books.get(&app.price_book))?;
        if app.platform_share < Decimal::ZERO || app.platform_share > Decimal::ONE {
            return invalid("platform_share", format!("{} is not between 0 and 1", app.platform_share));
        }
        if let Err(error) = crate::period::Calendar::new(&app.time_zone) {
            return invalid("time_zone", error.to_string());
        }
        if book.currency() != app.currency {
            let message = format!("{} is not the price book's currency, {}", app.currency, book.currency());
            return invalid("currency", message);
        }
        match self.apps.get(&app.id) {
            Some(known) if known.currency != app.currency => invalid(
                "currency",
                format!("an app's currency never changes; {} has {}", app.id, known.currency),
            ),
            Some(known) if known.time_zone != app.time_zone => invalid(
                "time_zone",
                format!("an app's time zone never changes; {} has {}", app.id, known.time_zone),
            ),
            _ => Ok(()),
        }
    }

    fn bind(&mut self, tariff: Arc<Tariff>) -> bool {
        if self.tariffs.contains_key(&tariff.id) {
            return false;
        }
        self.tariffs.insert(tariff.id.clone(), Arc::clone(&tariff));
        let owner = tariff.customer.clone().unwrap_or_default();
        let bound = self.bindings.entry(tariff.app.clone()).or_default().entry(owner).or_default();
        let position = bound.partition_point(|other| other.effective_from <= tariff.effective_from);
        bound.insert(position, tariff);
        true
    }

    /// The Builder of this id.
    pub fn builder(&self, id: &str) -> Option<&Builder> {
        self.builders.get(id)
    }

    /// All Builders, by id.
    pub fn builders(&self) -> impl Iterator<Item = &Builder> {
        self.builders.values()
    }

    /// The app of this id.
    pub fn app(&self, id: &str) -> Option<&Arc<App>> {
        self.apps.get(id)
    }

    /// All apps, by id.
    pub fn apps(&self) -> impl Iterator<Item = &Arc<App>> {
        self.apps.values()
    }

    /// The price book of this id.
    pub fn price_book(&self, id: &str) -> Option<&Arc<PriceBook>> {
        self.price_books.get(id)
    }

    /// What is defined of a customer, if anything is.
    pub fn customer(&self, app: &str, id: &str) -> Option<&Customer> {
        self.customers.get(app)?.get(id)
    }

    /// The tariff of this id.
    pub fn tariff(&self, id: &str) -> Option<&Arc<Tariff>> {
        self.tariffs.get(id)
    }

    /// All tariffs, by id.
    pub fn tariffs(&self) -> impl Iterator<Item = &Arc<Tariff>> {
        self.tariffs.values()
    }

    /// What prices a customer's events, over time.
    pub fn timeline(&self, app: &str, customer: &str) -> Timeline<'_> {
        let bound = self.bindings.get(app);
        let of = |owner| bound.and_then(|bound| bound.get(owner)).map_or(&[][..], Vec::as_slice);
        Timeline { own: of(customer), default: of("") }
    }
}

/// The tariffs that may price one customer's events.
#[derive(Clone, Copy, Debug)]
pub struct Timeline<'a> {
    own: &'a [Arc<Tariff>],
    default: &'a [Arc<Tariff>],
}

impl<'a> Timeline<'a> {
    /// The tariff in force at a moment: the customer's own if there is one, else the app's; of several the
    /// one that took effect last.
    pub fn in_force(&self, time: i64) -> Option<&'a Arc<Tariff>> {
        [self.own, self.default].into_iter().find_map(|tariffs| {
            let started = tariffs.partition_point(|tariff| tariff.effective_from <= time);
            tariffs.get(started.checked_sub(1)?)
        })
    }

    /// All of them: the customer's own first, and of each kind the one that takes effect last first.
    pub fn latest_first(&self) -> impl Iterator<Item = &'a Arc<Tariff>> {
        self.own.iter().rev().chain(self.default.iter().rev())
    }
}

/// What is defined under an id that a definition names.
fn required<'a, T>(kind: &'static str, id: &str, found: Option<&'a T>) -> Result<&'a T, CatalogError> {
    found.ok_or_else(|| CatalogError::Missing { kind, id: id.to_owned() })
}

/// Inserts a value, and says whether that changed anything.
fn replace<T: PartialEq>(map: &mut BTreeMap<String, T>, id: String, value: T) -> bool {
    if map.get(&id) == Some(&value) {
        return false;
    }
    map.insert(id, value);
    true
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// App `acme` of Builder `builder`, in dollars, with an empty price book.
    pub(crate) fn catalog() -> Catalog {
        let mut catalog = Catalog::default();
        for definition in definitions() {
            catalog.define(&definition).unwrap();
        }
        catalog
    }

    /// What [`catalog`] is made of.
    pub(crate) fn definitions() -> Vec<Definition> {
        let book = serde_json::from_str(r#"{"currency":"USD","entries":[]}"#).unwrap();
        vec![
            Definition::Builder(Builder { id: "builder".into(), name: "Builder".into() }),
            Definition::PriceBook("default".into(), book),
            Definition::App(app()),
        ]
    }

    fn app() -> App {
        App {
            id: "acme".into(),
            name: "Acme".into(),
            builder: "builder".into(),
            currency: "USD".into(),
            time_zone: "UTC".into(),
            platform_share: Decimal::new(20, 2),
            surcharge_max: "1000".parse().unwrap(),
            price_book: "default".into(),
        }
    }

    fn tariff(id: &str, customer: Option<&str>, effective_from: i64) -> Tariff {
        Tariff {
            id: id.into(),
            app: "acme".into(),
            customer: customer.map(Into::into),
            plugin: Digest::of(b""),
            settings: "{}".into(),
            effective_from,
        }
    }

    #[test]
    fn a_customers_own_tariff_wins_and_the_latest_started_is_in_force() {
        let mut catalog = catalog();
        for tariff in [tariff("new", None, 100), tariff("old", None, 0), tariff("own", Some("c1"), 50)] {
            assert_eq!(catalog.define(&Definition::Tariff(tariff)), Ok(true));
        }
        let cases = [
            ("c2", -1, None),
            ("c2", 0, Some("old")),
            ("c2", 99, Some("old")),
            ("c2", 100, Some("new")),
            ("c1", 49, Some("old")),
            ("c1", 50, Some("own")),
            ("c1", 1000, Some("own")),
        ];
        for (customer, time, expected) in cases {
            let found = catalog.timeline("acme", customer).in_force(time);
            assert_eq!(found.map(|tariff| tariff.id.as_str()), expected, "{customer} at {time}");
        }
    }

    #[test]
    fn a_tariff_never_changes() {
        let mut catalog = catalog();
        let first = Definition::Tariff(tariff("t", None, 0));
        assert_eq!(catalog.define(&first), Ok(true));
        assert_eq!(catalog.define(&first), Ok(false));
        let other = Definition::Tariff(tariff("t", None, 1));
        assert_eq!(catalog.define(&other), Err(CatalogError::TariffConflict("t".into())));
    }

    #[test]
    fn what_a_definition_names_must_be_defined() {
        let mut catalog = Catalog::default();
        let error = catalog.define(&Definition::App(app())).unwrap_err();
        assert_eq!(error.to_string(), "Builder \"builder\" is not defined: define it first");
        let catalog = self::catalog();
        for (change, message) in [
            (App { platform_share: Decimal::new(2, 0), ..app() }, "platform_share: 2 is not between 0 and 1"),
            (App { currency: "EUR".into(), ..app() }, "currency: EUR is not the price book's currency, USD"),
        ] {
            assert_eq!(catalog.check(&Definition::App(change)).unwrap_err().to_string(), message);
        }
    }
}
