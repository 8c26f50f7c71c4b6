//! What an app agrees with the platform, as requests and answers write it.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use tollgate_core::catalog::{AppTerms, CostAuthority};
use tollgate_core::money::Amount;
use utoipa::ToSchema;

use super::object::read_from_objects_and_written;

read_from_objects_and_written!(Terms);

/// What an app agrees with the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct Terms {
    /// The platform's share, 0 to 1, of what exceeds the network cost.
    #[serde(deserialize_with = "decimal")]
    #[schema(value_type = String, example = "0.20")]
    pub platform_share: Decimal,
    /// The most that an event's total may exceed its network cost, in the app's currency; beyond it the
    /// event is held.
    #[schema(value_type = String, example = "1000")]
    pub surcharge_max: Amount,
    /// The price book that gives events their network cost.
    #[schema(example = "network")]
    pub price_book: String,
    /// Which network cost counts where the event reports one.
    #[serde(default)]
    pub cost_authority: Authority,
}

/// Which of two network costs is charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CostAuthority)]
pub(super) enum Authority {
    /// What the event reports, where it does; else the price book's.
    #[default]
    Reported,
    /// Always the price book's.
    PriceBook,
}

/// A decimal as text, with every digit it has.
pub(super) fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    Decimal::from_str_exact(&text).map_err(|_| {
        D::Error::custom(format!("{text:?} is not a decimal number: write it as a string, as in \"0.20\""))
    })
}

impl From<Terms> for AppTerms {
    fn from(terms: Terms) -> Self {
        Self {
            platform_share: terms.platform_share,
            surcharge_max: terms.surcharge_max,
            price_book: terms.price_book,
            cost_authority: match terms.cost_authority {
                Authority::Reported => CostAuthority::Reported,
                Authority::PriceBook => CostAuthority::PriceBook,
            },
        }
    }
}

impl From<&AppTerms> for Terms {
    fn from(terms: &AppTerms) -> Self {
        Self {
            platform_share: terms.platform_share,
            surcharge_max: terms.surcharge_max,
            price_book: terms.price_book.clone(),
            cost_authority: match terms.cost_authority {
                CostAuthority::Reported => Authority::Reported,
                CostAuthority::PriceBook => Authority::PriceBook,
            },
        }
    }
}

impl Terms {
    /// The first field that says something else than what was agreed.
    pub fn difference(&self, agreed: &AppTerms) -> Option<&'static str> {
        let agreed = Self::from(agreed);
        [
            ("platform_share", self.platform_share != agreed.platform_share),
            ("surcharge_max", self.surcharge_max != agreed.surcharge_max),
            ("price_book", self.price_book != agreed.price_book),
            ("cost_authority", self.cost_authority != agreed.cost_authority),
        ]
        .into_iter()
        .find_map(|(field, differs)| differs.then_some(field))
    }
}
