//! Works out what a Builder is paid for a period, and sets it apart. The formula is told in
//! [`payout`](crate::payout).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{PayoutKey, transfer};
use crate::catalog::Builder;
use crate::engine::wallets::post;
use crate::engine::{Engine, EngineError, Rulebook};
use crate::ledger::{Account, Entry, EntryKind, Owner};
use crate::money::{Amount, format_money};
use crate::payout::{Earned, Payout, PayoutState, payable};
use crate::period::{Calendar, Period};
use crate::store::record;
use crate::store::{Commit, StatementFilter};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// What a payout run did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// By Builder and currency.
    pub payouts: Vec<PlannedPayout>,
    /// Who is not paid, and why.
    pub skipped: Vec<Skipped>,
}

/// A payout of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedPayout {
    /// Which.
    pub key: PayoutKey,
    /// What is paid.
    pub payout: Payout,
    /// It was there before the run.
    pub is_repeated: bool,
}

/// A Builder who is not paid in a currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Who.
    pub builder: String,
    /// ISO 4217 code.
    pub currency: String,
    /// What stays payable, in nano-units; negative when the Builder owes.
    pub carried: i128,
    /// Why.
    pub reason: String,
}

/// What becomes of one Builder in one currency.
enum Plan {
    Pay(Box<Payout>, Vec<Entry>),
    Skip(Skipped),
}

impl Engine {
    /// Plans the payouts of a period: of every Builder and currency, what closed periods up to this one have
    /// earned and may be paid by now. Planning again gives the same payouts. With `is_dry`, nothing is kept.
    ///
    /// # Errors
    /// When the store fails; payouts that were planned until then stand.
    pub fn plan_payouts(&self, period: Period, now: i64, is_dry: bool) -> Result<Planned, EngineError> {
        let rules = self.rules();
        let mut planned = Planned::default();
        for builder in rules.catalog().builders() {
            let apps = rules.catalog().apps_of(&builder.id);
            let currencies: BTreeSet<String> = apps.map(|app| app.currency.clone()).collect();
            for currency in currencies {
                let key = PayoutKey { builder: builder.id.clone(), period, currency };
                match self.plan_one(&key, now, is_dry)? {
                    (Plan::Pay(payout, _), is_repeated) => {
                        planned.payouts.push(PlannedPayout { key, payout: *payout, is_repeated });
                    }
                    (Plan::Skip(skipped), _) => planned.skipped.push(skipped),
                }
            }
        }
        Ok(planned)
    }

    fn plan_one(&self, key: &PayoutKey, now: i64, is_dry: bool) -> Result<(Plan, bool), EngineError> {
        self.alone(|rules| {
            if let Some(payout) = self.payout(key)? {
                return Ok(((Plan::Pay(Box::new(payout), Vec::new()), true), None));
            }
            let plan = self.work_out(rules, key, now)?;
            let Plan::Pay(payout, entries) = &plan else { return Ok(((plan, false), None)) };
            if is_dry {
                return Ok(((plan, false), None));
            }
            let mut commit = Commit::default();
            for entry in entries {
                post(&mut commit, entry.clone())?;
            }
            commit.records.push(record::change(&key.builder, &key.id(), 0, &**payout)?);
            Ok(((plan, false), Some(commit)))
        })
    }

    fn work_out(&self, rules: &Rulebook, key: &PayoutKey, now: i64) -> Result<Plan, EngineError> {
        let full = || EngineError::LedgerFull;
        let builder = rules.catalog().builder(&key.builder).ok_or_else(|| key.unknown())?;
        let account = |owner| Account { owner, currency: key.currency.clone() };
        let own = account(Owner::Builder(key.builder.clone()));
        let reserve = account(Owner::Reserve(key.builder.clone()));
        // The account first, then what periods earned: what is charged in between makes the payout smaller.
        let on_account = self.store.balance(&own)?.net().ok_or_else(full)?;
        let earnings = self.earnings(rules, builder, key, now)?;
        let earlier: Vec<(PayoutKey, Payout)> = self.payouts(Some(&key.builder))?;
        let earlier = earlier.iter().filter(|(other, _)| other.currency == key.currency);
        let mut paid_before: BTreeSet<(&str, Period)> = BTreeSet::new();
        let mut due: Vec<&(PayoutKey, Payout)> = Vec::new();
        for payout in earlier {
            let earned = payout.1.earned.iter().map(|earned| (&*earned.app, earned.period));
            paid_before.extend(earned);
            let is_released = self.store.entry(&release_id(&payout.0))?.is_some();
            let is_due = payout.1.release_at.is_some_and(|at| at <= now);
            if is_due && !is_released && payout.1.reserved > Amount::ZERO {
                due.push(payout);
            }
        }
        let new = earnings.payable.into_iter();
        let new = new.filter(|earned| !paid_before.contains(&(&*earned.app, earned.period)));
        let earned: Vec<Earned> = new.collect();
        let sum_earned = sum(earned.iter().map(|earned| earned.amount))?;
        let released = sum(due.iter().map(|(_, payout)| payout.reserved))?;
        let may_be_paid = on_account.checked_sub(earnings.not_yet).ok_or_else(full)?;
        let kept_back = Amount::from_nano(i64::try_from(sum_earned.max(0)).map_err(|_| full())?);
        let reserved = kept_back.checked_share(builder.payouts.reserve_share).ok_or_else(full)?;
        let rest = may_be_paid.checked_add(released).ok_or_else(full)?;
        let rest = rest.checked_sub(i128::from(reserved.nano())).ok_or_else(full)?;
        let divided = payable(&key.currency, rest).ok_or_else(full)?;
        let minimum = builder.payouts.minimum.get(&key.currency).copied().unwrap_or(Amount::ZERO);
        let refusal = if divided.paid == 0 {
            Some("nothing is payable".to_owned())
        } else if divided.paid < i128::from(minimum.nano()) {
            let (paid, least) = (divided.paid, i128::from(minimum.nano()));
            let (paid, least) = (format_money(paid, &key.currency), format_money(least, &key.currency));
            Some(format!("{paid} is less than the minimum of {least}"))
        } else {
            None
        };
        if let Some(reason) = refusal {
            let (builder, currency) = (key.builder.clone(), key.currency.clone());
            return Ok(Plan::Skip(Skipped { builder, currency, carried: may_be_paid, reason }));
        }
        let amount = |nano: i128| i64::try_from(nano).map(Amount::from_nano).map_err(|_| full());
        let release_at = i64::from(builder.payouts.reserve_days).saturating_mul(DAY).saturating_add(now);
        let payout = Payout {
            period: key.period,
            currency: key.currency.clone(),
            earned,
            amount: amount(divided.paid)?,
            reserved,
            released: amount(released)?,
            brought_forward: amount(may_be_paid.checked_sub(sum_earned).ok_or_else(full)?)?,
            carried: amount(divided.carried)?,
            destination: builder.payouts.destination.clone(),
            state: PayoutState::Planned,
            planned_at: now,
            release_at: (reserved > Amount::ZERO).then_some(release_at),
            reference: None,
            next_look_at: None,
            attempts: 0,
        };
        let id = |kind: EntryKind| json!([kind, key.builder, key.period, key.currency]).to_string();
        let transit = account(Owner::Transit(key.builder.clone()));
        let mut entries = Vec::new();
        for (other, earlier) in due {
            entries.push(Entry {
                id: release_id(other),
                kind: EntryKind::ReserveRelease,
                at: now,
                postings: transfer(reserve.clone(), own.clone(), earlier.reserved)?,
                reverses: Some(
                    json!([EntryKind::Reserve, other.builder, other.period, other.currency]).to_string(),
                ),
                request: json!({ "for": key.period }),
            });
        }
        if reserved > Amount::ZERO {
            entries.push(Entry {
                id: id(EntryKind::Reserve),
                kind: EntryKind::Reserve,
                at: now,
                postings: transfer(own.clone(), reserve, reserved)?,
                reverses: None,
                request: json!({ "period": key.period, "release_at": release_at }),
            });
        }
        entries.push(Entry {
            id: id(EntryKind::Payout),
            kind: EntryKind::Payout,
            at: now,
            postings: transfer(own, transit, payout.amount)?,
            reverses: None,
            request: json!({ "period": key.period, "amount": payout.amount }),
        });
        Ok(Plan::Pay(Box::new(payout), entries))
    }

    /// What the Builder's apps of a currency earned: what may be paid, by app and period, and the sum of what
    /// may not yet.
    fn earnings(
        &self,
        rules: &Rulebook,
        builder: &Builder,
        key: &PayoutKey,
        now: i64,
    ) -> Result<Earnings, EngineError> {
        let mut earnings = Earnings { payable: Vec::new(), not_yet: 0 };
        let hold_back = i64::from(builder.payouts.hold_back_days).saturating_mul(DAY);
        let apps = rules.catalog().apps_of(&builder.id).filter(|app| app.currency == key.currency);
        for app in apps {
            let closed = self.store.closed_periods(&app.id)?;
            let calendar =
                Calendar::new(&app.time_zone).map_err(|error| EngineError::NotClosable(error.to_string()))?;
            let filter = StatementFilter { app: Some(app.id.clone()), customer: None, period: None };
            let mut by_period: BTreeMap<Period, i128> = BTreeMap::new();
            for (statement, totals) in self.store.statements(&filter)? {
                let sum = by_period.entry(statement.period).or_default();
                *sum = sum.checked_add(totals.builder_earnings).ok_or(EngineError::LedgerFull)?;
            }
            for (period, earned) in by_period {
                let end = calendar.span(period).map_or(i64::MAX, |span| span.end);
                let may_be_paid =
                    period <= key.period && closed.contains(&period) && end.saturating_add(hold_back) <= now;
                if may_be_paid {
                    let amount = i64::try_from(earned).map_err(|_| EngineError::LedgerFull)?;
                    let (app, amount) = (app.id.clone(), Amount::from_nano(amount));
                    earnings.payable.push(Earned { app, period, amount });
                } else {
                    let not_yet = earnings.not_yet.checked_add(earned);
                    earnings.not_yet = not_yet.ok_or(EngineError::LedgerFull)?;
                }
            }
        }
        Ok(earnings)
    }
}

/// What a Builder's apps earned.
struct Earnings {
    payable: Vec<Earned>,
    /// In nano-units.
    not_yet: i128,
}

/// The id of the entry that releases a payout's reserve.
fn release_id(key: &PayoutKey) -> String {
    json!([EntryKind::ReserveRelease, key.builder, key.period, key.currency]).to_string()
}

fn sum(amounts: impl Iterator<Item = Amount>) -> Result<i128, EngineError> {
    let mut sum = 0_i128;
    for amount in amounts {
        sum = sum.checked_add(i128::from(amount.nano())).ok_or(EngineError::LedgerFull)?;
    }
    Ok(sum)
}
