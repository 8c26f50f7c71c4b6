//! The worked examples of the README: each is worked out here by the engine, and must read there as it comes out.

#![allow(clippy::unwrap_used)] // a test may stop where it stands

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use tollgate_core::engine::{Authorization, Engine, PaymentRequest, RefundRequest};
use tollgate_core::ledger::{Account, Owner};
use tollgate_core::money::{Amount, format_money};
use tollgate_core::payment::Method;
use tollgate_core::payout::{Destination, PayoutTerms};
use tollgate_core::store::Outcome;
use tollgate_core::verify;
use tollgate_core::wallet::{Draw, Funder, GrantTerms, Source, WalletTerms};
use tollgate_store::MemoryStore;
use tollgate_tests::priced::{self, APP, BUILDER};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// 2026-09-01, in UTC.
const SEPTEMBER: i64 = 1_788_220_800_000;

/// What the README must say, word for word.
fn in_readme(example: &str) {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    assert!(readme.contains(example), "the README's example should read:\n{example}");
}

fn proven(engine: &Engine) {
    for check in verify::verify(engine, &mut |_| {}).unwrap() {
        assert_eq!(check.violations, 0, "{}: {:?}", check.invariant, check.told);
    }
}

fn usd(text: &str) -> Amount {
    text.parse().unwrap()
}

fn money(amount: Amount) -> String {
    format_money(amount.nano().into(), "USD")
}

fn draws(draws: &[Draw]) -> String {
    let told = draws.iter().map(|draw| {
        let source = match &draw.source {
            Source::Grant(id) => format!("grant {id}"),
            Source::Paid => "paid balance".to_owned(),
            Source::Credit => "credit".to_owned(),
            Source::Uncovered => "uncovered".to_owned(),
        };
        format!("{source} {}", money(draw.amount))
    });
    told.collect::<Vec<_>>().join(", ")
}

fn engine(payouts: PayoutTerms) -> Engine {
    priced::engine(Arc::new(MemoryStore::new()), payouts)
}

fn grant(engine: &Engine, id: &str, amount: &str, priority: u32, expires_at: i64) {
    let terms = GrantTerms {
        id: id.into(),
        amount: usd(amount),
        funder: Funder::Platform,
        priority,
        effective_at: SEPTEMBER,
        expires_at: Some(expires_at),
        reason: String::new(),
    };
    engine.grant(APP, "c1", &terms, SEPTEMBER).unwrap();
}

fn top_up(engine: &Engine, amount: &str, now: i64) {
    let id = format!("top-up-{now}");
    let request = PaymentRequest {
        id: id.clone(),
        amount: usd(amount),
        provider: "manual".into(),
        method: Method::Transfer,
    };
    engine.request_payment(APP, "c1", &request, now).unwrap();
    engine.receive_payment(APP, &id, "statement 1", now).unwrap();
}

fn limit(engine: &Engine, limit: &str) {
    let terms = WalletTerms { credit_limit: Some(usd(limit)), ..WalletTerms::default() };
    engine.agree(APP, "c1", &terms).unwrap();
}

/// Records one event and tells what it was charged, and from what.
fn charge(engine: &Engine, id: &str, tokens: i64, now: i64) -> String {
    let outcome = engine.record(&[priced::event("c1", id, tokens, now)]).unwrap().remove(0);
    let tollgate_core::engine::Receipt::Accepted(outcome) = outcome else { panic!("{outcome:?}") };
    let Outcome::Rated(charge) = &*outcome else { panic!("{outcome:?}") };
    format!("{} from {}", money(charge.total), draws(&charge.draws))
}

#[test]
fn the_burn_order() {
    let engine = engine(PayoutTerms::default());
    limit(&engine, "0.50");
    grant(&engine, "welcome", "0.40", 1, SEPTEMBER + 9 * DAY);
    grant(&engine, "spring", "0.30", 0, SEPTEMBER + 5 * DAY);
    grant(&engine, "easter", "0.20", 0, SEPTEMBER + 3 * DAY);
    top_up(&engine, "0.60", SEPTEMBER);
    let mut told = String::new();
    for (id, tokens) in [("e1", 20), ("e2", 30), ("e3", 100), ("e4", 50)] {
        writeln!(told, "{id}: {tokens:>3} tokens, {}", charge(&engine, id, tokens, SEPTEMBER + DAY)).unwrap();
    }
    proven(&engine);
    in_readme(&told);
}

#[test]
fn a_hold_that_straddles_an_expiry() {
    let engine = engine(PayoutTerms::default());
    limit(&engine, "0");
    grant(&engine, "promotion", "0.40", 0, SEPTEMBER + DAY);
    top_up(&engine, "0.60", SEPTEMBER);
    let mut told = String::new();
    let (evening, night) = (SEPTEMBER + 23 * HOUR, SEPTEMBER + 25 * HOUR);
    for (id, tokens) in [("e1", 35), ("e2", 25)] {
        let event = priced::event("c1", id, tokens, evening);
        match engine.authorize(&event, evening, night + HOUR).unwrap() {
            Authorization::Allowed { hold, remaining } => {
                let left = remaining.available.map(money).unwrap();
                writeln!(
                    told,
                    "23:00 {id} may run: {} is reserved from {}; {left} is left",
                    money(hold.price),
                    draws(&hold.draws)
                )
            }
            Authorization::Denied { denials, .. } => {
                writeln!(told, "23:00 {id} may not: {}", denials[0].message)
            }
            other => panic!("{other:?}"),
        }
        .unwrap();
    }
    let expired = engine.expire(SEPTEMBER + DAY).unwrap();
    writeln!(told, "00:00 the promotion is over: {} grants gave anything back", expired.grants).unwrap();
    writeln!(told, "01:00 e1 ran with 15 tokens: {}", charge(&engine, "e1", 15, night)).unwrap();
    let expired = engine.expire(night).unwrap();
    let wallet = engine.wallet(APP, "c1").unwrap().unwrap();
    let (granted, paid) = (money(wallet.granted_at(night)), money(wallet.paid_free()));
    writeln!(
        told,
        "01:00 the rest of the promotion went back ({} grant): granted {granted}, paid {paid}",
        expired.grants
    )
    .unwrap();
    proven(&engine);
    in_readme(&told);
}

#[test]
fn a_refund_of_a_tiered_event() {
    let engine = engine(PayoutTerms::default());
    limit(&engine, "10");
    top_up(&engine, "2", SEPTEMBER);
    let mut told = String::new();
    for (id, tokens) in [("e1", 40), ("e2", 30), ("e3", 60)] {
        writeln!(told, "{id}: {tokens} tokens, {}", charge(&engine, id, tokens, SEPTEMBER)).unwrap();
    }
    let request = |id: &str, amount: Option<&str>| RefundRequest {
        id: id.into(),
        amount: amount.map(usd),
        borne_by: Funder::Builder,
        reason: "it was wrong".into(),
    };
    let key = |id: &str| tollgate_core::event::EventKey { app: APP.into(), id: id.into() };
    for (refund, amount) in [("r1", Some("0.10")), ("r2", Some("0.50")), ("r3", None)] {
        match engine.refund(&key("e2"), &request(refund, amount), SEPTEMBER) {
            Ok(refunded) => writeln!(told, "{refund} of e2: {} given back in all", money(refunded.total)),
            Err(error) => writeln!(told, "{refund} of e2: refused, {error}"),
        }
        .unwrap();
    }
    writeln!(told, "e4: 10 tokens, {}", charge(&engine, "e4", 10, SEPTEMBER)).unwrap();
    let voided = engine.void(&key("e1"), "it never ran", None, SEPTEMBER).unwrap();
    let tollgate_core::engine::VoidReceipt::Voided(voided) = voided else { panic!("{voided:?}") };
    let reversal = voided.reversal.unwrap();
    writeln!(told, "void of e1: {}, for 40 tokens off the top of 140", money(reversal.total)).unwrap();
    proven(&engine);
    in_readme(&told);
}

#[test]
fn a_payout_with_clawback_and_reserve() {
    let engine = engine(PayoutTerms {
        minimum: BTreeMap::from([("USD".to_owned(), usd("1"))]),
        hold_back_days: 7,
        reserve_share: "0.10".parse().unwrap(),
        reserve_days: 30,
        destination: Some(Destination::Bank {
            name: "B".into(),
            iban: "DE89370400440532013000".into(),
            bic: None,
        }),
    });
    let mut told = String::new();
    let months = [
        ("2026-09", SEPTEMBER, 350),
        ("2026-10", SEPTEMBER + 30 * DAY, 20),
        ("2026-11", SEPTEMBER + 61 * DAY, 400),
    ];
    for (position, (period, start, tokens)) in months.into_iter().enumerate() {
        engine.record(&[priced::event("c1", period, tokens, start + DAY)]).unwrap();
        let end = months.get(position + 1).map_or(SEPTEMBER + 91 * DAY, |next| next.1);
        engine.close(APP, period.parse().unwrap()).unwrap();
        if position == 1 {
            let event = tollgate_core::event::EventKey { app: APP.into(), id: "2026-09".into() };
            let request = RefundRequest {
                id: "r".into(),
                amount: Some(usd("1.50")),
                borne_by: Funder::Builder,
                reason: "wrong".into(),
            };
            engine.refund(&event, &request, end).unwrap();
            writeln!(told, "1.50 USD of September is refunded, borne by the Builder").unwrap();
        }
        for days in [1, 8] {
            let planned = engine.plan_payouts(period.parse().unwrap(), end + days * DAY, false).unwrap();
            for payout in &planned.payouts {
                let payout = &payout.payout;
                let earned: i64 = payout.earned.iter().map(|earned| earned.amount.nano()).sum();
                writeln!(
                    told,
                    "{period}, day {days}: earned {}, brought forward {}, reserve {}, released {}: paid {}, carried {}",
                    money(Amount::from_nano(earned)), money(payout.brought_forward), money(payout.reserved),
                    money(payout.released), money(payout.amount), money(payout.carried),
                ).unwrap();
            }
            for skipped in &planned.skipped {
                let carried = format_money(skipped.carried, "USD");
                writeln!(told, "{period}, day {days}: not paid, {}; carried {carried}", skipped.reason)
                    .unwrap();
            }
        }
    }
    let net = |owner| {
        let account = Account { owner, currency: "USD".into() };
        format_money(engine.store().balance(&account).unwrap().net().unwrap(), "USD")
    };
    let (transit, reserve) = (net(Owner::Transit(BUILDER.into())), net(Owner::Reserve(BUILDER.into())));
    let left = net(Owner::Builder(BUILDER.into()));
    writeln!(
        told,
        "paid {transit} + reserve {reserve} + carried {left} = earned 7.12 USD − refunded 1.50 USD"
    )
    .unwrap();
    proven(&engine);
    in_readme(&told);
}
