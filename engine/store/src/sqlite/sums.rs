//! Statements and balances: sums that commits add to, and their columns.

use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, params};
use tollgate_core::ledger::{Account, Balance};
use tollgate_core::quantity::QuantitySum;
use tollgate_core::store::{StatementKey, StatementTotals};

use super::lookups::Reader;
use super::names::Names;
use super::owners;
use super::row;
use super::trouble::Trouble;

/// Adds to statements.
pub fn add_statements(
    db: &Connection,
    names: &mut Names,
    added: &[(StatementKey, StatementTotals)],
) -> Result<(), Trouble> {
    let mut query = db.prepare_cached(
        "SELECT events, network_cost, platform_fee, builder_earnings, lines, from_granted, from_paid
         FROM statements WHERE customer = ?1 AND app = ?2 AND period = ?3",
    )?;
    let mut write = db.prepare_cached(
        "INSERT INTO statements
            (customer, app, period, events, network_cost, platform_fee, builder_earnings, lines, from_granted,
             from_paid)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT DO UPDATE SET events = excluded.events, network_cost = excluded.network_cost,
            platform_fee = excluded.platform_fee, builder_earnings = excluded.builder_earnings,
            lines = excluded.lines, from_granted = excluded.from_granted, from_paid = excluded.from_paid",
    )?;
    for (key, added) in added {
        let customer = names.id(db, &key.customer)?;
        let app = names.id(db, &key.app)?;
        let period = row::period_number(key.period)?;
        let kept = query.query_row([customer, app, period], |row| Ok(totals(row, 0))).optional()?;
        let mut sum = kept.transpose()?.unwrap_or_default();
        sum.add(added).ok_or_else(|| Trouble::failed("a statement's sum does not fit"))?;
        let events = i64::try_from(sum.events).map_err(|_| Trouble::failed("too many events"))?;
        write.execute(params![
            customer,
            app,
            period,
            events,
            sum.network_cost.to_string(),
            sum.platform_fee.to_string(),
            sum.builder_earnings.to_string(),
            lines_text(&sum)?,
            sum.from_granted.to_string(),
            sum.from_paid.to_string(),
        ])?;
    }
    Ok(())
}

/// Statement totals from seven columns, of which the first is `first`.
pub fn totals(row: &Row<'_>, first: usize) -> Result<StatementTotals, Trouble> {
    let text = |offset: usize| row.get_ref(first.saturating_add(offset)).map(|value| value.as_str().ok());
    let unreadable = || Trouble::corrupt("a statement that cannot be read");
    let sum = |offset| row::whole(text(offset)?.ok_or_else(unreadable)?);
    let events: i64 = row.get(first)?;
    let lines: Vec<(String, String, String)> =
        serde_json::from_str(text(4)?.ok_or_else(unreadable)?).map_err(|_| unreadable())?;
    let line = |(code, pico, nano): (String, String, String)| -> Result<_, Trouble> {
        Ok((Arc::from(code), QuantitySum::from_pico(row::whole(&pico)?), row::whole(&nano)?))
    };
    Ok(StatementTotals {
        events: u64::try_from(events).map_err(|_| unreadable())?,
        lines: lines.into_iter().map(line).collect::<Result<_, _>>()?,
        network_cost: sum(1)?,
        platform_fee: sum(2)?,
        builder_earnings: sum(3)?,
        from_granted: sum(5)?,
        from_paid: sum(6)?,
    })
}

fn lines_text(totals: &StatementTotals) -> Result<String, Trouble> {
    let lines: Vec<(&str, String, String)> = totals
        .lines
        .iter()
        .map(|(code, quantity, nano)| (&**code, quantity.pico().to_string(), nano.to_string()))
        .collect();
    serde_json::to_string(&lines).map_err(|error| Trouble::failed(error.to_string()))
}

/// Adds to balances.
pub fn add_balances(db: &Connection, names: &mut Names, added: &[(Account, Balance)]) -> Result<(), Trouble> {
    let mut query = balance_query(db)?;
    let mut write = db.prepare_cached(
        "INSERT INTO balances
            (kind, app, name, currency, debits_posted, credits_posted, debits_pending, credits_pending)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET debits_posted = excluded.debits_posted,
            credits_posted = excluded.credits_posted, debits_pending = excluded.debits_pending,
            credits_pending = excluded.credits_pending",
    )?;
    for (account, added) in added {
        let (kind, app, name) = owners::row(db, names, &account.owner)?;
        let key = params![kind, app, name, account.currency];
        let kept = query.query_row(key, |row| Ok(balance(row, 0))).optional()?;
        let sum = kept.transpose()?.unwrap_or_default().plus(*added);
        let sum = sum.ok_or_else(|| Trouble::failed(format!("the balance of {account} does not fit")))?;
        if sum.debits_pending < 0 || sum.credits_pending < 0 {
            return Err(Trouble::failed(format!("less than nothing would be pending for {account}")));
        }
        let Balance { debits_posted, credits_posted, debits_pending, credits_pending } = sum;
        let sums =
            [debits_posted, credits_posted, debits_pending, credits_pending].map(|sum| sum.to_string());
        let [debits_posted, credits_posted, debits_pending, credits_pending] = sums;
        write.execute(params![
            kind,
            app,
            name,
            account.currency,
            debits_posted,
            credits_posted,
            debits_pending,
            credits_pending,
        ])?;
    }
    Ok(())
}

/// The balance of one account; empty when there is none.
pub fn balance_of(reader: &mut Reader, account: &Account) -> Result<Balance, Trouble> {
    let Reader { db, names } = reader;
    let Some((kind, app, name)) = owners::known_row(db, names, &account.owner)? else {
        return Ok(Balance::default());
    };
    let key = params![kind, app, name, account.currency];
    let kept = balance_query(db)?.query_row(key, |row| Ok(balance(row, 0))).optional()?;
    Ok(kept.transpose()?.unwrap_or_default())
}

/// What reads a balance by its account's kind, app, name and currency.
fn balance_query(db: &Connection) -> Result<CachedStatement<'_>, Trouble> {
    Ok(db.prepare_cached(
        "SELECT debits_posted, credits_posted, debits_pending, credits_pending FROM balances
         WHERE kind = ?1 AND app = ?2 AND name = ?3 AND currency = ?4",
    )?)
}

/// A balance from four columns, of which the first is `first`.
pub fn balance(row: &Row<'_>, first: usize) -> Result<Balance, Trouble> {
    let sum = |offset: usize| row::whole(&row.get::<_, String>(first.saturating_add(offset))?);
    Ok(Balance {
        debits_posted: sum(0)?,
        credits_posted: sum(1)?,
        debits_pending: sum(2)?,
        credits_pending: sum(3)?,
    })
}
