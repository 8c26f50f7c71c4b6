//! `wallet`: what a customer has, credit granted to them, and what they may owe.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::json;
use tollgate_core::engine::{Engine, Granted};
use tollgate_core::money::{Amount, format_money};
use tollgate_core::wallet::{self as core, Alert, Condition, GrantTerms};

use crate::arguments::{Format, Limit, OneCustomer, Wallet, WalletGrant, WalletSet, WalletShow};
use crate::exit::Refused;
use crate::{session, table};

/// The alert that `--low-below` sets.
const LOW: &str = "low";

/// Runs one of the commands; gives back the exit code.
pub fn run(command: &Wallet) -> anyhow::Result<u8> {
    match command {
        Wallet::Show(arguments) => show(arguments),
        Wallet::Grant(arguments) => grant(arguments),
        Wallet::Set(arguments) => set(arguments),
    }
}

fn show(arguments: &WalletShow) -> anyhow::Result<u8> {
    let whose = &arguments.customer;
    let engine = session::open(&whose.data.data)?;
    let found = engine.wallet(&whose.app, &whose.customer)?;
    let wallet = found.with_context(|| format!("{:?} of {:?} has no wallet", whose.customer, whose.app))?;
    super::print(&match arguments.format {
        Format::Json => {
            let now = super::now();
            let balance = json!({
                "app": whose.app, "customer": whose.customer, "granted": wallet.granted_at(now),
                "paid": wallet.paid_free(), "owed": wallet.owed(), "reserved": wallet.reserved(),
                "available": wallet.available_at(now), "wallet": wallet,
            });
            format!("{balance}\n")
        }
        Format::Table => in_words(&engine, whose, &wallet),
    })?;
    Ok(0)
}

/// Granted and paid stand apart, and beside them what is owed and reserved.
fn in_words(engine: &Engine, whose: &OneCustomer, wallet: &core::Wallet) -> String {
    let rules = engine.rules();
    let currency = rules.catalog().app(&whose.app).map_or("", |app| &app.currency);
    let money = |amount: Amount| format_money(i128::from(amount.nano()), currency);
    let now = super::now();
    let limit = wallet.terms.credit_limit;
    let rows = [
        ("Granted", money(wallet.granted_at(now))),
        ("Paid", money(wallet.paid_free())),
        ("Owed", money(wallet.owed())),
        ("Reserved", money(wallet.reserved())),
        ("Credit limit", limit.map_or_else(|| "none".to_owned(), money)),
        ("Available", wallet.available_at(now).map_or_else(|| "any amount".to_owned(), money)),
    ];
    let mut text = format!("{} of {}\n", whose.customer, whose.app);
    text += &table::table(&["", "amount"], 1, rows.map(|(name, amount)| vec![name.to_owned(), amount]));
    if !wallet.grants.is_empty() {
        let grants = wallet.grants.iter().map(|grant| {
            let terms = &grant.terms;
            let until = terms.expires_at.map_or_else(|| "for ever".to_owned(), table::moment);
            let funder = match terms.funder {
                core::Funder::Platform => "platform",
                core::Funder::Builder => "Builder",
            };
            let (left, amount) = (money(grant.left), money(terms.amount));
            vec![terms.id.to_string(), terms.priority.to_string(), until, funder.to_owned(), left, amount]
        });
        let header = ["grant", "priority", "until", "by", "left", "of"];
        let _ = write!(text, "\nGranted, in the order of use\n{}", table::table(&header, 4, grants));
    }
    text
}

fn grant(arguments: &WalletGrant) -> anyhow::Result<u8> {
    let whose = &arguments.customer;
    let engine = session::open(&whose.data.data)?;
    let now = super::now();
    let moment = |time: Option<jiff::Timestamp>| time.map(jiff::Timestamp::as_millisecond);
    // Granting the same again changes nothing, also where it is the present that was meant.
    let known = engine.wallet(&whose.app, &whose.customer)?.and_then(|wallet| {
        let mut grants = wallet.grants.into_iter();
        grants.find(|grant| *grant.terms.id == *arguments.id).map(|grant| grant.terms.effective_at)
    });
    let terms = GrantTerms {
        id: arguments.id.as_str().into(),
        amount: arguments.amount,
        funder: arguments.funder.into(),
        priority: arguments.priority,
        effective_at: moment(arguments.effective_at).or(known).unwrap_or(now),
        expires_at: moment(arguments.expires_at),
        reason: arguments.reason.clone(),
    };
    let granted = engine.grant(&whose.app, &whose.customer, &terms, now)?;
    let (id, customer) = (&arguments.id, &whose.customer);
    super::print(&match granted {
        Granted::New(wallet) => {
            format!("Granted {id} to {customer}\n\n{}", in_words(&engine, whose, &wallet))
        }
        Granted::Already => format!("{id} had been granted to {customer} before\n"),
    })?;
    Ok(0)
}

fn set(arguments: &WalletSet) -> anyhow::Result<u8> {
    let whose = &arguments.customer;
    let engine = session::open(&whose.data.data)?;
    let mut terms = engine.wallet(&whose.app, &whose.customer)?.unwrap_or_default().terms;
    if let Some(Limit(limit)) = arguments.terms.credit_limit {
        terms.credit_limit = limit;
    }
    if let Some(Limit(low)) = arguments.terms.low_below {
        terms.alerts.retain(|alert| alert.id != LOW);
        let alert = |amount| Alert { id: LOW.to_owned(), condition: Condition::BalanceBelow { amount } };
        terms.alerts.extend(low.map(alert));
    }
    let wallet = engine.agree(&whose.app, &whose.customer, &terms).context(Refused)?;
    super::print(&in_words(&engine, whose, &wallet))?;
    Ok(0)
}
