//! Covers charges from the wallets of those who have one, and captures the holds that were placed for them.
//!
//! A customer without a wallet owes what is charged, and nothing here is asked for it: the commit only says
//! how many wallets the app had had opened, so that none is overlooked that is being opened meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::json;

use super::EngineError;
use super::ahead::{Ahead, Books, WalletKey};
use super::posting::{Postings, Whose};
use crate::charge::Charge;
use crate::event::{Event, EventKey};
use crate::money::Amount;
use crate::payment::{Method, Payment, PaymentState};
use crate::rating::parties::Party;
use crate::store::record::{self, Versioned};
use crate::store::{
    Commit, Notice, NoticeKind, RecordChange, RecordKey, RecordKind, Store, StoreError, Version,
};
use crate::wallet::{Condition, Crossed, Draw, Hold, HoldState, Spending, Wallet};

/// Wallets and holds as they are about to be committed.
#[derive(Default)]
pub(super) struct Funding {
    /// By app, how many wallets were opened, as a version.
    opened: FxHashMap<Arc<str>, Version>,
    wallets: BTreeMap<WalletKey, Option<Open>>,
    /// Pending ones.
    holds: FxHashMap<EventKey, Versioned<Hold>>,
    resolved: Vec<(EventKey, Versioned<Hold>)>,
    postings: Postings,
    notices: Vec<Notice>,
}

/// A wallet being used.
struct Open {
    known: Arc<Versioned<Wallet>>,
    /// As it will be, once it is another.
    changed: Option<Wallet>,
    currency: String,
    /// The latest moment for which it was used.
    time: i64,
}

/// What is to be committed for wallets, and remembered until it is durable.
#[derive(Default)]
pub(super) struct Funded {
    pub(super) records: Vec<RecordChange>,
    pub(super) expects: Vec<(RecordKey, Version)>,
    pub(super) notices: Vec<Notice>,
    pub(super) postings: Postings,
    pub(super) remembered: Books,
}

impl Funding {
    /// Looks up the wallets of these customers, and the holds for these events of theirs.
    pub(super) fn load<'p>(
        ahead: &Ahead,
        store: &dyn Store,
        asked: &[(&'p Party, Option<&'p EventKey>)],
    ) -> Result<Self, StoreError> {
        let mut funding = Self::default();
        let mut missing: Vec<(&Party, RecordKey)> = Vec::new();
        for (party, _) in asked {
            if !funding.has_wallets(ahead, store, &party.app_id)? {
                continue;
            }
            let key = (Arc::clone(&party.app_id), Arc::clone(&party.customer));
            if funding.wallets.contains_key(&key) {
                continue;
            }
            let open = if let Some(known) = ahead.wallet(&key) {
                known.clone().map(|known| Open::new(known, party))
            } else {
                missing.push((party, RecordKey::new(RecordKind::Wallet, &*key.0, &*key.1)));
                None
            };
            funding.wallets.insert(key, open);
        }
        if !missing.is_empty() {
            let (parties, keys): (Vec<&Party>, Vec<RecordKey>) = missing.into_iter().unzip();
            for (party, record) in parties.into_iter().zip(store.records(&keys)?) {
                let Some(record) = record else { continue };
                let open = Open::new(Arc::new(Versioned::of(&record)?), party);
                funding.wallets.insert((Arc::clone(&party.app_id), Arc::clone(&party.customer)), Some(open));
            }
        }
        funding.load_holds(ahead, store, asked)?;
        Ok(funding)
    }

    /// Whether an app has had any wallet opened.
    fn has_wallets(&mut self, ahead: &Ahead, store: &dyn Store, app: &Arc<str>) -> Result<bool, StoreError> {
        if let Some(opened) = self.opened.get(app) {
            return Ok(*opened > 0);
        }
        let opened = if let Some(opened) = ahead.opened(app) {
            opened
        } else {
            let key = RecordKey::new(RecordKind::Wallets, &**app, "");
            let record = store.records(&[key])?.into_iter().next().flatten();
            record.map_or(0, |record| record.version)
        };
        self.opened.insert(Arc::clone(app), opened);
        Ok(opened > 0)
    }

    fn load_holds(
        &mut self,
        ahead: &Ahead,
        store: &dyn Store,
        asked: &[(&Party, Option<&EventKey>)],
    ) -> Result<(), StoreError> {
        let mut missing: Vec<(&EventKey, RecordKey)> = Vec::new();
        for (party, event) in asked {
            let Some(event) = event else { continue };
            let key = (Arc::clone(&party.app_id), Arc::clone(&party.customer));
            let open = self.wallets.get(&key).and_then(Option::as_ref);
            if open.is_none_or(|open| open.known.value.holds == 0) {
                continue;
            }
            match ahead.hold(event) {
                Some(hold) => drop(self.holds.insert((*event).clone(), hold.clone())),
                None => missing.push((event, RecordKey::new(RecordKind::Hold, &*event.app, &*event.id))),
            }
        }
        if !missing.is_empty() {
            let (events, keys): (Vec<&EventKey>, Vec<RecordKey>) = missing.into_iter().unzip();
            for (event, record) in events.into_iter().zip(store.records(&keys)?) {
                if let Some(record) = record {
                    self.holds.insert(event.clone(), Versioned::of(&record)?);
                }
            }
        }
        self.holds.retain(|_, hold| hold.value.is_pending());
        Ok(())
    }

    /// Whether anybody in question has a wallet.
    pub(super) fn has_any_wallet(&self) -> bool {
        self.wallets.values().any(Option::is_some)
    }

    /// The wallet of a customer as it will be, if they have one.
    pub(super) fn wallet(&self, party: &Party) -> Option<&Wallet> {
        self.wallet_of(&party.app_id, &party.customer)
    }

    /// Likewise, by names.
    pub(super) fn wallet_of(&self, app: &Arc<str>, customer: &Arc<str>) -> Option<&Wallet> {
        let open = self.wallets.get(&(Arc::clone(app), Arc::clone(customer)))?.as_ref()?;
        Some(open.changed.as_ref().unwrap_or(&open.known.value))
    }

    fn open(&mut self, party: &Party) -> Option<&mut Open> {
        self.wallets.get_mut(&(Arc::clone(&party.app_id), Arc::clone(&party.customer)))?.as_mut()
    }

    /// Changes a customer's wallet; `None` when they have none.
    pub(super) fn change<T>(&mut self, party: &Party, change: impl FnOnce(&mut Wallet) -> T) -> Option<T> {
        self.open(party).map(|open| change(open.wallet()))
    }

    /// Covers the charge of an event, from what was reserved for it, if anything was. Does nothing for a
    /// customer without a wallet.
    pub(super) fn cover_event(
        &mut self,
        party: &Party,
        event: &Event,
        charge: &mut Charge,
    ) -> Result<(), EngineError> {
        let hold = self.holds.remove(&event.key).filter(|hold| hold.value.customer == *party.customer);
        self.cover(party, event.time, &event.feature, charge, |wallet, total| match &hold {
            Some(hold) => wallet.capture(&hold.value.draws, total, event.time),
            None => wallet.draw(total, event.time),
        })?;
        if let Some(hold) = hold {
            self.resolve(party, &event.key, hold, HoldState::Captured { amount: charge.total })?;
        }
        Ok(())
    }

    /// Covers a charge: `draw` is given the wallet and the total.
    pub(super) fn cover(
        &mut self,
        party: &Party,
        time: i64,
        feature: &str,
        charge: &mut Charge,
        draw: impl FnOnce(&mut Wallet, Amount) -> Option<Vec<Draw>>,
    ) -> Result<(), EngineError> {
        let Some(open) = self.open(party) else { return Ok(()) };
        open.time = open.time.max(time);
        let wallet = open.wallet();
        charge.draws = draw(wallet, charge.total).ok_or(EngineError::LedgerFull)?;
        wallet.add_charged(charge.period, charge.total).ok_or(EngineError::LedgerFull)?;
        let spending = Spending { feature, period: charge.period, amount: charge.total };
        let crossed = wallet.watch(Some(spending), time).ok_or(EngineError::LedgerFull)?;
        self.notices.extend(crossed_notices(party, &crossed, time));
        Ok(())
    }

    /// Says something to a customer's Builder.
    pub(super) fn tell(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// Reserves money for an event.
    pub(super) fn place(&mut self, party: &Party, event: &EventKey, hold: Hold) -> Result<(), EngineError> {
        self.postings.reserve(whose(party), &hold.draws)?;
        let expected = self.change(party, |wallet| {
            wallet.holds = wallet.holds.checked_add(1)?;
            wallet.expect_usage(&hold.usage, false)
        });
        expected.flatten().ok_or(EngineError::LedgerFull)?;
        self.resolved.push((event.clone(), Versioned { version: 0, value: hold }));
        Ok(())
    }

    /// Gives up what a pending hold reserves.
    pub(super) fn give_up(
        &mut self,
        party: &Party,
        event: &EventKey,
        hold: Versioned<Hold>,
        state: HoldState,
    ) -> Result<(), EngineError> {
        let released = self.change(party, |wallet| wallet.release(&hold.value.draws));
        released.flatten().ok_or(EngineError::LedgerFull)?;
        self.resolve(party, event, hold, state)
    }

    /// Ends a hold whose money is not reserved any more.
    fn resolve(
        &mut self,
        party: &Party,
        event: &EventKey,
        mut hold: Versioned<Hold>,
        state: HoldState,
    ) -> Result<(), EngineError> {
        self.postings.release(whose(party), &hold.value.draws)?;
        let expected = self.change(party, |wallet| {
            wallet.holds = wallet.holds.checked_sub(1)?;
            wallet.expect_usage(&hold.value.usage, true)
        });
        expected.flatten().ok_or(EngineError::LedgerFull)?;
        hold.value.state = state;
        self.resolved.push((event.clone(), hold));
        Ok(())
    }

    /// Everything that was decided.
    pub(super) fn finish(mut self) -> Result<Funded, EngineError> {
        let mut funded = Funded::default();
        for ((app, customer), open) in self.wallets {
            let mut known = None;
            if let Some(open) = open {
                known = Some(open.finish(&app, &customer, &mut funded.records)?);
            }
            funded.remembered.wallets.push(((app, customer), known));
        }
        for (event, hold) in self.resolved {
            funded.records.push(hold.change(&event.app, &event.id)?);
            let version = hold.version.saturating_add(1);
            funded.remembered.holds.push((event, Versioned { version, ..hold }));
        }
        for (app, version) in self.opened {
            funded.expects.push((RecordKey::new(RecordKind::Wallets, &*app, ""), version));
            funded.remembered.opened.push((app, version));
        }
        funded.notices.append(&mut self.notices);
        funded.postings = self.postings;
        Ok(funded)
    }
}

impl Open {
    fn new(known: Arc<Versioned<Wallet>>, party: &Party) -> Self {
        Self { known, changed: None, currency: party.app.currency.clone(), time: i64::MIN }
    }

    fn wallet(&mut self) -> &mut Wallet {
        let known = &self.known.value;
        self.changed.get_or_insert_with(|| known.clone())
    }

    /// The wallet as it will be; where it is another, its change is added to `records`, and a payment if it
    /// wants one.
    fn finish(
        self,
        app: &str,
        customer: &str,
        records: &mut Vec<RecordChange>,
    ) -> Result<Arc<Versioned<Wallet>>, EngineError> {
        let Some(mut wallet) = self.changed.filter(|changed| *changed != self.known.value) else {
            return Ok(self.known);
        };
        if let Some((id, payment)) = top_up(&mut wallet, customer, &self.currency, self.time) {
            records.push(record::change(app, &id, 0, &payment)?);
        }
        records.push(record::change(app, customer, self.known.version, &wallet)?);
        let version = self.known.version.saturating_add(1);
        Ok(Arc::new(Versioned { version, value: wallet }))
    }
}

/// The payment that a wallet asks for because little is left in it.
fn top_up(wallet: &mut Wallet, customer: &str, currency: &str, time: i64) -> Option<(String, Payment)> {
    let terms = wallet.terms.automatic_top_up.as_ref()?;
    if wallet.topping_up.is_some() || wallet.balance_at(time) >= terms.below {
        return None;
    }
    let number = wallet.automatic_top_ups.checked_add(1)?;
    let id = format!("{customer}:automatic-{number}");
    let payment = Payment {
        customer: customer.to_owned(),
        amount: terms.amount,
        currency: currency.to_owned(),
        provider: terms.provider.clone(),
        method: Method::Saved { payer: terms.payer.clone() },
        state: PaymentState::Requested,
        reference: None,
        url: None,
        payer: None,
        requested_at: time,
        // At once: an event's time says nothing about when it arrived.
        next_look_at: Some(0),
        attempts: 0,
        refunded: Amount::ZERO,
        refunds: Vec::new(),
        disputes: Vec::new(),
    };
    (wallet.automatic_top_ups, wallet.topping_up) = (number, Some(id.clone()));
    Some((id, payment))
}

impl Funded {
    /// Adds to a commit: to what it posts, and what it changes.
    pub(super) fn add_to(mut self, mut commit: Commit) -> Result<(Commit, Books), EngineError> {
        self.postings.add(std::mem::take(&mut commit.balances))?;
        for entry in &commit.entries {
            self.postings.post(entry)?;
        }
        commit.balances = self.postings.finish();
        commit.records.extend(self.records);
        commit.expects.extend(self.expects);
        commit.notices.extend(self.notices);
        Ok((commit, self.remembered))
    }
}

/// Says which alerts were crossed.
pub(super) fn crossed_notices(party: &Party, crossed: &[Crossed], at: i64) -> Vec<Notice> {
    let notice = |Crossed { alert, amount, period }: &Crossed| {
        let kind = match alert.condition {
            Condition::BalanceBelow { .. } => NoticeKind::WalletLow,
            Condition::SpentReaches { .. } => NoticeKind::ThresholdReached,
        };
        let data = json!({
            "app": party.app_id, "customer": party.customer, "alert": alert, "amount": amount,
            "period": period, "currency": party.app.currency,
        });
        Notice { builder: party.app.builder.clone(), kind, at, data }
    };
    crossed.iter().map(notice).collect()
}

fn whose(party: &Party) -> Whose<'_> {
    Whose { app: &party.app_id, customer: &party.customer, currency: &party.app.currency }
}
