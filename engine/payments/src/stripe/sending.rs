//! Money that leaves: refunds to customers, and transfers to the accounts of Builders.
//!
//! Both are looked for before they are made, so they are made once even after Stripe forgot the key.

use tollgate_core::payment::{ProviderError, RefundIntent, SeenTransfer, TransferIntent};

use super::amounts::to_minor;
use super::objects::{Refund, Transfer};
use super::paying::{foreign, payment_intent_of, refunds_of};
use super::wire::{Wire, id, short_key};
use super::{REFUND, TRANSFER};

/// Sends a part of a payment back.
pub(super) fn refund(wire: &Wire, intent: &RefundIntent) -> Result<(), ProviderError> {
    let amount = to_minor(intent.amount, &intent.currency)?;
    let payment = payment_intent_of(wire, &intent.reference)?.ok_or_else(|| {
        ProviderError::Refused(format!("{} was not paid, so nothing of it can go back", intent.reference))
    })?;
    let made = refunds_of(wire, &payment)?;
    if let Some(made) = made.iter().find(|made| made.metadata.get(REFUND) == Some(&intent.key)) {
        return accepted(made);
    }
    let form = vec![
        ("payment_intent", payment),
        ("amount", amount.to_string()),
        ("metadata[tollgate_refund]", intent.key.clone()),
    ];
    let refund = wire.post("/v1/refunds", &form, &format!("refund:{}", intent.key))?;
    accepted(&refund)
}

fn accepted(refund: &Refund) -> Result<(), ProviderError> {
    if !refund.has_failed() {
        return Ok(());
    }
    let reason = refund.failure_reason.as_deref().unwrap_or("no reason given");
    Err(ProviderError::Refused(format!("the refund {} failed: {reason}", refund.id)))
}

/// Sends money from the platform's balance to an account, which has it at once.
pub(super) fn transfer(wire: &Wire, intent: &TransferIntent) -> Result<SeenTransfer, ProviderError> {
    let amount = to_minor(intent.amount, &intent.currency)?;
    if let Some(seen) = look_up(wire, intent)? {
        return Ok(seen);
    }
    let form = vec![
        ("amount", amount.to_string()),
        ("currency", intent.currency.to_ascii_lowercase()),
        ("destination", id("connected account", &intent.account)?.to_owned()),
        ("transfer_group", group(intent)),
        ("metadata[tollgate_transfer]", intent.key.clone()),
    ];
    wire.post("/v1/transfers", &form, &key(intent)).map(|transfer| seen(&transfer))
}

/// What Stripe shows of a transfer.
pub(super) fn look_up(wire: &Wire, intent: &TransferIntent) -> Result<Option<SeenTransfer>, ProviderError> {
    if let Some(reference) = &intent.reference {
        let transfer = wire.get(&format!("/v1/transfers/{}", id("transfer", reference)?), &Vec::new())?;
        return Ok(Some(seen(&transfer.ok_or_else(|| foreign(reference))?)));
    }
    let query = vec![("transfer_group", group(intent))];
    let transfers = wire.list("/v1/transfers", &query, |transfer: &Transfer| &transfer.id)?;
    let transfer = transfers.iter().find(|transfer| transfer.metadata.get(TRANSFER) == Some(&intent.key));
    Ok(transfer.map(seen))
}

/// A transfer arrives at once, and is returned when all of it was reversed.
fn seen(transfer: &Transfer) -> SeenTransfer {
    SeenTransfer { reference: transfer.id.clone(), arrived: Some(!transfer.reversed) }
}

fn key(intent: &TransferIntent) -> String {
    format!("transfer:{}", intent.key)
}

/// Transfers can be listed by their group: this one's has nothing else in it.
fn group(intent: &TransferIntent) -> String {
    short_key(&key(intent))
}
