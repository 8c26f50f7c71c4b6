//! `payout remittance`: the apps, customers and lines behind a payout, as a page.

use anyhow::Context as _;
use tollgate_core::catalog::Catalog;
use tollgate_core::engine::{Engine, EngineError, PayoutKey};
use tollgate_core::payout::{Destination, Earned, Payout, PayoutState};
use tollgate_core::statement::{Statement, statements};
use tollgate_core::store::StatementFilter;
use tollgate_payments::payout_file::end_to_end_id;
use tollgate_payments::remittance::{AppEarned, CustomerEarned, EarnedLine, Remittance};

use crate::arguments::PayoutRemittance;
use crate::{session, settings};

/// Who pays, where nobody says so.
const PAYER: &str = "Tollgate";

/// Writes the page.
pub fn run(arguments: &PayoutRemittance) -> anyhow::Result<u8> {
    let engine = session::open(&arguments.payout.data.data)?;
    let payer = settings::payer(&arguments.payer)?;
    let (key, payout) = super::find(&engine, &arguments.payout)?;
    let page = page(&engine, &payer.name, &key, &payout)?;
    match &arguments.output {
        Some(output) => {
            std::fs::write(output, page).with_context(|| output.display().to_string())?;
            super::super::print(&format!("{} has the remittance advice\n", output.display()))?;
        }
        None => super::super::print(&page)?,
    }
    Ok(0)
}

/// The page: HTML that needs nothing else.
///
/// # Errors
/// When the store fails.
pub fn page(engine: &Engine, payer: &str, key: &PayoutKey, payout: &Payout) -> Result<String, EngineError> {
    let rules = engine.rules();
    let catalog = rules.catalog();
    let apps = payout.earned.iter().map(|earned| app(engine, catalog, earned));
    let builder = catalog.builder(&key.builder);
    let is_sent = !matches!(payout.state, PayoutState::Planned | PayoutState::Approved);
    let by_bank = matches!(payout.destination, Some(Destination::Bank { .. })) && is_sent;
    let reference = by_bank.then(|| end_to_end_id(&key.builder, key.period, &key.currency));
    let remittance = Remittance {
        payer: if payer.is_empty() { PAYER.to_owned() } else { payer.to_owned() },
        builder: key.builder.clone(),
        name: builder.map_or_else(|| key.builder.clone(), |builder| builder.name.clone()),
        period: key.period,
        currency: key.currency.clone(),
        state: payout.state.code().to_owned(),
        reference: payout.reference.clone().or(reference),
        destination: payout.destination.clone(),
        apps: apps.collect::<Result<_, _>>()?,
        brought_forward: payout.brought_forward.nano().into(),
        released: payout.released.nano().into(),
        reserved: payout.reserved.nano().into(),
        carried: payout.carried.nano().into(),
        paid: payout.amount.nano().into(),
    };
    Ok(remittance.html())
}

fn app(engine: &Engine, catalog: &Catalog, earned: &Earned) -> Result<AppEarned, EngineError> {
    let Earned { app, period, amount } = earned;
    let filter = StatementFilter { app: Some(app.clone()), customer: None, period: Some(*period) };
    let customers = statements(engine, &filter)?.into_iter().map(customer);
    Ok(AppEarned {
        name: catalog.app(app).map_or_else(|| app.clone(), |app| app.name.clone()),
        period: *period,
        customers: customers.collect(),
        earned: amount.nano().into(),
    })
}

fn customer(statement: Statement) -> CustomerEarned {
    let lines = statement.lines.into_iter().map(|line| {
        let (title, unit) = (line.title, line.unit);
        EarnedLine { title, quantity: line.quantity, unit, amount: line.amount }
    });
    CustomerEarned {
        name: statement.name,
        lines: lines.collect(),
        charged: statement.total,
        network_cost: statement.network_cost,
        platform_fee: statement.platform_fee,
        earned: statement.builder_earnings,
    }
}
