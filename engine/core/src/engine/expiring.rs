//! Ends what is over: holds whose time is up or that are not needed, and grants that have expired.

use serde_json::json;

use super::ahead::Ahead;
use super::funding::{Funding, crossed_notices};
use super::posting::opposite;
use super::wallets::{Whom, grant_entry, post};
use super::{Engine, EngineError, Rulebook};
use crate::event::EventKey;
use crate::ledger::{Entry, EntryKind, Owner};
use crate::rating::parties::Parties;
use crate::store::record::{self, Versioned};
use crate::store::{Commit, RecordFilter, RecordKind, StoreError};
use crate::wallet::{Hold, HoldState, Wallet};

/// How many holds, or wallets, are gone through at a time when their time is up.
const BATCH: usize = 1_000;

/// What was over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Holds that were given up.
    pub holds: u64,
    /// Grants of which something was left.
    pub grants: u64,
}

impl Engine {
    /// Ends what is over at a moment: holds are given up, and what is left of grants goes back to who funded
    /// them. Gives back how many holds and grants that were. Cheap when nothing is.
    ///
    /// # Errors
    /// When the store fails; what was done until then stands.
    pub fn expire(&self, now: i64) -> Result<Expired, EngineError> {
        let mut expired = Expired::default();
        while self.is_due(RecordKind::Hold, now)? {
            let holds = self.alone(|rules| self.expire_holds(rules, now))?;
            expired.holds = expired.holds.saturating_add(holds);
        }
        while self.is_due(RecordKind::Wallet, now)? {
            let grants = self.alone(|rules| self.expire_grants(rules, now))?;
            expired.grants = expired.grants.saturating_add(grants);
        }
        Ok(expired)
    }

    fn is_due(&self, kind: RecordKind, now: i64) -> Result<bool, StoreError> {
        Ok(!self.store.list_records(&RecordFilter::due(kind, now), 1)?.is_empty())
    }

    fn expire_holds(&self, rules: &Rulebook, now: i64) -> Result<(u64, Option<Commit>), EngineError> {
        let due = self.store.list_records(&RecordFilter::due(RecordKind::Hold, now), BATCH)?;
        let mut parties = Parties::default();
        let mut holds = Vec::with_capacity(due.len());
        for record in &due {
            let hold = Versioned::<Hold>::of(record)?;
            let (app, id) = (record.key.owner.clone(), record.key.id.clone());
            let party = parties.intern(rules.catalog(), &app, &hold.value.customer);
            let party = party.ok_or_else(|| EngineError::UndefinedApp(app.clone()))?;
            holds.push((party, EventKey { app, id }, hold));
        }
        let asked: Vec<_> = holds.iter().map(|(party, _, _)| (parties.get(*party), None)).collect();
        let mut funding = Funding::load(&Ahead::default(), &*self.store, &asked)?;
        let count = holds.len() as u64;
        for (party, event, hold) in holds {
            funding.give_up(parties.get(party), &event, hold, HoldState::Expired { at: now })?;
        }
        let (commit, _) = funding.finish()?.add_to(Commit::default())?;
        Ok((count, Some(commit)))
    }

    fn expire_grants(&self, rules: &Rulebook, now: i64) -> Result<(u64, Option<Commit>), EngineError> {
        let mut commit = Commit::default();
        let mut count = 0_u64;
        for record in self.store.list_records(&RecordFilter::due(RecordKind::Wallet, now), BATCH)? {
            let (app, customer) = (&*record.key.owner, &*record.key.id);
            let whom = Whom::find(rules, app, customer)?;
            let mut wallet = Versioned::<Wallet>::of(&record)?;
            for (terms, left) in wallet.value.expire(now).ok_or(EngineError::LedgerFull)? {
                count = count.saturating_add(1);
                let taken = opposite(left)?;
                let grant = grant_entry(app, customer, &terms.id);
                // A grant may expire several times: what a hold gives up later goes back later.
                let id = json!(["expiry", app, customer, terms.id, record.version]).to_string();
                let entry = Entry {
                    id,
                    kind: EntryKind::Expiry,
                    at: now,
                    postings: vec![
                        whom.posting(Owner::granted(app, customer), taken),
                        whom.posting(terms.funder.owner(&whom.party().app.builder), left),
                    ],
                    reverses: Some(grant),
                    request: json!({ "grant": terms.id }),
                };
                post(&mut commit, entry)?;
            }
            let crossed = wallet.value.watch(None, now).ok_or(EngineError::LedgerFull)?;
            commit.notices.extend(crossed_notices(whom.party(), &crossed, now));
            commit.records.push(wallet.change(app, customer)?);
        }
        Ok((count, Some(commit)))
    }

    /// Gives up the hold for an event. Gives back the hold as it is then; `None` when there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub fn void_hold(&self, event: &EventKey, now: i64) -> Result<Option<Hold>, EngineError> {
        self.alone(|rules| {
            let hold = record::read::<Hold>(&*self.store, &event.app, &event.id)?;
            let Some(hold) = hold else { return Ok((None, None)) };
            if !hold.value.is_pending() {
                return Ok((Some(hold.value), None));
            }
            let whom = Whom::find(rules, &event.app, &hold.value.customer)?;
            let mut funding = Funding::load(&Ahead::default(), &*self.store, &[(whom.party(), None)])?;
            let state = HoldState::Voided { at: now };
            let voided = Hold { state, ..hold.value.clone() };
            funding.give_up(whom.party(), event, hold, state)?;
            let (commit, _) = funding.finish()?.add_to(Commit::default())?;
            Ok((Some(voided), Some(commit)))
        })
    }
}
