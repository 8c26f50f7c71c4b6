//! How payouts are written down.

use serde::{Deserialize, Serialize};
use tollgate_core::engine::{PayoutKey, Planned, PlannedPayout, Skipped};
use tollgate_core::money::{Amount, format_nano};
use tollgate_core::payout::{Earned, Payout, PayoutState};
use tollgate_core::period::Period;
use utoipa::ToSchema;

use crate::routes::charge::moment;
use crate::routes::payout_terms::PaidTo;

/// Which period is to be paid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPayoutRun)]
pub(super) struct Run {
    /// It and all before it are paid.
    #[schema(value_type = String, pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])$", example = "2026-11")]
    pub period: Period,
    /// Only tell what would be paid.
    #[serde(default)]
    #[schema(required = false, example = true)]
    pub dry_run: bool,
}

/// What a run did, or would do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PayoutRun {
    /// The period.
    #[schema(example = "2026-11")]
    period: String,
    /// Nothing was kept.
    #[schema(example = false)]
    dry_run: bool,
    /// By Builder and currency.
    payouts: Vec<PlannedBody>,
    /// Who is not paid, and why.
    skipped: Vec<SkippedBody>,
}

/// A payout of a run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlannedPayout)]
struct PlannedBody {
    /// It was there before the run.
    #[schema(example = false)]
    repeated: bool,
    /// The payout.
    #[serde(flatten)]
    payout: PayoutBody,
}

/// A Builder who is not paid in a currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SkippedPayout)]
struct SkippedBody {
    /// The Builder.
    #[schema(example = "acme")]
    builder: String,
    /// ISO 4217 code.
    #[schema(example = "USD")]
    currency: String,
    /// What stays payable; negative when the Builder owes.
    #[schema(example = "4.80")]
    carried: String,
    /// Why.
    #[schema(example = "4.80 USD is less than the minimum of 50.00 USD")]
    reason: String,
}

/// What a Builder is paid for a period in one currency: earned + brought forward + released − reserved −
/// carried = amount.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payout)]
pub(super) struct PayoutBody {
    /// The Builder.
    #[schema(example = "acme")]
    builder: String,
    /// The period it was run for: it and all before it are paid.
    #[schema(example = "2026-11")]
    period: String,
    /// ISO 4217 code of every amount.
    #[schema(example = "USD")]
    currency: String,
    /// What is paid: a whole number of minor units.
    #[schema(value_type = String, example = "120.50")]
    amount: Amount,
    /// How far it has come.
    state: State,
    /// Since when it is submitted or paid, or when it came back.
    #[schema(format = DateTime, example = "2026-12-08T09:00:00Z")]
    state_since: Option<String>,
    /// Why it came back, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "the account is closed")]
    reason: Option<String>,
    /// What was earned in the periods that this payout is the first to pay, by app and period.
    earned: Vec<EarnedBody>,
    /// What was on the account before: carried forward, clawed back, granted.
    #[schema(value_type = String, example = "-2.50")]
    brought_forward: Amount,
    /// What earlier reserves were released.
    #[schema(value_type = String, example = "0")]
    released: Amount,
    /// What was kept back as a reserve.
    #[schema(value_type = String, example = "6.30")]
    reserved: Amount,
    /// When that is released; null when nothing was kept back.
    #[schema(format = DateTime, example = "2027-03-08T09:00:00Z")]
    release_at: Option<String>,
    /// What stays on the account.
    #[schema(value_type = String, example = "0.004")]
    carried: Amount,
    /// Where the money goes.
    destination: Option<PaidTo>,
    /// The provider's name for it, once it has one; for a bank, what its statement says.
    #[schema(example = "tr_1")]
    reference: Option<String>,
    /// When it was planned.
    #[schema(format = DateTime, example = "2026-12-08T09:00:00Z")]
    planned_at: String,
}

/// What an app earned its Builder in a period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Earned)]
struct EarnedBody {
    /// The app.
    #[schema(example = "acme-docs")]
    app: String,
    /// The period.
    #[schema(example = "2026-11")]
    period: String,
    /// How much.
    #[schema(value_type = String, example = "129.304")]
    amount: Amount,
}

/// How far a payout has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PayoutState)]
enum State {
    /// Worked out, and set apart.
    Planned,
    /// The platform agreed to it.
    Approved,
    /// It is with the provider, or in a payment file.
    Submitted,
    /// It arrived.
    Paid,
    /// It came back, and is part of the next payout.
    Returned,
}

impl PayoutBody {
    pub fn of(key: PayoutKey, payout: Payout) -> Self {
        let (state, since, reason) = match payout.state {
            PayoutState::Planned => (State::Planned, None, None),
            PayoutState::Approved => (State::Approved, None, None),
            PayoutState::Submitted { at } => (State::Submitted, Some(at), None),
            PayoutState::Paid { at } => (State::Paid, Some(at), None),
            PayoutState::Returned { at, reason } => (State::Returned, Some(at), Some(reason)),
        };
        let earned = payout.earned.into_iter();
        let earned = earned.map(|Earned { app, period, amount }| EarnedBody {
            app,
            period: period.to_string(),
            amount,
        });
        Self {
            builder: key.builder,
            period: key.period.to_string(),
            currency: key.currency,
            amount: payout.amount,
            state,
            state_since: since.map(moment),
            reason,
            earned: earned.collect(),
            brought_forward: payout.brought_forward,
            released: payout.released,
            reserved: payout.reserved,
            release_at: payout.release_at.map(moment),
            carried: payout.carried,
            destination: payout.destination.as_ref().map(PaidTo::from),
            reference: payout.reference,
            planned_at: moment(payout.planned_at),
        }
    }
}

impl PayoutRun {
    pub fn of(period: Period, dry_run: bool, planned: Planned) -> Self {
        let payouts = planned.payouts.into_iter().map(|planned| {
            let PlannedPayout { key, payout, is_repeated } = planned;
            PlannedBody { repeated: is_repeated, payout: PayoutBody::of(key, payout) }
        });
        let skipped = planned.skipped.into_iter().map(|skipped| {
            let Skipped { builder, currency, carried, reason } = skipped;
            SkippedBody { builder, currency, carried: format_nano(carried), reason }
        });
        let (payouts, skipped) = (payouts.collect(), skipped.collect());
        Self { period: period.to_string(), dry_run, payouts, skipped }
    }
}
