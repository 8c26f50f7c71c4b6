//! An engine with one app, priced natively: 2 cents a token up to 50 in a month, then 1 cent. The platform
//! takes a fifth, and the network costs nothing, so that a test can work everything out in its head.

use std::sync::Arc;

use serde_json::json;
use tollgate_core::catalog::{App, AppTerms, Builder, CostAuthority, Definition, Tariff};
use tollgate_core::door;
use tollgate_core::engine::Engine;
use tollgate_core::event::Event;
use tollgate_core::payout::PayoutTerms;
use tollgate_core::price_book::PriceBook;
use tollgate_core::pricer::Pricer;
use tollgate_core::store::Store;

use crate::native::NativePricer;

const PRICES: &str = r#"{"currency":"USD","entries":[{"model":"free","effective_from":"2026-01-01",
    "prices":[{"measure":"input_tokens","price":"0","per":1}]}]}"#;
const SETTINGS: &str = r#"{"unit":"token","measures":["input_tokens"],
    "tiers":[{"up_to":"50","unit_price":"0.02"},{"up_to":null,"unit_price":"0.01"}]}"#;

/// The app.
pub const APP: &str = "acme";
/// Its Builder.
pub const BUILDER: &str = "builder";

/// What prices its events.
pub fn pricer() -> Arc<dyn Pricer> {
    Arc::new(NativePricer::<tiered::Tiered>::new())
}

/// The engine over an empty store.
///
/// # Panics
/// When a definition is refused.
pub fn engine(store: Arc<dyn Store>, payouts: PayoutTerms) -> Engine {
    let engine = Engine::open(store, pricer()).expect("an empty store");
    let (plugin, _) = engine.add_plugin(b"tiered", None).expect("a plugin");
    let terms = AppTerms {
        platform_share: "0.20".parse().expect("a decimal"),
        surcharge_max: "1000".parse().expect("an amount"),
        price_book: "network".into(),
        cost_authority: CostAuthority::Reported,
    };
    for definition in [
        Definition::Builder(Builder {
            id: BUILDER.into(),
            name: "Builder".into(),
            app_terms: None,
            payouts,
            publishers: Vec::new(),
        }),
        Definition::PriceBook("network".into(), PriceBook::parse(PRICES).expect("prices")),
        Definition::App(App {
            id: APP.into(),
            name: "Acme".into(),
            builder: BUILDER.into(),
            currency: "USD".into(),
            time_zone: "UTC".into(),
            terms,
        }),
        Definition::Tariff(Tariff {
            id: "tariff".into(),
            app: APP.into(),
            customer: None,
            plugin,
            settings: SETTINGS.into(),
            effective_from: 0,
        }),
    ] {
        engine.define(&definition).expect("a definition");
    }
    engine
}

/// An event of so many tokens, at a moment in milliseconds since 1970.
///
/// # Panics
/// When the moment is out of the calendar.
pub fn event(customer: &str, id: &str, tokens: i64, moment: i64) -> Arc<Event> {
    let time = jiff::Timestamp::from_millisecond(moment).expect("a moment of the calendar").to_string();
    let event = json!({
        "specversion": "1.0", "id": id, "source": APP, "type": "ai.usage", "subject": customer, "time": time,
        "data": { "model": "free", "measures": { "input_tokens": tokens } },
    });
    Arc::new(door::parse(event.to_string().as_bytes()).expect("an event"))
}
