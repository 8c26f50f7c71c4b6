//! Opens wallets, agrees on their terms, and grants credit.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::posting::opposite;
use super::{Engine, EngineError, MoneyRefusal, Rulebook};
use crate::catalog::NAME_BYTES_MAX;
use crate::event::Event;
use crate::ledger::{Account, Entry, EntryKind, Owner, Posting};
use crate::money::Amount;
use crate::payout::minor_unit;
use crate::rating::parties::{Parties, Party, PartyId};
use crate::store::record::{self, Versioned};
use crate::store::{Commit, StatementFilter, StoreError};
use crate::wallet::{Draw, Grant, GrantTerms, Source, Wallet, WalletTerms, Wallets};

/// The most grants that may have something left in one wallet.
const GRANTS_MAX: usize = 1_000;
/// The most alerts of one wallet.
const ALERTS_MAX: usize = 64;

/// What the engine answers to a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Granted {
    /// It is in the wallet now.
    New(Box<Wallet>),
    /// It had been granted before; that stands.
    Already,
}

/// One customer, as an engine operation sees it.
pub(super) struct Whom {
    pub(super) parties: Parties,
    pub(super) id: PartyId,
}

impl Whom {
    pub(super) fn find(rules: &Rulebook, app: &str, customer: &str) -> Result<Self, EngineError> {
        let mut parties = Parties::default();
        let id = parties.intern(rules.catalog(), app, customer);
        let id = id.ok_or_else(|| EngineError::UndefinedApp(app.to_owned()))?;
        Ok(Self { parties, id })
    }

    pub(super) fn party(&self) -> &Party {
        self.parties.get(self.id)
    }

    pub(super) fn account(&self, owner: Owner) -> Account {
        Account { owner, currency: self.party().app.currency.clone() }
    }

    pub(super) fn posting(&self, owner: Owner, amount: Amount) -> Posting {
        Posting { account: self.account(owner), amount }
    }
}

impl Engine {
    /// A customer's wallet, as it is durable; `None` for a customer who has none.
    ///
    /// # Errors
    /// When the store fails.
    pub fn wallet(&self, app: &str, customer: &str) -> Result<Option<Wallet>, EngineError> {
        let wallet = record::read::<Wallet>(&*self.store, app, customer)?;
        Ok(wallet.map(|wallet| wallet.value))
    }

    /// Agrees on the terms of a customer's wallet, and opens it if there is none: what the customer owes by
    /// then is owed on credit, as far as the limit reaches. The same terms again cover what has come within
    /// the limit since. Gives back the wallet.
    ///
    /// # Errors
    /// When the app is not defined, a term cannot be, or the store fails.
    pub fn agree(&self, app: &str, customer: &str, terms: &WalletTerms) -> Result<Wallet, EngineError> {
        self.alone(|rules| {
            let whom = Whom::find(rules, app, customer)?;
            check_customer(customer)?;
            check_terms(terms, &whom.party().app.currency)?;
            let (mut commit, before) = match self.existing(app, customer)? {
                Some(wallet) => (Commit::default(), wallet),
                None => self.opening(&whom)?,
            };
            let mut wallet = before.value.clone();
            wallet.agree(terms.clone()).ok_or(EngineError::LedgerFull)?;
            if before.version > 0 && wallet == before.value {
                return Ok((wallet, None));
            }
            commit.records.push(record::change(app, customer, before.version, &wallet)?);
            Ok((wallet, Some(commit)))
        })
    }

    /// Opens a wallet without terms for the customer of each of these events, unless there is one.
    pub(super) fn open_wallets<'e>(
        &self,
        events: impl Iterator<Item = &'e Event>,
    ) -> Result<(), EngineError> {
        let customers: BTreeSet<(&str, &str)> =
            events.map(|event| (&*event.key.app, &*event.customer)).collect();
        for (app, customer) in customers {
            self.alone(|rules| {
                if self.existing(app, customer)?.is_some() {
                    return Ok(((), None));
                }
                let whom = Whom::find(rules, app, customer)?;
                check_customer(customer)?;
                let (mut commit, wallet) = self.opening(&whom)?;
                commit.records.push(wallet.change(app, customer)?);
                Ok(((), Some(commit)))
            })?;
        }
        Ok(())
    }

    pub(super) fn existing(
        &self,
        app: &str,
        customer: &str,
    ) -> Result<Option<Versioned<Wallet>>, StoreError> {
        record::read(&*self.store, app, customer)
    }

    /// A new wallet, and the commit that counts it.
    pub(super) fn opening(&self, whom: &Whom) -> Result<(Commit, Versioned<Wallet>), EngineError> {
        let party = whom.party();
        let (app, customer) = (&party.app.id, &*party.customer);
        let owing = self.store.balance(&whom.account(Owner::customer(app, customer)))?.net();
        let owed = owing.and_then(|net| i64::try_from(net.checked_neg()?).ok());
        let owed = owed.map(Amount::from_nano).ok_or(EngineError::LedgerFull)?;
        let mut wallet = Wallet::default();
        let mut commit = Commit::default();
        if owed >= Amount::ZERO {
            wallet.credit.amount = owed;
        } else {
            wallet.paid.amount = opposite(owed)?;
            let entry = Entry {
                id: json!(["opening", app, customer]).to_string(),
                kind: EntryKind::Opening,
                // The engine has no clock, and nobody waits for this.
                at: 0,
                postings: vec![
                    whom.posting(Owner::customer(app, customer), owed),
                    whom.posting(Owner::paid(app, customer), wallet.paid.amount),
                ],
                reverses: None,
                request: json!({}),
            };
            post(&mut commit, entry)?;
        }
        let filter =
            StatementFilter { app: Some(app.clone()), customer: Some(customer.to_owned()), period: None };
        for (key, totals) in self.store.statements(&filter)? {
            let total = totals.total().and_then(|total| i64::try_from(total).ok());
            let total = total.map(Amount::from_nano).ok_or(EngineError::LedgerFull)?;
            wallet.add_charged(key.period, total).ok_or(EngineError::LedgerFull)?;
        }
        let counted = record::read::<Wallets>(&*self.store, app, "")?;
        let counted = counted.unwrap_or(Versioned { version: 0, value: Wallets::default() });
        let opened = counted.value.opened.checked_add(1).ok_or(EngineError::LedgerFull)?;
        commit.records.push(record::change(app, "", counted.version, &Wallets { opened })?);
        Ok((commit, Versioned { version: 0, value: wallet }))
    }

    /// Grants credit to a customer, at a moment in milliseconds since 1970. Opens a
    /// wallet if there is none, and does nothing when the same was granted under this id before.
    ///
    /// # Errors
    /// When another grant has the id, a term cannot be, or the store fails.
    pub fn grant(
        &self,
        app: &str,
        customer: &str,
        terms: &GrantTerms,
        now: i64,
    ) -> Result<Granted, EngineError> {
        self.alone(|rules| {
            let whom = Whom::find(rules, app, customer)?;
            check_customer(customer)?;
            check_grant(terms)?;
            let id = grant_entry(app, customer, &terms.id);
            let request = json!(terms);
            if let Some((_, entry)) = self.store.entry(&id)? {
                return already(&entry, &request).map(|()| (Granted::Already, None));
            }
            let (mut commit, before) = match self.existing(app, customer)? {
                Some(wallet) => (Commit::default(), wallet),
                None => self.opening(&whom)?,
            };
            let mut wallet = before.value.clone();
            if wallet.grants.len() >= GRANTS_MAX {
                let message = format!("the customer has {GRANTS_MAX} grants with something left in them");
                return Err(MoneyRefusal::NotPossible(message).into());
            }
            wallet.add_grant(Grant::new(terms.clone()));
            wallet.watch(None, now).ok_or(EngineError::LedgerFull)?;
            let funder = terms.funder.owner(&whom.party().app.builder);
            let taken = opposite(terms.amount)?;
            let entry = Entry {
                id,
                kind: EntryKind::Grant,
                at: now,
                postings: vec![
                    whom.posting(funder, taken),
                    whom.posting(Owner::granted(app, customer), terms.amount),
                ],
                reverses: None,
                request,
            };
            commit.records.push(record::change(app, customer, before.version, &wallet)?);
            post(&mut commit, entry)?;
            Ok((Granted::New(Box::new(wallet)), Some(commit)))
        })
    }

    /// The terms of the grants that were drawn from.
    ///
    /// # Errors
    /// When the store fails, or a grant is not there.
    pub(super) fn grants_of(&self, party: &Party, draws: &[Draw]) -> Result<Vec<GrantTerms>, EngineError> {
        let mut grants = Vec::new();
        for draw in draws {
            let Source::Grant(id) = &draw.source else { continue };
            let terms = self.granted(&party.app.id, &party.customer, id)?;
            grants.push(terms.ok_or_else(|| StoreError::Corrupt(format!("grant {id:?} is not there")))?);
        }
        Ok(grants)
    }

    /// The terms of what was granted under an id; `None` when nothing was.
    ///
    /// # Errors
    /// When the store fails or holds something unreadable.
    pub fn granted(&self, app: &str, customer: &str, id: &str) -> Result<Option<GrantTerms>, EngineError> {
        let Some((_, entry)) = self.store.entry(&grant_entry(app, customer, id))? else { return Ok(None) };
        let terms = serde_json::from_value(entry.request);
        Ok(Some(terms.map_err(|error| StoreError::Corrupt(format!("grant {id:?} cannot be read: {error}")))?))
    }
}

/// The id of a grant's entry.
pub(super) fn grant_entry(app: &str, customer: &str, id: &str) -> String {
    json!(["grant", app, customer, id]).to_string()
}

/// Adds an entry to a commit, with what it posts.
pub(super) fn post(commit: &mut Commit, entry: Entry) -> Result<(), EngineError> {
    let mut postings = super::posting::Postings::default();
    postings.add(std::mem::take(&mut commit.balances))?;
    postings.post(&entry)?;
    commit.balances = postings.finish();
    commit.entries.push(entry);
    Ok(())
}

/// Whether an entry of this id was asked for in the same words.
pub(super) fn already(entry: &Entry, request: &Value) -> Result<(), EngineError> {
    if entry.request == *request {
        return Ok(());
    }
    let Entry { kind, request, .. } = entry;
    let message = format!("a {kind} of this id is there and says something else: {request}");
    Err(MoneyRefusal::Conflict(message).into())
}

fn check_customer(customer: &str) -> Result<(), EngineError> {
    check_id("customer", customer)
}

/// Refuses an id that is empty or too long.
pub(super) fn check_id(field: &'static str, id: &str) -> Result<(), EngineError> {
    if id.is_empty() || id.len() > NAME_BYTES_MAX || id.chars().any(char::is_control) {
        let message = format!("{id:?} must be 1 to {NAME_BYTES_MAX} bytes without control characters");
        return Err(MoneyRefusal::invalid(field, message).into());
    }
    Ok(())
}

/// Refuses an amount of nothing or less.
pub(super) fn check_positive(field: &'static str, amount: Amount) -> Result<(), EngineError> {
    if amount > Amount::ZERO {
        return Ok(());
    }
    Err(MoneyRefusal::invalid(field, format!("{amount} must be more than zero")).into())
}

/// Refuses an amount that nobody can pay: one that is no whole number of minor units.
pub(super) fn check_payable(field: &'static str, amount: Amount, currency: &str) -> Result<(), EngineError> {
    check_positive(field, amount)?;
    let unit = minor_unit(currency).and_then(|unit| i64::try_from(unit).ok());
    let rest = unit.and_then(|unit| amount.nano().checked_rem(unit));
    if rest == Some(0) {
        return Ok(());
    }
    let message = format!("{amount} must be a whole number of the minor units of {currency}");
    Err(MoneyRefusal::invalid(field, message).into())
}

fn check_grant(terms: &GrantTerms) -> Result<(), EngineError> {
    check_id("id", &terms.id)?;
    check_positive("amount", terms.amount)?;
    if terms.expires_at.is_some_and(|end| end <= terms.effective_at) {
        return Err(MoneyRefusal::invalid("expires_at", "must be later than effective_at").into());
    }
    Ok(())
}

fn check_terms(terms: &WalletTerms, currency: &str) -> Result<(), EngineError> {
    if terms.credit_limit.is_some_and(|limit| limit < Amount::ZERO) {
        return Err(MoneyRefusal::invalid("credit_limit", "must be zero (prepaid) or more").into());
    }
    if terms.alerts.len() > ALERTS_MAX {
        return Err(MoneyRefusal::invalid("alerts", format!("must be at most {ALERTS_MAX}")).into());
    }
    for (position, alert) in terms.alerts.iter().enumerate() {
        check_id("alerts", &alert.id)?;
        if terms.alerts.iter().skip(position.saturating_add(1)).any(|other| other.id == alert.id) {
            return Err(MoneyRefusal::invalid("alerts", format!("{:?} is there twice", alert.id)).into());
        }
    }
    if let Some(top_up) = &terms.automatic_top_up {
        check_payable("automatic_top_up", top_up.amount, currency)?;
        check_id("automatic_top_up", &top_up.provider)?;
        check_id("automatic_top_up", &top_up.payer)?;
    }
    Ok(())
}
