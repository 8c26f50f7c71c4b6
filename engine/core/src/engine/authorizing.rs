//! May this customer do this, and is there money for it? Asked before an event runs; the answer is a promise.
//!
//! The estimated event is priced as if every pending hold of the customer had been captured, so that many
//! requests at once cannot all be the last free one. What it costs is then reserved. Deciding and reserving are
//! one step: nobody else reserves or spends meanwhile, and the commit names the versions of the wallets that it
//! was decided from. Requests that wait together are decided together, in one commit (see `round`).

mod round;

use std::sync::Arc;

use self::round::{Decision, Round};
use super::{ATTEMPTS_MAX, Denial, Engine, EngineError, outrun};
use crate::event::Event;
use crate::money::Amount;
use crate::store::record::{self, Versioned};
use crate::store::{StoreError, Ticket};
use crate::wallet::{Hold, Wallet};

/// Asks for one event to be authorised.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// The event as it is expected to be.
    pub event: Arc<Event>,
    /// The moment of asking, in milliseconds since 1970.
    pub now: i64,
    /// Until when its price is to be reserved, in milliseconds since 1970.
    pub expires_at: i64,
}

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

/// Authorisations that have been decided and are being written.
#[must_use = "nothing is promised before `wait` returns"]
pub struct PendingAuthorizations<'e> {
    engine: &'e Engine,
    requests: Vec<AuthorizationRequest>,
    /// By position, once an answer is final.
    answers: Vec<Option<Authorization>>,
    rounds: Vec<Round>,
    /// Positions that were put off until the customers before them have wallets.
    put_off: Vec<usize>,
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
        let request = AuthorizationRequest { event: Arc::clone(event), now, expires_at };
        let answers = self.submit_authorizations(vec![request])?.wait()?;
        answers.into_iter().next().ok_or_else(outrun)
    }

    /// Authorises many events, in order, and hands what is reserved over to be written. More may be submitted
    /// before these are durable.
    ///
    /// # Errors
    /// When the store fails or has too much waiting: asking again is safe.
    pub fn submit_authorizations(
        &self,
        requests: Vec<AuthorizationRequest>,
    ) -> Result<PendingAuthorizations<'_>, EngineError> {
        let (answers, all) = (vec![None; requests.len()], (0..requests.len()).collect());
        let mut pending = PendingAuthorizations {
            engine: self,
            requests,
            answers,
            rounds: Vec::new(),
            put_off: Vec::new(),
        };
        pending.ask(all)?;
        Ok(pending)
    }

    /// The answer for an event that was authorised before; `None` when it was not, as is durable.
    fn reserved_before(&self, event: &Event) -> Result<Option<Authorization>, EngineError> {
        let hold: Option<Versioned<Hold>> = record::read(&*self.store, &event.key.app, &event.key.id)?;
        hold.map(|hold| self.authorized_by(event, hold.value)).transpose()
    }

    /// The answer for an event that has a hold.
    fn authorized_by(&self, event: &Event, hold: Hold) -> Result<Authorization, EngineError> {
        if hold.fingerprint != hex::encode(event.fingerprint) {
            return Ok(Authorization::Conflict);
        }
        if !hold.is_pending() {
            return Ok(Authorization::Resolved(hold));
        }
        let wallet = self.existing(&event.key.app, &event.customer)?;
        let wallet = wallet.map_or_else(Wallet::default, |wallet| wallet.value);
        Ok(Authorization::Allowed { hold, remaining: Remaining::of(&wallet, event.time) })
    }
}

impl PendingAuthorizations<'_> {
    /// Waits until every hold is durable; an answer for each request, by position. What another writer made
    /// untrue meanwhile is decided again.
    ///
    /// # Errors
    /// When the store fails: asking again is safe.
    pub fn wait(mut self) -> Result<Vec<Authorization>, EngineError> {
        for _ in 0..ATTEMPTS_MAX {
            let again = self.land()?;
            if again.is_empty() {
                return Ok(self.answers.into_iter().flatten().collect());
            }
            self.ask(again)?;
        }
        Err(outrun())
    }

    /// Asks for the requests at these positions, in rounds.
    fn ask(&mut self, mut positions: Vec<usize>) -> Result<(), EngineError> {
        let rules = self.engine.rules();
        let suspended = self.engine.suspended();
        let mut ahead = self.engine.desk.ahead();
        while !positions.is_empty() {
            let (now, later) = round::divide(&rules, &self.requests, positions);
            let round = self.engine.decide_round(&rules, &suspended, &mut ahead, &self.requests, &now)?;
            let needs_wallets =
                round.decisions.iter().any(|(_, decision)| matches!(decision, Decision::WithoutWallet));
            self.rounds.push(round);
            positions = later;
            if needs_wallets {
                self.put_off = std::mem::take(&mut positions);
            }
        }
        Ok(())
    }

    /// Waits for everything that is on its way; gives back the positions that have to be asked for again.
    fn land(&mut self) -> Result<Vec<usize>, EngineError> {
        let engine = self.engine;
        let (mut again, mut without_wallet) = (std::mem::take(&mut self.put_off), Vec::new());
        for Round { decisions, ticket } in std::mem::take(&mut self.rounds) {
            let committed = ticket.map_or(Ok(()), Ticket::wait);
            if committed.is_err() {
                engine.desk.ahead().forget();
            }
            let is_stale = matches!(committed, Err(StoreError::Stale(_)));
            if is_stale {
                engine.catch_up()?;
            } else {
                committed?;
            }
            for (position, decision) in decisions {
                let answer = match decision {
                    Decision::WithoutWallet => {
                        without_wallet.push(position);
                        None
                    }
                    Decision::Reserved(_) | Decision::Repeated if is_stale => None,
                    Decision::Final(answer) | Decision::Reserved(answer) => Some(answer),
                    Decision::Repeated => match self.requests.get(position) {
                        Some(request) => engine.reserved_before(&request.event)?,
                        None => None,
                    },
                };
                match (answer, self.answers.get_mut(position)) {
                    (Some(answer), Some(place)) => *place = Some(answer),
                    _ => again.push(position),
                }
            }
        }
        let customers = without_wallet.iter().filter_map(|position| self.requests.get(*position));
        engine.open_wallets(customers.map(|request| &*request.event))?;
        again.sort_unstable();
        Ok(again)
    }
}
