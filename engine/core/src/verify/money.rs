//! Proves what moved otherwise than by a charge: entries, wallets, holds, refunds, payouts.

use std::collections::BTreeMap;

use super::Check;
use crate::engine::{Engine, EngineError, PayoutKey, Refunds};
use crate::ledger::{self, Account, Balance, Entry, EntryKind, Owner};
use crate::money::{Amount, format_nano};
use crate::payment::{Payment, PaymentState};
use crate::payout::PayoutState;
use crate::store::{Outcome, RecordFilter, RecordKey, RecordKind, Store, each_entry, each_record};
use crate::wallet::{Grant, Hold, HoldState, Wallet};

/// Sums of entries that are asked for again.
#[derive(Default)]
struct Sums {
    /// Of each event (as entries name it), what refunds gave back, in nano-units.
    refunded: BTreeMap<String, i128>,
    /// Of each payout entry and its kind, what it moved.
    payouts: BTreeMap<String, Amount>,
    /// Of each payment entry, what came in.
    payments: BTreeMap<String, Amount>,
    entries: u64,
}

/// What pending holds reserve in one wallet.
#[derive(Default)]
struct Reserved {
    holds: u32,
    nano: i128,
}

/// Checks everything, and adds to `balances` what entries post and pending holds reserve.
pub(super) fn checks(
    engine: &Engine,
    balances: &mut BTreeMap<Account, Balance>,
) -> Result<Vec<Check>, EngineError> {
    let mut entries = Check::new("Every entry balances, in one currency");
    let sums = sum_entries(engine, &mut entries, balances)?;
    if sums.entries == 0 && engine.store().list_records(&RecordFilter::of(RecordKind::Wallet), 1)?.is_empty()
    {
        return Ok(Vec::new());
    }
    let (holds, reserved) = check_holds(engine, balances)?;
    let wallets = check_wallets(engine, balances, reserved)?;
    let refunds = check_refunds(engine, &sums)?;
    let payments = check_payments(engine, &sums)?;
    let payouts = check_payouts(engine, &sums, balances)?;
    Ok(vec![entries, wallets, holds, refunds, payments, payouts])
}

fn sum_entries(
    engine: &Engine,
    check: &mut Check,
    balances: &mut BTreeMap<Account, Balance>,
) -> Result<Sums, EngineError> {
    let mut sums = Sums::default();
    each_entry::<EngineError>(engine.store(), &mut |entry| {
        sums.entries = sums.entries.saturating_add(1);
        check.require(entry.is_balanced(), || format!("entry {}", entry.id));
        for (account, added) in entry.balances().ok_or(EngineError::LedgerFull)? {
            add(balances, account, added)?;
        }
        match entry.kind {
            EntryKind::Refund => {
                let event = entry.reverses.clone().unwrap_or_default();
                let sum = sums.refunded.entry(event).or_default();
                *sum = sum.checked_add(credits(entry, is_bearer)).ok_or(EngineError::LedgerFull)?;
            }
            EntryKind::Payout | EntryKind::PayoutPaid | EntryKind::PayoutReturned => {
                let largest = entry.postings.iter().map(|posting| posting.amount).max();
                sums.payouts.insert(entry.id.clone(), largest.unwrap_or_default());
            }
            EntryKind::Payment => {
                let came_in = credits(entry, |owner| matches!(owner, Owner::Clearing(_)));
                let came_in = i64::try_from(came_in).map_err(|_| EngineError::LedgerFull)?;
                sums.payments.insert(entry.id.clone(), Amount::from_nano(came_in));
            }
            _ => {}
        }
        Ok(())
    })?;
    check.counted = format!("{} entries", sums.entries);
    Ok(sums)
}

fn is_bearer(owner: &Owner) -> bool {
    matches!(owner, Owner::Builder(_) | Owner::Platform)
}

/// What an entry debits to some accounts, in nano-units.
fn credits(entry: &Entry, of: impl Fn(&Owner) -> bool) -> i128 {
    let of_owner = entry.postings.iter().filter(|posting| of(&posting.account.owner));
    of_owner.map(|posting| i128::from(posting.amount.nano())).fold(0_i128, i128::saturating_sub)
}

fn add(
    balances: &mut BTreeMap<Account, Balance>,
    account: Account,
    added: Balance,
) -> Result<(), EngineError> {
    let balance = balances.entry(account).or_default();
    *balance = balance.plus(added).ok_or(EngineError::LedgerFull)?;
    Ok(())
}

type ReservedBy = BTreeMap<(String, String), Reserved>;

fn check_holds(
    engine: &Engine,
    balances: &mut BTreeMap<Account, Balance>,
) -> Result<(Check, ReservedBy), EngineError> {
    let mut check =
        Check::new("Every hold is resolved at most once: captured by its event's charge, or given up");
    let mut reserved = ReservedBy::new();
    let (rules, mut count) = (engine.rules(), 0_u64);
    each_record::<Hold, EngineError>(engine.store(), None, &mut |key, hold| {
        count = count.saturating_add(1);
        let hold = hold.value;
        let sum = hold.draws.iter().map(|draw| i128::from(draw.amount.nano())).fold(0, i128::saturating_add);
        check.require(sum == i128::from(hold.price.nano()), || {
            format!("the hold for {} reserves {}, not {}", key.id, format_nano(sum), hold.price)
        });
        match hold.state {
            HoldState::Pending => {
                let wallet = reserved.entry((key.owner.clone(), hold.customer.clone())).or_default();
                wallet.holds = wallet.holds.saturating_add(1);
                wallet.nano = wallet.nano.saturating_add(sum);
                let currency = rules.catalog().app(&key.owner).map(|app| app.currency.clone());
                let accounts =
                    ledger::accounts_of_draws(&key.owner, &hold.customer, &currency.unwrap_or_default());
                let amounts = ledger::amounts_of_draws(&hold.draws).ok_or(EngineError::LedgerFull)?;
                for (account, amount) in accounts.into_iter().zip(amounts) {
                    let posted = Balance::default().with(amount).ok_or(EngineError::LedgerFull)?;
                    let pending = Balance {
                        debits_pending: posted.debits_posted,
                        credits_pending: posted.credits_posted,
                        ..Balance::default()
                    };
                    add(balances, account, pending)?;
                }
            }
            HoldState::Captured { amount } => {
                let charged = charged(engine.store(), key)?;
                check.require(charged == Some(amount), || {
                    format!("the hold for {} captured {amount}, the event was charged {charged:?}", key.id)
                });
            }
            HoldState::Voided { .. } | HoldState::Expired { .. } => {}
        }
        Ok(())
    })?;
    let pending: u64 = reserved.values().map(|wallet| u64::from(wallet.holds)).sum();
    check.counted = format!("{count} holds, {pending} pending");
    Ok((check, reserved))
}

/// What an event was charged.
fn charged(store: &dyn Store, key: &RecordKey) -> Result<Option<Amount>, EngineError> {
    let event = crate::event::EventKey { app: key.owner.clone(), id: key.id.clone() };
    Ok(store.stored_one(&event)?.and_then(|stored| match stored.outcome {
        Outcome::Rated(charge) => Some(charge.total),
        Outcome::Held(_) => None,
    }))
}

fn check_wallets(
    engine: &Engine,
    balances: &BTreeMap<Account, Balance>,
    mut reserved: ReservedBy,
) -> Result<Check, EngineError> {
    let mut check =
        Check::new("Every wallet is what its accounts say, and owes no more on credit than its limit");
    let (rules, mut count) = (engine.rules(), 0_u64);
    each_record::<Wallet, EngineError>(engine.store(), None, &mut |key, wallet| {
        count = count.saturating_add(1);
        let wallet = wallet.value;
        let currency = rules.catalog().app(&key.owner).map(|app| app.currency.clone()).unwrap_or_default();
        let nets = ledger::accounts_of_draws(&key.owner, &key.id, &currency)
            .map(|account| balances.get(&account).and_then(|balance| balance.net()).unwrap_or(0));
        let granted = wallet.grants.iter().map(|grant| i128::from(grant.left.nano()));
        let granted = granted.fold(0, i128::saturating_add);
        let kept = [
            i128::from(wallet.owed().nano()).saturating_neg(),
            i128::from(wallet.paid.amount.nano()),
            granted,
        ];
        let pending = reserved.remove(&(key.owner.clone(), key.id.clone())).unwrap_or_default();
        let holds = (wallet.holds, i128::from(wallet.reserved().nano())) == (pending.holds, pending.nano);
        check.require(kept == nets && holds && is_within(&wallet), || {
            let [owed, paid, granted] = kept.map(format_nano);
            let accounts = nets.map(format_nano).join(", ");
            format!(
                "{} of {}: owed {owed}, paid {paid}, granted {granted}; its accounts say {accounts}; {} holds \
                 reserve {}",
                key.id, key.owner, pending.holds, format_nano(pending.nano)
            )
        });
        Ok(())
    })?;
    for (app, customer) in reserved.keys() {
        check.require(false, || format!("{customer} of {app} has holds and no wallet"));
    }
    check.counted = format!("{count} wallets");
    Ok(check)
}

/// Nothing is negative, nothing is reserved that is not there, and the limit holds.
fn is_within(wallet: &Wallet) -> bool {
    let grants = wallet.grants.iter();
    let covers = |grant: &Grant| grant.reserved >= Amount::ZERO && grant.left >= grant.reserved;
    let paid = wallet.paid.reserved >= Amount::ZERO && wallet.paid.amount >= wallet.paid.reserved;
    let credit = wallet.credit.amount >= Amount::ZERO && wallet.uncovered >= Amount::ZERO;
    let limit = wallet.terms.credit_limit.is_none_or(|limit| wallet.credit.amount <= limit);
    grants.clone().all(covers) && paid && credit && limit
}

fn check_refunds(engine: &Engine, sums: &Sums) -> Result<Check, EngineError> {
    let mut check = Check::new("No event is refunded more than it was charged");
    let mut count = 0_u64;
    each_record::<Refunds, EngineError>(engine.store(), None, &mut |key, refunds| {
        count = count.saturating_add(1);
        let event = serde_json::json!(["event", key.owner, key.id]).to_string();
        let given_back = sums.refunded.get(&event).copied().unwrap_or(0);
        let charged = charged(engine.store(), key)?.unwrap_or(Amount::ZERO);
        let total = refunds.value.total;
        let holds = given_back == i128::from(total.nano()) && total <= charged;
        check.require(holds, || {
            format!("{}: {} given back, {total} noted, {charged} charged", key.id, format_nano(given_back))
        });
        Ok(())
    })?;
    check.require(count == sums.refunded.len() as u64, || "there are refunds that no event notes".to_owned());
    check.counted = format!("{count} refunded events");
    Ok(check)
}

fn check_payments(engine: &Engine, sums: &Sums) -> Result<Check, EngineError> {
    let mut check = Check::new("Every payment that arrived is booked once, and no other");
    let (mut count, mut arrived) = (0_u64, 0_u64);
    each_record::<Payment, EngineError>(engine.store(), None, &mut |key, payment| {
        count = count.saturating_add(1);
        let has_arrived = matches!(payment.value.state, PaymentState::Succeeded { .. });
        arrived = arrived.saturating_add(u64::from(has_arrived));
        let entry = serde_json::json!(["payment", key.owner, key.id]).to_string();
        let booked = sums.payments.get(&entry).copied();
        let expected = has_arrived.then_some(payment.value.amount);
        check.require(booked == expected, || format!("payment {}: booked {booked:?}", key.id));
        Ok(())
    })?;
    let booked = sums.payments.len() as u64;
    check.require(booked == arrived, || format!("{booked} payments are booked, {arrived} arrived"));
    check.counted = format!("{arrived} of {count} payments");
    Ok(check)
}

fn check_payouts(
    engine: &Engine,
    sums: &Sums,
    balances: &BTreeMap<Account, Balance>,
) -> Result<Check, EngineError> {
    let mut check = Check::new(
        "Every period is paid once: what was set apart is on its way, has arrived, or is payable again",
    );
    let mut transit: BTreeMap<Account, i128> = BTreeMap::new();
    let payouts = engine.payouts(None)?;
    let mut entries = 0_usize;
    for (key, payout) in &payouts {
        let PayoutKey { builder, period, currency } = key;
        let moved = |kind: EntryKind| {
            let id = serde_json::json!([kind, builder, period, currency]).to_string();
            sums.payouts.get(&id).copied()
        };
        let booked = [EntryKind::Payout, EntryKind::PayoutPaid, EntryKind::PayoutReturned].map(moved);
        entries = entries.saturating_add(booked.iter().flatten().count());
        let (amount, [set_apart, arrived, returned]) = (Some(payout.amount), booked);
        let holds = set_apart == amount
            && match payout.state {
                PayoutState::Paid { .. } => arrived == amount && returned.is_none(),
                PayoutState::Returned { .. } => returned == amount,
                _ => arrived.is_none() && returned.is_none(),
            };
        check.require(holds, || format!("{builder} {period} {currency} is {}", payout.state.code()));
        let account = Account { owner: Owner::Transit(builder.clone()), currency: currency.clone() };
        let on_its_way = transit.entry(account).or_default();
        if !matches!(payout.state, PayoutState::Paid { .. } | PayoutState::Returned { .. }) {
            *on_its_way = on_its_way.saturating_add(i128::from(payout.amount.nano()));
        }
    }
    check.require(entries == sums.payouts.len(), || "there are payout entries without a payout".to_owned());
    for (account, on_its_way) in transit {
        let net = balances.get(&account).and_then(|balance| balance.net()).unwrap_or(0);
        check.require(net == on_its_way, || format!("{account}: {}", format_nano(net)));
    }
    check.counted = format!("{} payouts", payouts.len());
    Ok(check)
}
