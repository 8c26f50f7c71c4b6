//! The definitions file: Builders, apps, customers, price books, tariffs and wallets, as people write them.

mod wallet;

use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_core::catalog::{App, AppTerms, Builder, CostAuthority, Customer, Definition, Tariff};
use tollgate_core::engine::{Engine, EngineError};
use tollgate_core::money::Amount;
use tollgate_core::payout::PayoutTerms;
use tollgate_core::price_book::PriceBook;

use crate::arguments::Agreement;
use crate::bundled;
use crate::exit::Refused;

use wallet::WalletFile;

/// A file of definitions. All lists may be absent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definitions<'a> {
    #[serde(default)]
    builders: Vec<Builder>,
    #[serde(default, borrow)]
    price_books: Vec<PriceBookFile<'a>>,
    #[serde(default)]
    apps: Vec<AppFile>,
    #[serde(default)]
    customers: Vec<Customer>,
    #[serde(default, borrow)]
    tariffs: Vec<TariffFile<'a>>,
    #[serde(default)]
    wallets: Vec<WalletFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceBookFile<'a> {
    id: String,
    #[serde(borrow)]
    prices: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppFile {
    id: String,
    name: String,
    builder: String,
    currency: String,
    #[serde(default = "utc")]
    time_zone: String,
    #[serde(default, with = "rust_decimal::serde::str")]
    platform_share: Decimal,
    surcharge_max: Amount,
    price_book: String,
    #[serde(default)]
    cost_authority: CostAuthority,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TariffFile<'a> {
    id: String,
    app: String,
    #[serde(default)]
    customer: Option<String>,
    plugin: String,
    #[serde(borrow)]
    settings: &'a RawValue,
    effective_from: Timestamp,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// Defines what a text says. Plugin files are named relative to `directory`; `name` is how errors call it. Credit
/// is granted as of `now`, in milliseconds since 1970.
pub fn define(engine: &Engine, name: &str, text: &str, directory: &Path, now: i64) -> anyhow::Result<()> {
    let file: Definitions<'_> =
        serde_json::from_str(text).with_context(|| name.to_owned()).context(Refused)?;
    let mut definitions = Vec::new();
    definitions.extend(file.builders.into_iter().map(Definition::Builder));
    for book in file.price_books {
        let named = format!("{name}: price book {}", book.id);
        definitions.push(Definition::PriceBook(book.id, price_book(&named, book.prices.get())?));
    }
    definitions.extend(file.apps.into_iter().map(|app| Definition::App(app.into())));
    definitions.extend(file.customers.into_iter().map(Definition::Customer));
    for definition in definitions {
        define_one(engine, name, &definition)?;
    }
    for tariff in file.tariffs {
        let component = bundled::component(&tariff.plugin, directory)?;
        let named = || format!("{name}: tariff {}", tariff.id);
        let (plugin, _) = engine.add_plugin(&component, None).with_context(named).context(Refused)?;
        let definition = Definition::Tariff(Tariff {
            plugin,
            settings: tariff.settings.get().to_owned(),
            effective_from: tariff.effective_from.as_millisecond(),
            id: tariff.id,
            app: tariff.app,
            customer: tariff.customer,
        });
        define_one(engine, name, &definition)?;
    }
    for wallet in file.wallets {
        wallet.open(engine, now).with_context(|| name.to_owned())?;
    }
    Ok(())
}

fn define_one(engine: &Engine, name: &str, definition: &Definition) -> anyhow::Result<()> {
    match engine.define(definition) {
        Ok(_) => Ok(()),
        Err(error @ EngineError::Store(_)) => Err(anyhow::Error::new(error)),
        Err(refused) => Err(anyhow::Error::new(refused).context(name.to_owned()).context(Refused)),
    }
}

/// The price book that a text is.
fn price_book(name: &str, text: &str) -> anyhow::Result<PriceBook> {
    PriceBook::parse(text).with_context(|| name.to_owned()).context(Refused)
}

impl From<AppFile> for App {
    fn from(file: AppFile) -> Self {
        Self {
            id: file.id,
            name: file.name,
            builder: file.builder,
            currency: file.currency,
            time_zone: file.time_zone,
            terms: AppTerms {
                platform_share: file.platform_share,
                surcharge_max: file.surcharge_max,
                price_book: file.price_book,
                cost_authority: file.cost_authority,
            },
        }
    }
}

/// One plugin, one price book, the same for every app that events name.
pub struct OneTariff {
    plugin: tollgate_core::plugin::Digest,
    settings: String,
    currency: String,
    time_zone: String,
    terms: AppTerms,
}

impl OneTariff {
    const NAME: &'static str = "default";

    /// Takes in the plugin, its settings and the price book.
    pub fn new(
        engine: &Engine,
        plugin: &str,
        settings: &Path,
        prices: &Path,
        agreed: &Agreement,
    ) -> anyhow::Result<Self> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).with_context(|| path.display().to_string()).context(Refused)
        };
        let component = bundled::component(plugin, Path::new(""))?;
        let (digest, _) = engine
            .add_plugin(&component, None)
            .with_context(|| format!("plugin {plugin}"))
            .context(Refused)?;
        let prices_text = read(prices)?;
        let settings_text = read(settings)?;
        let book = price_book(&prices.display().to_string(), &prices_text)?;
        let currency = book.currency().to_owned();
        let builder = Builder {
            id: Self::NAME.into(),
            name: "Builder".into(),
            app_terms: None,
            publishers: Vec::new(),
            payouts: PayoutTerms::default(),
        };
        for definition in [Definition::Builder(builder), Definition::PriceBook(Self::NAME.into(), book)] {
            define_one(engine, &prices.display().to_string(), &definition)?;
        }
        let named = || settings.display().to_string();
        let checked = engine.pricer().check(&digest, &settings_text);
        let problems = checked.with_context(named).context(Refused)?;
        if !problems.is_empty() {
            let problems = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            return Err(anyhow::anyhow!("{}: {problems}", named()).context(Refused));
        }
        let terms = AppTerms {
            platform_share: agreed.platform_share,
            surcharge_max: agreed.surcharge_max,
            price_book: Self::NAME.into(),
            cost_authority: CostAuthority::Reported,
        };
        let time_zone = agreed.time_zone.clone();
        Ok(Self { plugin: digest, settings: settings_text, currency, time_zone, terms })
    }

    /// Makes sure that an app is defined and priced by this tariff.
    pub fn cover(&self, engine: &Engine, app: &str) -> anyhow::Result<()> {
        let settings = tollgate_core::plugin::Digest::of(self.settings.as_bytes());
        define_one(
            engine,
            "--platform-share, --time-zone, --surcharge-max",
            &Definition::App(App {
                id: app.to_owned(),
                name: app.to_owned(),
                builder: Self::NAME.into(),
                currency: self.currency.clone(),
                time_zone: self.time_zone.clone(),
                terms: self.terms.clone(),
            }),
        )?;
        define_one(
            engine,
            "--settings",
            &Definition::Tariff(Tariff {
                id: format!("{app} {} {settings}", self.plugin),
                app: app.to_owned(),
                customer: None,
                plugin: self.plugin,
                settings: self.settings.clone(),
                effective_from: i64::MIN,
            }),
        )
    }
}
