//! What events would cost now, and whether they may run: asked before, and nothing is kept.
//!
//! A quote is worked out from what is durable, so it never waits for a batch that is being rated. It is an
//! answer of this moment, not a promise: what runs meanwhile counts.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::{Engine, EngineError, batch};
use crate::catalog::Limits;
use crate::charge::Charge;
use crate::event::Event;
use crate::money::{Amount, format_money, format_nano};
use crate::period::Period;
use crate::quantity::Quantity;
use crate::rating::counters::CounterSource;
use crate::store::record;
use crate::store::{CounterKey, Outcome, SeenKey, StatementFilter, Store, StoreError};
use crate::wallet::{Shortfall, Wallet};

/// What one event would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// What would become of it.
    pub outcome: Outcome,
    /// Why it should not run; none if it may.
    pub denials: Vec<Denial>,
}

/// A reason why an event should not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// A stable word: a refusal's code, or `charge_max`, `usage_max`, `insufficient_funds`, or why an event would
    /// be held.
    pub code: String,
    /// The whole story, as a sentence.
    pub message: String,
}

/// Counters as they are durable.
pub(super) struct Durable<'a>(pub(super) &'a dyn Store);

impl CounterSource for Durable<'_> {
    fn values(&self, keys: &[CounterKey]) -> Result<Vec<Quantity>, StoreError> {
        self.0.counters(keys)
    }

    fn seen(&self, keys: &[SeenKey]) -> Result<Vec<bool>, StoreError> {
        self.0.seen(keys)
    }
}

impl Engine {
    /// What these events would cost if they happened now, one after the other. Their apps must be defined.
    ///
    /// # Errors
    /// When an app is not defined or the store fails.
    pub fn quote(&self, events: &[Arc<Event>]) -> Result<Vec<Quote>, EngineError> {
        let (rules, store) = (self.rules(), &*self.store);
        let mut closed = |app: &str| Ok(store.closed_periods(app)?.into());
        let placed = batch::place(&rules, &self.suspended(), &mut closed, events)?;
        let decided = placed.decide(&*self.pricer, &Durable(store))?;
        let mut spending = Spending { store, charged: BTreeMap::new(), wallets: BTreeMap::new() };
        let quotes = events.iter().zip(decided.outcomes).map(|(event, outcome)| {
            let customer = rules.catalog().customer(&event.key.app, &event.customer);
            let denials = match &outcome {
                Outcome::Held(reason) => {
                    vec![Denial { code: reason.cause.code().to_owned(), message: reason.message.clone() }]
                }
                Outcome::Rated(charge) => {
                    let mut denials = refusals(charge);
                    if let Some(customer) = customer {
                        denials.extend(beyond_usage(&customer.limits, charge));
                        denials.extend(spending.beyond_charge(&customer.limits, event, charge)?);
                    }
                    let currency = rules.catalog().app(&event.key.app).map(|app| app.currency.as_str());
                    denials.extend(spending.beyond_funds(event, charge, currency.unwrap_or_default())?);
                    denials
                }
            };
            Ok(Quote { outcome, denials })
        });
        quotes.collect()
    }
}

/// What the plugin itself says against the event.
pub(super) fn refusals(charge: &Charge) -> Vec<Denial> {
    let refused = charge.refused.iter();
    refused
        .map(|refused| Denial { code: refused.code.to_string(), message: refused.detail.clone() })
        .collect()
}

/// Units of which the customer would have used more than it may.
pub(super) fn beyond_usage(limits: &Limits, charge: &Charge) -> Vec<Denial> {
    let rows = charge.usage.iter().filter(|row| row.after > row.before);
    let beyond = rows.filter_map(|row| {
        let most = *limits.usage_max.get(&*row.unit)?;
        (row.after > most).then(|| Denial {
            code: "usage_max".to_owned(),
            message: format!(
                "it would bring {} in {} to {}; the customer may use {most}",
                row.unit, charge.period, row.after
            ),
        })
    });
    beyond.collect()
}

/// What the customers of some quotes have been charged, with the quotes so far.
struct Spending<'a> {
    store: &'a dyn Store,
    charged: BTreeMap<(String, String, Period), i128>,
    wallets: BTreeMap<(String, String), Option<Wallet>>,
}

impl Spending<'_> {
    /// Whether there is too little in the customer's wallet, if they have one.
    fn beyond_funds(
        &mut self,
        event: &Event,
        charge: &Charge,
        currency: &str,
    ) -> Result<Option<Denial>, EngineError> {
        let place = (event.key.app.clone(), event.customer.clone());
        let wallet = match self.wallets.entry(place) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let wallet = record::read(self.store, &event.key.app, &event.customer)?;
                place.insert(wallet.map(|wallet| wallet.value))
            }
        };
        let Some(wallet) = wallet else { return Ok(None) };
        let price = charge.total.max(Amount::ZERO);
        let reserved = wallet.reserve(price, event.time);
        Ok(reserved.err().map(|shortfall| insufficient(price, shortfall, currency)))
    }

    fn beyond_charge(
        &mut self,
        limits: &Limits,
        event: &Event,
        charge: &Charge,
    ) -> Result<Option<Denial>, EngineError> {
        if limits.charge_max.is_none() {
            return Ok(None);
        }
        let (app, customer, period) = (event.key.app.clone(), event.customer.clone(), charge.period);
        let filter = StatementFilter {
            app: Some(app.clone()),
            customer: Some(customer.clone()),
            period: Some(period),
        };
        let place = (app, customer, period);
        let so_far = if let Some(so_far) = self.charged.get(&place) {
            *so_far
        } else {
            let statements = self.store.statements(&filter)?;
            let totals = statements.first().map(|(_, totals)| totals.total());
            totals.unwrap_or(Some(0)).ok_or(EngineError::LedgerFull)?
        };
        let denial = beyond_charge(limits, so_far, charge)?;
        let then = so_far.checked_add(i128::from(charge.total.nano())).ok_or(EngineError::LedgerFull)?;
        self.charged.insert(place, then);
        Ok(denial)
    }
}

/// There is too little money for an event.
pub(super) fn insufficient(price: Amount, shortfall: Shortfall, currency: &str) -> Denial {
    let told = |amount: Amount| format_money(i128::from(amount.nano()), currency);
    Denial {
        code: "insufficient_funds".to_owned(),
        message: format!("it would cost {}, and {} is available", told(price), told(shortfall.available)),
    }
}

/// Whether a charge would bring what was charged beyond what may be.
pub(super) fn beyond_charge(
    limits: &Limits,
    so_far: i128,
    charge: &Charge,
) -> Result<Option<Denial>, EngineError> {
    let Some(most) = limits.charge_max else { return Ok(None) };
    let then = so_far.checked_add(i128::from(charge.total.nano())).ok_or(EngineError::LedgerFull)?;
    let is_beyond = then > i128::from(most.nano()) && charge.total.nano() > 0;
    Ok(is_beyond.then(|| Denial {
        code: "charge_max".to_owned(),
        message: format!(
            "it would bring the charges of {} to {}; the customer may be charged {most}",
            charge.period,
            format_nano(then)
        ),
    }))
}
