//! How a payment is asked for and written down.

use serde::{Deserialize, Serialize};
use tollgate_core::access::Scope;
use tollgate_core::engine::PaymentRequest;
use tollgate_core::money::Amount;
use tollgate_core::payment::{self, Payment, PaymentState, RefundState};
use utoipa::ToSchema;

use crate::problem::{Fault, Problem};
use crate::routes::charge::moment;
use crate::routes::object::read_from_objects_and_written;

read_from_objects_and_written!(Way);

/// The most bytes of what a bank's statement says.
const REFERENCE_BYTES_MAX: usize = 256;

/// A payment to be asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPayment {
    /// Unique among the app's payments: the same again asks for nothing.
    #[schema(example = "top-up-1", min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    id: String,
    /// How much: a whole number of minor units of the app's currency.
    #[schema(value_type = String, example = "50")]
    amount: Amount,
    /// Who moves the money.
    #[schema(example = "manual")]
    provider: String,
    /// How.
    method: Way,
}

/// How a customer pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", tag = "by", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = PaymentMethod)]
enum Way {
    /// The customer sends it by bank, and the platform marks it as received.
    Transfer {},
    /// The customer pays on a page of the provider, which may save the payment method for later.
    Checkout {
        /// Where the customer comes back to after paying.
        #[schema(example = "https://docs.example/paid", min_length = 1, max_length = 2048)]
        success_url: String,
        /// Where the customer comes back to after giving up.
        #[schema(example = "https://docs.example/wallet", min_length = 1, max_length = 2048)]
        cancel_url: String,
    },
    /// A payment method is charged that the customer saved.
    Saved {
        /// The payer, in the provider's words, as one of the customer's payments shows it.
        #[schema(example = "cus_1", min_length = 1, max_length = 256)]
        payer: String,
    },
}

/// Money that somebody saw arrive.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReceivedPayment)]
pub(super) struct Received {
    /// What the bank's statement says.
    #[schema(example = "RF71ETZDP0XNFPD0", min_length = 1, max_length = 256)]
    reference: String,
}

impl Received {
    /// # Errors
    /// 422 when it says nothing, or too much.
    pub fn checked(self) -> Result<String, Problem> {
        let Self { reference } = self;
        if !reference.trim().is_empty() && reference.len() <= REFERENCE_BYTES_MAX {
            return Ok(reference);
        }
        let message = format!("must be 1 to {REFERENCE_BYTES_MAX} bytes: what the bank's statement says");
        Err(Problem::invalid(vec![Fault::at("/reference", message)]))
    }
}

/// A part of a payment to be sent back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPaymentRefund {
    /// Unique among the payment's refunds: the same again sends nothing.
    #[schema(example = "left-over", min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    pub id: String,
    /// How much: a whole number of minor units.
    #[schema(value_type = String, example = "12.50")]
    pub amount: Amount,
}

/// A customer's payment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payment)]
pub(super) struct PaymentBody {
    /// The app.
    #[schema(example = "acme-docs")]
    app: String,
    /// Its id.
    #[schema(example = "top-up-1")]
    id: String,
    /// The customer.
    #[schema(example = "legal")]
    customer: String,
    /// How much.
    #[schema(value_type = String, example = "50")]
    amount: Amount,
    /// ISO 4217 code.
    #[schema(example = "USD")]
    currency: String,
    /// Who moves the money.
    #[schema(example = "manual")]
    provider: String,
    /// How.
    method: Way,
    /// How far it has come.
    state: State,
    /// Why it will not come, when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "the card was declined")]
    reason: Option<String>,
    /// The provider's name for it, once it has one. By bank, what the customer writes on the transfer.
    #[schema(example = "RF71ETZDP0XNFPD0")]
    reference: Option<String>,
    /// Where the customer pays, if they are to go somewhere; it may take a moment to be there.
    #[schema(example = "https://checkout.example/cs_1")]
    url: Option<String>,
    /// Who paid, in the provider's words, if the payment method is saved: it may be charged again.
    #[schema(example = "cus_1")]
    payer: Option<String>,
    /// When it was asked for; for one that was asked for automatically, the time of the event that did so.
    #[schema(format = DateTime, example = "2026-11-03T09:00:00Z")]
    requested_at: String,
    /// When the money was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2026-11-04T09:00:00Z")]
    succeeded_at: Option<String>,
    /// What went back to the customer, or is on its way there.
    #[schema(value_type = String, example = "12.50")]
    refunded: Amount,
    /// What was asked to go back, the oldest first.
    refunds: Vec<RefundBody>,
    /// What the customer's bank took back.
    disputes: Vec<DisputeBody>,
}

/// How far a payment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentState)]
enum State {
    /// The provider has not answered yet.
    Requested,
    /// The provider waits for the customer, or for a bank.
    Pending,
    /// The money is in the wallet.
    Succeeded,
    /// It will not come.
    Failed,
}

/// A part of a payment that goes back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentRefund)]
struct RefundBody {
    /// Its id.
    #[schema(example = "left-over")]
    id: String,
    /// How much.
    #[schema(value_type = String, example = "12.50")]
    amount: Amount,
    /// What became of it.
    state: RefundStateBody,
    /// Why it did not go back, when it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What became of a payment's refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentRefundState)]
enum RefundStateBody {
    /// The provider has not answered yet.
    Asked,
    /// The provider sends it.
    Accepted,
    /// The provider does not: it is in the wallet again.
    Refused,
}

/// A payment that the customer's bank took back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentDispute)]
struct DisputeBody {
    /// The provider's id.
    #[schema(example = "dp_1")]
    id: String,
    /// What was taken back.
    #[schema(value_type = String, example = "50")]
    amount: Amount,
    /// How much of it had been spent, and was clawed back from the Builder. Not told to a customer's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "8")]
    clawed_back: Option<Amount>,
    /// It was decided against the customer: the money is there again.
    #[schema(example = false)]
    won: bool,
}

impl From<NewPayment> for PaymentRequest {
    fn from(new: NewPayment) -> Self {
        let NewPayment { id, amount, provider, method } = new;
        let method = match method {
            Way::Transfer {} => payment::Method::Transfer,
            Way::Checkout { success_url, cancel_url } => {
                payment::Method::Checkout { success_url, cancel_url }
            }
            Way::Saved { payer } => payment::Method::Saved { payer },
        };
        Self { id, amount, provider, method }
    }
}

impl From<payment::Method> for Way {
    fn from(method: payment::Method) -> Self {
        match method {
            payment::Method::Transfer => Self::Transfer {},
            payment::Method::Checkout { success_url, cancel_url } => {
                Self::Checkout { success_url, cancel_url }
            }
            payment::Method::Saved { payer } => Self::Saved { payer },
        }
    }
}

impl PaymentBody {
    pub fn of(app: String, id: String, payment: Payment, scope: &Scope) -> Self {
        let (state, reason, succeeded_at) = match payment.state {
            PaymentState::Requested => (State::Requested, None, None),
            PaymentState::Pending => (State::Pending, None, None),
            PaymentState::Succeeded { at } => (State::Succeeded, None, Some(moment(at))),
            PaymentState::Failed { reason } => (State::Failed, Some(reason), None),
        };
        let disputes = payment.disputes.into_iter().map(|dispute| DisputeBody {
            id: dispute.id,
            amount: dispute.amount,
            clawed_back: scope.sees_margins().then_some(dispute.clawed_back),
            won: dispute.is_won,
        });
        Self {
            app,
            id,
            customer: payment.customer,
            amount: payment.amount,
            currency: payment.currency,
            provider: payment.provider,
            method: payment.method.into(),
            state,
            reason,
            reference: payment.reference,
            url: payment.url,
            payer: payment.payer,
            requested_at: moment(payment.requested_at),
            succeeded_at,
            refunded: payment.refunded,
            refunds: payment.refunds.into_iter().map(RefundBody::of).collect(),
            disputes: disputes.collect(),
        }
    }
}

impl RefundBody {
    fn of(refund: payment::PaymentRefund) -> Self {
        let (state, reason) = match refund.state {
            RefundState::Asked => (RefundStateBody::Asked, None),
            RefundState::Accepted => (RefundStateBody::Accepted, None),
            RefundState::Refused { reason } => (RefundStateBody::Refused, Some(reason)),
        };
        Self { id: refund.id, amount: refund.amount, state, reason }
    }
}
