//! A wallet in the definitions file: its terms, and credit granted to the customer.

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Deserialize;
use tollgate_core::engine::{Engine, EngineError};
use tollgate_core::money::Amount;
use tollgate_core::wallet::{Alert, AutomaticTopUp, Funder, GrantTerms, WalletTerms};

use crate::exit::Refused;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletFile {
    app: String,
    customer: String,
    #[serde(default)]
    credit_limit: Option<Amount>,
    #[serde(default)]
    alerts: Vec<Alert>,
    #[serde(default)]
    automatic_top_up: Option<AutomaticTopUp>,
    #[serde(default)]
    grants: Vec<GrantFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantFile {
    id: String,
    amount: Amount,
    funder: Funder,
    #[serde(default)]
    priority: u32,
    effective_at: Timestamp,
    #[serde(default)]
    expires_at: Option<Timestamp>,
    #[serde(default)]
    reason: String,
}

impl WalletFile {
    /// Agrees on the terms, and grants what has not been granted.
    pub fn open(self, engine: &Engine, now: i64) -> anyhow::Result<()> {
        let Self { app, customer, credit_limit, alerts, automatic_top_up, grants } = self;
        let named = || format!("wallet of {customer}");
        let terms = WalletTerms { credit_limit, alerts, automatic_top_up };
        engine.agree(&app, &customer, &terms).map_err(refused).with_context(named)?;
        for grant in grants {
            let terms = GrantTerms {
                id: grant.id.into(),
                amount: grant.amount,
                funder: grant.funder,
                priority: grant.priority,
                effective_at: grant.effective_at.as_millisecond(),
                expires_at: grant.expires_at.map(Timestamp::as_millisecond),
                reason: grant.reason,
            };
            engine.grant(&app, &customer, &terms, now).map_err(refused).with_context(named)?;
        }
        Ok(())
    }
}

fn refused(error: EngineError) -> anyhow::Error {
    match error {
        EngineError::Store(_) => error.into(),
        refusal => anyhow::Error::new(refusal).context(Refused),
    }
}
