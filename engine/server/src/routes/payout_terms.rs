//! What the platform agrees with a Builder about payouts, as requests and answers write it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tollgate_core::money::Amount;
use tollgate_core::payout::{Destination, PayoutTerms};
use utoipa::ToSchema;

use super::object::read_from_objects_and_written;
use super::terms::decimal;

read_from_objects_and_written!(Payouts, PaidTo);

/// What the platform agreed with a Builder about payouts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields, default)]
#[schema(as = PayoutTerms)]
pub(super) struct Payouts {
    /// By currency, the least that is paid; less is carried forward.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"USD": "50"}))]
    minimum: BTreeMap<String, Amount>,
    /// Days after a period's end before it is paid.
    #[schema(example = 7)]
    hold_back_days: u32,
    /// The share of a period's earnings, 0 to 1, that is kept back against chargebacks.
    #[serde(deserialize_with = "decimal")]
    #[schema(value_type = String, example = "0.05")]
    reserve_share: Decimal,
    /// For how many days it is kept back.
    #[schema(example = 90)]
    reserve_days: u32,
    /// Where the money goes; a payout is not approved without it.
    destination: Option<PaidTo>,
}

/// Where a Builder's money goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", tag = "to", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = Destination)]
pub(super) enum PaidTo {
    /// A bank account, by a payment file.
    Bank {
        /// Whose account, as the bank knows them.
        #[schema(example = "Acme Apps GmbH")]
        name: String,
        /// The account's number (ISO 13616).
        #[schema(example = "DE89370400440532013000")]
        iban: String,
        /// The bank (ISO 9362), where the country wants it.
        #[serde(default)]
        #[schema(example = "COBADEFFXXX")]
        bic: Option<String>,
    },
    /// An account with a payment provider.
    Account {
        /// The provider.
        #[schema(example = "stripe")]
        provider: String,
        /// The account, in the provider's words.
        #[schema(example = "acct_1")]
        account: String,
    },
}

impl From<Payouts> for PayoutTerms {
    fn from(payouts: Payouts) -> Self {
        let Payouts { minimum, hold_back_days, reserve_share, reserve_days, destination } = payouts;
        let destination = destination.map(Destination::from);
        Self { minimum, hold_back_days, reserve_share, reserve_days, destination }
    }
}

impl From<&PayoutTerms> for Payouts {
    fn from(terms: &PayoutTerms) -> Self {
        Self {
            minimum: terms.minimum.clone(),
            hold_back_days: terms.hold_back_days,
            reserve_share: terms.reserve_share,
            reserve_days: terms.reserve_days,
            destination: terms.destination.as_ref().map(PaidTo::from),
        }
    }
}

impl From<PaidTo> for Destination {
    fn from(paid_to: PaidTo) -> Self {
        match paid_to {
            PaidTo::Bank { name, iban, bic } => Self::Bank { name, iban, bic },
            PaidTo::Account { provider, account } => Self::Account { provider, account },
        }
    }
}

impl From<&Destination> for PaidTo {
    fn from(destination: &Destination) -> Self {
        match destination.clone() {
            Destination::Bank { name, iban, bic } => Self::Bank { name, iban, bic },
            Destination::Account { provider, account } => Self::Account { provider, account },
        }
    }
}
