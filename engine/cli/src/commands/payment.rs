//! `payment`: bank transfers of customers, expected and received; and a list of all payments.

use anyhow::Context as _;
use serde_json::json;
use tollgate_core::engine::EngineError;
use tollgate_core::money::format_money;
use tollgate_core::payment::{self as core, Method, PaymentProvider as _, PaymentState};
use tollgate_core::store::each_record;
use tollgate_payments::Manual;

use crate::arguments::{Format, Payment, PaymentList, PaymentReceived, PaymentRequest};
use crate::exit::Refused;
use crate::{session, table};

/// Runs one of the commands; gives back the exit code.
pub fn run(command: &Payment) -> anyhow::Result<u8> {
    match command {
        Payment::List(arguments) => list(arguments),
        Payment::Request(arguments) => request(arguments),
        Payment::Received(arguments) => received(arguments),
    }
}

fn list(arguments: &PaymentList) -> anyhow::Result<u8> {
    let PaymentList { data, app, customer, format } = arguments;
    let engine = session::open(&data.data)?;
    let mut payments: Vec<(String, String, core::Payment)> = Vec::new();
    each_record::<core::Payment, EngineError>(engine.store(), app.as_deref(), &mut |key, payment| {
        let payment = payment.value;
        if customer.as_ref().is_none_or(|customer| *customer == payment.customer) {
            payments.push((key.owner.clone(), key.id.clone(), payment));
        }
        Ok(())
    })?;
    super::print(&match format {
        Format::Json => {
            let lines = payments.iter().map(|(app, id, payment)| {
                let mut value = serde_json::to_value(payment)?;
                let object = value.as_object_mut().context("a payment")?;
                object.insert("app".to_owned(), json!(app));
                object.insert("id".to_owned(), json!(id));
                Ok(format!("{value}\n"))
            });
            lines.collect::<anyhow::Result<String>>()?
        }
        Format::Table if payments.is_empty() => "There are no payments.\n".to_owned(),
        Format::Table => {
            let rows = payments.into_iter().map(|(app, id, payment)| {
                let amount = format_money(i128::from(payment.amount.nano()), &payment.currency);
                let (state, reference) = (state(&payment), payment.reference.unwrap_or_default());
                vec![app, payment.customer, id, payment.provider, reference, state, amount]
            });
            let header = ["app", "customer", "id", "provider", "reference", "state", "amount"];
            table::table(&header, 6, rows)
        }
    })?;
    Ok(0)
}

fn state(payment: &core::Payment) -> String {
    match &payment.state {
        PaymentState::Requested => "requested".to_owned(),
        PaymentState::Pending => "pending".to_owned(),
        PaymentState::Succeeded { .. } => "succeeded".to_owned(),
        PaymentState::Failed { reason } => format!("failed: {reason}"),
    }
}

fn request(arguments: &PaymentRequest) -> anyhow::Result<u8> {
    let PaymentRequest { customer: whose, id, amount } = arguments;
    let engine = session::open(&whose.data.data)?;
    let request = tollgate_core::engine::PaymentRequest {
        id: id.clone(),
        amount: *amount,
        provider: Manual.name().to_owned(),
        method: Method::Transfer,
    };
    let now = super::now();
    let payment = engine.request_payment(&whose.app, &whose.customer, &request, now)?;
    let payment = match payment.state {
        PaymentState::Requested => engine.advance_payment(&whose.app, id, &Manual, now)?,
        _ => payment,
    };
    let amount = format_money(i128::from(payment.amount.nano()), &payment.currency);
    let reference = Manual::spaced(&payment.reference.unwrap_or_default());
    super::print(&format!("{} sends {amount} with the reference {reference}\n", whose.customer))?;
    Ok(0)
}

fn received(arguments: &PaymentReceived) -> anyhow::Result<u8> {
    let PaymentReceived { data, app, id, reference } = arguments;
    let engine = session::open(&data.data)?;
    let expected = engine.payment(app, id)?;
    let expected = expected.with_context(|| format!("{app:?} expects no payment {id:?}")).context(Refused)?;
    let reference = reference.clone().or(expected.reference).unwrap_or_default();
    let payment = engine.receive_payment(app, id, &reference, super::now())?;
    let wallet = engine.wallet(app, &payment.customer)?.unwrap_or_default();
    let money =
        |amount: tollgate_core::money::Amount| format_money(i128::from(amount.nano()), &payment.currency);
    let (amount, paid, owed) = (money(payment.amount), money(wallet.paid.amount), money(wallet.owed()));
    let customer = &payment.customer;
    super::print(&format!("{customer} paid {amount}: {paid} is there now, {owed} is owed\n"))?;
    Ok(0)
}
