//! Lists beside the events: statements, counters, balances and what closes charged.

use rusqlite::{Connection, params_from_iter};
use tollgate_core::ledger::{Account, Balance};
use tollgate_core::period::Period;
use tollgate_core::quantity::Quantity;
use tollgate_core::store::{ClosingCharge, CounterKey, StatementFilter, StatementKey, StatementTotals};

use super::charge_record;
use super::lookups::Reader;
use super::names::Names;
use super::owners;
use super::row;
use super::sums;
use super::trouble::Trouble;

/// Statements, sorted by customer, then period, then app.
pub fn statements(
    reader: &mut Reader,
    filter: &StatementFilter,
) -> Result<Vec<(StatementKey, StatementTotals)>, Trouble> {
    let Reader { db, names } = reader;
    let words = [("customer", filter.customer.as_deref()), ("app", filter.app.as_deref())];
    let Some(conditions) = Conditions::of(db, names, &words, filter.period)? else { return Ok(Vec::new()) };
    let query = "SELECT customer, app, period, events, network_cost, platform_fee, builder_earnings, lines,
            from_granted, from_paid
        FROM statements";
    let mut query = db.prepare_cached(&format!("{query}{}", conditions.clause))?;
    let rows = query.query_and_then(params_from_iter(conditions.values), |row| {
        let (customer, app) = (names.word(db, row.get(0)?)?, names.word(db, row.get(1)?)?);
        let key = StatementKey { app, customer, period: row::period(row.get(2)?)? };
        Ok::<_, Trouble>((key, sums::totals(row, 3)?))
    })?;
    let mut statements = rows.collect::<Result<Vec<_>, _>>()?;
    statements
        .sort_by(|(a, _), (b, _)| (&a.customer, a.period, &a.app).cmp(&(&b.customer, b.period, &b.app)));
    Ok(statements)
}

/// The counters of an app, sorted by key.
pub fn usage(
    reader: &mut Reader,
    app: &str,
    owner: Option<&str>,
    period: Option<Period>,
) -> Result<Vec<(CounterKey, Quantity)>, Trouble> {
    let Reader { db, names } = reader;
    let words = [("app", Some(app)), ("owner", owner)];
    let Some(conditions) = Conditions::of(db, names, &words, period)? else { return Ok(Vec::new()) };
    let query = "SELECT app, owner, unit, label, period, value FROM counters";
    let mut query = db.prepare_cached(&format!("{query}{}", conditions.clause))?;
    let rows = query.query_and_then(params_from_iter(conditions.values), |row| {
        let key = CounterKey {
            app: names.word(db, row.get(0)?)?,
            owner: names.word(db, row.get(1)?)?,
            unit: names.word(db, row.get(2)?)?,
            group: names.word(db, row.get(3)?)?,
            period: row::period(row.get(4)?)?,
        };
        let value: String = row.get(5)?;
        Ok::<_, Trouble>((key, row::quantity(&value)?))
    })?;
    let mut counters = rows.collect::<Result<Vec<_>, _>>()?;
    counters.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(counters)
}

/// All balances, sorted by account.
pub fn balances(reader: &mut Reader) -> Result<Vec<(Account, Balance)>, Trouble> {
    let Reader { db, names } = reader;
    let mut query = db.prepare_cached(
        "SELECT kind, app, name, currency, debits_posted, credits_posted, debits_pending, credits_pending
         FROM balances",
    )?;
    let rows = query.query_and_then([], |row| {
        let owner = owners::owner(db, names, (row.get(0)?, row.get(1)?, row.get(2)?))?;
        Ok::<_, Trouble>((Account { owner, currency: row.get(3)? }, sums::balance(row, 4)?))
    })?;
    let mut balances = rows.collect::<Result<Vec<_>, _>>()?;
    balances.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(balances)
}

/// What the closes charged, of one app and period where given, in the order of closing.
pub fn closing_charges(
    reader: &mut Reader,
    app: Option<&str>,
    period: Option<Period>,
) -> Result<Vec<ClosingCharge>, Trouble> {
    let Reader { db, names } = reader;
    let Some(conditions) = Conditions::of(db, names, &[("app", app)], period)? else { return Ok(Vec::new()) };
    let query = "SELECT app, customer, charge FROM closing_charges";
    let mut query = db.prepare_cached(&format!("{query}{} ORDER BY number", conditions.clause))?;
    let rows = query.query_and_then(params_from_iter(conditions.values), |row| {
        let app = names.word(db, row.get(0)?)?.to_string();
        let customer = names.word(db, row.get(1)?)?.to_string();
        let record: Vec<u8> = row.get(2)?;
        Ok(ClosingCharge { app, customer, charge: charge_record::decode(&record, |id| names.word(db, id))? })
    })?;
    rows.collect()
}

/// Writes down the periods of what closes charged before the schema had a column for them.
pub fn date_closing_charges(db: &Connection) -> Result<(), Trouble> {
    let mut update = db.prepare("UPDATE closing_charges SET period = ?2 WHERE number = ?1")?;
    let mut query = db.prepare("SELECT number, charge FROM closing_charges ORDER BY number")?;
    let mut rows = query.query([])?;
    while let Some(charged) = rows.next()? {
        let (number, charge): (i64, Vec<u8>) = (charged.get(0)?, charged.get(1)?);
        update.execute([number, charge_record::period_number(&charge)?])?;
    }
    Ok(())
}

/// A WHERE clause and its values.
struct Conditions {
    clause: String,
    values: Vec<i64>,
}

impl Conditions {
    /// Columns of words, and the period, that must be equal where given; `None` when a word is unknown and
    /// no row can match.
    fn of(
        db: &Connection,
        names: &mut Names,
        words: &[(&str, Option<&str>)],
        period: Option<Period>,
    ) -> Result<Option<Self>, Trouble> {
        let mut columns = Vec::new();
        let mut values = Vec::new();
        for (column, word) in words {
            let Some(word) = word else { continue };
            let Some(id) = names.known_id(db, word)? else { return Ok(None) };
            columns.push(format!("{column} = ?"));
            values.push(id);
        }
        if let Some(period) = period {
            columns.push("period = ?".to_owned());
            values.push(row::period_number(period)?);
        }
        let clause =
            if columns.is_empty() { String::new() } else { format!(" WHERE {}", columns.join(" AND ")) };
        Ok(Some(Self { clause, values }))
    }
}
