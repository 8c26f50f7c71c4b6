//! Carries steps out on an engine and on the model, and compares them after each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use tollgate_core::engine::{Engine, PaymentRequest};
use tollgate_core::event::{Event as CloudEvent, EventKey};
use tollgate_core::ledger::{Account, Owner};
use tollgate_core::money::Amount;
use tollgate_core::payment::{
    Intent, Method, Nudge, PaymentProvider, ProviderError, RefundIntent, Reported, Seen, SeenState,
    SeenTransfer, Started, TransferIntent,
};
use tollgate_core::payout::{Destination, PayoutTerms};
use tollgate_core::store::Store;
use tollgate_core::verify;
use tollgate_core::wallet::{Funder, GrantTerms, WalletTerms};
use tollgate_tests::priced;

use crate::model::{Grant, Model, Payment};
use crate::steps::{CENT, MONTHS, Step};

pub const HOUR: i64 = 3_600_000;
pub const DAY: i64 = 24 * HOUR;
/// 2026-09-20, in UTC.
const START: i64 = 1_789_862_400_000;
/// The first milliseconds of the months after September 2026.
const STARTS: [i64; MONTHS - 1] =
    [1_790_812_800_000, 1_793_491_200_000, 1_796_083_200_000, 1_798_761_600_000, 1_801_440_000_000];
pub const NAMES: [&str; MONTHS] = ["2026-09", "2026-10", "2026-11", "2026-12", "2027-01", "2027-02"];
/// The platform's share of a charge, the least payout, the share kept back and for how long.
pub const FEE_PERCENT: i64 = 20;
pub const MINIMUM: i64 = 30 * CENT;
pub const RESERVE_PERCENT: i64 = 10;
pub const RESERVE_DAYS: u32 = 40;

type Open = Box<dyn Fn() -> Arc<dyn Store>>;

/// What the payment provider shows; it always answers. (One that does not is tried in `payment_chaos`.)
#[derive(Default)]
pub struct Provider(pub Mutex<BTreeMap<String, Seen>>);

impl PaymentProvider for Provider {
    fn name(&self) -> &'static str {
        "provider"
    }

    fn start(&self, intent: &Intent) -> Result<Started, ProviderError> {
        let reference = intent.key.clone();
        let (state, refunded, disputes) = (SeenState::Succeeded, Amount::ZERO, Vec::new());
        let seen = Seen { reference: reference.clone(), state, url: None, payer: None, refunded, disputes };
        self.0.lock().unwrap().entry(reference.clone()).or_insert(seen);
        Ok(Started { reference, url: None })
    }

    fn look_up(&self, intent: &Intent, _: Option<&str>) -> Result<Option<Seen>, ProviderError> {
        Ok(self.0.lock().unwrap().get(&intent.key).cloned())
    }

    fn refund(&self, refund: &RefundIntent) -> Result<(), ProviderError> {
        let mut seen = self.0.lock().unwrap();
        let seen = seen.get_mut(&refund.reference).unwrap();
        seen.refunded = seen.refunded.checked_add(refund.amount).unwrap();
        Ok(())
    }

    fn transfer(&self, _: &TransferIntent) -> Result<SeenTransfer, ProviderError> {
        unreachable!("payouts go to a bank here")
    }

    fn look_up_transfer(&self, _: &TransferIntent) -> Result<Option<SeenTransfer>, ProviderError> {
        Ok(None)
    }

    fn read_message(&self, _: &str, _: &[u8], _: i64) -> Result<Nudge, ProviderError> {
        Err(ProviderError::Forged("nobody sends messages here".into()))
    }

    fn report(&self, _: i64, _: i64) -> Result<Vec<Reported>, ProviderError> {
        Ok(Vec::new())
    }
}

/// The engine, the model, the provider and the clock.
pub struct World {
    open: Open,
    pub engine: Engine,
    pub model: Model,
    pub provider: Provider,
    pub now: i64,
    names: u32,
}

pub fn customer_name(customer: usize) -> String {
    format!("customer-{customer}")
}

pub fn amount(nano: i64) -> Amount {
    Amount::from_nano(nano)
}

impl World {
    pub fn new(open: Open) -> Self {
        let payouts = PayoutTerms {
            minimum: BTreeMap::from([("USD".to_owned(), amount(MINIMUM))]),
            hold_back_days: 0,
            reserve_share: format!("0.{RESERVE_PERCENT}").parse().unwrap(),
            reserve_days: RESERVE_DAYS,
            destination: Some(Destination::Bank {
                name: "Builder".into(),
                iban: "DE89370400440532013000".into(),
                bic: None,
            }),
        };
        let engine = priced::engine(open(), payouts);
        let (model, provider) = Default::default();
        Self { open, engine, model, provider, now: START, names: 0 }
    }

    pub fn run(mut self, steps: &[Step]) -> Result<(), TestCaseError> {
        for step in steps {
            self.step(step)?;
            self.compare(step)?;
        }
        Ok(())
    }

    pub fn month(&self) -> usize {
        STARTS.iter().filter(|start| **start <= self.now).count()
    }

    /// The first open month from one on.
    pub fn open_month(&self, month: usize) -> usize {
        (month..MONTHS).find(|month| !self.model.closed[*month]).unwrap()
    }

    pub fn name(&mut self) -> String {
        self.names += 1;
        self.names.to_string()
    }

    pub fn event(&self, customer: usize, id: u32, tokens: i64) -> Arc<CloudEvent> {
        priced::event(&customer_name(customer), &format!("e{id}"), tokens, self.now)
    }

    pub fn key(id: u32) -> EventKey {
        EventKey { app: "acme".into(), id: format!("e{id}") }
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Grant { customer, cents, priority, from_hours, hours, by_builder } => {
                let id = self.name();
                let from = self.now + from_hours * HOUR;
                let until = from + hours * HOUR;
                let terms = GrantTerms {
                    id: id.as_str().into(),
                    amount: amount(cents * CENT),
                    funder: if *by_builder { Funder::Builder } else { Funder::Platform },
                    priority: *priority,
                    effective_at: from,
                    expires_at: Some(until),
                    reason: String::new(),
                };
                self.engine.grant("acme", &customer_name(*customer), &terms, self.now).unwrap();
                let left = cents * CENT;
                let grant = Grant {
                    id,
                    priority: *priority,
                    from,
                    until,
                    by_builder: *by_builder,
                    left,
                    reserved: 0,
                };
                self.model.customers[*customer].grants.push(grant);
                *self.funder(*by_builder) -= left;
            }
            Step::TopUp { customer, cents } => self.top_up(*customer, cents * CENT),
            Step::Limit { customer, cents } => {
                let limit = cents.map(|cents| cents * CENT);
                let terms = WalletTerms { credit_limit: limit.map(amount), ..WalletTerms::default() };
                self.engine.agree("acme", &customer_name(*customer), &terms).unwrap();
                self.model.customers[*customer].set_limit(limit);
            }
            Step::Authorize { customer, id, tokens, hours } => {
                return self.authorize(&[(*customer, *id, *tokens)], self.now + hours * HOUR);
            }
            Step::AuthorizeTogether { asked, hours } => {
                return self.authorize(asked, self.now + hours * HOUR);
            }
            Step::Ingest { customer, id, tokens } => return self.ingest(*customer, *id, *tokens),
            Step::VoidHold { id } => {
                self.engine.void_hold(&Self::key(*id), self.now).unwrap();
                self.give_up(*id);
            }
            Step::Pass { hours } => {
                // The last month of the calendar is not reached.
                self.now = (self.now + hours * HOUR).min(STARTS[MONTHS - 2] - HOUR);
                self.expire();
            }
            Step::Refund { id, percent, by_builder } => return self.refund(*id, *percent, *by_builder),
            Step::VoidEvent { id } => return self.void_event(*id),
            Step::Dispute { payment, is_won } => self.dispute(*payment, *is_won),
            Step::RefundPayment { payment, percent } => return self.refund_payment(*payment, *percent),
            Step::Close => {
                let month = self.open_month(0);
                if month < self.month() {
                    self.engine.close("acme", NAMES[month].parse().unwrap()).unwrap();
                    self.model.closed[month] = true;
                }
            }
            Step::PayOut { arrives } => return self.pay_out(*arrives),
            Step::Crash => {
                let stopped = Engine::open(Arc::new(tollgate_store::MemoryStore::new()), priced::pricer());
                // The old engine and its store are gone before the new ones come.
                drop(std::mem::replace(&mut self.engine, stopped.unwrap()));
                self.engine = Engine::open((self.open)(), priced::pricer()).unwrap();
            }
        }
        Ok(())
    }

    pub fn funder(&mut self, by_builder: bool) -> &mut i64 {
        if by_builder { &mut self.model.builder } else { &mut self.model.platform }
    }

    fn top_up(&mut self, customer: usize, nano: i64) {
        let id = format!("p{}", self.model.payments.len());
        let method = Method::Saved { payer: "payer".into() };
        let request =
            PaymentRequest { id: id.clone(), amount: amount(nano), provider: "provider".into(), method };
        self.engine.request_payment("acme", &customer_name(customer), &request, self.now).unwrap();
        // Asking again changes nothing.
        self.engine.request_payment("acme", &customer_name(customer), &request, self.now).unwrap();
        for _ in 0..3 {
            self.engine.advance_payment("acme", &id, &self.provider, self.now).unwrap();
        }
        self.model.customers[customer].pay_in(nano);
        self.model.cash += nano;
        self.model.payments.push(Payment {
            customer,
            amount: nano,
            refunded: 0,
            disputed: None,
            is_won: false,
        });
    }

    fn compare(&self, step: &Step) -> Result<(), TestCaseError> {
        for (position, expected) in self.model.customers.iter().enumerate() {
            let Some(wallet) = self.engine.wallet("acme", &customer_name(position)).unwrap() else {
                continue;
            };
            let found = [
                wallet.paid.amount,
                wallet.paid.reserved,
                wallet.credit.amount,
                wallet.credit.reserved,
                wallet.uncovered,
            ];
            let said = [
                expected.paid,
                expected.paid_reserved,
                expected.credit,
                expected.credit_reserved,
                expected.uncovered,
            ];
            prop_assert_eq!(found.map(Amount::nano), said, "customer {} after {:?}", position, step);
            let mut grants: Vec<_> = wallet
                .grants
                .iter()
                .map(|grant| (grant.terms.id.to_string(), grant.left.nano(), grant.reserved.nano()))
                .collect();
            let mut said: Vec<_> = expected
                .grants
                .iter()
                .filter(|grant| grant.left > 0)
                .map(|grant| (grant.id.clone(), grant.left, grant.reserved))
                .collect();
            grants.sort();
            said.sort();
            prop_assert_eq!(grants, said, "customer {} after {:?}", position, step);
        }
        let net = |owner| {
            let account = Account { owner, currency: "USD".into() };
            self.engine.store().balance(&account).unwrap().net().unwrap()
        };
        let held = -net(Owner::Clearing("provider".into())) - net(Owner::Clearing("bank".into()));
        let found = [
            net(Owner::Builder("builder".into())),
            net(Owner::Platform),
            net(Owner::Reserve("builder".into())),
            net(Owner::Transit("builder".into())),
            held,
        ];
        let model = &self.model;
        let said = [model.builder, model.platform, model.reserve, model.transit, model.cash];
        prop_assert_eq!(
            found,
            said.map(i128::from),
            "Builder, platform, reserve, transit, cash after {:?}",
            step
        );
        for check in verify::verify(&self.engine, &mut |_| {}).unwrap() {
            prop_assert_eq!(check.violations, 0, "{}: {:?} after {:?}", check.invariant, check.told, step);
        }
        Ok(())
    }
}
