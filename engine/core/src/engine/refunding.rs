//! Gives back what an event was charged, in whole or in part. The event stays counted: prices of later events
//! do not change. (A void takes the event itself back.)

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ahead::Ahead;
use super::funding::Funding;
use super::posting::opposite;
use super::wallets::{Whom, already, check_id, check_positive};
use super::{Engine, EngineError, MoneyRefusal, Rulebook};
use crate::charge::Charge;
use crate::event::EventKey;
use crate::ledger::{self, Entry, EntryKind, Owner, Posting};
use crate::money::Amount;
use crate::store::record::{self, Document, RecordKind, Versioned};
use crate::store::{Commit, Outcome};
use crate::wallet::Funder;

/// A refund, as asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRequest {
    /// Unique among the event's refunds.
    pub id: String,
    /// How much; all that is left of the charge where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Who bears it.
    pub borne_by: Funder,
    /// Why, in somebody's words.
    pub reason: String,
}

/// What the engine answers to a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refunded {
    /// The entry that gave it back.
    pub entry: Entry,
    /// How much of the charge has been given back in all.
    pub total: Amount,
    /// The same was asked for before, and that stands.
    pub is_repeated: bool,
}

/// How much of an event's charge was given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refunds {
    /// In all.
    pub(crate) total: Amount,
}

impl Document for Refunds {
    const KIND: RecordKind = RecordKind::Refunds;
}

impl Engine {
    /// Gives back what an event was charged, to where it came from: what was drawn last comes back first. Never
    /// more than was charged.
    ///
    /// # Errors
    /// When the event is not there, not charged, voided, or has too little left to give back; when another
    /// refund has the id; or when the store fails.
    pub fn refund(
        &self,
        event: &EventKey,
        request: &RefundRequest,
        now: i64,
    ) -> Result<Refunded, EngineError> {
        self.alone(|rules| self.try_refund(rules, event, request, now))
    }

    fn try_refund(
        &self,
        rules: &Rulebook,
        event: &EventKey,
        request: &RefundRequest,
        now: i64,
    ) -> Result<(Refunded, Option<Commit>), EngineError> {
        let (app, event_id) = (&*event.app, &*event.id);
        check_id("id", &request.id)?;
        let id = json!(["refund", app, event_id, request.id]).to_string();
        let refunds = record::read::<Refunds>(&*self.store, app, event_id)?;
        let refunds = refunds.unwrap_or(Versioned { version: 0, value: Refunds::default() });
        if let Some((_, entry)) = self.store.entry(&id)? {
            already(&entry, &json!(request))?;
            return Ok((Refunded { entry, total: refunds.value.total, is_repeated: true }, None));
        }
        let (customer, charge) = self.charged(event)?;
        let left = charge.total.checked_sub(refunds.value.total).ok_or(EngineError::LedgerFull)?;
        let amount = request.amount.unwrap_or(left);
        if left <= Amount::ZERO {
            let message = format!("event {event_id:?} cannot be refunded: nothing is left of its charge");
            return Err(MoneyRefusal::NotPossible(message).into());
        }
        check_positive("amount", amount)?;
        if amount > left {
            let message = format!("{amount} is more than the {left} that is left of the charge");
            return Err(MoneyRefusal::invalid("amount", message).into());
        }
        let whom = Whom::find(rules, app, &customer)?;
        let mut funding = Funding::load(&Ahead::default(), &*self.store, &[(whom.party(), None)])?;
        let grants = self.grants_of(whom.party(), &charge.draws)?;
        let returned =
            funding.change(whom.party(), |wallet| wallet.give_back(&charge.draws, amount, &grants));
        // Without a wallet, less is owed.
        let returned = returned.map(|returned| returned.ok_or(EngineError::LedgerFull)).transpose()?;
        let taken = opposite(amount)?;
        let bearer = request.borne_by.owner(&whom.party().app.builder);
        let mut postings =
            vec![whom.posting(bearer, taken), whom.posting(Owner::customer(app, &customer), amount)];
        let currency = &whom.party().app.currency;
        let accounts = ledger::accounts_of_draws(app, &customer, currency);
        let amounts =
            ledger::amounts_of_draws(&returned.unwrap_or_default()).ok_or(EngineError::LedgerFull)?;
        let moved = accounts.into_iter().zip(amounts).filter(|(_, amount)| *amount != Amount::ZERO);
        postings.extend(moved.map(|(account, amount)| Posting { account, amount }));
        let entry = Entry {
            id,
            kind: EntryKind::Refund,
            at: now,
            postings,
            reverses: Some(json!(["event", app, event_id]).to_string()),
            request: json!(request),
        };
        let total = refunds.value.total.checked_add(amount).ok_or(EngineError::LedgerFull)?;
        let mut commit = Commit { entries: vec![entry.clone()], ..Commit::default() };
        commit.records.push(record::change(app, event_id, refunds.version, &Refunds { total })?);
        let (commit, _) = funding.finish()?.add_to(commit)?;
        Ok((Refunded { entry, total, is_repeated: false }, Some(commit)))
    }

    /// The customer and the charge of an event that can be refunded.
    fn charged(&self, event: &EventKey) -> Result<(String, Charge), EngineError> {
        let id = &event.id;
        let stored = self.store.stored_one(event)?;
        let stored = stored.ok_or_else(|| MoneyRefusal::Unknown(format!("there is no event {id:?}")))?;
        let refusal = match (&stored.outcome, &stored.voided) {
            (_, Some(_)) => "it was voided",
            (Outcome::Held(_), None) => "it has not been charged yet",
            (Outcome::Rated(charge), None) => return Ok((stored.event()?.customer, charge.clone())),
        };
        Err(MoneyRefusal::NotPossible(format!("event {id:?} cannot be refunded: {refusal}")).into())
    }
}
