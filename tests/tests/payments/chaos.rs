//! A thousand bad days: whatever is lost on the way, everything is done once, and is seen.

use tollgate_core::payment::{PaymentProvider as _, ProviderError, Seen, SeenState};
use tollgate_payments::Stripe;
use tollgate_tests::psp::{Conduct, Psp, Totals};

use super::{amount, payout, refund, saved, stripe, top_up};

/// Fewer where the program was built without optimisation.
const SEEDS: u64 = if cfg!(debug_assertions) { 200 } else { 1_000 };
/// Nobody is unlucky this many times in a row.
const TRIES: usize = 100;

/// Repeats a call as whoever stored its intent would: until it is done, or is refused.
fn insist<T>(what: &str, mut call: impl FnMut() -> Result<T, ProviderError>) -> T {
    for _ in 0..TRIES {
        match call() {
            Ok(done) => return done,
            Err(ProviderError::Unavailable(_) | ProviderError::Unknown(_)) => {}
            Err(error) => panic!("{what}: {error}"),
        }
    }
    panic!("{what}: in vain");
}

fn look(stripe: &Stripe, intent: &tollgate_core::payment::Intent, reference: Option<&str>) -> Option<Seen> {
    insist("look up", || stripe.look_up(intent, reference))
}

#[test]
fn everything_is_done_once() {
    for seed in 0..SEEDS {
        let psp = Psp::start(Conduct::bad(seed));
        let stripe = stripe(&psp);

        let intent = top_up("one");
        let page = insist("start", || stripe.start(&intent));
        assert!(page.url.is_some(), "seed {seed}");
        let payment = psp.pay(&page.reference);
        let seen = look(&stripe, &intent, Some(&page.reference)).unwrap();
        assert_eq!((&seen.state, &seen.reference), (&SeenState::Succeeded, &payment), "seed {seed}");

        let payer = psp.customer(true);
        let automatic = saved("two", &payer);
        insist("start", || stripe.start(&automatic));
        psp.forget_keys();
        insist("start", || stripe.start(&automatic));

        for id in ["a", "b"] {
            insist("refund", || stripe.refund(&refund(id, &payment, "10")));
            psp.forget_keys();
            insist("refund", || stripe.refund(&refund(id, &payment, "10")));
        }
        let seen = look(&stripe, &intent, None).unwrap();
        assert_eq!(seen.refunded, amount("20"), "seed {seed}");

        insist("transfer", || stripe.transfer(&payout("30")));
        psp.forget_keys();
        insist("transfer", || stripe.transfer(&payout("30")));

        let moved = Totals { received: 10_000, refunded: 2_000, transferred: 3_000, ..Totals::default() };
        assert_eq!(psp.totals("usd"), moved, "seed {seed}");
        assert_eq!((psp.payments().len(), psp.transfers().len()), (2, 1), "seed {seed}");
    }
}
