//! `/v1/reconciliations`: what is booked, compared with what a payment provider reports.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tollgate_core::engine::{self, Difference};
use tollgate_core::money::{Amount, format_nano};
use tollgate_core::payment::{PaymentProvider, ProviderError, Reported, ReportedKind};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::object::read_from_objects;
use super::wallets::check_provider;
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::Body;
use crate::problem::{Fault, Problem};

read_from_objects!(ReportRow);

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(reconcile))
}

/// What is to be compared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewReconciliation {
    /// The payment provider.
    #[schema(example = "stripe")]
    provider: String,
    /// What was booked from this moment on must be reported.
    #[serde(deserialize_with = "crate::routes::moment::required")]
    #[schema(value_type = String, format = DateTime, example = "2026-11-01T00:00:00Z")]
    from: Timestamp,
    /// Up to, and not including, this moment.
    #[serde(deserialize_with = "crate::routes::moment::required")]
    #[schema(value_type = String, format = DateTime, example = "2026-12-01T00:00:00Z")]
    to: Timestamp,
    /// What the provider reports; left out, the provider is asked.
    #[serde(default)]
    report: Option<Vec<ReportRow>>,
}

/// What a provider booked.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
struct ReportRow {
    /// The provider's id of the booking.
    #[schema(example = "txn_1")]
    id: String,
    /// What was booked.
    kind: BookingKind,
    /// The provider's name for the payment or transfer that it belongs to; empty for none.
    #[serde(default)]
    #[schema(required = false, example = "pi_1")]
    reference: String,
    /// Positive came in, negative went out, before the provider's fee.
    #[schema(value_type = String, example = "50")]
    amount: Amount,
    /// What the provider kept.
    #[serde(default)]
    #[schema(value_type = String, required = false, example = "1.45")]
    fee: Amount,
    /// ISO 4217 code.
    #[schema(example = "USD")]
    currency: String,
    /// When.
    #[serde(deserialize_with = "crate::routes::moment::required")]
    #[schema(value_type = String, format = DateTime, example = "2026-11-03T09:00:00Z")]
    at: Timestamp,
}

/// What a payment provider booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum BookingKind {
    /// A customer's payment.
    Payment,
    /// A payment, or a part of it, that went back.
    Refund,
    /// A payment that a bank took back.
    Dispute,
    /// A payment that a bank had taken back and that came again.
    DisputeWon,
    /// Money sent to a Builder.
    Transfer,
    /// Money sent to a Builder that came back.
    TransferReturned,
    /// Money moved to the platform's bank.
    Withdrawal,
    /// Anything else.
    Other,
}

/// What came of a comparison.
#[derive(Debug, Serialize, ToSchema)]
struct Reconciliation {
    /// The payment provider.
    #[schema(example = "stripe")]
    provider: String,
    /// Payments, refunds, disputes and transfers that are the same on both sides.
    #[schema(example = 41)]
    matched: u64,
    /// Those that are not.
    differences: Vec<DifferenceBody>,
    /// Fees and withdrawals that only the report told of, and that are booked now.
    #[schema(example = 3)]
    booked: u64,
    /// By currency, what the provider holds for the platform, as the ledger says.
    held: Vec<Held>,
}

/// Something that one side says and the other does not.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Difference)]
struct DifferenceBody {
    /// What it is about.
    kind: BookingKind,
    /// The provider's name for the payment or transfer; for anything else, its id of the booking.
    #[schema(example = "pi_1")]
    reference: String,
    /// ISO 4217 code of both amounts.
    #[schema(example = "USD")]
    currency: String,
    /// What is booked; null when nothing is.
    #[schema(example = "50")]
    booked: Option<String>,
    /// What is reported; null when nothing is.
    #[schema(example = "45")]
    reported: Option<String>,
    /// The same in words.
    #[schema(example = "payment \"pi_1\": 50 USD is booked, 45 USD is reported")]
    message: String,
}

/// What a provider holds in one currency.
#[derive(Debug, Serialize, ToSchema)]
struct Held {
    /// ISO 4217 code.
    #[schema(example = "USD")]
    currency: String,
    /// How much.
    #[schema(example = "1204.50")]
    amount: String,
}

/// Reconcile with a payment provider
///
/// For the platform. What was booked within the span must be reported; what is reported must be booked, whenever.
/// Every difference is named. Fees and withdrawals, which only a report tells of, are booked, once.
#[utoipa::path(
    post, path = "/v1/reconciliations", tag = "Providers", operation_id = "reconcile",
    request_body(content = NewReconciliation, example = json!({"provider": "manual",
        "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z", "report": [{"id": "1", "kind": "payment",
        "reference": "RF71ETZDP0XNFPD0", "amount": "50", "currency": "USD", "at": "2026-11-03T09:00:00Z"}]})),
    responses(
        (status = 200, description = "What came of it.", body = Reconciliation),
        (status = 409, description = "The provider gives no report."),
    ),
)]
async fn reconcile(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Body(new): Body<NewReconciliation>,
) -> Result<Json<Reconciliation>, Problem> {
    caller.platform()?;
    let NewReconciliation { provider: name, from, to, report } = new;
    check_provider(&backend, "/provider", &name)?;
    let span = from.as_millisecond()..to.as_millisecond();
    if span.is_empty() {
        return Err(Problem::invalid(vec![Fault::at("/to", "must be later than from")]));
    }
    let provider = backend.money.provider(&name).ok_or_else(Problem::internal)?;
    let reconciled = backend.call(move |engine| {
        let report = match report {
            Some(rows) => rows.into_iter().map(Reported::from).collect(),
            None => ask(&*provider, span.start, span.end)?,
        };
        let now = Timestamp::now().as_millisecond();
        let result = engine.reconcile(&name, &report, &span, now)?;
        Ok::<_, Problem>(Reconciliation::of(name, result))
    });
    reconciled.await.map(Json)
}

fn ask(provider: &dyn PaymentProvider, from: i64, to: i64) -> Result<Vec<Reported>, Problem> {
    provider.report(from, to).map_err(|error| match error {
        ProviderError::Unavailable(_) | ProviderError::Unknown(_) => {
            tracing::warn!(%error, "a payment provider gave no report");
            Problem::unavailable("the payment provider gave no report right now; ask again")
        }
        refused => Problem::conflict(refused.to_string()),
    })
}

impl Reconciliation {
    fn of(provider: String, result: engine::Reconciliation) -> Self {
        let differences = result.differences.into_iter().map(|difference| {
            let message = difference.to_string();
            let Difference { kind, reference, currency, booked, reported } = difference;
            let (booked, reported) = (booked.map(format_nano), reported.map(format_nano));
            DifferenceBody { kind: kind.into(), reference, currency, booked, reported, message }
        });
        let held = result.held.into_iter();
        let held = held.map(|(currency, nano)| Held { currency, amount: format_nano(nano) });
        let (differences, held) = (differences.collect(), held.collect());
        Self { provider, matched: result.matched, differences, booked: result.booked, held }
    }
}

impl From<ReportRow> for Reported {
    fn from(row: ReportRow) -> Self {
        let ReportRow { id, kind, reference, amount, fee, currency, at } = row;
        Self { id, kind: kind.into(), reference, amount, fee, currency, at: at.as_millisecond() }
    }
}

impl From<BookingKind> for ReportedKind {
    fn from(kind: BookingKind) -> Self {
        match kind {
            BookingKind::Payment => Self::Payment,
            BookingKind::Refund => Self::Refund,
            BookingKind::Dispute => Self::Dispute,
            BookingKind::DisputeWon => Self::DisputeWon,
            BookingKind::Transfer => Self::Transfer,
            BookingKind::TransferReturned => Self::TransferReturned,
            BookingKind::Withdrawal => Self::Withdrawal,
            BookingKind::Other => Self::Other,
        }
    }
}

impl From<ReportedKind> for BookingKind {
    fn from(kind: ReportedKind) -> Self {
        match kind {
            ReportedKind::Payment => Self::Payment,
            ReportedKind::Refund => Self::Refund,
            ReportedKind::Dispute => Self::Dispute,
            ReportedKind::DisputeWon => Self::DisputeWon,
            ReportedKind::Transfer => Self::Transfer,
            ReportedKind::TransferReturned => Self::TransferReturned,
            ReportedKind::Withdrawal => Self::Withdrawal,
            ReportedKind::Other => Self::Other,
        }
    }
}
