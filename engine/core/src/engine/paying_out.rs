//! Pays Builders: works out what is payable of closed periods, sets it apart, and follows it until it arrives.

mod planning;

use serde_json::json;

use super::paying::{next_attempt, next_quiet_look};
use super::posting::opposite;
use super::wallets::{check_id, check_payable, post};
use super::{Engine, EngineError, MoneyRefusal, Rulebook};
use crate::ledger::{Account, Entry, EntryKind, Owner, Posting};
use crate::money::Amount;
use crate::payment::{PaymentProvider, ProviderError, SeenTransfer, TransferIntent};
use crate::payout::{Destination, Payout, PayoutState, payout_id};
use crate::period::Period;
use crate::store::record::{self, Versioned};
use crate::store::{Commit, Notice, NoticeKind, RecordFilter, RecordKind, each_record};

pub use planning::{Planned, PlannedPayout, Skipped};

/// Where money comes from and goes to when no payment provider moves it.
pub const BANK: &str = "bank";

/// Names a payout.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PayoutKey {
    /// Whose.
    pub builder: String,
    /// For which period.
    pub period: Period,
    /// ISO 4217 code.
    pub currency: String,
}

impl PayoutKey {
    fn id(&self) -> String {
        payout_id(self.period, &self.currency)
    }

    /// The key under which a provider meets it.
    pub fn transfer_key(&self) -> String {
        json!([self.builder, self.period, self.currency]).to_string()
    }

    fn unknown(&self) -> EngineError {
        let Self { builder, period, currency } = self;
        MoneyRefusal::Unknown(format!("there is no payout of {builder:?} for {period} in {currency}")).into()
    }
}

impl Engine {
    /// A payout; `None` when there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub fn payout(&self, key: &PayoutKey) -> Result<Option<Payout>, EngineError> {
        Ok(record::read::<Payout>(&*self.store, &key.builder, &key.id())?.map(|payout| payout.value))
    }

    /// The payouts of a Builder, or of all, in the order of Builder, period and currency.
    ///
    /// # Errors
    /// When the store fails.
    pub fn payouts(&self, builder: Option<&str>) -> Result<Vec<(PayoutKey, Payout)>, EngineError> {
        let mut payouts = Vec::new();
        each_record::<Payout, EngineError>(&*self.store, builder, &mut |key, payout| {
            payouts.push((key_of(&key.owner, &payout.value), payout.value));
            Ok(())
        })?;
        Ok(payouts)
    }

    /// Agrees to a planned payout. One that is further on stays as it is.
    ///
    /// # Errors
    /// When there is none, nobody knows where it goes, it came back, or the store fails.
    pub fn approve_payout(&self, key: &PayoutKey, now: i64) -> Result<Payout, EngineError> {
        self.change_payout(key, |rules, payout, _| {
            if matches!(payout.state, PayoutState::Returned { .. }) {
                return Err(came_back());
            }
            if !matches!(payout.state, PayoutState::Planned) {
                return Ok(());
            }
            // What was agreed since counts: a Builder without an account may have one by now.
            let builder = rules.catalog().builder(&key.builder);
            let destination = builder.and_then(|builder| builder.payouts.destination.clone());
            payout.destination = destination.or(payout.destination.take());
            if payout.destination.is_none() {
                let message = format!("nobody knows where to pay {:?}: set payouts.destination", key.builder);
                return Err(MoneyRefusal::NotPossible(message).into());
            }
            payout.state = PayoutState::Approved;
            let is_account = matches!(payout.destination, Some(Destination::Account { .. }));
            payout.next_look_at = is_account.then_some(now);
            Ok(())
        })
    }

    /// Notes that an approved payout is in a payment file. One that is further on stays as it is.
    ///
    /// # Errors
    /// When there is none, it is not approved, it does not go to a bank, or the store fails.
    pub fn submit_payout(&self, key: &PayoutKey, now: i64) -> Result<Payout, EngineError> {
        self.change_payout(key, |_, payout, _| match (&payout.state, &payout.destination) {
            (PayoutState::Approved, Some(Destination::Bank { .. })) => {
                payout.state = PayoutState::Submitted { at: now };
                Ok(())
            }
            (PayoutState::Submitted { .. } | PayoutState::Paid { .. }, _) => Ok(()),
            (PayoutState::Approved, _) => {
                Err(not_possible("its provider sends it, there is nothing to write into a file"))
            }
            (PayoutState::Planned, _) => Err(not_possible("it has not been approved")),
            (PayoutState::Returned { .. }, _) => Err(came_back()),
        })
    }

    /// Books that a submitted payout arrived. One that has arrived stays as it is.
    ///
    /// # Errors
    /// When there is none, it has not been submitted or came back, or the store fails.
    pub fn payout_paid(&self, key: &PayoutKey, reference: &str, now: i64) -> Result<Payout, EngineError> {
        self.change_payout(key, |_, payout, commit| match &payout.state {
            PayoutState::Submitted { .. } => {
                payout.reference = Some(reference.to_owned());
                arrived(key, payout, commit, now)
            }
            PayoutState::Paid { .. } => Ok(()),
            PayoutState::Planned | PayoutState::Approved => Err(not_possible("it has not been submitted")),
            PayoutState::Returned { .. } => Err(came_back()),
        })
    }

    /// Books that a payout came back, or will not leave: it is payable again, with the next payout. One that
    /// has come back stays as it is.
    ///
    /// # Errors
    /// When there is none or the store fails.
    pub fn payout_returned(&self, key: &PayoutKey, reason: &str, now: i64) -> Result<Payout, EngineError> {
        self.change_payout(key, |_, payout, commit| match &payout.state {
            PayoutState::Returned { .. } => Ok(()),
            _ => returned(key, payout, commit, reason, now),
        })
    }

    /// The payouts whose providers are to be asked by now.
    ///
    /// # Errors
    /// When the store fails.
    pub fn payouts_due(&self, now: i64, limit: usize) -> Result<Vec<PayoutKey>, EngineError> {
        let due = self.store.list_records(&RecordFilter::due(RecordKind::Payout, now), limit)?;
        due.iter().map(|record| Ok(key_of(&record.key.owner, &Versioned::of(record)?.value))).collect()
    }

    /// Takes an approved payout to a payment provider's account one step on: sends it, or looks it up. The
    /// provider is called with nothing locked, with a key that makes the call idempotent.
    ///
    /// # Errors
    /// When there is none or the store fails. What the provider does is never an error here: the payout says it.
    pub fn advance_payout(
        &self,
        key: &PayoutKey,
        provider: &dyn PaymentProvider,
        now: i64,
    ) -> Result<Payout, EngineError> {
        let payout = self.payout(key)?.ok_or_else(|| key.unknown())?;
        let Some(Destination::Account { account, .. }) = &payout.destination else { return Ok(payout) };
        let intent = TransferIntent {
            key: key.transfer_key(),
            account: account.clone(),
            amount: payout.amount,
            currency: payout.currency.clone(),
            reference: payout.reference.clone(),
        };
        let answer = match payout.state {
            PayoutState::Approved if payout.attempts == 0 => provider.transfer(&intent).map(Some),
            // Whoever asks a second time does not know what became of the first.
            PayoutState::Approved => match provider.look_up_transfer(&intent) {
                Ok(None) => provider.transfer(&intent).map(Some),
                seen => seen,
            },
            PayoutState::Submitted { .. } | PayoutState::Paid { .. } => provider.look_up_transfer(&intent),
            PayoutState::Planned | PayoutState::Returned { .. } => return Ok(payout),
        };
        self.change_payout(key, |_, payout, commit| match &answer {
            Ok(Some(seen)) => see_transfer(key, payout, commit, seen, now),
            Err(ProviderError::Refused(reason) | ProviderError::Unsupported(reason))
                if matches!(payout.state, PayoutState::Approved) =>
            {
                returned(key, payout, commit, reason, now)
            }
            Ok(None) | Err(_) => {
                payout.attempts = payout.attempts.saturating_add(1);
                payout.next_look_at = Some(next_attempt(payout.attempts, now));
                Ok(())
            }
        })
    }

    /// Books that a provider was paid for network costs, by bank. The same reference again changes nothing.
    ///
    /// # Errors
    /// When another settlement has the reference, a value cannot be, or the store fails.
    pub fn settle_provider(
        &self,
        provider: &str,
        currency: &str,
        amount: Amount,
        reference: &str,
        now: i64,
    ) -> Result<Entry, EngineError> {
        self.alone(|_| {
            check_id("provider", provider)?;
            check_id("reference", reference)?;
            check_payable("amount", amount, currency)?;
            let id = json!(["settlement", provider, reference]).to_string();
            let request = json!({ "amount": amount, "currency": currency });
            if let Some((_, entry)) = self.store.entry(&id)? {
                super::wallets::already(&entry, &request)?;
                return Ok((entry, None));
            }
            let account = |owner| Account { owner, currency: currency.to_owned() };
            let owed = self.store.balance(&account(Owner::Provider(provider.to_owned())))?.net();
            if owed.is_none_or(|owed| owed < i128::from(amount.nano())) {
                let message = format!("{amount} {currency} is more than {provider:?} is owed");
                return Err(MoneyRefusal::invalid("amount", message).into());
            }
            let entry = Entry {
                id,
                kind: EntryKind::Settlement,
                at: now,
                postings: transfer(
                    account(Owner::Provider(provider.to_owned())),
                    account(Owner::Clearing(BANK.to_owned())),
                    amount,
                )?,
                reverses: None,
                request,
            };
            let mut commit = Commit::default();
            post(&mut commit, entry.clone())?;
            Ok((entry, Some(commit)))
        })
    }

    fn change_payout(
        &self,
        key: &PayoutKey,
        mut change: impl FnMut(&Rulebook, &mut Payout, &mut Commit) -> Result<(), EngineError>,
    ) -> Result<Payout, EngineError> {
        self.alone(|rules| {
            let before = record::read::<Payout>(&*self.store, &key.builder, &key.id())?;
            let before = before.ok_or_else(|| key.unknown())?;
            let (mut payout, mut commit) = (before.value.clone(), Commit::default());
            change(rules, &mut payout, &mut commit)?;
            if payout == before.value {
                return Ok((payout, None));
            }
            commit.records.push(record::change(&key.builder, &key.id(), before.version, &payout)?);
            Ok((payout, Some(commit)))
        })
    }
}

fn key_of(builder: &str, payout: &Payout) -> PayoutKey {
    let (period, currency) = (payout.period, payout.currency.clone());
    PayoutKey { builder: builder.to_owned(), period, currency }
}

fn not_possible(message: &str) -> EngineError {
    MoneyRefusal::NotPossible(message.to_owned()).into()
}

fn came_back() -> EngineError {
    not_possible("it came back: what it paid is part of the next payout")
}

/// The postings that move money from one account to another.
fn transfer(from: Account, to: Account, amount: Amount) -> Result<Vec<Posting>, EngineError> {
    let taken = opposite(amount)?;
    Ok(vec![Posting { account: from, amount: taken }, Posting { account: to, amount }])
}

/// Where a payout leaves from.
fn clearing(payout: &Payout) -> Owner {
    Owner::Clearing(match &payout.destination {
        Some(Destination::Account { provider, .. }) => provider.clone(),
        _ => BANK.to_owned(),
    })
}

fn see_transfer(
    key: &PayoutKey,
    payout: &mut Payout,
    commit: &mut Commit,
    seen: &SeenTransfer,
    now: i64,
) -> Result<(), EngineError> {
    payout.reference = Some(seen.reference.clone());
    if matches!(payout.state, PayoutState::Approved) {
        payout.state = PayoutState::Submitted { at: now };
    }
    let was_paid = matches!(payout.state, PayoutState::Paid { .. });
    (payout.attempts, payout.next_look_at) = (0, None);
    match seen.arrived {
        Some(true) => {
            // It may still be sent back, and a message that says so may get lost.
            let since = if let PayoutState::Paid { at } = payout.state { at } else { now };
            payout.next_look_at = next_quiet_look(since, now);
            if was_paid { Ok(()) } else { arrived(key, payout, commit, now) }
        }
        Some(false) => returned(key, payout, commit, "the provider sent it back", now),
        None => {
            payout.next_look_at = Some(next_attempt(0, now));
            Ok(())
        }
    }
}

fn arrived(key: &PayoutKey, payout: &mut Payout, commit: &mut Commit, now: i64) -> Result<(), EngineError> {
    let account = |owner| Account { owner, currency: key.currency.clone() };
    let postings =
        transfer(account(Owner::Transit(key.builder.clone())), account(clearing(payout)), payout.amount)?;
    payout.state = PayoutState::Paid { at: now };
    book(key, payout, commit, EntryKind::PayoutPaid, (postings, NoticeKind::PayoutPaid), now)
}

fn returned(
    key: &PayoutKey,
    payout: &mut Payout,
    commit: &mut Commit,
    reason: &str,
    now: i64,
) -> Result<(), EngineError> {
    let account = |owner| Account { owner, currency: key.currency.clone() };
    let from = match payout.state {
        PayoutState::Paid { .. } => clearing(payout),
        _ => Owner::Transit(key.builder.clone()),
    };
    let postings = transfer(account(from), account(Owner::Builder(key.builder.clone())), payout.amount)?;
    payout.state = PayoutState::Returned { at: now, reason: reason.to_owned() };
    payout.next_look_at = None;
    book(key, payout, commit, EntryKind::PayoutReturned, (postings, NoticeKind::PayoutReturned), now)
}

fn book(
    key: &PayoutKey,
    payout: &Payout,
    commit: &mut Commit,
    kind: EntryKind,
    (postings, notice): (Vec<Posting>, NoticeKind),
    now: i64,
) -> Result<(), EngineError> {
    let PayoutKey { builder, period, currency } = key;
    let entry = Entry {
        id: json!([kind, builder, period, currency]).to_string(),
        kind,
        at: now,
        postings,
        reverses: Some(json!([EntryKind::Payout, builder, period, currency]).to_string()),
        request: json!({ "reference": payout.reference }),
    };
    post(commit, entry)?;
    let data = json!({
        "builder": builder, "period": period, "currency": currency, "amount": payout.amount,
        "reference": payout.reference,
    });
    commit.notices.push(Notice { builder: builder.clone(), kind: notice, at: now, data });
    Ok(())
}
