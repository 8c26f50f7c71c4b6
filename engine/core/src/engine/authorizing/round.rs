//! One step of deciding: requests of different customers are rated together, and reserved in one commit.

use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde_json::json;

use super::{Authorization, AuthorizationRequest, Remaining};
use crate::catalog::Limits;
use crate::charge::Charge;
use crate::engine::ahead::{Ahead, Remembered};
use crate::engine::breaker::Suspended;
use crate::engine::desk::Latest;
use crate::engine::funding::Funding;
use crate::engine::quoting::{beyond_charge, beyond_usage, insufficient, refusals};
use crate::engine::wallets::Whom;
use crate::engine::{Denial, Engine, EngineError, Rulebook, batch};
use crate::event::{Event, EventKey};
use crate::money::Amount;
use crate::quantity::Quantity;
use crate::rating::counters::CounterSource;
use crate::rating::parties::{Parties, Party};
use crate::store::record::{RecordKey, RecordKind, Versioned};
use crate::store::{Commit, CounterKey, Notice, NoticeKind, Outcome, SeenKey, StoreError, Ticket};
use crate::wallet::{Hold, HoldState, PendingUsage, Wallet};

/// What was decided in one step.
pub(super) struct Round {
    pub(super) decisions: Decisions,
    /// Of the commit that the answers wait for, if any do.
    pub(super) ticket: Option<Box<dyn Ticket>>,
}

/// With the positions of the requests.
type Decisions = Vec<(usize, Decision)>;

/// What was decided about one request.
pub(super) enum Decision {
    /// This is the answer.
    Final(Authorization),
    /// This is the answer once the round's commit is durable.
    Reserved(Authorization),
    /// It was asked before: once the round's commit is durable, the store says what became of that.
    Repeated,
    /// The customer needs a wallet first.
    WithoutWallet,
}

/// A request that has to be decided.
struct Asking<'r> {
    position: usize,
    request: &'r AuthorizationRequest,
    whom: Whom,
}

/// Takes from these positions the requests that can be decided together, and leaves the others in order. One
/// must not change what another costs: so no two of a customer, of those who share a pool, or of one event.
pub(super) fn divide(
    rules: &Rulebook,
    requests: &[AuthorizationRequest],
    positions: Vec<usize>,
) -> (Vec<usize>, Vec<usize>) {
    let mut parties = Parties::default();
    let (mut claimed, mut events) = (FxHashSet::default(), FxHashSet::default());
    positions.into_iter().partition(|position| {
        let Some(AuthorizationRequest { event, .. }) = requests.get(*position) else { return true };
        let Some(party) = parties.intern(rules.catalog(), &event.key.app, &event.customer) else {
            return true;
        };
        // What is left claims as well, so that nothing overtakes it.
        let is_new = events.insert(&event.key);
        let owner = parties.owner(party, true);
        is_new & claimed.insert(party) & (owner == party || claimed.insert(owner))
    })
}

impl Engine {
    /// Decides what [`divide`] says can be decided together, and submits what is reserved.
    pub(super) fn decide_round(
        &self,
        rules: &Rulebook,
        suspended: &Suspended,
        ahead: &mut Ahead,
        requests: &[AuthorizationRequest],
        positions: &[usize],
    ) -> Result<Round, EngineError> {
        let store = &*self.store;
        let (mut decisions, mut asking) = self.answered_before(rules, ahead, requests, positions)?;
        let asked: Vec<_> = asking.iter().map(|asking| (asking.whom.party(), None)).collect();
        let mut funding = Funding::load(ahead, store, &asked)?;
        asking.retain(|asking| {
            let has_wallet = funding.wallet(asking.whom.party()).is_some();
            if !has_wallet {
                decisions.push((asking.position, Decision::WithoutWallet));
            }
            has_wallet
        });
        let events: Vec<Arc<Event>> = asking.iter().map(|asking| Arc::clone(&asking.request.event)).collect();
        let placed = batch::place(rules, suspended, &mut |app| ahead.closed(store, app), &events)?;
        let source = WithPending { latest: Latest { ahead, store }, funding: &funding };
        let decided = placed.decide(&*self.pricer, &source)?;
        let mut denied = Vec::new();
        let mut is_anything_reserved = false;
        for (asking, outcome) in asking.iter().zip(decided.outcomes) {
            let authorization = asking.judge(rules, &mut funding, outcome)?;
            is_anything_reserved |= matches!(authorization, Authorization::Allowed { .. });
            denied.extend(asking.denied(&authorization));
            let decision = match authorization {
                Authorization::Allowed { .. } => Decision::Reserved(authorization),
                _ => Decision::Final(authorization),
            };
            decisions.push((asking.position, decision));
        }
        if !denied.is_empty() {
            // That somebody is told is not worth waiting for.
            drop(store.submit(Commit { notices: denied, ..Commit::default() })?);
        }
        let ticket = if is_anything_reserved {
            let (commit, books) = funding.finish()?.add_to(Commit::default())?;
            let remembered = Remembered::of(&commit, books);
            let ticket = self.hand_over(commit)?;
            ahead.remember(remembered);
            Some(ticket)
        } else if decisions.iter().any(|(_, decision)| matches!(decision, Decision::Repeated)) {
            // What is on its way is durable no later than an empty commit behind it.
            Some(store.submit(Commit::default())?)
        } else {
            None
        };
        Ok(Round { decisions, ticket })
    }

    /// The decisions on events that have been recorded or authorised before, and the requests that are left.
    fn answered_before<'r>(
        &self,
        rules: &Rulebook,
        ahead: &Ahead,
        requests: &'r [AuthorizationRequest],
        positions: &[usize],
    ) -> Result<(Decisions, Vec<Asking<'r>>), EngineError> {
        let (mut decisions, mut asking) = (Decisions::new(), Vec::with_capacity(positions.len()));
        for position in positions {
            let Some(request) = requests.get(*position) else { continue };
            let Event { key, customer, .. } = &*request.event;
            match Whom::find(rules, &key.app, customer) {
                Err(EngineError::UndefinedApp(_)) => {
                    decisions.push((*position, Decision::Final(Authorization::Undefined)));
                }
                whom => asking.push(Asking { position: *position, request, whom: whom? }),
            }
        }
        let keys: Vec<&EventKey> = asking.iter().map(|asking| &asking.request.event.key).collect();
        let hold_key = |key: &&EventKey| RecordKey::new(RecordKind::Hold, &*key.app, &*key.id);
        let holds = self.store.records(&keys.iter().map(hold_key).collect::<Vec<_>>())?;
        let recorded = self.store.find(&keys)?;
        if (recorded.len(), holds.len()) != (keys.len(), keys.len()) {
            return Err(StoreError::Corrupt("it answered fewer questions than were asked".to_owned()).into());
        }
        let mut unknown = Vec::with_capacity(asking.len());
        for ((asking, recorded), hold) in asking.into_iter().zip(recorded).zip(holds) {
            let event = &*asking.request.event;
            let decision = if recorded.is_some() || ahead.in_flight(&event.key).is_some() {
                Decision::Final(Authorization::Recorded)
            } else if ahead.hold(&event.key).is_some() {
                Decision::Repeated
            } else if let Some(hold) = hold {
                Decision::Final(self.authorized_by(event, Versioned::of(&hold)?.value)?)
            } else {
                unknown.push(asking);
                continue;
            };
            decisions.push((asking.position, decision));
        }
        Ok((decisions, unknown))
    }
}

impl Asking<'_> {
    /// Reserves what the event would cost, or says why it may not run.
    fn judge(
        &self,
        rules: &Rulebook,
        funding: &mut Funding,
        outcome: Outcome,
    ) -> Result<Authorization, EngineError> {
        let Self { request, whom, .. } = self;
        let (event, party) = (&request.event, whom.party());
        let wallet = funding.wallet(party).ok_or(EngineError::LedgerFull)?;
        let remaining = Remaining::of(wallet, event.time);
        let charge = match outcome {
            Outcome::Rated(charge) => charge,
            Outcome::Held(reason) => {
                let denial = Denial { code: reason.cause.code().to_owned(), message: reason.message };
                return Ok(Authorization::Denied { price: None, denials: vec![denial], remaining });
            }
        };
        let mut denials = refusals(&charge);
        if let Some(customer) = rules.catalog().customer(&event.key.app, &event.customer) {
            denials.extend(beyond(&customer.limits, wallet, &charge)?);
        }
        let price = charge.total.max(Amount::ZERO);
        if !denials.is_empty() {
            return Ok(Authorization::Denied { price: Some(price), denials, remaining });
        }
        let reserved = funding.change(party, |wallet| wallet.reserve(price, event.time));
        let draws = match reserved.ok_or(EngineError::LedgerFull)? {
            Ok(draws) => draws,
            Err(shortfall) => {
                let denials = vec![insufficient(price, shortfall, &party.app.currency)];
                return Ok(Authorization::Denied { price: Some(price), denials, remaining });
            }
        };
        let hold = Hold {
            customer: event.customer.clone(),
            tariff: Arc::clone(&charge.tariff),
            price,
            draws,
            usage: expected_usage(&charge),
            fingerprint: hex::encode(event.fingerprint),
            placed_at: request.now,
            expires_at: request.expires_at,
            state: HoldState::Pending,
        };
        let left = funding.wallet(party).map(|wallet| Remaining::of(wallet, event.time));
        funding.place(party, &event.key, hold.clone())?;
        Ok(Authorization::Allowed { hold, remaining: left.unwrap_or(remaining) })
    }

    /// Tells the Builder of a no.
    fn denied(&self, authorization: &Authorization) -> Option<Notice> {
        let Authorization::Denied { price, denials, .. } = authorization else { return None };
        let party: &Party = self.whom.party();
        let reasons = denials.iter().map(|denial| json!({ "code": denial.code, "detail": denial.message }));
        let data = json!({
            "app": party.app_id, "customer": party.customer, "event": self.request.event.key.id, "price": price,
            "currency": party.app.currency, "reasons": reasons.collect::<Vec<_>>(),
        });
        let builder = party.app.builder.clone();
        Some(Notice { builder, kind: NoticeKind::AuthorizationDenied, at: self.request.now, data })
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

/// Counters as if every pending hold of the customers who ask had been captured. (What is pooled by a parent is
/// counted without its children's holds.)
struct WithPending<'a> {
    latest: Latest<'a>,
    funding: &'a Funding,
}

impl CounterSource for WithPending<'_> {
    fn values(&self, keys: &[CounterKey]) -> Result<Vec<Quantity>, StoreError> {
        let values = self.latest.values(keys)?.into_iter().zip(keys).map(|(value, key)| {
            let Some(wallet) = self.funding.wallet_of(&key.app, &key.owner) else { return Ok(value) };
            let pending = wallet.pending_usage(&key.unit, &key.group, key.period);
            value.plus(pending).map_err(|error| StoreError::Failed(error.to_string()))
        });
        values.collect()
    }

    fn seen(&self, keys: &[SeenKey]) -> Result<Vec<bool>, StoreError> {
        self.latest.seen(keys)
    }
}
