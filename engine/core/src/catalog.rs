//! What is defined before an event arrives: Builders, apps, customers, price books, tariffs.
//!
//! Definitions are kept as an append-only history; [`Catalog`] is the part of it in force, in memory.

mod check;
mod definition;
mod publishers;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rust_decimal::Decimal;

pub use definition::{
    App, AppTerms, Builder, CostAuthority, Customer, Definition, Limits, PluginOwnership, Tariff,
};

use crate::plugin::Digest;
use crate::price_book::PriceBook;

/// The most bytes of an id and of a name: as many as the door lets an event's have.
pub const NAME_BYTES_MAX: usize = crate::door::NAME_BYTES_MAX;

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
    /// Nobody who may publish a plugin for this Builder has signed it.
    #[error("{0}")]
    NotPublished(String),
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
    /// Of each app, every platform share it has had.
    platform_shares: BTreeMap<String, Vec<Decimal>>,
    price_books: BTreeMap<String, Arc<PriceBook>>,
    customers: BTreeMap<String, BTreeMap<String, Arc<Customer>>>,
    /// Of each app, by parent, every customer that has ever had that parent.
    children: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    plugins: BTreeMap<Digest, Vec<PluginOwnership>>,
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
        if self.has(definition) {
            return Ok(false);
        }
        match definition.clone() {
            Definition::Builder(builder) => {
                self.builders.insert(builder.id.clone(), builder);
            }
            Definition::PriceBook(id, book) => {
                self.price_books.insert(id, Arc::new(book));
            }
            Definition::App(app) => {
                let shares = self.platform_shares.entry(app.id.clone()).or_default();
                if !shares.contains(&app.terms.platform_share) {
                    shares.push(app.terms.platform_share);
                }
                self.apps.insert(app.id.clone(), Arc::new(app));
            }
            Definition::Customer(customer) => {
                if let Some(parent) = customer.parent.clone() {
                    let children = self.children.entry(customer.app.clone()).or_default();
                    children.entry(parent).or_default().insert(customer.id.clone());
                }
                let customers = self.customers.entry(customer.app.clone()).or_default();
                customers.insert(customer.id.clone(), Arc::new(customer));
            }
            Definition::Plugin(plugin) => self.own(plugin),
            Definition::Tariff(tariff) => self.bind(Arc::new(tariff)),
        }
        Ok(true)
    }

    /// Whether a definition says what is in force already.
    pub fn has(&self, definition: &Definition) -> bool {
        match definition {
            Definition::Builder(builder) => self.builders.get(&builder.id) == Some(builder),
            Definition::PriceBook(id, book) => self.price_books.get(id).is_some_and(|known| **known == *book),
            Definition::App(app) => self.apps.get(&app.id).is_some_and(|known| **known == *app),
            Definition::Customer(customer) => {
                self.customer(&customer.app, &customer.id).is_some_and(|known| **known == *customer)
            }
            Definition::Plugin(plugin) => self.has_owner(plugin),
            Definition::Tariff(tariff) => self.tariffs.contains_key(&tariff.id),
        }
    }

    fn bind(&mut self, tariff: Arc<Tariff>) {
        self.tariffs.insert(tariff.id.clone(), Arc::clone(&tariff));
        let owner = tariff.customer.clone().unwrap_or_default();
        let bound = self.bindings.entry(tariff.app.clone()).or_default().entry(owner).or_default();
        let position = bound.partition_point(|other| other.effective_from <= tariff.effective_from);
        bound.insert(position, tariff);
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

    /// Every platform share that an app has had: each of its charges was split by one of them.
    pub fn platform_shares(&self, app: &str) -> &[Decimal] {
        self.platform_shares.get(app).map_or(&[], Vec::as_slice)
    }

    /// A Builder's apps, by id.
    pub fn apps_of(&self, builder: &str) -> impl Iterator<Item = &Arc<App>> {
        self.apps().filter(move |app| app.builder == builder)
    }

    /// The price book of this id.
    pub fn price_book(&self, id: &str) -> Option<&Arc<PriceBook>> {
        self.price_books.get(id)
    }

    /// All price books with their ids.
    pub fn price_books(&self) -> impl Iterator<Item = (&String, &Arc<PriceBook>)> {
        self.price_books.iter()
    }

    /// The defined customers of an app, by id.
    pub fn customers(&self, app: &str) -> impl Iterator<Item = &Arc<Customer>> {
        self.customers.get(app).into_iter().flat_map(BTreeMap::values)
    }

    /// The customers of an app that have, or once had, this parent, by id.
    pub fn children_ever(&self, app: &str, parent: &str) -> impl Iterator<Item = &String> {
        self.children.get(app).and_then(|children| children.get(parent)).into_iter().flatten()
    }

    /// The plugins that a Builder's tariffs may use, the platform's among them; all if no Builder is given.
    pub fn plugins(&self, builder: Option<&str>) -> impl Iterator<Item = &PluginOwnership> {
        let visible = move |plugin: &&PluginOwnership| builder.is_none() || is_open_to(plugin, builder);
        self.plugins.values().flatten().filter(visible)
    }

    /// Whose a plugin is that a Builder's tariffs may use; its own before the platform's.
    pub fn plugin(&self, digest: &Digest, builder: &str) -> Option<&PluginOwnership> {
        let owners = self.plugins.get(digest)?.iter().filter(|plugin| is_open_to(plugin, Some(builder)));
        owners.max_by_key(|plugin| plugin.builder.is_some())
    }

    /// What is defined of a customer, if anything is.
    pub fn customer(&self, app: &str, id: &str) -> Option<&Arc<Customer>> {
        self.customers.get(app)?.get(id)
    }

    /// A customer's parent, if any is defined.
    pub fn parent_of(&self, app: &str, customer: &str) -> Option<&str> {
        self.customer(app, customer)?.parent.as_deref()
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
        Timeline { own: self.bound_to(app, Some(customer)), default: self.bound_to(app, None) }
    }

    /// The tariffs bound to an app itself, or to one customer of it, in the order in which they take effect.
    pub fn bound_to(&self, app: &str, customer: Option<&str>) -> &[Arc<Tariff>] {
        let owner = match customer {
            // The app's own stand under no name, which no customer has.
            Some("") => return &[],
            customer => customer.unwrap_or_default(),
        };
        self.bindings.get(app).and_then(|bound| bound.get(owner)).map_or(&[], Vec::as_slice)
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

/// Whether a Builder's tariffs may use a plugin.
fn is_open_to(plugin: &PluginOwnership, builder: Option<&str>) -> bool {
    plugin.builder.is_none() || plugin.builder.as_deref() == builder
}
