//! Messages about payments: whose they are, and that only Stripe's are taken.

use std::collections::BTreeSet;

use tollgate_core::payment::{Nudge, PaymentProvider as _, ProviderError};
use tollgate_tests::psp::{Conduct, Fate, Psp};

use super::{payout, stripe, top_up};

const NOW: i64 = 1_796_115_600_000;

#[test]
fn every_message_leads_to_its_payment_or_payout() {
    let psp = Psp::start(Conduct::good());
    let stripe = stripe(&psp);
    let payment = psp.pay(&stripe.start(&top_up("one")).unwrap().reference);
    psp.refund_by_hand(&payment, 100);
    psp.dispute(&payment, 4_900);
    let sent = stripe.transfer(&payout("20")).unwrap();
    psp.reverse(&sent.reference);

    let nudges: Vec<Nudge> = psp
        .messages(NOW)
        .iter()
        .map(|(signature, body)| stripe.read_message(signature, body.as_bytes(), NOW).unwrap())
        .collect();
    let payment = Some(("acme-docs".to_owned(), "one".to_owned()));
    let payout = Some("acme/2026-11/USD".to_owned());
    let about: Vec<_> = nudges.iter().map(|nudge| (nudge.payment.clone(), nudge.transfer.clone())).collect();
    let expected = [
        (payment.clone(), None), // paid
        (payment.clone(), None), // the page is done with
        (payment.clone(), None), // refunded: asked for by its payment
        (payment, None),         // disputed: likewise
        (None, payout.clone()),
        (None, payout),
    ];
    assert_eq!(about, expected);
    let ids: BTreeSet<_> = nudges.iter().map(|nudge| &nudge.message).collect();
    assert_eq!(ids.len(), nudges.len());
    assert!(psp.messages(NOW).is_empty());
}

#[test]
fn a_message_that_cannot_be_understood_yet_is_to_come_again() {
    let psp = Psp::start(Conduct::good());
    let stripe = stripe(&psp);
    let payment = psp.pay(&stripe.start(&top_up("one")).unwrap().reference);
    psp.messages(NOW);
    psp.dispute(&payment, 100);
    let (signature, body) = psp.messages(NOW).pop().unwrap();
    psp.next(&[Fate::FailedBefore]);
    let error = stripe.read_message(&signature, body.as_bytes(), NOW).unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
    assert!(stripe.read_message(&signature, body.as_bytes(), NOW).unwrap().payment.is_some());
}

#[test]
fn forged_and_old_messages_are_not_taken() {
    let psp = Psp::start(Conduct::good());
    let stripe = stripe(&psp);
    psp.pay(&stripe.start(&top_up("one")).unwrap().reference);
    let (signature, body) = psp.messages(NOW).pop().unwrap();
    let changed = body.replace("one", "two");
    for (signature, body, now) in [
        (signature.as_str(), changed.as_bytes(), NOW),
        (signature.as_str(), body.as_bytes(), NOW + 301_000),
        (signature.as_str(), body.as_bytes(), NOW - 301_000),
        ("", body.as_bytes(), NOW),
    ] {
        let error = stripe.read_message(signature, body, now).unwrap_err();
        assert!(matches!(error, ProviderError::Forged(_)), "{error}");
    }
    let is_stranger = |text: &str| {
        let signature = psp.sign(text, NOW);
        stripe.read_message(&signature, text.as_bytes(), NOW)
    };
    let unrelated =
        is_stranger(r#"{"id":"evt_9","type":"product.created","data":{"object":{"id":"prod_1"}}}"#);
    assert_eq!(unrelated, Ok(Nudge { message: "evt_9".into(), payment: None, transfer: None }));
    assert!(matches!(is_stranger("{}"), Err(ProviderError::Refused(_))));
}

#[test]
fn bad_conduct_drops_repeats_and_shuffles_messages_but_forges_none() {
    let mut order_changed = 0;
    for seed in 0..20 {
        let psp = Psp::start(Conduct::good());
        let stripe = stripe(&psp);
        let payer = psp.customer(true);
        for number in 0..10 {
            stripe.start(&super::saved(&format!("top-up-{number}"), &payer)).unwrap();
        }
        psp.behave(Conduct { bad_requests: 0, ..Conduct::bad(seed) });
        let mut ids = Vec::new();
        for _ in 0..50 {
            for (signature, body) in psp.messages(NOW) {
                ids.push(stripe.read_message(&signature, body.as_bytes(), NOW).unwrap().message);
            }
        }
        let different: BTreeSet<_> = ids.iter().collect();
        assert!(different.len() <= 10);
        order_changed += usize::from(!ids.is_sorted());
    }
    assert!(order_changed > 10, "{order_changed} of 20");
}
