//! Compares what is booked with what a payment provider reports, and names every difference.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::json;

use super::posting::opposite;
use super::wallets::post;
use super::{BANK, Engine, EngineError};
use crate::ledger::{Account, Entry, EntryKind, Owner, Posting};
use crate::money::{Amount, format_nano};
use crate::payment::{Payment, PaymentState, Reported, ReportedKind};
use crate::payout::{Destination, PayoutState};
use crate::store::{Commit, each_record};

/// What came of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// Payments, refunds, disputes and transfers that are the same on both sides.
    pub matched: u64,
    /// Those that are not.
    pub differences: Vec<Difference>,
    /// Fees and withdrawals that the report told of and that are booked now.
    pub booked: u64,
    /// By currency, what the ledger says that the provider holds, in nano-units.
    pub held: Vec<(String, i128)>,
}

/// Something that one side says and the other does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is about.
    pub kind: ReportedKind,
    /// The provider's own name for the payment or transfer.
    pub reference: String,
    /// ISO 4217 code.
    pub currency: String,
    /// What is booked, in nano-units; `None` when nothing is.
    pub booked: Option<i128>,
    /// What the provider reports; `None` when it does not.
    pub reported: Option<i128>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, reference, currency, booked, reported } = self;
        let what = match kind {
            ReportedKind::Payment => "payment",
            ReportedKind::Refund => "refund of payment",
            ReportedKind::Dispute => "dispute of payment",
            ReportedKind::DisputeWon => "won dispute of payment",
            ReportedKind::Transfer => "transfer",
            ReportedKind::TransferReturned => "returned transfer",
            ReportedKind::Withdrawal => "withdrawal",
            ReportedKind::Other => "other booking",
        };
        let money = |nano: &Option<i128>, nothing: &str| {
            nano.map_or_else(|| nothing.to_owned(), |nano| format!("{} {currency}", format_nano(nano)))
        };
        let (booked, reported) = (money(booked, "nothing"), money(reported, "nothing"));
        write!(out, "{what} {reference:?}: {booked} is booked, {reported} is reported")
    }
}

/// What one side says, by kind, reference and currency.
type Side = BTreeMap<(ReportedKind, String, String), i128>;

impl Engine {
    /// Compares what is booked with a provider's report of a span of time (milliseconds since 1970). What was
    /// booked within the span must be reported; what is reported must be booked, whenever. The provider's fees
    /// and withdrawals to the bank, which only the report tells of, are booked, once.
    ///
    /// # Errors
    /// When a sum does not fit or the store fails.
    pub fn reconcile(
        &self,
        provider: &str,
        report: &[Reported],
        span: &Range<i64>,
        now: i64,
    ) -> Result<Reconciliation, EngineError> {
        let (booked, expected) = self.booked_with(provider, span)?;
        let mut reported = Side::new();
        let mut result = Reconciliation::default();
        for row in report {
            if row.kind == ReportedKind::Withdrawal {
                result.booked = result.booked.saturating_add(self.book_withdrawal(provider, row, now)?);
            } else if row.kind == ReportedKind::Other {
                let (reference, currency) = (row.id.clone(), row.currency.clone());
                let reported = Some(i128::from(row.amount.nano()));
                let kind = row.kind;
                result.differences.push(Difference { kind, reference, currency, booked: None, reported });
            } else {
                add(&mut reported, (row.kind, &row.reference, &row.currency), row.amount)?;
            }
            if row.fee != Amount::ZERO {
                result.booked = result.booked.saturating_add(self.book_fee(provider, row, now)?);
            }
        }
        let mut names: Vec<_> = reported.keys().chain(&expected).collect();
        names.sort();
        names.dedup();
        for name in names {
            let (ours, theirs) = (booked.get(name).copied(), reported.get(name).copied());
            if ours == theirs {
                result.matched = result.matched.saturating_add(1);
                continue;
            }
            let (kind, reference, currency) = name.clone();
            result.differences.push(Difference { kind, reference, currency, booked: ours, reported: theirs });
        }
        for (account, balance) in self.store.balances()? {
            if account.owner == Owner::Clearing(provider.to_owned()) {
                let held = balance.net().and_then(i128::checked_neg).ok_or(EngineError::LedgerFull)?;
                result.held.push((account.currency, held));
            }
        }
        Ok(result)
    }

    /// Everything booked with a provider, and the names of what was booked within a span.
    #[allow(clippy::type_complexity)] // named once, used once
    fn booked_with(
        &self,
        provider: &str,
        span: &Range<i64>,
    ) -> Result<(Side, Vec<(ReportedKind, String, String)>), EngineError> {
        let (mut booked, mut expected) = (Side::new(), Vec::new());
        each_record::<Payment, EngineError>(&*self.store, None, &mut |_, payment| {
            let payment = payment.value;
            let PaymentState::Succeeded { at } = payment.state else { return Ok(()) };
            if payment.provider != provider {
                return Ok(());
            }
            let reference = payment.reference.clone().unwrap_or_default();
            let mut note = |kind, amount| add(&mut booked, (kind, &reference, &payment.currency), amount);
            note(ReportedKind::Payment, payment.amount)?;
            if payment.refunded != Amount::ZERO {
                note(ReportedKind::Refund, opposite(payment.refunded)?)?;
            }
            for dispute in &payment.disputes {
                note(ReportedKind::Dispute, opposite(dispute.amount)?)?;
                if dispute.is_won {
                    note(ReportedKind::DisputeWon, dispute.amount)?;
                }
            }
            if span.contains(&at) {
                expected.push((ReportedKind::Payment, reference, payment.currency.clone()));
            }
            Ok(())
        })?;
        for (key, payout) in self.payouts(None)? {
            let is_with = match &payout.destination {
                Some(Destination::Account { provider: with, .. }) => with == provider,
                Some(Destination::Bank { .. }) => provider == BANK,
                None => false,
            };
            let Some(reference) = payout.reference.clone().filter(|_| is_with) else { continue };
            let name = |kind| (kind, reference.clone(), key.currency.clone());
            let amount = opposite(payout.amount)?;
            add(&mut booked, (ReportedKind::Transfer, &reference, &key.currency), amount)?;
            match payout.state {
                PayoutState::Paid { at } if span.contains(&at) => expected.push(name(ReportedKind::Transfer)),
                PayoutState::Returned { .. } => {
                    let kind = ReportedKind::TransferReturned;
                    add(&mut booked, (kind, &reference, &key.currency), payout.amount)?;
                }
                _ => {}
            }
        }
        Ok((booked, expected))
    }

    fn book_fee(&self, provider: &str, row: &Reported, now: i64) -> Result<u64, EngineError> {
        let id = json!(["provider_fee", provider, row.id]).to_string();
        let (from, to) = (Owner::Platform, Owner::Clearing(provider.to_owned()));
        self.book_report(&id, EntryKind::ProviderFee, (from, to), (row, row.fee), now)
    }

    fn book_withdrawal(&self, provider: &str, row: &Reported, now: i64) -> Result<u64, EngineError> {
        let id = json!(["transfer", provider, row.id]).to_string();
        let (from, to) = (Owner::Clearing(BANK.to_owned()), Owner::Clearing(provider.to_owned()));
        self.book_report(&id, EntryKind::Transfer, (from, to), (row, opposite(row.amount)?), now)
    }

    /// Books what only a report tells of, unless it is booked. Gives back how many entries that made.
    fn book_report(
        &self,
        id: &str,
        kind: EntryKind,
        (from, to): (Owner, Owner),
        (row, amount): (&Reported, Amount),
        now: i64,
    ) -> Result<u64, EngineError> {
        let taken = opposite(amount)?;
        self.alone(|_| {
            if self.store.entry(id)?.is_some() {
                return Ok((0, None));
            }
            let account = |owner: &Owner| Account { owner: owner.clone(), currency: row.currency.clone() };
            let postings = vec![
                Posting { account: account(&from), amount: taken },
                Posting { account: account(&to), amount },
            ];
            let request = json!({ "reported": row.id, "reference": row.reference });
            let entry = Entry { id: id.to_owned(), kind, at: now, postings, reverses: None, request };
            let mut commit = Commit::default();
            post(&mut commit, entry)?;
            Ok((1, Some(commit)))
        })
    }
}

fn add(side: &mut Side, name: (ReportedKind, &str, &str), amount: Amount) -> Result<(), EngineError> {
    let (kind, reference, currency) = name;
    let sum = side.entry((kind, reference.to_owned(), currency.to_owned())).or_default();
    *sum = sum.checked_add(i128::from(amount.nano())).ok_or(EngineError::LedgerFull)?;
    Ok(())
}
