//! Objects as Stripe shows them, as far as anybody here looks.

use serde_json::{Value, json};

use super::world::{Booked, Dispute, Refund, Session, Transfer, World};

impl World {
    pub(super) fn shown_session(&self, session: &Session, expand: bool) -> Value {
        let payment = session
            .payment
            .as_deref()
            .map_or(Value::Null, |id| if expand { self.shown_payment(id, true) } else { json!(id) });
        let is_paid = session.status == "complete";
        json!({
            "id": session.id,
            "object": "checkout.session",
            "created": session.created,
            "mode": "payment",
            "amount_total": session.amount,
            "currency": session.currency,
            "status": session.status,
            "payment_status": if is_paid { "paid" } else { "unpaid" },
            "url": (session.status == "open").then(|| format!("https://checkout.example/{}", session.id)),
            "payment_intent": payment,
            "metadata": session.metadata,
        })
    }

    pub(super) fn shown_payment(&self, id: &str, expand: bool) -> Value {
        let payment = self.payments.iter().find(|payment| payment.id == id).unwrap();
        let was_paid = payment.status == "succeeded";
        let charge = json!({
            "id": format!("ch_{id}"),
            "object": "charge",
            "payment_intent": id,
            "amount": payment.amount,
            "amount_refunded": self.refunded(id),
            "disputed": self.disputes.iter().any(|dispute| dispute.payment == id),
            "metadata": payment.metadata,
        });
        let charge = if expand { charge } else { json!(format!("ch_{id}")) };
        json!({
            "id": id,
            "object": "payment_intent",
            "created": payment.created,
            "amount": payment.amount,
            "amount_received": if was_paid { payment.amount } else { 0 },
            "currency": payment.currency,
            "customer": payment.customer,
            "status": payment.status,
            "latest_charge": if was_paid { charge } else { Value::Null },
            "last_payment_error": payment.error.as_ref().map(|words| json!({"message": words, "code": "card_declined"})),
            "metadata": payment.metadata,
        })
    }

    pub(super) fn shown_refund(refund: &Refund) -> Value {
        json!({
            "id": refund.id,
            "object": "refund",
            "amount": refund.amount,
            "payment_intent": refund.payment,
            "status": refund.status,
            "failure_reason": (refund.status == "failed").then_some("lost_or_stolen_card"),
            "metadata": refund.metadata,
        })
    }

    pub(super) fn shown_dispute(dispute: &Dispute) -> Value {
        json!({
            "id": dispute.id,
            "object": "dispute",
            "amount": dispute.amount,
            "payment_intent": dispute.payment,
            "status": dispute.status,
            "metadata": {},
        })
    }

    pub(super) fn shown_transfer(transfer: &Transfer) -> Value {
        json!({
            "id": transfer.id,
            "object": "transfer",
            "created": transfer.created,
            "amount": transfer.amount,
            "amount_reversed": transfer.reversed,
            "currency": transfer.currency,
            "destination": transfer.destination,
            "reversed": transfer.reversed == transfer.amount,
            "transfer_group": transfer.group,
            "metadata": transfer.metadata,
        })
    }

    pub(super) fn shown_booked(booked: &Booked) -> Value {
        json!({
            "id": booked.id,
            "object": "balance_transaction",
            "created": booked.created,
            "amount": booked.amount,
            "fee": booked.fee,
            "net": booked.amount - booked.fee,
            "currency": booked.currency,
            "reporting_category": booked.category,
            "source": booked.source,
        })
    }
}
