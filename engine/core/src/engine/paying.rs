//! Money from customers: asked for, looked up, booked, sent back, and taken back by their banks.
//!
//! [`Engine::advance_payment`] is one step, made as often as a payment is due: it calls the provider with
//! nothing locked, and books what the provider shows. Both halves may be repeated: the call by its key, the
//! booking by its entry's id and the payment's version.

mod booking;

use serde_json::json;

use super::wallets::{Whom, check_id, check_payable};
use super::{Engine, EngineError, MoneyRefusal};
use crate::money::Amount;
use crate::payment::{
    Intent, Method, Payment, PaymentProvider, PaymentState, ProviderError, RefundIntent, RefundState, Seen,
    SeenState, Started,
};
use crate::store::record;
use crate::store::{Commit, RecordFilter, RecordKind};
use booking::Booking;

/// The first pause before a provider is asked again; it doubles up to the longest.
const PAUSE_MIN: i64 = 5_000;
/// The longest pause.
const PAUSE_MAX: i64 = 3_600_000;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// So many days after it was settled, a payment or a payout is looked at again.
const QUIET_LOOKS: [i64; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// A payment, as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRequest {
    /// Unique among the app's payments.
    pub id: String,
    /// How much: a whole number of minor units of the app's currency.
    pub amount: Amount,
    /// Who moves the money.
    pub provider: String,
    /// How.
    pub method: Method,
}

impl Engine {
    /// Stores the intent of a payment into a customer's wallet. It is made when it is advanced next. Gives back
    /// the payment, which may have been asked for before in the same words.
    ///
    /// # Errors
    /// When another payment has the id, a value cannot be, or the store fails.
    pub fn request_payment(
        &self,
        app: &str,
        customer: &str,
        request: &PaymentRequest,
        now: i64,
    ) -> Result<Payment, EngineError> {
        self.alone(|rules| {
            let whom = Whom::find(rules, app, customer)?;
            let currency = &whom.party().app.currency;
            check_id("customer", customer)?;
            check_id("id", &request.id)?;
            check_payable("amount", request.amount, currency)?;
            if let Some(payment) = record::read::<Payment>(&*self.store, app, &request.id)? {
                let Payment { customer: payer, amount, provider, method, .. } = &payment.value;
                let is_same = (&**payer, *amount, provider, method)
                    == (customer, request.amount, &request.provider, &request.method);
                if is_same {
                    return Ok((payment.value, None));
                }
                let message = format!("a payment {:?} is there and says something else", request.id);
                return Err(MoneyRefusal::Conflict(message).into());
            }
            let payment = Payment {
                customer: customer.to_owned(),
                amount: request.amount,
                currency: currency.clone(),
                provider: request.provider.clone(),
                method: request.method.clone(),
                state: PaymentState::Requested,
                reference: None,
                url: None,
                payer: None,
                requested_at: now,
                next_look_at: Some(now),
                attempts: 0,
                refunded: Amount::ZERO,
                refunds: Vec::new(),
                disputes: Vec::new(),
            };
            let mut commit = Commit::default();
            if self.existing(app, customer)?.is_none() {
                let (opening, wallet) = self.opening(&whom)?;
                commit = opening;
                commit.records.push(wallet.change(app, customer)?);
            }
            commit.records.push(record::change(app, &request.id, 0, &payment)?);
            Ok((payment, Some(commit)))
        })
    }

    /// A payment of an app; `None` when there is none of this id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn payment(&self, app: &str, id: &str) -> Result<Option<Payment>, EngineError> {
        Ok(record::read::<Payment>(&*self.store, app, id)?.map(|payment| payment.value))
    }

    /// The payments whose providers are to be asked by now: app and id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn payments_due(&self, now: i64, limit: usize) -> Result<Vec<(String, String)>, EngineError> {
        let due = self.store.list_records(&RecordFilter::due(RecordKind::Payment, now), limit)?;
        Ok(due.into_iter().map(|record| (record.key.owner, record.key.id)).collect())
    }

    /// Takes a payment one step on: asks its provider, and books what the provider shows.
    ///
    /// # Errors
    /// When the payment is not there or the store fails. What the provider does is never an error here: the
    /// payment says it.
    pub fn advance_payment(
        &self,
        app: &str,
        id: &str,
        provider: &dyn PaymentProvider,
        now: i64,
    ) -> Result<Payment, EngineError> {
        let payment = self.payment(app, id)?.ok_or_else(|| unknown_payment(id))?;
        let intent = intent(app, id, &payment);
        let answer = match payment.state {
            // Whoever asks a second time does not know what became of the first.
            PaymentState::Requested if payment.attempts > 0 => {
                match provider.look_up(&intent, payment.reference.as_deref()) {
                    Ok(None) => provider.start(&intent).map(Answer::Started),
                    seen => seen.map(Answer::of),
                }
            }
            PaymentState::Requested => provider.start(&intent).map(Answer::Started),
            _ => match ask_refunds(app, id, &payment, provider) {
                Ok(None) => provider.look_up(&intent, payment.reference.as_deref()).map(Answer::of),
                Ok(Some(refused)) => Ok(refused),
                Err(error) => Err(error),
            },
        };
        self.alone(|rules| {
            let before =
                record::read::<Payment>(&*self.store, app, id)?.ok_or_else(|| unknown_payment(id))?;
            let mut booking = Booking::new(self, rules, app, id, &before.value, now)?;
            match &answer {
                Ok(Answer::Started(started)) => booking.started(started),
                Ok(Answer::Seen(seen)) => booking.see(seen)?,
                Ok(Answer::Refused { refund, reason }) => booking.refuse_refund(refund, reason)?,
                Err(ProviderError::Refused(reason) | ProviderError::Unsupported(reason))
                    if matches!(booking.payment.state, PaymentState::Requested) =>
                {
                    booking.fail(reason);
                }
                Ok(Answer::Nothing) | Err(_) => booking.again(),
            }
            booking.finish(&before)
        })
    }

    /// Books a payment that somebody saw arrive, with what the bank's statement says.
    ///
    /// # Errors
    /// When the payment is not there, is not a transfer, or the store fails.
    pub fn receive_payment(
        &self,
        app: &str,
        id: &str,
        reference: &str,
        now: i64,
    ) -> Result<Payment, EngineError> {
        self.alone(|rules| {
            let before =
                record::read::<Payment>(&*self.store, app, id)?.ok_or_else(|| unknown_payment(id))?;
            if before.value.method != Method::Transfer {
                let message = format!("payment {id:?} is not a transfer: its provider says when it arrives");
                return Err(MoneyRefusal::NotPossible(message).into());
            }
            let mut booking = Booking::new(self, rules, app, id, &before.value, now)?;
            booking.see(&Seen {
                reference: reference.to_owned(),
                state: SeenState::Succeeded,
                url: None,
                payer: None,
                refunded: before.value.refunded,
                disputes: Vec::new(),
            })?;
            booking.finish(&before)
        })
    }

    /// Asks for a part of a payment to go back to the customer. What is asked for leaves the wallet at once.
    ///
    /// # Errors
    /// When the payment is not there or has not arrived, too little of it, or of the customer's own money, is
    /// left, another refund has the id, or the store fails.
    pub fn refund_payment(
        &self,
        app: &str,
        id: &str,
        refund: &str,
        amount: Amount,
        now: i64,
    ) -> Result<Payment, EngineError> {
        self.alone(|rules| {
            let before =
                record::read::<Payment>(&*self.store, app, id)?.ok_or_else(|| unknown_payment(id))?;
            check_id("id", refund)?;
            check_payable("amount", amount, &before.value.currency)?;
            if let Some(known) = before.value.refunds.iter().find(|known| known.id == refund) {
                if known.amount == amount {
                    return Ok((before.value, None));
                }
                let message = format!("a refund {refund:?} of this payment is there with another amount");
                return Err(MoneyRefusal::Conflict(message).into());
            }
            let mut booking = Booking::new(self, rules, app, id, &before.value, now)?;
            booking.ask_refund(refund, amount)?;
            booking.finish(&before)
        })
    }
}

/// Asks the provider for the refunds that it has not taken on. Gives back the first that it refuses.
fn ask_refunds(
    app: &str,
    id: &str,
    payment: &Payment,
    provider: &dyn PaymentProvider,
) -> Result<Option<Answer>, ProviderError> {
    let Some(reference) = &payment.reference else { return Ok(None) };
    for refund in payment.refunds.iter().filter(|refund| refund.state == RefundState::Asked) {
        let asked = provider.refund(&RefundIntent {
            key: json!([app, id, refund.id]).to_string(),
            reference: reference.clone(),
            amount: refund.amount,
            currency: payment.currency.clone(),
        });
        match asked {
            Ok(()) => {}
            Err(ProviderError::Refused(reason) | ProviderError::Unsupported(reason)) => {
                return Ok(Some(Answer::Refused { refund: refund.id.clone(), reason }));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// What a provider answered.
enum Answer {
    Started(Started),
    Seen(Seen),
    /// It does not know the payment.
    Nothing,
    /// It will not send a part back.
    Refused {
        refund: String,
        reason: String,
    },
}

impl Answer {
    fn of(seen: Option<Seen>) -> Self {
        seen.map_or(Self::Nothing, Self::Seen)
    }
}

fn intent(app: &str, id: &str, payment: &Payment) -> Intent {
    Intent {
        key: json!([app, id]).to_string(),
        app: app.to_owned(),
        customer: payment.customer.clone(),
        id: id.to_owned(),
        amount: payment.amount,
        currency: payment.currency.clone(),
        method: payment.method.clone(),
    }
}

fn unknown_payment(id: &str) -> EngineError {
    MoneyRefusal::Unknown(format!("there is no payment {id:?}")).into()
}

/// When to look again at what is settled since a moment: a bank may take money back for months, and a message that
/// says so may get lost. `None` when it is old enough.
pub(super) fn next_quiet_look(since: i64, now: i64) -> Option<i64> {
    QUIET_LOOKS
        .into_iter()
        .map(|days| since.saturating_add(DAY.saturating_mul(days)))
        .find(|look| *look > now)
}

/// When to ask again after so many attempts in vain.
pub(super) fn next_attempt(attempts: u32, now: i64) -> i64 {
    let pause = PAUSE_MIN.saturating_mul(1_i64.checked_shl(attempts.min(20)).unwrap_or(i64::MAX));
    now.saturating_add(pause.min(PAUSE_MAX))
}
