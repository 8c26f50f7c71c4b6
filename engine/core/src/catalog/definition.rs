//! What can be defined, as it is kept: plain values, checked by the [`Catalog`](super::Catalog) alone.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::money::Amount;
use crate::payout::PayoutTerms;
use crate::plugin::Digest;
use crate::price_book::PriceBook;
use crate::publisher::{Published, Publisher};
use crate::quantity::Quantity;

/// Who owns apps and plugins, and is paid out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Builder {
    /// A stable id.
    pub id: String,
    /// What a person reads.
    pub name: String,
    /// What the platform agreed with it for new apps; without it, only the platform makes its apps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_terms: Option<AppTerms>,
    /// What the platform agreed with it about payouts.
    #[serde(default, skip_serializing_if = "PayoutTerms::is_default")]
    pub payouts: PayoutTerms,
    /// Whose plugins it takes in. With none, anybody's who has its key; plugins stay when a publisher goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publishers: Vec<Publisher>,
}

/// What a Builder's app agrees with the platform. Only the platform sets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppTerms {
    /// The platform's share of what exceeds the network cost, 0 to 1.
    #[serde(with = "rust_decimal::serde::str")]
    pub platform_share: Decimal,
    /// The most an event's total may exceed its network cost; beyond it the event is held.
    pub surcharge_max: Amount,
    /// The price book that gives its events their network cost.
    pub price_book: String,
    /// Which network cost counts where the event reports one.
    #[serde(default)]
    pub cost_authority: CostAuthority,
}

/// Which of two network costs is charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostAuthority {
    /// What the event reports, where it does; else the price book's.
    #[default]
    Reported,
    /// Always the price book's.
    PriceBook,
}

/// An application whose AI traffic is metered. Its id is the events' `source`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// The events' `source`.
    pub id: String,
    /// What a person reads.
    pub name: String,
    /// Its Builder; never changes.
    pub builder: String,
    /// ISO 4217 code; never changes.
    pub currency: String,
    /// IANA name; periods are calendar months in it. Never changes.
    pub time_zone: String,
    /// What it agreed with the platform.
    #[serde(flatten)]
    pub terms: AppTerms,
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
    /// What it is to the app: workspace, tenant, site, client, deployment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The customer that pooled units are counted for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The app's own words by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// What it may use in a period. Asked before an event runs; what did run is always charged.
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    pub limits: Limits,
}

/// What a customer may use in a period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The most it may be charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge_max: Option<Amount>,
    /// By unit, the most it may use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub usage_max: BTreeMap<String, Quantity>,
}

impl Limits {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        self.charge_max.is_none() && self.usage_max.is_empty()
    }
}

/// A plugin's place: whose tariffs may use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginOwnership {
    /// The plugin.
    pub digest: Digest,
    /// Whose it is; the platform's, for every Builder, if nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builder: Option<String>,
    /// As the plugin calls itself.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// Who vouched for it, where one of the Builder's publishers did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
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

impl Tariff {
    /// Whether another says the same, however its settings are spelt: in another order, or with other blanks.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let settings = |tariff: &Self| serde_json::from_str::<serde_json::Value>(&tariff.settings).ok();
        let are_settings_the_same = match (settings(self), settings(other)) {
            (Some(own), Some(others)) => own == others,
            _ => self.settings == other.settings,
        };
        are_settings_the_same && Self { settings: self.settings.clone(), ..other.clone() } == *self
    }
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
    /// A plugin's owner; it may have several.
    Plugin(PluginOwnership),
    /// A tariff; the same id with other content is refused.
    Tariff(Tariff),
}
