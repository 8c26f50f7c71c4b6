//! Definitions that tests of the engine start from: one Builder, and its apps' terms and customers.

use std::collections::BTreeMap;

use tollgate_core::catalog::{App, AppTerms, Builder, CostAuthority, Customer, Definition, Limits};
use tollgate_core::payout::PayoutTerms;

/// The Builder `builder`, with whom nothing was agreed.
pub fn builder() -> Definition {
    Definition::Builder(Builder {
        id: "builder".into(),
        name: "Builder".into(),
        app_terms: None,
        publishers: Vec::new(),
        payouts: PayoutTerms::default(),
    })
}

/// An app of `builder`, in dollars and in New York, that buys by price book `network`.
pub fn app(id: &str, platform_share: &str, surcharge_max: &str) -> Definition {
    Definition::App(App {
        id: id.to_owned(),
        name: "Acme".into(),
        builder: "builder".into(),
        currency: "USD".into(),
        time_zone: "America/New_York".into(),
        terms: AppTerms {
            platform_share: platform_share.parse().unwrap(),
            surcharge_max: surcharge_max.parse().unwrap(),
            price_book: "network".into(),
            cost_authority: CostAuthority::Reported,
        },
    })
}

/// A customer of app `acme`.
pub fn customer(id: &str, parent: Option<&str>) -> Definition {
    Definition::Customer(Customer {
        app: "acme".into(),
        id: id.to_owned(),
        name: id.to_owned(),
        kind: String::new(),
        parent: parent.map(str::to_owned),
        attributes: BTreeMap::new(),
        limits: Limits::default(),
    })
}
