//! What customers, banks and people at Stripe do, done by a test; and what really moved.

use serde_json::json;

use super::conduct::Fate;
use super::outbox::signature;
use super::world::{Customer, Dispute, Payment, World};
use super::{Conduct, Psp};

/// What moved in a currency, in minor units, whatever anybody was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Customers paid.
    pub received: i64,
    /// Of that, went back.
    pub refunded: i64,
    /// Of that, banks hold or keep.
    pub disputed: i64,
    /// Sent to Builders.
    pub transferred: i64,
    /// Of that, came back.
    pub returned: i64,
}

/// A payment that Stripe knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidIn {
    /// The app and the payment's id, as the platform named them.
    pub payment: (String, String),
    /// Stripe's id.
    pub id: String,
    /// In minor units.
    pub amount: i64,
    /// Whether the money came.
    pub is_paid: bool,
}

/// A transfer that Stripe made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidOut {
    /// The key of the payout.
    pub key: String,
    /// Stripe's id.
    pub id: String,
    /// To whom.
    pub account: String,
    /// In minor units.
    pub amount: i64,
    /// How much of it came back.
    pub returned: i64,
}

impl Psp {
    /// Behaves like this from now on.
    pub fn behave(&self, conduct: Conduct) {
        self.world().conduct = conduct;
    }

    /// What becomes of the next requests.
    pub fn next(&self, fates: &[Fate]) {
        self.world().conduct.script.extend(fates);
    }

    /// The customer pays on the page of a session, and their method is saved. The payment's id.
    pub fn pay(&self, session: &str) -> String {
        let mut world = self.world();
        let customer = world.new_customer(true);
        let id = world.begin(session, &customer);
        world.collect(&id);
        world.end(session, "complete", "checkout.session.completed");
        id
    }

    /// The customer tries to pay on the page of a session, in vain; the page stays open.
    pub fn fail(&self, session: &str) {
        let mut world = self.world();
        let customer = world.new_customer(true);
        world.customers.last_mut().unwrap().declines = true;
        let id = world.begin(session, &customer);
        world.collect(&id);
    }

    /// Nobody paid in time.
    pub fn expire(&self, session: &str) {
        self.world().end(session, "expired", "checkout.session.expired");
    }

    /// A customer, perhaps with a saved method.
    pub fn customer(&self, has_method: bool) -> String {
        self.world().new_customer(has_method)
    }

    /// The customer's method declines, or no longer.
    pub fn decline(&self, customer: &str, declines: bool) {
        let mut world = self.world();
        let known = world.customers.iter_mut().find(|known| known.id == customer);
        known.unwrap().declines = declines;
    }

    /// The customer's bank takes a payment back: so much of it. The dispute's id.
    pub fn dispute(&self, payment: &str, amount: i64) -> String {
        let mut world = self.world();
        let (id, currency) = (world.id("dp"), world.payment(payment).currency.clone());
        let dispute =
            Dispute { id: id.clone(), payment: payment.to_owned(), amount, status: "needs_response" };
        let source = json!({"id": id, "object": "dispute", "payment_intent": payment});
        world.book("dispute", -amount, 1_500, &currency, source);
        let shown = World::shown_dispute(&dispute);
        world.disputes.push(dispute);
        world.tell("charge.dispute.created", &shown);
        id
    }

    /// A dispute is decided, for the platform or against it.
    pub fn decide(&self, dispute: &str, is_won: bool) {
        let mut world = self.world();
        let found = world.disputes.iter_mut().find(|known| known.id == dispute).unwrap();
        found.status = if is_won { "won" } else { "lost" };
        let found = found.clone();
        if is_won {
            let currency = world.payment(&found.payment).currency.clone();
            let source = json!({"id": found.id, "object": "dispute", "payment_intent": found.payment});
            world.book("dispute_reversal", found.amount, -1_500, &currency, source);
        }
        world.tell("charge.dispute.closed", &World::shown_dispute(&found));
    }

    /// The latest refund of a payment could not be delivered, and came back.
    pub fn fail_refund(&self, payment: &str) {
        let mut world = self.world();
        let found = world.refunds.iter_mut().rfind(|refund| refund.payment == payment).unwrap();
        found.status = "failed";
        let found = found.clone();
        let currency = world.payment(payment).currency.clone();
        let source = json!({"id": found.id, "object": "refund", "payment_intent": payment});
        world.book("refund_failure", found.amount, 0, &currency, source);
        world.tell("refund.failed", &World::shown_refund(&found));
    }

    /// Somebody refunds a payment by hand, so that nothing says for which platform it is.
    pub fn refund_by_hand(&self, payment: &str, amount: i64) {
        let mut world = self.world();
        let (id, currency) = (world.id("re"), world.payment(payment).currency.clone());
        let source = json!({"id": id, "object": "refund", "payment_intent": payment});
        world.book("refund", -amount, 0, &currency, source);
        let (status, metadata) = ("succeeded", super::world::Metadata::new());
        let refund = super::world::Refund { id, payment: payment.to_owned(), amount, status, metadata };
        let shown = World::shown_refund(&refund);
        world.refunds.push(refund);
        world.tell("refund.created", &shown);
    }

    /// All of a transfer comes back.
    pub fn reverse(&self, transfer: &str) {
        let mut world = self.world();
        let reversal = world.id("trr");
        let found = world.transfers.iter_mut().find(|known| known.id == transfer).unwrap();
        let left = found.amount - found.reversed;
        found.reversed = found.amount;
        let found = found.clone();
        let source = json!({"id": reversal, "object": "transfer_reversal", "transfer": transfer});
        world.book("transfer_reversal", left, 0, &found.currency, source);
        world.tell("transfer.reversed", &World::shown_transfer(&found));
    }

    /// The platform's balance is empty, or no longer.
    pub fn set_without_funds(&self, has_no_funds: bool) {
        self.world().has_no_funds = has_no_funds;
    }

    /// Stripe forgets the idempotency keys, as it may after 24 hours.
    pub fn forget_keys(&self) {
        self.world().keys.clear();
    }

    /// The search does not find what is newer than this.
    pub fn set_search_lag(&self, seconds: i64) {
        self.world().search_lag = seconds;
    }

    /// What is made from now on is made so many seconds from now; negative for long ago.
    pub fn set_ahead(&self, seconds: i64) {
        self.world().ahead = seconds;
    }

    /// The messages that go out now, each with its signature at a moment (milliseconds since 1970).
    pub fn messages(&self, now: i64) -> Vec<(String, String)> {
        let mut world = self.world();
        let World { outbox, conduct, .. } = &mut *world;
        let bodies = outbox.round(conduct);
        bodies.into_iter().map(|body| (signature(&body, now.div_euclid(1_000)), body)).collect()
    }

    /// The signature of a message that Stripe might send at a moment (milliseconds since 1970).
    pub fn sign(&self, body: &str, now: i64) -> String {
        signature(body, now.div_euclid(1_000))
    }

    /// Posts the messages that go out now; what is not answered with 2xx goes out again next time. How many
    /// were taken.
    pub fn deliver(&self, url: &str, now: i64) -> usize {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut taken = 0;
        for (signature, body) in self.messages(now) {
            let request =
                agent.post(url).header("Stripe-Signature", &signature).content_type("application/json");
            if request.send(&body).is_ok_and(|reply| reply.status().is_success()) {
                taken += 1;
            } else {
                self.world().outbox.push(body);
            }
        }
        taken
    }

    /// What really moved in a currency (small letters).
    pub fn totals(&self, currency: &str) -> Totals {
        let world = self.world();
        let paid =
            world.payments.iter().filter(|paid| paid.currency == currency && paid.status == "succeeded");
        let sent = world.transfers.iter().filter(|sent| sent.currency == currency);
        Totals {
            received: paid.clone().map(|paid| paid.amount).sum(),
            refunded: paid.clone().map(|paid| world.refunded(&paid.id)).sum(),
            disputed: paid.map(|paid| world.disputed(&paid.id)).sum(),
            transferred: sent.clone().map(|sent| sent.amount).sum(),
            returned: sent.map(|sent| sent.reversed).sum(),
        }
    }

    /// Every payment, oldest first.
    pub fn payments(&self) -> Vec<PaidIn> {
        let world = self.world();
        let named = |payment: &Payment, name: &str| payment.metadata.get(name).cloned().unwrap_or_default();
        let paid_in = |payment: &Payment| PaidIn {
            payment: (named(payment, "tollgate_app"), named(payment, "tollgate_payment")),
            id: payment.id.clone(),
            amount: payment.amount,
            is_paid: payment.status == "succeeded",
        };
        world.payments.iter().map(paid_in).collect()
    }

    /// Every transfer, oldest first.
    pub fn transfers(&self) -> Vec<PaidOut> {
        let world = self.world();
        let transfers = world.transfers.iter().map(|transfer| PaidOut {
            key: transfer.metadata.get("tollgate_transfer").cloned().unwrap_or_default(),
            id: transfer.id.clone(),
            account: transfer.destination.clone(),
            amount: transfer.amount,
            returned: transfer.reversed,
        });
        transfers.collect()
    }

    /// The sessions of a payment that were not paid yet, oldest first.
    pub fn open_sessions(&self, app: &str, payment: &str) -> Vec<String> {
        let world = self.world();
        let is_of = |metadata: &super::world::Metadata| {
            metadata.get("tollgate_app").is_some_and(|name| name == app)
                && metadata.get("tollgate_payment").is_some_and(|name| name == payment)
        };
        let open =
            world.sessions.iter().filter(|session| session.status == "open" && is_of(&session.metadata));
        open.map(|session| session.id.clone()).collect()
    }
}

impl World {
    fn new_customer(&mut self, has_method: bool) -> String {
        let id = self.id("cus");
        let method = has_method.then(|| self.id("pm"));
        self.customers.push(Customer { id: id.clone(), method, declines: false });
        id
    }

    /// The payment of a session, which is there from the first attempt.
    fn begin(&mut self, session: &str, customer: &str) -> String {
        let found = self.sessions.iter().find(|known| known.id == session).unwrap().clone();
        assert_eq!(found.status, "open", "{session} can be paid");
        let id = found.payment.unwrap_or_else(|| self.id("pi"));
        self.payments.retain(|payment| payment.id != id);
        self.payments.push(Payment {
            id: id.clone(),
            created: found.created,
            amount: found.amount,
            currency: found.currency,
            customer: customer.to_owned(),
            status: "requires_payment_method",
            error: None,
            metadata: found.payment_metadata,
        });
        self.sessions.iter_mut().find(|known| known.id == session).unwrap().payment = Some(id.clone());
        id
    }

    fn end(&mut self, session: &str, status: &'static str, kind: &str) {
        let found = self.sessions.iter_mut().find(|known| known.id == session).unwrap();
        found.status = status;
        let found = found.clone();
        let shown = self.shown_session(&found, false);
        self.tell(kind, &shown);
    }
}
