//! Books one payment: the difference between what its provider shows and what is booked.

use serde_json::{Value, json};

use super::super::funding::crossed_notices;
use super::super::posting::opposite;
use super::super::wallets::{Whom, post};
use super::super::{Engine, EngineError, MoneyRefusal, Rulebook};
use super::{next_attempt, next_quiet_look};
use crate::ledger::{self, Entry, EntryKind, Owner, Posting};
use crate::money::Amount;
use crate::payment::{
    Dispute, Method, Payment, PaymentRefund, PaymentState, RefundState, Seen, SeenDispute, SeenState, Started,
};
use crate::store::record::{self, Versioned};
use crate::store::{Commit, Notice, NoticeKind, StoreError};
use crate::wallet::{Draw, Source, Wallet};

/// A payment being booked, with the wallet it goes into.
pub(super) struct Booking<'a> {
    app: &'a str,
    id: &'a str,
    whom: Whom,
    wallet: Versioned<Wallet>,
    pub(super) payment: Payment,
    commit: Commit,
    now: i64,
}

impl<'a> Booking<'a> {
    pub(super) fn new(
        engine: &Engine,
        rules: &Rulebook,
        app: &'a str,
        id: &'a str,
        payment: &Payment,
        now: i64,
    ) -> Result<Self, EngineError> {
        let whom = Whom::find(rules, app, &payment.customer)?;
        let wallet = engine.existing(app, &payment.customer)?;
        let wallet = wallet.ok_or_else(|| StoreError::Corrupt(format!("payment {id:?} has no wallet")))?;
        Ok(Self { app, id, whom, wallet, payment: payment.clone(), commit: Commit::default(), now })
    }

    pub(super) fn started(&mut self, started: &Started) {
        if matches!(self.payment.state, PaymentState::Requested) {
            self.payment.state = PaymentState::Pending;
            self.payment.reference = Some(started.reference.clone());
            self.payment.url.clone_from(&started.url);
            self.payment.attempts = 0;
            self.payment.next_look_at = Some(next_attempt(0, self.now));
        }
    }

    /// Asks again later: nothing is known that was not known before.
    pub(super) fn again(&mut self) {
        self.payment.attempts = self.payment.attempts.saturating_add(1);
        self.payment.next_look_at = Some(next_attempt(self.payment.attempts, self.now));
    }

    pub(super) fn fail(&mut self, reason: &str) {
        self.payment.state = PaymentState::Failed { reason: reason.to_owned() };
        self.payment.next_look_at = None;
    }

    /// Books the difference between what the provider shows and what is booked.
    pub(super) fn see(&mut self, seen: &Seen) -> Result<(), EngineError> {
        let is_booked = matches!(self.payment.state, PaymentState::Succeeded { .. });
        self.payment.reference = Some(seen.reference.clone());
        self.payment.url.clone_from(&seen.url);
        self.payment.payer = seen.payer.clone().or(self.payment.payer.take());
        match &seen.state {
            SeenState::Succeeded if !is_booked => self.arrive()?,
            SeenState::Failed(reason) if !is_booked => self.fail(reason),
            SeenState::Pending if !is_booked => {
                self.payment.state = PaymentState::Pending;
                self.again();
            }
            _ => {}
        }
        if !matches!(self.payment.state, PaymentState::Succeeded { .. }) {
            return Ok(());
        }
        // The provider answered after it had been asked for every refund.
        let asked = self.payment.refunds.iter_mut().filter(|refund| refund.state == RefundState::Asked);
        asked.for_each(|refund| refund.state = RefundState::Accepted);
        // A provider that does not see what arrived does not see what leaves.
        if seen.state == SeenState::Succeeded {
            self.see_refunds(seen.refunded)?;
        }
        for dispute in &seen.disputes {
            self.see_dispute(dispute)?;
        }
        self.payment.attempts = 0;
        self.payment.next_look_at = match self.payment.state {
            PaymentState::Succeeded { at } if self.payment.method != Method::Transfer => {
                next_quiet_look(at, self.now)
            }
            _ => None,
        };
        Ok(())
    }

    /// Books what went back to the customer and is not booked, or is booked and came back.
    fn see_refunds(&mut self, refunded: Amount) -> Result<(), EngineError> {
        let unbooked = refunded.checked_sub(self.payment.refunded).ok_or(EngineError::LedgerFull)?;
        if unbooked > Amount::ZERO {
            // Somebody refunded it with the provider.
            let request = json!({ "payment": self.id, "refunded": refunded });
            self.leave(EntryKind::PaymentRefund, &format!("to {refunded}"), unbooked, request)?;
        } else if unbooked < Amount::ZERO {
            // It could not be delivered.
            let came_back = opposite(unbooked)?;
            let accepted = self.payment.refunds.iter_mut();
            let mut accepted = accepted.filter(|refund| refund.state == RefundState::Accepted);
            if let Some(refund) = accepted.find(|refund| refund.amount == came_back) {
                refund.state = RefundState::Refused { reason: "it could not be delivered".to_owned() };
            }
            let went = self.wallet.value.pay_in(came_back).ok_or(EngineError::LedgerFull)?;
            let request = json!({ "payment": self.id, "refunded": refunded });
            let name = format!("back to {refunded}");
            self.post(EntryKind::PaymentRefund, &name, came_back, &went, Amount::ZERO, request)?;
        }
        self.payment.refunded = refunded;
        Ok(())
    }

    /// The money is there.
    fn arrive(&mut self) -> Result<(), EngineError> {
        let amount = self.payment.amount;
        let went = self.wallet.value.pay_in(amount).ok_or(EngineError::LedgerFull)?;
        self.wallet.value.topping_up = None;
        let request = json!({ "payment": self.id, "amount": amount });
        self.post(EntryKind::Payment, "", amount, &went, Amount::ZERO, request)?;
        self.payment.state = PaymentState::Succeeded { at: self.now };
        let party = self.whom.party();
        let data = json!({
            "app": self.app, "customer": self.payment.customer, "payment": self.id, "amount": amount,
            "currency": self.payment.currency, "balance": self.wallet.value.balance_at(self.now),
        });
        let (builder, at) = (party.app.builder.clone(), self.now);
        self.commit.notices.push(Notice { builder, kind: NoticeKind::WalletToppedUp, at, data });
        Ok(())
    }

    pub(super) fn ask_refund(&mut self, refund: &str, amount: Amount) -> Result<(), EngineError> {
        let refuse = |message: String| Err(MoneyRefusal::NotPossible(message).into());
        if !matches!(self.payment.state, PaymentState::Succeeded { .. }) {
            return refuse(format!("payment {:?} has not arrived", self.id));
        }
        let disputed = self.payment.disputes.iter().filter(|dispute| !dispute.is_won);
        let gone =
            disputed.map(|dispute| dispute.amount).try_fold(self.payment.refunded, Amount::checked_add);
        let left = gone.and_then(|gone| self.payment.amount.checked_sub(gone));
        let left = left.ok_or(EngineError::LedgerFull)?.min(self.wallet.value.paid_free());
        if amount > left {
            return refuse(format!("{amount} is more than the {left} of this payment that is not used"));
        }
        let request = json!({ "payment": self.id, "refund": refund, "amount": amount });
        self.leave(EntryKind::PaymentRefund, refund, amount, request)?;
        let refunded = self.payment.refunded.checked_add(amount);
        self.payment.refunded = refunded.ok_or(EngineError::LedgerFull)?;
        // Somebody sends a transfer back as it came; others are the provider's to send.
        let is_transfer = self.payment.method == Method::Transfer;
        let state = if is_transfer { RefundState::Accepted } else { RefundState::Asked };
        self.payment.refunds.push(PaymentRefund { id: refund.to_owned(), amount, state });
        if !is_transfer {
            self.payment.next_look_at = Some(self.now);
        }
        Ok(())
    }

    /// The provider will not send a part back: it is the customer's again.
    pub(super) fn refuse_refund(&mut self, refund: &str, reason: &str) -> Result<(), EngineError> {
        let known = self.payment.refunds.iter_mut();
        let asked = known.filter(|known| known.state == RefundState::Asked).find(|known| known.id == refund);
        let Some(asked) = asked else { return Ok(()) };
        asked.state = RefundState::Refused { reason: reason.to_owned() };
        let amount = asked.amount;
        let refunded = self.payment.refunded.checked_sub(amount);
        self.payment.refunded = refunded.ok_or(EngineError::LedgerFull)?;
        let went = self.wallet.value.pay_in(amount).ok_or(EngineError::LedgerFull)?;
        let request = json!({ "payment": self.id, "refused": refund, "reason": reason });
        let name = format!("{refund} refused");
        self.post(EntryKind::PaymentRefund, &name, amount, &went, Amount::ZERO, request)?;
        self.payment.next_look_at = Some(self.now);
        Ok(())
    }

    fn see_dispute(&mut self, seen: &SeenDispute) -> Result<(), EngineError> {
        let request = json!({ "payment": self.id, "dispute": seen.id, "amount": seen.amount });
        let position = self.payment.disputes.iter().position(|dispute| dispute.id == seen.id);
        let position = if let Some(position) = position {
            position
        } else {
            let clawed_back = self.leave(EntryKind::Chargeback, &seen.id, seen.amount, request.clone())?;
            let (id, amount) = (seen.id.clone(), seen.amount);
            self.payment.disputes.push(Dispute { id, amount, clawed_back, is_won: false });
            self.payment.disputes.len().saturating_sub(1)
        };
        let Some(dispute) = self.payment.disputes.get_mut(position) else { return Ok(()) };
        if !seen.is_won || dispute.is_won {
            return Ok(());
        }
        dispute.is_won = true;
        let (amount, to_builder) = (dispute.amount, dispute.clawed_back);
        let to_customer = amount.checked_sub(to_builder).ok_or(EngineError::LedgerFull)?;
        let went = self.wallet.value.pay_in(to_customer).ok_or(EngineError::LedgerFull)?;
        self.post(EntryKind::ChargebackWon, &seen.id, amount, &went, to_builder, request)
    }

    /// Money leaves by the way it came: out of what the customer has not used, and what is missing is clawed
    /// back from the Builder. Gives back how much that was.
    fn leave(
        &mut self,
        kind: EntryKind,
        name: &str,
        amount: Amount,
        request: Value,
    ) -> Result<Amount, EngineError> {
        let from_wallet = amount.min(self.wallet.value.paid_free());
        let paid = &mut self.wallet.value.paid.amount;
        *paid = paid.checked_sub(from_wallet).ok_or(EngineError::LedgerFull)?;
        let clawed_back = amount.checked_sub(from_wallet).ok_or(EngineError::LedgerFull)?;
        let drawn = [Draw { source: Source::Paid, amount: from_wallet }];
        self.post(kind, name, opposite(amount)?, &drawn, opposite(clawed_back)?, request)?;
        Ok(clawed_back)
    }

    /// Posts money that came in (or left, negative): what it did to the customer's accounts, and to the
    /// Builder's.
    fn post(
        &mut self,
        kind: EntryKind,
        name: &str,
        came_in: Amount,
        draws: &[Draw],
        to_builder: Amount,
        request: Value,
    ) -> Result<(), EngineError> {
        let (app, customer) = (self.app, &*self.payment.customer);
        let [_, paid, _] = ledger::amounts_of_draws(draws).ok_or(EngineError::LedgerFull)?;
        let owed = came_in.checked_sub(paid).and_then(|rest| rest.checked_sub(to_builder));
        let owner = Owner::Clearing(self.payment.provider.clone());
        let builder = Owner::Builder(self.whom.party().app.builder.clone());
        let postings = vec![
            self.whom.posting(owner, opposite(came_in)?),
            self.whom.posting(Owner::customer(app, customer), owed.ok_or(EngineError::LedgerFull)?),
            self.whom.posting(Owner::paid(app, customer), paid),
            self.whom.posting(builder, to_builder),
        ];
        let moved = |posting: &Posting| posting.amount != Amount::ZERO;
        let payment = json!(["payment", app, self.id]).to_string();
        let id = if kind == EntryKind::Payment {
            payment.clone()
        } else {
            json!([kind, app, self.id, name]).to_string()
        };
        let entry = Entry {
            id,
            kind,
            at: self.now,
            postings: postings.into_iter().filter(moved).collect(),
            reverses: (kind != EntryKind::Payment).then_some(payment),
            request,
        };
        post(&mut self.commit, entry)
    }

    pub(super) fn finish(
        mut self,
        before: &Versioned<Payment>,
    ) -> Result<(Payment, Option<Commit>), EngineError> {
        if self.payment == before.value {
            return Ok((self.payment, None));
        }
        if !self.commit.entries.is_empty() {
            let crossed = self.wallet.value.watch(None, self.now).ok_or(EngineError::LedgerFull)?;
            self.commit.notices.extend(crossed_notices(self.whom.party(), &crossed, self.now));
            self.commit.records.push(self.wallet.change(self.app, &self.payment.customer)?);
        }
        self.commit.records.push(record::change(self.app, self.id, before.version, &self.payment)?);
        Ok((self.payment, Some(self.commit)))
    }
}
