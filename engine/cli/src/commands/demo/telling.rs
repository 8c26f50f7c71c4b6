//! What came of the month, read from the database alone: told again, it is the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::Value;
use tollgate_core::catalog::{App, Catalog};
use tollgate_core::engine::{Engine, EngineError, Planned, Skipped};
use tollgate_core::ledger::{Entry, EntryKind, Owner};
use tollgate_core::money::{Amount, format_money};
use tollgate_core::statement::Statement;
use tollgate_core::store::{Notice, NoticeKind, each_entry};

use super::super::payout::earned;
use super::super::providers;
use crate::table;

/// Statements that are shown: one of each kind of pricing, and those of who paid before.
const SHOWN: [&str; 6] =
    ["workshop", "media-archive", "north-office", "harbor-legal", "kite-studio", "downtown-practice"];

/// Something that happened to a customer's money.
struct Fact {
    at: i64,
    customer: String,
    what: String,
}

/// What happened to the money of customers, in the order of time.
pub fn money(engine: &Engine) -> anyhow::Result<String> {
    let rules = engine.rules();
    let catalog = rules.catalog();
    let mut facts: Vec<Fact> = Vec::new();
    each_entry::<EngineError>(engine.store(), &mut |entry| {
        facts.extend(of_entry(catalog, entry));
        Ok(())
    })?;
    let mut denials: BTreeMap<String, u32> = BTreeMap::new();
    for (_, notice) in engine.store().notices(0, 10_000)? {
        let times = denials.entry(text(&notice.data, "customer").to_owned()).or_default();
        if notice.kind == NoticeKind::AuthorizationDenied {
            *times = times.saturating_add(1);
            if *times > 1 {
                continue;
            }
        }
        facts.extend(of_notice(catalog, &notice));
    }
    facts.sort_by_key(|fact| fact.at);
    let day = |at| Timestamp::from_millisecond(at).map(|moment| moment.strftime("%b %e").to_string());
    let rows = facts.into_iter().map(|fact| {
        let Fact { at, customer, what } = fact;
        vec![day(at).unwrap_or_default(), customer, what]
    });
    Ok(format!("Money of customers\n{}\n", table::table(&["day", "customer", "what happened"], 3, rows)))
}

fn of_entry(catalog: &Catalog, entry: &Entry) -> Option<Fact> {
    let posting = entry.postings.iter().find_map(|posting| match &posting.account.owner {
        Owner::Customer { app, customer }
        | Owner::Paid { app, customer }
        | Owner::Granted { app, customer } => Some((app, customer, posting)),
        _ => None,
    });
    let (app, customer, posting) = posting?;
    let largest = entry.postings.iter().map(|posting| posting.amount).max()?;
    let money = in_words(largest, &posting.account.currency);
    let reason = text(&entry.request, "reason");
    let what = match entry.kind {
        EntryKind::Grant => {
            format!("is granted {money} of credit by {} ({reason})", name_of_builder(catalog, app))
        }
        EntryKind::Payment => format!("pays {money} by bank transfer"),
        EntryKind::Refund => format!("is given {money} back for {}: {reason}", event_of(entry)),
        _ => return None,
    };
    Some(Fact { at: entry.at, customer: name_of(catalog, app, customer), what })
}

/// The id of the event that an entry takes back.
fn event_of(entry: &Entry) -> String {
    let named = entry.reverses.as_deref().and_then(|name| serde_json::from_str::<[String; 3]>(name).ok());
    named.map(|[_, _, event]| event).unwrap_or_default()
}

fn of_notice(catalog: &Catalog, notice: &Notice) -> Option<Fact> {
    let data = &notice.data;
    let (app, customer, currency) = (text(data, "app"), text(data, "customer"), text(data, "currency"));
    let amount: Option<Amount> = text(data, "amount").parse().ok();
    let code = notice.kind.code();
    let what = match notice.kind {
        NoticeKind::WalletLow => format!("{code}: {} is left", in_words(amount?, currency)),
        NoticeKind::AuthorizationDenied => {
            let detail =
                data.get("reasons").and_then(|reasons| reasons.get(0)).map(|one| text(one, "detail"));
            format!("{code}: {}", detail?)
        }
        _ => return None,
    };
    Some(Fact { at: notice.at, customer: name_of(catalog, app, customer), what })
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn in_words(amount: Amount, currency: &str) -> String {
    format_money(i128::from(amount.nano()), currency)
}

fn name_of(catalog: &Catalog, app: &str, customer: &str) -> String {
    catalog.customer(app, customer).map_or_else(|| customer.to_owned(), |customer| customer.name.clone())
}

fn name_of_builder(catalog: &Catalog, app: &str) -> String {
    catalog.app(app).map_or_else(String::new, |app| builder_name(catalog, app).to_owned())
}

fn builder_name<'a>(catalog: &'a Catalog, app: &'a App) -> &'a str {
    catalog.builder(&app.builder).map_or(&app.builder, |builder| &builder.name)
}

/// What customers get to read, app by app.
pub fn customer_statements(catalog: &Catalog, statements: &[Statement]) -> anyhow::Result<String> {
    let mut text = String::new();
    for app in catalog.apps() {
        writeln!(text, "== {} (Builder: {})\n", app.name, builder_name(catalog, app))?;
        let of_app = statements.iter().filter(|statement| statement.app == app.id);
        for statement in of_app.filter(|statement| SHOWN.contains(&&*statement.customer)) {
            writeln!(text, "{}", table::statement(statement))?;
        }
    }
    let others = statements.len().saturating_sub(SHOWN.len());
    writeln!(text, "(`tollgate statement` prints the {others} others.)\n")?;
    Ok(text)
}

/// What each Builder earned, and from what.
pub fn earnings(catalog: &Catalog, statements: &[Statement]) -> String {
    let rows = catalog.builders().map(|builder| {
        let of_builder =
            |statement: &&Statement| catalog.app(&statement.app).is_some_and(|app| app.builder == builder.id);
        let own: Vec<&Statement> = statements.iter().filter(of_builder).collect();
        let currency = own.first().map_or("USD", |statement| &statement.currency);
        let sum = |part: fn(&Statement) -> i128| {
            format_money(own.iter().map(|statement| part(statement)).sum::<i128>(), currency)
        };
        vec![
            builder.name.clone(),
            sum(|statement| statement.total),
            sum(|statement| statement.network_cost),
            sum(|statement| statement.platform_fee),
            sum(|statement| statement.builder_earnings),
        ]
    });
    let header = ["Builder", "customers are charged", "network cost", "platform fee", "earned"];
    format!("What the Builders earned\n{}", table::table(&header, 1, rows))
}

/// What each Builder was paid, and what stays on their account.
pub fn payouts(engine: &Engine, planned: &Planned, statements: &[Statement]) -> anyhow::Result<String> {
    let rules = engine.rules();
    let name =
        |id: &str| rules.catalog().builder(id).map_or_else(|| id.to_owned(), |builder| builder.name.clone());
    let mut rows = Vec::new();
    for one in &planned.payouts {
        let Some(payout) = engine.payout(&one.key)? else { continue };
        let money = |nano| format_money(nano, &one.key.currency);
        let amount = |amount: Amount| in_words(amount, &one.key.currency);
        rows.push(vec![
            name(&one.key.builder),
            money(earned(&payout)),
            amount(payout.brought_forward),
            amount(payout.amount),
            amount(payout.carried),
            payout.state.code().to_owned(),
        ]);
    }
    for Skipped { builder, currency, carried, reason } in &planned.skipped {
        let of_builder = |app: &str| rules.catalog().app(app).is_some_and(|app| app.builder == *builder);
        let own = statements.iter().filter(|statement| of_builder(&statement.app));
        let earned: i128 = own.map(|statement| statement.builder_earnings).sum();
        let money = [earned, carried.saturating_sub(earned), 0, *carried];
        let money = money.map(|nano| format_money(nano, currency));
        rows.push([name(builder)].into_iter().chain(money).chain([reason.clone()]).collect());
    }
    let header = ["Builder", "earned", "credit and refunds", "paid out", "carried forward", ""];
    let mut text =
        format!("\nWhat the Builders are paid, by one payment file\n{}", table::numbers(&header, 1..5, rows));
    for account in providers::accounts(engine)? {
        let owed = format_money(account.owed(), &account.currency);
        writeln!(text, "  Apart from them, {owed} is owed to who ran the inference ({}).", account.provider)?;
    }
    Ok(text)
}
