//! What the fake knows: everything it made, and what moved on its balance. Amounts are in minor units.

use std::collections::{BTreeMap, HashMap};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::conduct::Conduct;
use super::outbox::Outbox;

pub(super) type Metadata = BTreeMap<String, String>;

#[derive(Clone)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) status: &'static str,
    pub(super) metadata: Metadata,
    pub(super) payment_metadata: Metadata,
    pub(super) payment: Option<String>,
}

#[derive(Clone)]
pub(super) struct Payment {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) customer: String,
    pub(super) status: &'static str,
    pub(super) error: Option<String>,
    pub(super) metadata: Metadata,
}

#[derive(Clone)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) payment: String,
    pub(super) amount: i64,
    pub(super) status: &'static str,
    pub(super) metadata: Metadata,
}

#[derive(Clone)]
pub(super) struct Dispute {
    pub(super) id: String,
    pub(super) payment: String,
    pub(super) amount: i64,
    pub(super) status: &'static str,
}

#[derive(Clone)]
pub(super) struct Transfer {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) destination: String,
    pub(super) group: String,
    pub(super) metadata: Metadata,
    pub(super) reversed: i64,
}

#[derive(Clone)]
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) method: Option<String>,
    pub(super) declines: bool,
}

/// A row of the balance.
#[derive(Clone)]
pub(super) struct Booked {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) amount: i64,
    pub(super) fee: i64,
    pub(super) currency: String,
    pub(super) category: &'static str,
    pub(super) source: Value,
}

pub(super) struct World {
    pub(super) conduct: Conduct,
    pub(super) outbox: Outbox,
    pub(super) sessions: Vec<Session>,
    pub(super) payments: Vec<Payment>,
    pub(super) refunds: Vec<Refund>,
    pub(super) disputes: Vec<Dispute>,
    pub(super) transfers: Vec<Transfer>,
    pub(super) customers: Vec<Customer>,
    pub(super) booked: Vec<Booked>,
    /// What was asked for with a key, and what was answered.
    pub(super) keys: HashMap<String, (String, (u16, Value))>,
    pub(super) has_no_funds: bool,
    /// The search does not find what is newer than this many seconds.
    pub(super) search_lag: i64,
    /// How far the fake's clock is ahead, in seconds.
    pub(super) ahead: i64,
    next_id: u64,
}

impl World {
    pub(super) fn new(conduct: Conduct) -> Self {
        Self {
            conduct,
            outbox: Outbox::default(),
            sessions: Vec::new(),
            payments: Vec::new(),
            refunds: Vec::new(),
            disputes: Vec::new(),
            transfers: Vec::new(),
            customers: Vec::new(),
            booked: Vec::new(),
            keys: HashMap::new(),
            has_no_funds: false,
            search_lag: 0,
            ahead: 0,
            next_id: 0,
        }
    }

    pub(super) fn now(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        i64::try_from(now).unwrap() + self.ahead
    }

    pub(super) fn id(&mut self, prefix: &str) -> String {
        self.next_id += 1;
        format!("{prefix}_{:06}", self.next_id)
    }

    pub(super) fn payment(&mut self, id: &str) -> &mut Payment {
        self.payments.iter_mut().find(|payment| payment.id == id).unwrap()
    }

    /// Puts a row on the balance.
    pub(super) fn book(
        &mut self,
        category: &'static str,
        amount: i64,
        fee: i64,
        currency: &str,
        source: Value,
    ) {
        let (id, created, currency) = (self.id("txn"), self.now(), currency.to_owned());
        self.booked.push(Booked { id, created, amount, fee, currency, category, source });
    }

    /// Tells the platform that something happened to an object.
    pub(super) fn tell(&mut self, kind: &str, object: &Value) {
        let (id, created) = (self.id("evt"), self.now());
        let event = json!({"id": id, "object": "event", "type": kind, "created": created, "data": {"object": object}});
        self.outbox.push(event.to_string());
    }

    /// Takes the money of a payment, unless the customer's method declines.
    pub(super) fn collect(&mut self, id: &str) {
        let payment = self.payment(id).clone();
        let declines =
            self.customers.iter().any(|customer| customer.id == payment.customer && customer.declines);
        let kept = self.payment(id);
        if declines {
            kept.status = "requires_payment_method";
            kept.error = Some("Your card was declined.".into());
            let shown = self.shown_payment(id, false);
            self.tell("payment_intent.payment_failed", &shown);
        } else {
            kept.status = "succeeded";
            let source = json!({"id": format!("ch_{id}"), "object": "charge", "payment_intent": id});
            let fee = payment.amount * 29 / 1_000 + 30;
            self.book("charge", payment.amount, fee, &payment.currency, source);
            let shown = self.shown_payment(id, false);
            self.tell("payment_intent.succeeded", &shown);
        }
    }

    pub(super) fn refunded(&self, payment: &str) -> i64 {
        let refunds =
            self.refunds.iter().filter(|refund| refund.payment == payment && refund.status != "failed");
        refunds.map(|refund| refund.amount).sum()
    }

    /// What banks hold or keep of a payment.
    pub(super) fn disputed(&self, payment: &str) -> i64 {
        let disputes = self.disputes.iter().filter(|dispute| dispute.payment == payment);
        disputes.filter(|dispute| dispute.status != "won").map(|dispute| dispute.amount).sum()
    }
}
