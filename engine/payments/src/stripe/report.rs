//! What Stripe booked on the platform's balance.
//!
//! Amounts are in the currency of the balance: a payment in another one was exchanged by Stripe, and is reported
//! as what it was exchanged to.

use tollgate_core::payment::{ProviderError, Reported, ReportedKind};

use super::amounts::from_minor;
use super::objects::{BalanceTransaction, Expandable};
use super::wire::Wire;

/// What was booked from one moment up to, not including, another (milliseconds since 1970), oldest first.
/// Stripe counts seconds.
pub(super) fn read(wire: &Wire, from: i64, to: i64) -> Result<Vec<Reported>, ProviderError> {
    let query = vec![
        ("created[gte]", first_second(from).to_string()),
        ("created[lt]", first_second(to).to_string()),
        ("expand[]", "data.source".to_owned()),
    ];
    let booked = wire.list("/v1/balance_transactions", &query, |booked: &BalanceTransaction| &booked.id)?;
    booked.into_iter().rev().map(reported).collect()
}

/// The first whole second that is not before a moment.
fn first_second(moment: i64) -> i64 {
    let (seconds, rest) = (moment.div_euclid(1_000), moment.rem_euclid(1_000));
    seconds.saturating_add(i64::from(rest > 0)).max(0)
}

fn reported(booked: BalanceTransaction) -> Result<Reported, ProviderError> {
    let kind = kind(&booked.reporting_category);
    let reference = match booked.source {
        Some(Expandable::Object(source)) => {
            let is_transfer = matches!(kind, ReportedKind::Transfer | ReportedKind::TransferReturned);
            let owner = if is_transfer { source.transfer } else { source.payment_intent };
            owner.unwrap_or(source.id)
        }
        Some(Expandable::Id(id)) => id,
        None => String::new(),
    };
    Ok(Reported {
        amount: from_minor(booked.amount, &booked.currency)?,
        fee: from_minor(booked.fee, &booked.currency)?,
        currency: booked.currency.to_ascii_uppercase(),
        at: booked.created.saturating_mul(1_000),
        id: booked.id,
        kind,
        reference,
    })
}

/// Of Stripe's reporting categories. What undoes another has its kind and the other sign: a payment that failed
/// after all, a refund that came back.
fn kind(category: &str) -> ReportedKind {
    match category {
        "charge" | "charge_failure" | "partial_capture_reversal" => ReportedKind::Payment,
        "refund" | "refund_failure" => ReportedKind::Refund,
        "dispute" => ReportedKind::Dispute,
        "dispute_reversal" => ReportedKind::DisputeWon,
        "transfer" => ReportedKind::Transfer,
        "transfer_reversal" => ReportedKind::TransferReturned,
        "payout" | "payout_reversal" => ReportedKind::Withdrawal,
        _ => ReportedKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_booking_is_told_by_what_it_belongs_to() {
        for (json, kind, reference, amount, fee) in [
            (
                r#"{"id":"txn_1","amount":5000,"fee":175,"currency":"usd","created":1700000000,
                "reporting_category":"charge","source":{"id":"ch_1","payment_intent":"pi_1"}}"#,
                ReportedKind::Payment,
                "pi_1",
                "50",
                "1.75",
            ),
            (
                r#"{"id":"txn_2","amount":-5000,"fee":1500,"currency":"usd","created":1700000000,
                "reporting_category":"dispute","source":{"id":"dp_1","payment_intent":"pi_1"}}"#,
                ReportedKind::Dispute,
                "pi_1",
                "-50",
                "15",
            ),
            (
                r#"{"id":"txn_3","amount":700,"fee":0,"currency":"usd","created":1700000000,
                "reporting_category":"transfer_reversal","source":{"id":"trr_1","transfer":"tr_1"}}"#,
                ReportedKind::TransferReturned,
                "tr_1",
                "7",
                "0",
            ),
            (
                r#"{"id":"txn_4","amount":-300,"fee":0,"currency":"jpy","created":1700000000,
                "reporting_category":"fee","source":null}"#,
                ReportedKind::Other,
                "",
                "-300",
                "0",
            ),
        ] {
            let reported = reported(serde_json::from_str(json).unwrap()).unwrap();
            assert_eq!((reported.kind, reported.reference.as_str()), (kind, reference));
            assert_eq!((reported.amount, reported.fee), (amount.parse().unwrap(), fee.parse().unwrap()));
            assert_eq!(reported.at, 1_700_000_000_000);
        }
    }

    #[test]
    fn seconds_are_neither_asked_for_twice_nor_left_out() {
        for (moment, second) in [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (-1, 0), (i64::MIN, 0)] {
            assert_eq!(first_second(moment), second, "{moment}");
        }
    }
}
