//! The world in which a trial takes place: an engine over an empty store, one tariff for every app.

use std::{collections::BTreeMap, sync::Arc};

use rust_decimal::Decimal;
use tollgate_core::{
    catalog::{App, AppTerms, Builder, CostAuthority, Customer, Definition, Limits, Tariff},
    engine::{Engine, EngineError},
    event::Event,
    money::Amount,
    payout::PayoutTerms,
    price_book::PriceBook,
};
use tollgate_store::MemoryStore;

use super::{
    Answers, CURRENCY, Plugin, Trial, TrialError,
    pricer::{Timed, Tried},
};

/// The names under which everything is defined.
const NAME: &str = "workshop";

impl Trial<'_> {
    /// An engine in which nothing has happened, with every app of these events.
    pub(super) fn engine(&self, batches: &[&[Arc<Event>]], answers: Answers) -> Result<Engine, TrialError> {
        let Plugin { sandbox, heard, digest, descriptor } = self.plugin;
        let sandbox = Timed::new(Arc::clone(sandbox), Arc::clone(heard));
        let tried = Tried::new(sandbox, *digest, descriptor.clone(), answers);
        let engine = Engine::open(Arc::new(MemoryStore::new()), Arc::new(tried))?;
        // The component's bytes are with the sandbox already.
        engine.add_plugin(&[], None)?;
        let book = self.prices.clone().map_or_else(no_prices, Ok)?;
        engine.define(&Definition::Builder(Builder {
            id: NAME.into(),
            name: NAME.into(),
            app_terms: None,
            publishers: Vec::new(),
            payouts: PayoutTerms::default(),
        }))?;
        engine.define(&Definition::PriceBook(NAME.into(), book))?;
        let mut apps: Vec<&str> =
            batches.iter().flat_map(|batch| batch.iter()).map(|event| event.key.app.as_str()).collect();
        apps.sort_unstable();
        apps.dedup();
        for app in apps {
            self.define_app(&engine, app)?;
        }
        Ok(engine)
    }

    fn define_app(&self, engine: &Engine, app: &str) -> Result<(), EngineError> {
        engine.define(&Definition::App(App {
            id: app.to_owned(),
            name: app.to_owned(),
            builder: NAME.to_owned(),
            currency: self.currency().to_owned(),
            time_zone: "UTC".to_owned(),
            terms: AppTerms {
                platform_share: Decimal::ZERO,
                // An app's own cap is no matter of the plugin's.
                surcharge_max: Amount::from_nano(i64::MAX),
                price_book: NAME.to_owned(),
                cost_authority: CostAuthority::Reported,
            },
        }))?;
        engine.define(&Definition::Tariff(Tariff {
            id: app.to_owned(),
            app: app.to_owned(),
            customer: None,
            plugin: self.plugin.digest,
            settings: self.settings.clone(),
            effective_from: i64::MIN,
        }))?;
        for (customer, parent) in &self.parents {
            engine.define(&Definition::Customer(Customer {
                app: app.to_owned(),
                id: customer.clone(),
                name: customer.clone(),
                kind: String::new(),
                parent: Some(parent.clone()),
                attributes: BTreeMap::new(),
                limits: Limits::default(),
            }))?;
        }
        Ok(())
    }
}

/// A price book that is never asked: events report what they cost.
fn no_prices() -> Result<PriceBook, TrialError> {
    PriceBook::parse(&format!(r#"{{"currency": "{CURRENCY}", "entries": []}}"#))
        .map_err(|fault| EngineError::NotClosable(fault.to_string()).into())
}
