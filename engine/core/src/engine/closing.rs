//! Closes a period: what is due at its end is charged, and its statements never change again.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::json;

use super::ahead::Ahead;
use super::funding::Funding;
use super::settling::Settling;
use super::{Engine, EngineError, Rulebook};
use crate::catalog::{App, Catalog};
use crate::charge::Charge;
use crate::frame::{Frame, NumberColumn, TextColumn, Totals};
use crate::money::{self, Amount};
use crate::period::{Calendar, Period};
use crate::quantity::Quantity;
use crate::rating::columns::Strings;
use crate::rating::parties::{Parties, PartyId};
use crate::rating::terms::Terms;
use crate::rating::{answer, priced_lines, refusals, split_of};
use crate::store::{
    Closing, ClosingCharge, Commit, CounterKey, Notice, NoticeKind, StatementFilter, StatementKey,
    StatementTotals,
};
use crate::words;

/// How many customers one call of `close` answers for.
const BATCH: usize = 1_000;

/// What a close did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Customers that used something in the period.
    pub customers: usize,
    /// Those that the close charged.
    pub charges: Vec<ClosingCharge>,
}

/// A customer with what the period holds of it.
struct Account {
    customer: Arc<str>,
    totals: StatementTotals,
    usage: Vec<(CounterKey, Quantity)>,
}

impl Engine {
    /// Closes a period of an app: runs `close` of each customer's tariff, as in force at the period's end,
    /// and freezes the statements. An event of this period that comes later is counted in the next one.
    ///
    /// # Errors
    /// When the period is closed already, a plugin cannot be used or gives no answer (the period stays open),
    /// or the store fails.
    pub fn close(&self, app: &str, period: Period) -> Result<Closed, EngineError> {
        self.alone(|rules| self.try_close(rules, app, period))
    }

    /// What closing a period did; `None` while it is open.
    ///
    /// # Errors
    /// When the store fails.
    pub fn closed(&self, app: &str, period: Period) -> Result<Option<Closed>, EngineError> {
        if !self.store.closed_periods(app)?.contains(&period) {
            return Ok(None);
        }
        let mut charges = self.store.closing_charges(Some(app), Some(period))?;
        charges.sort_by(|one, other| one.customer.cmp(&other.customer));
        Ok(Some(Closed { customers: self.accounts(app, period)?.len(), charges }))
    }

    fn try_close(
        &self,
        rules: &Rulebook,
        app: &str,
        period: Period,
    ) -> Result<(Closed, Option<Commit>), EngineError> {
        let defined = rules.catalog().app(app).ok_or_else(|| EngineError::UndefinedApp(app.to_owned()))?;
        let calendar =
            Calendar::new(&defined.time_zone).map_err(|error| EngineError::NotClosable(error.to_string()))?;
        if self.store.closed_periods(app)?.contains(&period) {
            return Err(EngineError::NotClosable(format!("period {period} of app {app} is closed already")));
        }
        let span = calendar.span(period).map_err(|error| EngineError::NotClosable(error.to_string()))?;
        let accounts = self.accounts(app, period)?;
        let customers = accounts.len();
        let mut parties = Parties::default();
        let mut charges = Vec::new();
        for (terms, accounts) in by_tariff(rules, app, span.end.saturating_sub(1), accounts)? {
            for accounts in accounts.chunks(BATCH) {
                charges.extend(self.charge_close(&terms, period, span.end, accounts, rules.catalog())?);
            }
        }
        charges.sort_by(|one: &ClosingCharge, other| one.customer.cmp(&other.customer));
        let mut owed: Vec<(PartyId, &mut Charge)> = Vec::with_capacity(charges.len());
        for ClosingCharge { customer, charge, .. } in &mut charges {
            let party = parties.intern(rules.catalog(), app, customer);
            owed.push((party.ok_or_else(|| EngineError::UndefinedApp(app.to_owned()))?, charge));
        }
        let asked: Vec<_> = owed.iter().map(|(party, _)| (parties.get(*party), None)).collect();
        let mut funding = Funding::load(&Ahead::default(), &*self.store, &asked)?;
        let mut settling = Settling::of_entries(&parties);
        let moment = span.end.saturating_sub(1);
        for (party, charge) in owed {
            funding
                .cover(parties.get(party), moment, "", charge, |wallet, total| wallet.draw(total, moment))?;
            settling.add(party, "", charge).ok_or(EngineError::LedgerFull)?;
        }
        let (statements, balances) = settling.finish().ok_or(EngineError::LedgerFull)?;
        funding.tell(closed_notice(defined, period, span.end, customers));
        let closing = Closing { app: app.to_owned(), period, charges: charges.clone() };
        let commit = Commit { closes: Some(closing), statements, balances, ..Commit::default() };
        let (commit, _) = funding.finish()?.add_to(commit)?;
        Ok((Closed { customers, charges }, Some(commit)))
    }

    /// Every customer of the app with a statement or a counter in the period.
    fn accounts(&self, app: &str, period: Period) -> Result<Vec<Account>, EngineError> {
        let filter = StatementFilter { app: Some(app.to_owned()), customer: None, period: Some(period) };
        let mut accounts: BTreeMap<Arc<str>, Account> = BTreeMap::new();
        let account = |customer: &Arc<str>| Account {
            customer: Arc::clone(customer),
            totals: StatementTotals::default(),
            usage: Vec::new(),
        };
        for (StatementKey { customer, .. }, totals) in self.store.statements(&filter)? {
            accounts.entry(Arc::clone(&customer)).or_insert_with(|| account(&customer)).totals = totals;
        }
        for (key, total) in self.store.usage(app, None, Some(period))? {
            let owner = Arc::clone(&key.owner);
            accounts.entry(Arc::clone(&owner)).or_insert_with(|| account(&owner)).usage.push((key, total));
        }
        Ok(accounts.into_values().collect())
    }

    fn charge_close(
        &self,
        terms: &Terms,
        period: Period,
        end: i64,
        accounts: &[Account],
        catalog: &Catalog,
    ) -> Result<Vec<ClosingCharge>, EngineError> {
        let (frame, totals) = pack(terms, end, accounts, catalog).ok_or(EngineError::LedgerFull)?;
        let mut pricing = self.pricer.open(&terms.tariff.plugin, &terms.tariff.settings)?;
        let answer = pricing.close(&frame, &totals)?;
        let wrong = |message: String| {
            EngineError::NotClosable(format!("{} could not close {period}: {message}", terms.plugin))
        };
        let rows = answer::lines(terms, frame.rows, &answer).map_err(|error| wrong(error.0))?;
        if let Some(fault) = answer.faults.first() {
            let customer = accounts.get(fault.event as usize).map_or("", |account| &account.customer);
            return Err(wrong(format!("customer {customer}: {}", fault.message)));
        }
        let mut rows = rows.into_iter();
        let mut charges = Vec::new();
        let refused = refusals(terms, &answer, accounts.len());
        for ((account, count), refused) in accounts.iter().zip(&answer.counts).zip(refused) {
            let lines = priced_lines(terms, rows.by_ref().take(*count as usize));
            if lines.is_empty() {
                continue;
            }
            let (total, split) =
                split_of(terms, Amount::ZERO, &lines).map_err(|reason| wrong(reason.message))?;
            let charge = Charge {
                tariff: Arc::clone(&terms.tariff_id),
                parent: catalog.parent_of(&terms.app.id, &account.customer).map(Arc::from),
                period,
                late: false,
                total,
                split,
                usage: Vec::new(),
                lines,
                refused,
                draws: Vec::new(),
            };
            let (app, customer) = (terms.app.id.clone(), account.customer.to_string());
            charges.push(ClosingCharge { app, customer, charge });
        }
        Ok(charges)
    }
}

fn closed_notice(app: &App, period: Period, at: i64, customers: usize) -> Notice {
    let data = json!({ "app": app.id, "period": period, "customers": customers });
    Notice { builder: app.builder.clone(), kind: NoticeKind::PeriodClosed, at, data }
}

/// Customers whose period the same terms close.
type Bound = (Arc<Terms>, Vec<Account>);

/// Accounts under the tariff in force at a moment; those without one owe nothing at the close.
fn by_tariff(
    rules: &Rulebook,
    app: &str,
    moment: i64,
    accounts: Vec<Account>,
) -> Result<Vec<Bound>, EngineError> {
    let mut grouped: BTreeMap<String, Bound> = BTreeMap::new();
    for account in accounts {
        let timeline = rules.catalog().timeline(app, &account.customer);
        let Some(tariff) = timeline.in_force(moment) else { continue };
        // A fee must not be lost because a plugin does not load today.
        let terms = rules.usable(tariff).map_err(|reason| EngineError::NotClosable(reason.message))?;
        let group = grouped.entry(tariff.id.clone());
        group.or_insert_with(|| (Arc::clone(terms), Vec::new())).1.push(account);
    }
    Ok(grouped.into_values().collect())
}

/// The closing frame: one row a customer; see `close` in `sdk/wit/pricing.wit`. `None` when a sum of money
/// does not fit a decimal.
fn pack(terms: &Terms, end: i64, accounts: &[Account], catalog: &Catalog) -> Option<(Frame, Totals)> {
    let mut strings = Strings::new();
    let parent_of = |account: &Account| catalog.parent_of(&terms.app.id, &account.customer);
    let customers = accounts.iter().map(|account| strings.intern(&account.customer)).collect();
    let parents = accounts.iter().map(|account| strings.intern(parent_of(account).unwrap_or(""))).collect();
    let mut totals = Totals::default();
    for account in accounts {
        let mut count = 0_u32;
        for (position, unit) in (0_u32..).zip(&terms.units) {
            for (key, total) in account.usage.iter().filter(|(key, _)| key.unit == unit.name) {
                totals.units.push(position);
                totals.groups.push(strings.intern(&key.group));
                totals.totals.extend(words::encode(total.decimal()));
                count = count.saturating_add(1);
            }
        }
        totals.counts.push(count);
    }
    let texts = vec![
        TextColumn { name: "customer".into(), ids: customers },
        TextColumn { name: "parent".into(), ids: parents },
    ];
    let mut numbers = vec![
        money_column("network-cost".into(), accounts, |totals| Some(totals.network_cost))?,
        money_column("charged".into(), accounts, StatementTotals::total)?,
    ];
    for line in &terms.lines {
        let name = format!("charged:{}", line.code);
        numbers.push(money_column(name, accounts, |totals| {
            let charged = totals.lines.iter().find(|(code, _, _)| *code == line.code);
            Some(charged.map_or(0, |(_, _, nano)| *nano))
        })?);
    }
    let rows = u32::try_from(accounts.len()).ok()?;
    let frame =
        Frame { rows, strings: strings.into_table(), times: vec![end; accounts.len()], texts, numbers };
    Some((frame, totals))
}

fn money_column(
    name: String,
    accounts: &[Account],
    nano: impl Fn(&StatementTotals) -> Option<i128>,
) -> Option<NumberColumn> {
    let mut words = Vec::with_capacity(accounts.len().saturating_mul(2));
    for account in accounts {
        let decimal = Decimal::try_from_i128_with_scale(nano(&account.totals)?, money::SCALE).ok()?;
        words.extend(words::encode(decimal));
    }
    Some(NumberColumn { name, words })
}
