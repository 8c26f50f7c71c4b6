//! What was agreed about a customer's money, as requests and answers write it.

use serde::{Deserialize, Serialize};
use tollgate_core::money::Amount;
use tollgate_core::wallet::{self, Condition, Span, WalletTerms};
use utoipa::ToSchema;

use crate::routes::object::read_from_objects_and_written;

read_from_objects_and_written!(Alert, AutomaticTopUp);

/// What is agreed with a customer about money.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WalletTerms)]
pub(super) struct Terms {
    /// The most that may be owed; null for any amount. `"0"` is prepaid.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "0")]
    credit_limit: Option<Amount>,
    /// Of what somebody wants to be told: at most 64.
    #[serde(default)]
    #[schema(max_items = 64)]
    alerts: Vec<Alert>,
    /// Money fetched when little is left.
    #[serde(default)]
    automatic_top_up: Option<AutomaticTopUp>,
}

/// Something to be told of, once each time that it is crossed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", tag = "when", rename_all = "snake_case", deny_unknown_fields)]
enum Alert {
    /// What is left, granted and paid and not reserved, falls below an amount.
    BalanceBelow {
        /// Unique in the wallet.
        #[schema(example = "low", min_length = 1, max_length = 256)]
        id: String,
        /// This.
        #[schema(value_type = String, example = "5")]
        amount: Amount,
    },
    /// What was charged reaches an amount.
    SpentReaches {
        /// Unique in the wallet.
        #[schema(example = "monthly", min_length = 1, max_length = 256)]
        id: String,
        /// This.
        #[schema(value_type = String, example = "100")]
        amount: Amount,
        /// Counted anew for each period, or for ever.
        #[serde(default)]
        #[schema(required = false)]
        per: Per,
        /// Only for events of this feature.
        #[serde(default)]
        #[schema(example = "review")]
        feature: Option<String>,
    },
}

/// Over what spending is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Per {
    /// A period: a month in the app's time zone.
    #[default]
    Period,
    /// From when the alert was made.
    Ever,
}

/// Money fetched when little is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
struct AutomaticTopUp {
    /// When what is left falls below this.
    #[schema(value_type = String, example = "5")]
    below: Amount,
    /// How much is fetched: a whole number of minor units.
    #[schema(value_type = String, example = "50")]
    amount: Amount,
    /// From which payment provider.
    #[schema(example = "stripe")]
    provider: String,
    /// Of which payer, in the provider's words: one with a saved payment method.
    #[schema(example = "cus_1")]
    payer: String,
}

impl From<Terms> for WalletTerms {
    fn from(terms: Terms) -> Self {
        let Terms { credit_limit, alerts, automatic_top_up } = terms;
        let alerts = alerts.into_iter().map(wallet::Alert::from).collect();
        let automatic_top_up = automatic_top_up.map(|top_up| {
            let AutomaticTopUp { below, amount, provider, payer } = top_up;
            wallet::AutomaticTopUp { below, amount, provider, payer }
        });
        Self { credit_limit, alerts, automatic_top_up }
    }
}

impl From<&WalletTerms> for Terms {
    fn from(terms: &WalletTerms) -> Self {
        let WalletTerms { credit_limit, alerts, automatic_top_up } = terms.clone();
        let alerts = alerts.into_iter().map(Alert::from).collect();
        let automatic_top_up = automatic_top_up.map(|top_up| {
            let wallet::AutomaticTopUp { below, amount, provider, payer } = top_up;
            AutomaticTopUp { below, amount, provider, payer }
        });
        Self { credit_limit, alerts, automatic_top_up }
    }
}

impl From<Alert> for wallet::Alert {
    fn from(alert: Alert) -> Self {
        match alert {
            Alert::BalanceBelow { id, amount } => Self { id, condition: Condition::BalanceBelow { amount } },
            Alert::SpentReaches { id, amount, per, feature } => {
                let per = match per {
                    Per::Period => Span::Period,
                    Per::Ever => Span::Ever,
                };
                Self { id, condition: Condition::SpentReaches { amount, per, feature } }
            }
        }
    }
}

impl From<wallet::Alert> for Alert {
    fn from(alert: wallet::Alert) -> Self {
        let wallet::Alert { id, condition } = alert;
        match condition {
            Condition::BalanceBelow { amount } => Self::BalanceBelow { id, amount },
            Condition::SpentReaches { amount, per, feature } => {
                let per = match per {
                    Span::Period => Per::Period,
                    Span::Ever => Per::Ever,
                };
                Self::SpentReaches { id, amount, per, feature }
            }
        }
    }
}
