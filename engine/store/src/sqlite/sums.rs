//! Statements and balances: sums that commits add to, and their columns.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tollgate_core::ledger::{Account, Balance, Owner};
use tollgate_core::quantity::QuantitySum;
use tollgate_core::store::{StatementKey, StatementTotals};

use super::names::Names;
use super::row;
use super::trouble::Trouble;

/// Adds to statements.
pub fn add_statements(
    db: &Connection,
    names: &mut Names,
    added: &[(StatementKey, StatementTotals)],
) -> Result<(), Trouble> {
    let mut query = db.prepare_cached(
        "SELECT events, network_cost, platform_fee, builder_earnings, lines FROM statements
         WHERE customer = ?1 AND app = ?2 AND period = ?3",
    )?;
    let mut write = db.prepare_cached(
        "INSERT INTO statements
            (customer, app, period, events, network_cost, platform_fee, builder_earnings, lines)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET events = excluded.events, network_cost = excluded.network_cost,
            platform_fee = excluded.platform_fee, builder_earnings = excluded.builder_earnings,
            lines = excluded.lines",
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
        ])?;
    }
    Ok(())
}

/// Statement totals from five columns, of which the first is `first`.
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
    let mut query = db.prepare_cached(
        "SELECT debits_posted, credits_posted FROM balances
         WHERE kind = ?1 AND app = ?2 AND name = ?3 AND currency = ?4",
    )?;
    let mut write = db.prepare_cached(
        "INSERT INTO balances (kind, app, name, currency, debits_posted, credits_posted)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET debits_posted = excluded.debits_posted,
            credits_posted = excluded.credits_posted",
    )?;
    for (account, added) in added {
        let (kind, app, name) = match &account.owner {
            Owner::Customer { app, customer } => (0, names.id(db, app)?, names.id(db, customer)?),
            Owner::Provider(name) => (1, 0, names.id(db, name)?),
            Owner::Platform => (2, 0, 0),
            Owner::Builder(name) => (3, 0, names.id(db, name)?),
        };
        let key = params![kind, app, name, account.currency];
        let kept = query.query_row(key, |row| Ok(balance(row, 0))).optional()?;
        let kept = kept.transpose()?.unwrap_or_default();
        let sum = kept.plus(*added);
        let sum = sum.ok_or_else(|| Trouble::failed(format!("the balance of {account} does not fit")))?;
        let (debits, credits) = (sum.debits_posted.to_string(), sum.credits_posted.to_string());
        write.execute(params![kind, app, name, account.currency, debits, credits])?;
    }
    Ok(())
}

/// A balance from two columns, of which the first is `first`.
pub fn balance(row: &Row<'_>, first: usize) -> Result<Balance, Trouble> {
    let sum = |column: usize| row::whole(&row.get::<_, String>(column)?);
    Ok(Balance { debits_posted: sum(first)?, credits_posted: sum(first.saturating_add(1))? })
}

/// Whose account a row's kind, app and name say.
pub fn owner(db: &Connection, names: &mut Names, kind: i64, app: i64, name: i64) -> Result<Owner, Trouble> {
    let name = names.word(db, name)?.to_string();
    match kind {
        0 => Ok(Owner::Customer { app: names.word(db, app)?.to_string(), customer: name }),
        1 => Ok(Owner::Provider(name)),
        2 => Ok(Owner::Platform),
        3 => Ok(Owner::Builder(name)),
        _ => Err(Trouble::corrupt(format!("an account of kind {kind}"))),
    }
}
