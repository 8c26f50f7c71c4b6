//! The provider `stripe` against a fake that behaves as badly as a network and a bank do.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

#[path = "payments/chaos.rs"]
mod chaos;
#[path = "payments/messages.rs"]
mod messages;

use std::time::Duration;

use tollgate_core::money::Amount;
use tollgate_core::payment::{
    Intent, Method, PaymentProvider as _, ProviderError, RefundIntent, ReportedKind, Seen, SeenState,
    TransferIntent,
};
use tollgate_payments::{Stripe, StripeConfig};
use tollgate_tests::psp::{Conduct, Fate, Psp, SECRET_KEY, Totals, WEBHOOK_SECRET};

fn stripe(psp: &Psp) -> Stripe {
    let config = StripeConfig::new(SECRET_KEY, WEBHOOK_SECRET);
    let timeout = Duration::from_secs(5);
    Stripe::new(StripeConfig { base_url: psp.address.clone(), timeout, ..config }).unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// A top-up of 50 USD by a page.
fn top_up(id: &str) -> Intent {
    Intent {
        key: format!("acme-docs/{id}"),
        app: "acme-docs".into(),
        customer: "legal".into(),
        id: id.into(),
        amount: amount("50"),
        currency: "USD".into(),
        method: Method::Checkout {
            success_url: "https://docs.example/paid".into(),
            cancel_url: "https://docs.example/back".into(),
        },
    }
}

fn saved(id: &str, payer: &str) -> Intent {
    Intent { method: Method::Saved { payer: payer.into() }, ..top_up(id) }
}

fn refund(id: &str, reference: &str, of: &str) -> RefundIntent {
    let (key, currency) = (format!("acme-docs/one/{id}"), "USD".into());
    RefundIntent { key, reference: reference.into(), amount: amount(of), currency }
}

fn payout(of: &str) -> TransferIntent {
    TransferIntent {
        key: "acme/2026-11/USD".into(),
        account: "acct_1".into(),
        amount: amount(of),
        currency: "USD".into(),
        reference: None,
    }
}

fn seen(stripe: &Stripe, intent: &Intent, reference: Option<&str>) -> Seen {
    stripe.look_up(intent, reference).unwrap().unwrap()
}

#[test]
fn a_top_up_is_paid_on_a_page_and_found_by_every_name() {
    let psp = Psp::start(Conduct::good());
    let (stripe, intent) = (stripe(&psp), top_up("one"));
    assert_eq!(stripe.look_up(&intent, None), Ok(None));

    let started = stripe.start(&intent).unwrap();
    assert!(started.url.as_ref().is_some_and(|url| url.ends_with(&started.reference)), "{started:?}");
    assert_eq!(stripe.start(&intent), Ok(started.clone()), "the same key is the same page");
    for reference in [None, Some(started.reference.as_str())] {
        assert_eq!(seen(&stripe, &intent, reference).state, SeenState::Pending);
    }
    psp.fail(&started.reference);
    let tried = seen(&stripe, &intent, Some(&started.reference));
    assert_eq!(tried.state, SeenState::Pending, "the customer may try again");

    let payment = psp.pay(&started.reference);
    for reference in [None, Some(started.reference.as_str()), Some(payment.as_str())] {
        let seen = seen(&stripe, &intent, reference);
        assert_eq!(
            (seen.state, seen.reference, seen.refunded),
            (SeenState::Succeeded, payment.clone(), Amount::ZERO)
        );
    }
    assert_eq!(psp.totals("usd").received, 5_000);
    assert_eq!(psp.payments()[0].payment, ("acme-docs".into(), "one".into()));
    // Another customer's payment of the same name is not this one.
    let stranger = Intent { customer: "sales".into(), ..top_up("one") };
    assert_eq!(stripe.look_up(&stranger, None), Ok(None));
}

#[test]
fn a_page_that_nobody_pays_on_fails() {
    let psp = Psp::start(Conduct::good());
    let (stripe, intent) = (stripe(&psp), top_up("one"));
    let started = stripe.start(&intent).unwrap();
    psp.expire(&started.reference);
    let seen = seen(&stripe, &intent, Some(&started.reference));
    assert_eq!(seen.state, SeenState::Failed("the page to pay on expired".into()));
}

#[test]
fn an_old_session_is_found_by_the_search_and_a_new_one_among_many() {
    let psp = Psp::start(Conduct::good());
    let stripe = stripe(&psp);
    psp.set_ahead(-100 * 60 * 60);
    let old = stripe.start(&top_up("old")).unwrap();
    let paid = psp.pay(&old.reference);
    psp.set_ahead(0);
    let first = stripe.start(&top_up("first")).unwrap();
    for number in 0..120 {
        stripe.start(&top_up(&format!("other-{number}"))).unwrap();
    }
    assert_eq!(seen(&stripe, &top_up("first"), None).reference, first.reference);
    assert_eq!(seen(&stripe, &top_up("old"), None).reference, paid);
    assert_eq!(stripe.look_up(&top_up("it's none"), None), Ok(None));
}

#[test]
fn a_saved_method_is_charged_once_or_declines() {
    let psp = Psp::start(Conduct::good());
    let stripe = stripe(&psp);
    let payer = psp.customer(true);
    let started = stripe.start(&saved("one", &payer)).unwrap();
    psp.forget_keys();
    assert_eq!(stripe.start(&saved("one", &payer)), Ok(started.clone()), "what was made is found");
    assert_eq!(seen(&stripe, &saved("one", &payer), None).state, SeenState::Succeeded);
    assert_eq!(psp.totals("usd").received, 5_000);

    psp.decline(&payer, true);
    let declined = ProviderError::Refused("Your card was declined.".into());
    assert_eq!(stripe.start(&saved("two", &payer)), Err(declined));
    let failed = SeenState::Failed("Your card was declined.".into());
    assert_eq!(seen(&stripe, &saved("two", &payer), None).state, failed);
    for (payer, words) in [
        (psp.customer(false), "no saved payment method"),
        ("cus_0".into(), "knows no customer"),
        ("../x".into(), "is not the id of a customer"),
    ] {
        let error = stripe.start(&saved("three", &payer)).unwrap_err();
        assert!(matches!(&error, ProviderError::Refused(text) if text.contains(words)), "{error}");
    }
}

#[test]
fn every_failure_says_whether_something_was_done() {
    let psp = Psp::start(Conduct::good());
    let stripe = stripe(&psp);
    for (fate, is_unknown, transfers) in [
        (Fate::TooMany, false, 0),
        (Fate::FailedBefore, true, 0),
        (Fate::LostBefore, true, 0),
        (Fate::LostAfter, true, 1),
    ] {
        // It is looked for first, and then made.
        psp.next(&[Fate::Good, fate]);
        let error = stripe.transfer(&payout("20")).unwrap_err();
        assert_eq!(matches!(error, ProviderError::Unknown(_)), is_unknown, "{fate:?}: {error}");
        assert!(is_unknown || matches!(error, ProviderError::Unavailable(_)), "{fate:?}: {error}");
        assert_eq!(psp.transfers().len(), transfers, "{fate:?}");
    }
    for fate in [Fate::TooMany, Fate::FailedBefore, Fate::LostBefore, Fate::LostAfter] {
        psp.next(&[fate]);
        let error = stripe.look_up_transfer(&payout("20")).unwrap_err();
        assert!(matches!(error, ProviderError::Unavailable(_)), "a look changes nothing: {fate:?}: {error}");
    }
    // A page whose reply was lost is looked for at once: the customer waits for it.
    for (id, fate) in [("one", Fate::LostAfter), ("two", Fate::FailedAfter)] {
        psp.next(&[fate]);
        assert!(stripe.start(&top_up(id)).unwrap().url.is_some(), "{fate:?}");
        assert_eq!(psp.open_sessions("acme-docs", id).len(), 1);
    }
    psp.next(&[Fate::LostBefore]);
    assert!(matches!(stripe.start(&top_up("three")), Err(ProviderError::Unknown(_))));
    let address = psp.address.clone();
    drop(psp);
    let gone =
        Stripe::new(StripeConfig { base_url: address, ..StripeConfig::new(SECRET_KEY, WEBHOOK_SECRET) });
    let error = gone.unwrap().start(&top_up("four")).unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "nobody is there: {error}");
}

#[test]
fn a_wrong_key_is_no_refusal_and_is_not_told() {
    let psp = Psp::start(Conduct::good());
    let config = StripeConfig::new("sk_test_other", WEBHOOK_SECRET);
    let stripe = Stripe::new(StripeConfig { base_url: psp.address.clone(), ..config }).unwrap();
    let errors = [
        stripe.start(&top_up("one")).unwrap_err(),
        stripe.look_up(&top_up("one"), Some("cs_test_1")).unwrap_err(),
        stripe.transfer(&payout("1")).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
        assert!(!error.to_string().contains("sk_test_other"), "{error}");
    }
}

#[test]
fn what_stripe_once_named_is_never_asked_for_again() {
    let psp = Psp::start(Conduct::good());
    let stripe = stripe(&psp);
    for reference in ["cs_test_999", "pi_999"] {
        let error = stripe.look_up(&top_up("one"), Some(reference)).unwrap_err();
        assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
    }
    let transfer = TransferIntent { reference: Some("tr_999".into()), ..payout("1") };
    assert!(matches!(stripe.look_up_transfer(&transfer), Err(ProviderError::Unavailable(_))));
}

#[test]
fn refunds_go_once_and_never_exceed_what_was_paid() {
    let psp = Psp::start(Conduct::good());
    let (stripe, intent) = (stripe(&psp), top_up("one"));
    let session = stripe.start(&intent).unwrap().reference;
    let unpaid = stripe.refund(&refund("a", &session, "10")).unwrap_err();
    assert!(matches!(unpaid, ProviderError::Refused(_)), "{unpaid}");
    let payment = psp.pay(&session);

    assert_eq!(stripe.refund(&refund("a", &session, "10")), Ok(()));
    psp.forget_keys();
    assert_eq!(stripe.refund(&refund("a", &payment, "10")), Ok(()), "it was made already");
    assert_eq!(seen(&stripe, &intent, Some(&payment)).refunded, amount("10"));
    psp.refund_by_hand(&payment, 500);
    assert_eq!(seen(&stripe, &intent, Some(&payment)).refunded, amount("15"));
    let error = stripe.refund(&refund("b", &payment, "35.01")).unwrap_err();
    assert!(matches!(&error, ProviderError::Refused(words) if words.contains("greater than")), "{error}");
    let error = stripe.refund(&refund("c", &payment, "0.001")).unwrap_err();
    assert!(
        matches!(&error, ProviderError::Refused(words) if words.contains("multiples of 0.01")),
        "{error}"
    );

    assert_eq!(stripe.refund(&refund("d", &payment, "35")), Ok(()));
    psp.fail_refund(&payment);
    assert_eq!(seen(&stripe, &intent, Some(&payment)).refunded, amount("15"), "it came back");
    let error = stripe.refund(&refund("d", &payment, "35")).unwrap_err();
    assert!(
        matches!(&error, ProviderError::Refused(words) if words.contains("lost_or_stolen_card")),
        "{error}"
    );
    assert_eq!(psp.totals("usd").refunded, 1_500);
}

#[test]
fn disputes_are_seen_as_they_are_decided() {
    let psp = Psp::start(Conduct::good());
    let (stripe, intent) = (stripe(&psp), top_up("one"));
    let payment = psp.pay(&stripe.start(&intent).unwrap().reference);
    let (first, second) = (psp.dispute(&payment, 2_000), psp.dispute(&payment, 3_000));
    psp.decide(&first, true);
    psp.decide(&second, false);
    let seen = seen(&stripe, &intent, Some(&payment));
    let disputes: Vec<_> =
        seen.disputes.iter().map(|dispute| (dispute.id.clone(), dispute.amount, dispute.is_won)).collect();
    assert_eq!(disputes, [(first, amount("20"), true), (second, amount("30"), false)]);
    assert_eq!(seen.state, SeenState::Succeeded);
}

#[test]
fn a_builder_is_paid_once_and_a_reversal_is_a_return() {
    let psp = Psp::start(Conduct::good());
    let stripe = stripe(&psp);
    assert_eq!(stripe.look_up_transfer(&payout("20")), Ok(None));
    psp.set_without_funds(true);
    let error = stripe.transfer(&payout("20")).unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "it can be done later: {error}");
    psp.set_without_funds(false);
    psp.forget_keys();

    let sent = stripe.transfer(&payout("20")).unwrap();
    assert_eq!(sent.arrived, Some(true));
    psp.forget_keys();
    assert_eq!(stripe.transfer(&payout("20")), Ok(sent.clone()), "it was made already");
    assert_eq!(stripe.look_up_transfer(&payout("20")), Ok(Some(sent.clone())));
    psp.reverse(&sent.reference);
    let known = TransferIntent { reference: Some(sent.reference.clone()), ..payout("20") };
    assert_eq!(stripe.look_up_transfer(&known).unwrap().unwrap().arrived, Some(false));
    let totals = Totals { transferred: 2_000, returned: 2_000, ..Totals::default() };
    assert_eq!((psp.totals("usd"), psp.transfers().len()), (totals, 1));
    let nobody = TransferIntent { account: "nobody".into(), key: "x/2026-11/USD".into(), ..payout("20") };
    assert!(matches!(stripe.transfer(&nobody), Err(ProviderError::Refused(_))));
}

#[test]
fn a_report_has_every_booking_once_over_many_pages() {
    let psp = Psp::start(Conduct::good());
    let stripe = stripe(&psp);
    let payer = psp.customer(true);
    psp.set_ahead(-1_000_000);
    stripe.start(&saved("before", &payer)).unwrap();
    psp.set_ahead(0);
    for number in 0..205 {
        stripe.start(&saved(&format!("top-up-{number}"), &payer)).unwrap();
    }
    let payment = psp.payments()[1].id.clone();
    stripe.refund(&refund("a", &payment, "1")).unwrap();
    let dispute = psp.dispute(&payment, 4_900);
    psp.decide(&dispute, true);
    let sent = stripe.transfer(&payout("20")).unwrap();
    psp.reverse(&sent.reference);

    let now = 1_000 * jiff::Timestamp::now().as_second();
    let report = stripe.report(now - 500_000, now + 500_000).unwrap();
    let of = |kind: ReportedKind| report.iter().filter(move |row| row.kind == kind);
    assert_eq!(of(ReportedKind::Payment).count(), 205);
    assert!(of(ReportedKind::Payment).all(|row| row.amount == amount("50") && row.fee == amount("1.75")));
    for (kind, reference, moved) in [
        (ReportedKind::Refund, &payment, "-1"),
        (ReportedKind::Dispute, &payment, "-49"),
        (ReportedKind::DisputeWon, &payment, "49"),
        (ReportedKind::Transfer, &sent.reference, "-20"),
        (ReportedKind::TransferReturned, &sent.reference, "20"),
    ] {
        let rows: Vec<_> = of(kind).map(|row| (&row.reference, row.amount)).collect();
        assert_eq!(rows, [(reference, amount(moved))], "{kind:?}");
    }
    assert!(report.is_sorted_by_key(|row| row.at));
    let ids: std::collections::BTreeSet<_> = report.iter().map(|row| &row.id).collect();
    assert_eq!(ids.len(), report.len());
    assert_eq!(stripe.report(now - 2_000_000_000, now - 500_000).unwrap().len(), 1);
}
