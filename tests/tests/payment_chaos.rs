//! A payment provider that loses replies, fails, and sends messages twice, late, in another order or never: what
//! is booked in the end is what really moved. Nothing is paid twice, and nothing is missed.
//!
//! `TOLLGATE_CHAOS_SEEDS` says how many provider's lives are lived through (50 unless told).

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may stop where it stands

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tollgate_core::engine::{Engine, PaymentRequest, PayoutKey};
use tollgate_core::ledger::{Account, Owner};
use tollgate_core::money::Amount;
use tollgate_core::payment::{Method, Payment, PaymentProvider as _, PaymentState};
use tollgate_core::payout::{Destination, PayoutState, PayoutTerms};
use tollgate_core::store::Store;
use tollgate_core::verify;
use tollgate_payments::{Stripe, StripeConfig};
use tollgate_store::MemoryStore;
use tollgate_tests::priced::{self, APP, BUILDER};
use tollgate_tests::psp::{Conduct, Psp, SECRET_KEY, WEBHOOK_SECRET};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// 2026-09-20, in UTC.
const START: i64 = 1_789_862_400_000;
/// 2026-10-02, in UTC.
const AFTER_CLOSE: i64 = 1_790_899_200_000;
const CENT: i64 = 10_000_000;
const PAYMENTS: usize = 5;

struct Life {
    store: Arc<dyn Store>,
    engine: Engine,
    psp: Psp,
    stripe: Stripe,
    now: i64,
    seed: u64,
}

impl Life {
    fn new(seed: u64) -> Self {
        let psp = Psp::start(Conduct::bad(seed));
        let timeout = Duration::from_secs(5);
        let config = StripeConfig::new(SECRET_KEY, WEBHOOK_SECRET);
        let stripe = Stripe::new(StripeConfig { base_url: psp.address.clone(), timeout, ..config }).unwrap();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let destination = Some(Destination::Account { provider: "stripe".into(), account: "acct_1".into() });
        let engine =
            priced::engine(Arc::clone(&store), PayoutTerms { destination, ..PayoutTerms::default() });
        Self { store, engine, psp, stripe, now: START, seed }
    }

    fn chance(&mut self, of: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % of
    }

    fn payment(&self, position: usize) -> Payment {
        self.engine.payment(APP, &format!("p{position}")).unwrap().unwrap()
    }

    /// An hour goes by: messages come, and what is due is asked for. The program may die in between.
    fn hour(&mut self) {
        self.now += HOUR;
        for (signature, body) in self.psp.messages(self.now) {
            // A message whose object cannot be fetched is answered with an error, and would come again.
            let Ok(nudge) = self.stripe.read_message(&signature, body.as_bytes(), self.now) else { continue };
            if let Some((app, id)) = nudge.payment {
                self.engine.advance_payment(&app, &id, &self.stripe, self.now).unwrap();
            }
            if nudge.transfer.is_some() {
                self.advance_payouts();
            }
        }
        for (app, id) in self.engine.payments_due(self.now, 100).unwrap() {
            self.engine.advance_payment(&app, &id, &self.stripe, self.now).unwrap();
        }
        for key in self.engine.payouts_due(self.now, 100).unwrap() {
            self.engine.advance_payout(&key, &self.stripe, self.now).unwrap();
        }
        if self.chance(8) == 0 {
            self.engine = Engine::open(Arc::clone(&self.store), priced::pricer()).unwrap();
        }
        if self.chance(10) == 0 {
            self.psp.forget_keys();
        }
    }

    fn advance_payouts(&self) {
        for (key, _) in self.engine.payouts(None).unwrap() {
            self.engine.advance_payout(&key, &self.stripe, self.now).unwrap();
        }
    }

    fn live(&mut self) {
        for position in 0..PAYMENTS {
            let method = if position == 0 {
                let url = |path: &str| format!("https://app.example/{path}");
                Method::Checkout { success_url: url("paid"), cancel_url: url("back") }
            } else {
                let payer = self.psp.customer(true);
                let declines = self.chance(5) == 0;
                self.psp.decline(&payer, declines);
                Method::Saved { payer }
            };
            let amount = Amount::from_nano((100 + i64::try_from(self.chance(900)).unwrap()) * CENT);
            let request =
                PaymentRequest { id: format!("p{position}"), amount, provider: "stripe".into(), method };
            self.engine.request_payment(APP, &format!("c{position}"), &request, self.now).unwrap();
        }
        for hour in 0..10 {
            self.hour();
            let open = self.psp.open_sessions(APP, "p0");
            assert!(open.len() <= 1, "the customer is sent to two pages: {open:?}");
            if hour == 6 {
                for session in &open {
                    self.psp.pay(session);
                }
            }
        }
        // Each customer uses a part of what they paid.
        for position in 0..PAYMENTS {
            let tokens = i64::try_from(self.chance(300)).unwrap();
            let event = priced::event(&format!("c{position}"), &format!("e{position}"), tokens, self.now);
            self.engine.record(&[event]).unwrap();
        }
        self.refund_and_dispute();
        self.engine.close(APP, "2026-09".parse().unwrap()).unwrap();
        self.now = AFTER_CLOSE;
        let planned = self.engine.plan_payouts("2026-09".parse().unwrap(), self.now, false).unwrap();
        for payout in &planned.payouts {
            self.engine.approve_payout(&payout.key, self.now).unwrap();
        }
        (0..12).for_each(|_| self.hour());
        if self.chance(3) == 0 {
            for transfer in self.psp.transfers() {
                self.psp.reverse(&transfer.id);
            }
        }
        (0..6).for_each(|_| self.hour());
    }

    fn refund_and_dispute(&mut self) {
        let mut disputed = Vec::new();
        for position in 0..PAYMENTS {
            let payment = self.payment(position);
            let PaymentState::Succeeded { .. } = payment.state else { continue };
            match self.chance(3) {
                0 => {
                    let amount = Amount::from_nano((1 + i64::try_from(self.chance(80)).unwrap()) * CENT);
                    // It may be more than what the customer has not used.
                    let _ = self.engine.refund_payment(APP, &format!("p{position}"), "r", amount, self.now);
                }
                1 => {
                    let amount = payment.amount.nano() / CENT;
                    let reference = payment.reference.as_ref().unwrap();
                    disputed.push(self.psp.dispute(reference, amount));
                }
                _ => {}
            }
        }
        (0..8).for_each(|_| self.hour());
        for dispute in disputed {
            let is_won = self.chance(2) == 0;
            self.psp.decide(&dispute, is_won);
        }
        (0..4).for_each(|_| self.hour());
    }

    /// The provider behaves again, and time goes by until nothing more is to be asked.
    fn settle(&mut self) {
        self.psp.behave(Conduct::good());
        for session in self.psp.open_sessions(APP, "p0") {
            self.psp.expire(&session);
        }
        for _ in 0..300 {
            self.now += 12 * HOUR;
            self.hour();
        }
        assert_eq!(self.engine.payments_due(self.now + 400 * DAY, 100).unwrap(), [], "all is settled");
    }

    fn compare(&self) {
        let paid = self.psp.payments();
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for payment in paid.iter().filter(|payment| payment.is_paid) {
            *times.entry(&payment.payment.1).or_default() += 1;
        }
        let (mut received, mut refunded, mut disputed, mut sent) = (0, 0, 0, 0);
        for position in 0..PAYMENTS {
            let payment = self.payment(position);
            let has_arrived = matches!(payment.state, PaymentState::Succeeded { .. });
            let really = times.get(&*format!("p{position}")).copied().unwrap_or(0);
            assert_eq!(really, usize::from(has_arrived), "p{position}: {payment:?}");
            received += if has_arrived { payment.amount.nano() / CENT } else { 0 };
            refunded += payment.refunded.nano() / CENT;
            let lost = payment.disputes.iter().filter(|dispute| !dispute.is_won);
            disputed += lost.map(|dispute| dispute.amount.nano() / CENT).sum::<i64>();
        }
        let totals = self.psp.totals("usd");
        assert_eq!((received, refunded, disputed), (totals.received, totals.refunded, totals.disputed));
        for (PayoutKey { builder, .. }, payout) in self.engine.payouts(None).unwrap() {
            assert_eq!(builder, BUILDER);
            match payout.state {
                PayoutState::Paid { .. } => sent += payout.amount.nano() / CENT,
                PayoutState::Returned { .. } => {}
                state => panic!("a payout is still {}", state.code()),
            }
        }
        assert_eq!(sent, totals.transferred - totals.returned);
        assert!(self.psp.transfers().len() <= 1, "a payout is sent once");
        let owner = Owner::Clearing("stripe".into());
        let held = self.engine.store().balance(&Account { owner, currency: "USD".into() }).unwrap();
        let really = received - refunded - disputed - sent;
        assert_eq!(held.net(), Some(-i128::from(really * CENT)), "what the provider holds");
        for check in verify::verify(&self.engine, &mut |_| {}).unwrap() {
            assert_eq!(check.violations, 0, "{}: {:?}", check.invariant, check.told);
        }
    }
}

#[test]
fn nothing_is_paid_twice_and_nothing_is_missed() {
    let seeds = std::env::var("TOLLGATE_CHAOS_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(50);
    println!("{seeds} lives of a payment provider");
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    let lived = std::panic::catch_unwind(|| {
                        let mut life = Life::new(seed);
                        life.live();
                        life.settle();
                        life.compare();
                    });
                    if let Err(reason) = lived {
                        println!("this was seed {seed}");
                        std::panic::resume_unwind(reason);
                    }
                }
            });
        }
    });
}
