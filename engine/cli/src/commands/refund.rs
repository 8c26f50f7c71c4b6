//! `refund`: gives back what an event was charged.

use tollgate_core::engine::RefundRequest;
use tollgate_core::event::EventKey;
use tollgate_core::ledger::Owner;
use tollgate_core::money::format_money;

use crate::arguments::Refund;
use crate::session;

/// Gives back a charge, in whole or in part.
pub fn run(arguments: &Refund) -> anyhow::Result<u8> {
    let Refund { data, app, event, id, amount, borne_by, reason } = arguments;
    let engine = session::open(&data.data)?;
    let key = EventKey { app: app.clone(), id: event.clone() };
    let request = RefundRequest {
        id: id.clone(),
        amount: *amount,
        borne_by: (*borne_by).into(),
        reason: reason.clone(),
    };
    let refunded = engine.refund(&key, &request, super::now())?;
    let bearer = refunded
        .entry
        .postings
        .iter()
        .find(|posting| matches!(posting.account.owner, Owner::Builder(_) | Owner::Platform));
    let rules = engine.rules();
    let currency = rules.catalog().app(app).map_or("", |app| &app.currency);
    let money = |nano: i64| format_money(i128::from(nano), currency);
    let given = money(bearer.map_or(0, |posting| posting.amount.nano().saturating_neg()));
    let total = money(refunded.total.nano());
    let before = if refunded.is_repeated { " (it had been before)" } else { "" };
    super::print(&format!("{given} of {event} is given back{before}, {total} in all\n"))?;
    Ok(0)
}
