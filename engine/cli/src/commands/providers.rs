//! `providers`: what is owed to who ran the inference, what it is made of, and its settlement. Apart from what
//! Builders are paid.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::json;
use tollgate_core::charge::Charge;
use tollgate_core::engine::Engine;
use tollgate_core::ledger::{EntryKind, Owner, UNNAMED_PROVIDER};
use tollgate_core::money::{Amount, format_money, format_nano};
use tollgate_core::payout;
use tollgate_core::store::Outcome;

use crate::arguments::{Format, Providers, ProvidersOwed, ProvidersReport, ProvidersSettle};
use crate::exit::Refused;
use crate::{session, table};

/// How many events, or entries, are read at a time.
const PAGE: usize = 1_000;

/// Runs one of the commands; gives back the exit code.
pub fn run(command: &Providers) -> anyhow::Result<u8> {
    match command {
        Providers::Owed(arguments) => owed(arguments),
        Providers::Report(arguments) => report(arguments),
        Providers::Settle(arguments) => settle(arguments),
    }
}

/// A provider's account in one currency. In nano-units.
pub struct Account {
    pub provider: String,
    pub currency: String,
    /// What events cost the network.
    pub cost: i128,
    /// What was paid of it.
    pub settled: i128,
}

impl Account {
    /// What is left to be paid.
    pub fn owed(&self) -> i128 {
        self.cost.saturating_sub(self.settled)
    }
}

/// Every provider's account, in the order of names and currencies.
pub fn accounts(engine: &Engine) -> anyhow::Result<Vec<Account>> {
    let mut accounts = Vec::new();
    for (account, balance) in engine.store().balances()? {
        let Owner::Provider(provider) = &account.owner else { continue };
        let settled = settled(engine, provider, &account.currency)?;
        let owed = balance.net().context("a balance is out of range")?;
        let cost = owed.saturating_add(settled);
        accounts.push(Account { provider: provider.clone(), currency: account.currency, cost, settled });
    }
    Ok(accounts)
}

fn settled(engine: &Engine, provider: &str, currency: &str) -> anyhow::Result<i128> {
    let owner = Owner::Provider(provider.to_owned());
    let (mut after, mut settled) = (0, 0_i128);
    loop {
        let entries = engine.store().entries(Some(&owner), after, PAGE)?;
        let Some((last, _)) = entries.last() else { return Ok(settled) };
        after = *last;
        let entries = entries.iter().filter(|(_, entry)| entry.kind == EntryKind::Settlement);
        for posting in entries.flat_map(|(_, entry)| &entry.postings) {
            if posting.account.owner == owner && posting.account.currency == currency {
                settled = settled.saturating_sub(i128::from(posting.amount.nano()));
            }
        }
    }
}

fn owed(arguments: &ProvidersOwed) -> anyhow::Result<u8> {
    let engine = session::open(&arguments.data.data)?;
    let accounts = accounts(&engine)?;
    super::print(&match arguments.format {
        Format::Json => {
            let lines = accounts.iter().map(|account| {
                let [cost, settled, owed] = [account.cost, account.settled, account.owed()].map(format_nano);
                let line = json!({
                    "provider": account.provider, "currency": account.currency, "network_cost": cost,
                    "settled": settled, "owed": owed,
                });
                format!("{line}\n")
            });
            lines.collect::<String>()
        }
        Format::Table if accounts.is_empty() => "Nobody has run anything yet.\n".to_owned(),
        Format::Table => {
            let rows = accounts.iter().map(|account| {
                let money = |nano| format_money(nano, &account.currency);
                let (cost, settled) = (money(account.cost), money(account.settled));
                vec![account.provider.clone(), cost, settled, money(account.owed())]
            });
            table::table(&["provider", "network cost", "settled", "owed"], 1, rows)
        }
    })?;
    Ok(0)
}

/// App, customer, model.
type Place = (String, String, String);

/// Events and what they cost the network, in nano-units.
#[derive(Clone, Copy, Default)]
struct Cost {
    events: u64,
    nano: i128,
}

fn report(arguments: &ProvidersReport) -> anyhow::Result<u8> {
    let engine = session::open(&arguments.data.data)?;
    let costs = costs(&engine, arguments)?;
    let rules = engine.rules();
    let currency = |app: &str| rules.catalog().app(app).map_or_else(String::new, |app| app.currency.clone());
    let mut sums: BTreeMap<String, i128> = BTreeMap::new();
    for ((app, _, _), cost) in &costs {
        let sum = sums.entry(currency(app)).or_default();
        *sum = sum.saturating_add(cost.nano);
    }
    super::print(&match arguments.format {
        Format::Json => {
            let lines = costs.iter().map(|((app, customer, model), cost)| {
                json!({
                    "app": app, "customer": customer, "model": model, "events": cost.events,
                    "currency": currency(app), "network_cost": format_nano(cost.nano),
                })
            });
            let sums = sums.iter().map(|(currency, nano)| (currency, format_nano(*nano)));
            let report = json!({
                "provider": arguments.provider, "period": arguments.period,
                "lines": lines.collect::<Vec<_>>(), "network_cost": sums.collect::<BTreeMap<_, _>>(),
            });
            format!("{report}\n")
        }
        Format::Table => {
            let line = |app: &str, customer: &str, model: &str, events: String, money: String| {
                [app, customer, model].map(str::to_owned).into_iter().chain([events, money]).collect()
            };
            let mut rows: Vec<Vec<String>> = Vec::new();
            for ((app, customer, model), cost) in &costs {
                let money = format_money(cost.nano, &currency(app));
                rows.push(line(app, customer, model, cost.events.to_string(), money));
            }
            for (currency, nano) in &sums {
                rows.push(line("Total", "", "", String::new(), format_money(*nano, currency)));
            }
            let (provider, period) = (&arguments.provider, arguments.period);
            let header = ["app", "customer", "model", "events", "network cost"];
            format!("{provider} — {period}\n{}", table::table(&header, 3, rows))
        }
    })?;
    Ok(0)
}

/// What the charges of a period owe a provider; what was voided owes nothing.
fn costs(engine: &Engine, asked: &ProvidersReport) -> anyhow::Result<BTreeMap<Place, Cost>> {
    let mut costs: BTreeMap<Place, Cost> = BTreeMap::new();
    let mut after = 0;
    loop {
        let events = engine.store().scan(after, PAGE)?;
        let Some(last) = events.last() else { break };
        after = last.sequence;
        for stored in events {
            let Outcome::Rated(charge) = &stored.outcome else { continue };
            let reversal = stored.voided.as_ref().and_then(|voided| voided.reversal.as_ref());
            let in_period = |charge: &&Charge| charge.period == asked.period;
            let charges: Vec<&Charge> =
                [Some(charge), reversal].into_iter().flatten().filter(in_period).collect();
            if charges.is_empty() {
                continue;
            }
            let event = stored.event()?;
            let provider = if event.provider.is_empty() { UNNAMED_PROVIDER } else { &*event.provider };
            if provider != asked.provider {
                continue;
            }
            let place = (stored.key.app.clone(), event.customer.clone(), event.model.clone());
            let cost = costs.entry(place).or_default();
            cost.events = cost.events.saturating_add(1);
            for charge in charges {
                cost.nano = cost.nano.saturating_add(i128::from(charge.split.network_cost.nano()));
            }
        }
    }
    Ok(costs)
}

fn settle(arguments: &ProvidersSettle) -> anyhow::Result<u8> {
    let ProvidersSettle { data, provider, currency, amount, reference } = arguments;
    let engine = session::open(&data.data)?;
    let amount = match amount {
        Some(amount) => *amount,
        None => all_owed(&engine, provider, currency)?,
    };
    engine.settle_provider(provider, currency, amount, reference, super::now())?;
    let account = accounts(&engine)?
        .into_iter()
        .find(|account| account.provider == *provider && account.currency == *currency);
    let left = format_money(account.map_or(0, |account| account.owed()), currency);
    let amount = format_money(i128::from(amount.nano()), currency);
    super::print(&format!("{provider} was paid {amount} ({reference}); {left} is owed\n"))?;
    Ok(0)
}

/// What is owed, in whole minor units: the rest stays owed.
fn all_owed(engine: &Engine, provider: &str, currency: &str) -> anyhow::Result<Amount> {
    let mut accounts = accounts(engine)?.into_iter();
    let account = accounts.find(|account| account.provider == provider && account.currency == currency);
    let owed = account.map_or(0, |account| account.owed());
    let payable = payout::payable(currency, owed).with_context(|| format!("{currency} is no currency"));
    let nano = i64::try_from(payable.context(Refused)?.paid).context("what is owed is out of range")?;
    Ok(Amount::from_nano(nano))
}
