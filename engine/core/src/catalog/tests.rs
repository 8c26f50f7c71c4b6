//! What the catalog takes in and what it refuses, and the definitions that other tests start from.

use rust_decimal::Decimal;

use super::*;
use crate::payout::PayoutTerms;

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
        Definition::Builder(Builder {
            id: "builder".into(),
            name: "Builder".into(),
            app_terms: None,
            publishers: Vec::new(),
            payouts: PayoutTerms::default(),
        }),
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
        terms: AppTerms {
            platform_share: Decimal::new(20, 2),
            surcharge_max: "1000".parse().unwrap(),
            price_book: "default".into(),
            cost_authority: CostAuthority::default(),
        },
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
fn settings_may_be_spelt_otherwise() {
    let mut catalog = catalog();
    let set =
        |settings: &str| Definition::Tariff(Tariff { settings: settings.into(), ..tariff("t", None, 0) });
    assert_eq!(catalog.define(&set(r#"{"a":"1.50","b":[1,2]}"#)), Ok(true));
    assert_eq!(catalog.define(&set(r#"{ "b": [1, 2], "a": "1.50" }"#)), Ok(false));
    for other in [r#"{"a":"1.5","b":[1,2]}"#, r#"{"a":"1.50","b":[2,1]}"#, "{}", "no JSON"] {
        assert_eq!(catalog.define(&set(other)), Err(CatalogError::TariffConflict("t".into())), "{other}");
    }
}

#[test]
fn what_a_definition_names_must_be_defined() {
    let mut catalog = Catalog::default();
    let error = catalog.define(&Definition::App(app())).unwrap_err();
    assert_eq!(error.to_string(), "Builder \"builder\" is not defined: define it first");
    let catalog = self::catalog();
    for (change, message) in [
        (
            App { terms: AppTerms { platform_share: Decimal::new(2, 0), ..app().terms }, ..app() },
            "platform_share: 2 is not between 0 and 1",
        ),
        (App { builder: "other".into(), ..app() }, "Builder \"other\" is not defined: define it first"),
        (App { id: String::new(), ..app() }, "id: is empty; give it a text"),
        (App { currency: "EUR".into(), ..app() }, "currency: EUR is not the price book's currency, USD"),
    ] {
        assert_eq!(catalog.check(&Definition::App(change)).unwrap_err().to_string(), message);
    }
}

#[test]
fn an_app_never_goes_to_another_builder() {
    let mut catalog = catalog();
    let other = Builder {
        id: "other".into(),
        name: "Other".into(),
        app_terms: None,
        publishers: Vec::new(),
        payouts: PayoutTerms::default(),
    };
    catalog.define(&Definition::Builder(other)).unwrap();
    let error = catalog.check(&Definition::App(App { builder: "other".into(), ..app() })).unwrap_err();
    assert_eq!(error.to_string(), "builder: an app's Builder never changes; acme has builder");
}

#[test]
fn a_builder_uses_its_own_plugins_and_the_platforms() {
    let mut catalog = catalog();
    let other = Builder {
        id: "other".into(),
        name: "Other".into(),
        app_terms: None,
        publishers: Vec::new(),
        payouts: PayoutTerms::default(),
    };
    catalog.define(&Definition::Builder(other)).unwrap();
    let plugin = |bytes: &[u8], builder: Option<&str>| PluginOwnership {
        digest: Digest::of(bytes),
        builder: builder.map(Into::into),
        name: "p".into(),
        version: "1.0.0".into(),
        published: None,
    };
    for owned in [plugin(b"own", Some("builder")), plugin(b"theirs", Some("other")), plugin(b"all", None)] {
        assert_eq!(catalog.define(&Definition::Plugin(owned.clone())), Ok(true));
        assert_eq!(catalog.define(&Definition::Plugin(owned)), Ok(false));
    }
    let usable = |bytes: &[u8]| catalog.plugin(&Digest::of(bytes), "builder").is_some();
    assert_eq!([usable(b"own"), usable(b"theirs"), usable(b"all")], [true, false, true]);
    assert_eq!(catalog.plugins(Some("builder")).count(), 2);
    assert_eq!(catalog.plugins(None).count(), 3);
}

#[test]
fn a_price_book_keeps_its_currency() {
    let euros = serde_json::from_str(r#"{"currency":"EUR","entries":[]}"#).unwrap();
    let error = catalog().check(&Definition::PriceBook("default".into(), euros)).unwrap_err();
    assert_eq!(error.to_string(), "prices.currency: a price book's currency never changes; default has USD");
}
