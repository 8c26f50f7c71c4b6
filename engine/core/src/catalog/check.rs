//! Which definitions are taken in: what they name must be there, and what never changes must not.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::publishers::check_publishers;
use super::{App, AppTerms, Builder, Catalog, CatalogError, Customer, Definition, NAME_BYTES_MAX, Tariff};
use crate::money::Amount;
use crate::payout::{PayoutTerms, minor_unit};
use crate::period::Calendar;
use crate::price_book::PriceBook;

/// The most bytes of a tariff's id: one that is made up of others needs more than a name.
const TARIFF_ID_BYTES_MAX: usize = 512;

/// The most attributes of a customer.
const ATTRIBUTES_MAX: usize = 64;

impl Catalog {
    /// Whether a definition may be taken in.
    ///
    /// # Errors
    /// When it refers to what is not defined, changes what never changes, or has a value that cannot be.
    pub fn check(&self, definition: &Definition) -> Result<(), CatalogError> {
        match definition {
            Definition::Builder(builder) => self.check_builder(builder),
            Definition::PriceBook(id, book) => self.check_price_book(id, book),
            Definition::App(app) => self.check_app(app),
            Definition::Customer(customer) => self.check_customer(customer),
            Definition::Plugin(plugin) => {
                if let Some(builder) = &plugin.builder {
                    required("Builder", builder, self.builders.get(builder))?;
                }
                self.check_published(plugin)
            }
            Definition::Tariff(tariff) => self.check_tariff(tariff),
        }
    }

    fn check_builder(&self, builder: &Builder) -> Result<(), CatalogError> {
        name("id", &builder.id)?;
        name("name", &builder.name)?;
        check_payouts(&builder.payouts)?;
        check_publishers(&builder.publishers)?;
        builder.app_terms.as_ref().map_or(Ok(()), |terms| self.check_terms(terms))
    }

    fn check_price_book(&self, id: &str, book: &PriceBook) -> Result<(), CatalogError> {
        name("id", id)?;
        match self.price_books.get(id) {
            Some(known) if known.currency() != book.currency() => invalid(
                "prices.currency",
                format!("a price book's currency never changes; {id} has {}", known.currency()),
            ),
            _ => Ok(()),
        }
    }

    fn check_terms(&self, terms: &AppTerms) -> Result<(), CatalogError> {
        required("price book", &terms.price_book, self.price_books.get(&terms.price_book))?;
        let share = terms.platform_share;
        if share < Decimal::ZERO || share > Decimal::ONE {
            return invalid("platform_share", format!("{share} is not between 0 and 1"));
        }
        if terms.surcharge_max.nano() < 0 {
            return invalid("surcharge_max", format!("{} is negative", terms.surcharge_max));
        }
        Ok(())
    }

    fn check_app(&self, app: &App) -> Result<(), CatalogError> {
        name("id", &app.id)?;
        name("name", &app.name)?;
        required("Builder", &app.builder, self.builders.get(&app.builder))?;
        self.check_terms(&app.terms)?;
        if let Err(error) = Calendar::new(&app.time_zone) {
            return invalid("time_zone", error.to_string());
        }
        let book = self.price_books.get(&app.terms.price_book);
        if let Some(book) = book.filter(|book| book.currency() != app.currency) {
            let message = format!("{} is not the price book's currency, {}", app.currency, book.currency());
            return invalid("currency", message);
        }
        let Some(known) = self.apps.get(&app.id) else { return Ok(()) };
        for (field, words, now, was) in [
            ("builder", "Builder", &app.builder, &known.builder),
            ("currency", "currency", &app.currency, &known.currency),
            ("time_zone", "time zone", &app.time_zone, &known.time_zone),
        ] {
            if now != was {
                return invalid(field, format!("an app's {words} never changes; {} has {was}", app.id));
            }
        }
        Ok(())
    }

    fn check_customer(&self, customer: &Customer) -> Result<(), CatalogError> {
        required("app", &customer.app, self.apps.get(&customer.app))?;
        name("id", &customer.id)?;
        name("name", &customer.name)?;
        if !customer.kind.is_empty() {
            name("kind", &customer.kind)?;
        }
        if let Some(parent) = &customer.parent {
            name("parent", parent)?;
            if *parent == customer.id {
                return invalid("parent", format!("{parent:?} cannot be its own parent"));
            }
        }
        check_attributes(&customer.attributes)?;
        let limits = &customer.limits;
        if limits.charge_max.is_some_and(|most| most.nano() < 0) {
            return invalid("limits.charge_max", "a limit is zero or more".to_owned());
        }
        if let Some((unit, _)) = limits.usage_max.iter().find(|(_, most)| most.is_negative()) {
            return invalid("limits.usage_max", format!("the limit of {unit} is negative"));
        }
        Ok(())
    }

    fn check_tariff(&self, tariff: &Tariff) -> Result<(), CatalogError> {
        required("app", &tariff.app, self.apps.get(&tariff.app))?;
        text("id", &tariff.id, TARIFF_ID_BYTES_MAX)?;
        if let Some(customer) = &tariff.customer {
            name("customer", customer)?;
        }
        match self.tariffs.get(&tariff.id) {
            Some(known) if !known.says_the_same(tariff) => {
                Err(CatalogError::TariffConflict(tariff.id.clone()))
            }
            _ => Ok(()),
        }
    }
}

fn check_attributes(attributes: &BTreeMap<String, String>) -> Result<(), CatalogError> {
    if attributes.len() > ATTRIBUTES_MAX {
        return invalid("attributes", format!("{} are too many; at most {ATTRIBUTES_MAX}", attributes.len()));
    }
    for (key, value) in attributes {
        name("attributes", key)?;
        if value.len() > crate::door::ATTRIBUTE_BYTES_MAX {
            let message = format!("{key} is {} bytes long; at most 1024", value.len());
            return invalid("attributes", message);
        }
    }
    Ok(())
}

/// Whether a text can be an id or a name: an event's `source` and `subject` can be no other.
pub(super) fn name(field: &'static str, name: &str) -> Result<(), CatalogError> {
    text(field, name, NAME_BYTES_MAX)
}

fn text(field: &'static str, text: &str, bytes_max: usize) -> Result<(), CatalogError> {
    if text.is_empty() {
        return invalid(field, "is empty; give it a text".to_owned());
    }
    if text.len() > bytes_max {
        return invalid(field, format!("is {} bytes long; at most {bytes_max}", text.len()));
    }
    if text.chars().any(char::is_control) {
        return invalid(field, format!("{text:?} has a control character; leave it out"));
    }
    Ok(())
}

pub(super) fn invalid(field: &'static str, message: String) -> Result<(), CatalogError> {
    Err(CatalogError::Invalid { field, message })
}

/// What is defined under an id that a definition names.
fn required<'a, T>(kind: &'static str, id: &str, found: Option<&'a T>) -> Result<&'a T, CatalogError> {
    found.ok_or_else(|| CatalogError::Missing { kind, id: id.to_owned() })
}

fn check_payouts(terms: &PayoutTerms) -> Result<(), CatalogError> {
    let share = terms.reserve_share;
    if share < Decimal::ZERO || share > Decimal::ONE {
        return invalid("payouts.reserve_share", format!("{share} is not between 0 and 1"));
    }
    for (currency, minimum) in &terms.minimum {
        if minor_unit(currency).is_none() {
            return invalid("payouts.minimum", format!("{currency:?} is not an ISO 4217 currency"));
        }
        if *minimum < Amount::ZERO {
            return invalid("payouts.minimum", format!("{minimum} is negative"));
        }
    }
    Ok(())
}
