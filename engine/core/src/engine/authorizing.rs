//! May this customer do this, and is there money for it? Asked before an event runs; the answer is a promise.
//!
//! The estimated event is priced as if every pending hold of the customer had been captured, so that many
//! requests at once cannot all be the last free one. What it costs is then reserved. Deciding and reserving are
//! one step: holds are placed one at a time, and the commit names the version of the wallet that it was decided
//! from.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;

use super::ahead::{Ahead, Latest, Remembered};
use super::funding::Funding;
use super::quoting::{beyond_charge, beyond_usage, insufficient, refusals};
use super::{ATTEMPTS_MAX, Denial, Engine, EngineError, Rulebook, batch, lock, outrun};
use crate::catalog::Limits;
use crate::charge::Charge;
use crate::event::{Event, EventKey};
use crate::money::Amount;
use crate::quantity::Quantity;
use crate::rating::counters::CounterSource;
use crate::rating::parties::Party;
use crate::store::record::{self, Versioned};
use crate::store::{Commit, CounterKey, Notice, NoticeKind, Outcome, SeenKey, StoreError, Ticket};
use crate::wallet::{Hold, HoldState, PendingUsage, Wallet};

/// What a customer has left. `None` in the last place: any amount may be owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remaining {
    /// Of granted credit.
    pub granted: Amount,
    /// Of their own money.
    pub paid: Amount,
    /// Of all, the credit limit included.
    pub available: Option<Amount>,
}

impl Remaining {
    /// What a wallet has left for events of a time.
    pub fn of(wallet: &Wallet, time: i64) -> Self {
        Self {
            granted: wallet.granted_at(time),
            paid: wallet.paid_free(),
            available: wallet.available_at(time),
        }
    }
}

/// What the engine answers to a request for authorisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// The event may run, and its price is reserved. The same answer comes again when the same is asked.
    Allowed {
        /// What is reserved.
        hold: Hold,
        /// What is left beside it.
        remaining: Remaining,
    },
    /// It may not run; nothing is reserved or kept.
    Denied {
        /// What it would cost, where that could be told.
        price: Option<Amount>,
        /// Why it may not run: at least one reason.
        denials: Vec<Denial>,
        /// What is left.
        remaining: Remaining,
    },
    /// The hold for this event has been resolved: the event may not run under it again.
    Resolved(Hold),
    /// Something else was authorised under this event's id.
    Conflict,
    /// The event has been recorded already.
    Recorded,
    /// Its app is not defined.
    Undefined,
}

/// An answer that may still have to become durable.
enum Answer {
    Final(Authorization),
    Pending(Authorization, Box<dyn Ticket>),
    /// The customer has no wallet yet.
    NoWallet,
}

impl Engine {
    /// Authorises an event and reserves its price until `expires_at`; both moments in milliseconds since 1970.
    /// Returns once the hold is durable.
    ///
    /// # Errors
    /// When the store fails: then nothing is reserved, and asking again is safe.
    pub fn authorize(
        &self,
        event: &Arc<Event>,
        now: i64,
        expires_at: i64,
    ) -> Result<Authorization, EngineError> {
        for _ in 0..ATTEMPTS_MAX {
            let answer = self.try_authorize(event, now, expires_at);
            let (authorization, ticket) = match answer {
                Ok(Answer::Final(authorization)) => return Ok(authorization),
                Ok(Answer::Pending(authorization, ticket)) => (authorization, ticket),
                Ok(Answer::NoWallet) => {
                    self.open_wallet(&event.key.app, &event.customer)?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            match ticket.wait() {
                Ok(()) => return Ok(authorization),
                Err(StoreError::Stale(_)) => lock(&self.ahead).forget(),
                Err(error) => {
                    lock(&self.ahead).forget();
                    return Err(error.into());
                }
            }
        }
        Err(outrun())
    }

    fn try_authorize(&self, event: &Arc<Event>, now: i64, expires_at: i64) -> Result<Answer, EngineError> {
        let rules = self.rules();
        let suspended = self.suspended();
        let store = &*self.store;
        let mut ahead = lock(&self.ahead);
        if let Some(answer) = self.answered_before(&rules, &ahead, event)? {
            return Ok(answer);
        }
        let whom = super::wallets::Whom::find(&rules, &event.key.app, &event.customer)?;
        let party = whom.party();
        let mut funding = Funding::load(&ahead, store, &[(party, None)])?;
        let Some(wallet) = funding.wallet(party) else { return Ok(Answer::NoWallet) };
        let events = std::slice::from_ref(event);
        let placed = batch::place(&rules, &suspended, &mut |app| ahead.closed(store, app), events)?;
        let latest = Latest { ahead: &ahead, store };
        let decided = placed.decide(&*self.pricer, &WithPending { latest, party, wallet }, &self.breakers)?;
        let charge = match decided.outcomes.into_iter().next() {
            Some(Outcome::Rated(charge)) => charge,
            outcome => {
                let denial = match outcome {
                    Some(Outcome::Held(reason)) => {
                        Denial { code: reason.cause.code().to_owned(), message: reason.message }
                    }
                    _ => Denial { code: "infrastructure".to_owned(), message: "no answer".to_owned() },
                };
                return self.deny(&funding, party, event, now, (None, vec![denial]));
            }
        };
        let limits = rules.catalog().customer(&event.key.app, &event.customer);
        let mut denials = refusals(&charge);
        denials.extend(limits.map_or(Ok(Vec::new()), |customer| beyond(&customer.limits, wallet, &charge))?);
        let price = charge.total.max(Amount::ZERO);
        if denials.is_empty() {
            let reserved = funding.change(party, |wallet| wallet.reserve(price, event.time));
            match reserved.ok_or(EngineError::LedgerFull)? {
                Ok(draws) => {
                    let hold = Hold {
                        customer: event.customer.clone(),
                        tariff: Arc::clone(&charge.tariff),
                        price,
                        draws,
                        usage: expected_usage(&charge),
                        fingerprint: hexadecimal(&event.fingerprint),
                        placed_at: now,
                        expires_at,
                        state: HoldState::Pending,
                    };
                    return self.allow(&mut ahead, funding, party, event, hold);
                }
                Err(shortfall) => denials.push(insufficient(price, shortfall, &party.app.currency)),
            }
        }
        self.deny(&funding, party, event, now, (Some(price), denials))
    }

    /// The answer for an event that has been recorded or authorised before.
    fn answered_before(
        &self,
        rules: &Rulebook,
        ahead: &Ahead,
        event: &Arc<Event>,
    ) -> Result<Option<Answer>, EngineError> {
        let EventKey { app, id } = &event.key;
        if rules.catalog().app(app).is_none() {
            return Ok(Some(Answer::Final(Authorization::Undefined)));
        }
        let is_recorded = ahead.in_flight(&event.key).is_some()
            || self.store.find(&[&event.key])?.iter().any(Option::is_some);
        if is_recorded {
            return Ok(Some(Answer::Final(Authorization::Recorded)));
        }
        let on_its_way = ahead.hold(&event.key).cloned();
        let hold: Option<Versioned<Hold>> = match &on_its_way {
            Some(hold) => Some(hold.clone()),
            None => record::read(&*self.store, app, id)?,
        };
        let Some(Versioned { value: hold, .. }) = hold else { return Ok(None) };
        if hold.fingerprint != hexadecimal(&event.fingerprint) {
            return Ok(Some(Answer::Final(Authorization::Conflict)));
        }
        if !hold.is_pending() {
            return Ok(Some(Answer::Final(Authorization::Resolved(hold))));
        }
        let wallet = self.existing(app, &event.customer)?;
        let remaining = wallet.map(|wallet| Remaining::of(&wallet.value, event.time));
        let remaining = remaining.unwrap_or(Remaining::of(&Wallet::default(), event.time));
        let allowed = Authorization::Allowed { hold, remaining };
        // The hold may not be durable yet: an empty commit behind it is durable after it.
        Ok(Some(match on_its_way {
            Some(_) => Answer::Pending(allowed, self.store.submit(Commit::default())?),
            None => Answer::Final(allowed),
        }))
    }

    fn allow(
        &self,
        ahead: &mut Ahead,
        mut funding: Funding,
        party: &Party,
        event: &Event,
        hold: Hold,
    ) -> Result<Answer, EngineError> {
        let remaining = funding.wallet(party).map(|wallet| Remaining::of(wallet, event.time));
        let remaining = remaining.ok_or(EngineError::LedgerFull)?;
        funding.place(party, &event.key, hold.clone())?;
        let (commit, books) = funding.finish()?.add_to(Commit::default())?;
        let remembered = Remembered::of(&commit, books);
        let ticket = self.store.submit(commit)?;
        ahead.remember(remembered);
        Ok(Answer::Pending(Authorization::Allowed { hold, remaining }, ticket))
    }

    /// Says no, and lets the Builder know. That somebody is told is not worth waiting for.
    fn deny(
        &self,
        funding: &Funding,
        party: &Party,
        event: &Event,
        now: i64,
        (price, denials): (Option<Amount>, Vec<Denial>),
    ) -> Result<Answer, EngineError> {
        let wallet = funding.wallet(party).cloned().unwrap_or_default();
        let reasons = denials.iter().map(|denial| json!({ "code": denial.code, "detail": denial.message }));
        let data = json!({
            "app": party.app_id, "customer": party.customer, "event": event.key.id, "price": price,
            "currency": party.app.currency, "reasons": reasons.collect::<Vec<_>>(),
        });
        let builder = party.app.builder.clone();
        let notice = Notice { builder, kind: NoticeKind::AuthorizationDenied, at: now, data };
        drop(self.store.submit(Commit { notices: vec![notice], ..Commit::default() })?);
        let remaining = Remaining::of(&wallet, event.time);
        Ok(Answer::Final(Authorization::Denied { price, denials, remaining }))
    }
}

/// What a charge would exceed of a customer's limits, with everything that is reserved.
fn beyond(limits: &Limits, wallet: &Wallet, charge: &Charge) -> Result<Vec<Denial>, EngineError> {
    let mut denials = beyond_usage(limits, charge);
    let so_far = wallet.charged_in(charge.period).unwrap_or(Amount::ZERO);
    let so_far = i128::from(so_far.nano()).saturating_add(i128::from(wallet.reserved().nano()));
    denials.extend(beyond_charge(limits, so_far, charge)?);
    Ok(denials)
}

/// What an event is expected to count.
fn expected_usage(charge: &Charge) -> Vec<PendingUsage> {
    let rows = charge.usage.iter().filter_map(|row| {
        let quantity = row.after.plus(row.before.opposite()).ok()?;
        let (unit, group) = (Arc::clone(&row.unit), Arc::clone(&row.group));
        (!quantity.is_zero()).then_some(PendingUsage { unit, group, period: charge.period, quantity })
    });
    rows.collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Counters as if every pending hold of a customer had been captured. (What is pooled by a parent is counted
/// without its children's holds.)
struct WithPending<'a> {
    latest: Latest<'a>,
    party: &'a Party,
    wallet: &'a Wallet,
}

impl CounterSource for WithPending<'_> {
    fn values(&self, keys: &[CounterKey]) -> Result<Vec<Quantity>, StoreError> {
        let values = self.latest.values(keys)?.into_iter().zip(keys).map(|(value, key)| {
            if (&*key.app, &*key.owner) != (&*self.party.app_id, &*self.party.customer) {
                return Ok(value);
            }
            let pending = self.wallet.pending_usage(&key.unit, &key.group, key.period);
            value.plus(pending).map_err(|error| StoreError::Failed(error.to_string()))
        });
        values.collect()
    }

    fn seen(&self, keys: &[SeenKey]) -> Result<Vec<bool>, StoreError> {
        self.latest.seen(keys)
    }
}
