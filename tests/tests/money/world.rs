//! Carries steps out on an engine and on the model, and compares them after each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use serde_json::json;
use tollgate_core::engine::{
    Authorization, Engine, EngineError, PaymentRequest, PayoutKey, Receipt, RefundRequest, VoidReceipt,
};
use tollgate_core::event::{Event as CloudEvent, EventKey};
use tollgate_core::ledger::{Account, Owner};
use tollgate_core::money::Amount;
use tollgate_core::payment::{
    Intent, Method, Nudge, PaymentProvider, ProviderError, RefundIntent, Reported, Seen, SeenDispute,
    SeenState, SeenTransfer, Started, TransferIntent,
};
use tollgate_core::payout::{Destination, PayoutTerms};
use tollgate_core::period::Period;
use tollgate_core::store::{Outcome, Store};
use tollgate_core::verify;
use tollgate_core::wallet::{Funder, GrantTerms, WalletTerms};
use tollgate_tests::priced;

use crate::model::{Draws, Event, Grant, Hold, HoldState, Model, Payment, Source};
use crate::steps::{CENT, MONTHS, Step, price};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// 2026-09-20, in UTC.
const START: i64 = 1_789_862_400_000;
/// The first milliseconds of the months after September 2026.
const STARTS: [i64; MONTHS - 1] =
    [1_790_812_800_000, 1_793_491_200_000, 1_796_083_200_000, 1_798_761_600_000, 1_801_440_000_000];
const NAMES: [&str; MONTHS] = ["2026-09", "2026-10", "2026-11", "2026-12", "2027-01", "2027-02"];
/// The platform's share of a charge, the least payout, the share kept back and for how long.
const FEE_PERCENT: i64 = 20;
const MINIMUM: i64 = 30 * CENT;
const RESERVE_PERCENT: i64 = 10;
const RESERVE_DAYS: u32 = 40;

type Open = Box<dyn Fn() -> Arc<dyn Store>>;

/// What the payment provider shows; it always answers. (One that does not is tried in `payment_chaos`.)
#[derive(Default)]
struct Provider(Mutex<BTreeMap<String, Seen>>);

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
    engine: Engine,
    model: Model,
    provider: Provider,
    now: i64,
    names: u32,
}

fn customer_name(customer: usize) -> String {
    format!("customer-{customer}")
}

fn amount(nano: i64) -> Amount {
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

    fn month(&self) -> usize {
        STARTS.iter().filter(|start| **start <= self.now).count()
    }

    /// The first open month from one on.
    fn open_month(&self, month: usize) -> usize {
        (month..MONTHS).find(|month| !self.model.closed[*month]).unwrap()
    }

    fn name(&mut self) -> String {
        self.names += 1;
        self.names.to_string()
    }

    fn event(&self, customer: usize, id: u32, tokens: i64) -> Arc<CloudEvent> {
        priced::event(&customer_name(customer), &format!("e{id}"), tokens, self.now)
    }

    fn key(id: u32) -> EventKey {
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
                return self.authorize(*customer, *id, *tokens, self.now + hours * HOUR);
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

    fn funder(&mut self, by_builder: bool) -> &mut i64 {
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

    fn authorize(&mut self, customer: usize, id: u32, tokens: i64, until: i64) -> Result<(), TestCaseError> {
        let event = self.event(customer, id, tokens);
        let answer = self.engine.authorize(&event, self.now, until).unwrap();
        let month = self.open_month(self.month());
        if self.model.events.contains_key(&id) {
            prop_assert_eq!(answer, Authorization::Recorded);
            return Ok(());
        }
        if let Some(hold) = self.model.holds.get(&id) {
            let is_known = matches!(
                (&answer, &hold.state),
                (Authorization::Conflict, _)
                    | (Authorization::Allowed { .. }, HoldState::Pending)
                    | (Authorization::Resolved(_), HoldState::Resolved)
            );
            prop_assert!(is_known, "{:?} for {:?}", answer, hold);
            return Ok(());
        }
        let price = self.model.customers[customer].price(month, tokens, true);
        let reserved = self.model.customers[customer].reserve(price, self.now);
        match (reserved, answer) {
            (Some(draws), Authorization::Allowed { hold, .. }) => {
                prop_assert_eq!(hold.price.nano(), price);
                prop_assert_eq!(drawn(&hold.draws), draws.clone());
                self.model.customers[customer].expected[month] += tokens;
                let state = HoldState::Pending;
                self.model.holds.insert(id, Hold { customer, tokens, month, draws, until, state });
            }
            (None, Authorization::Denied { price: told, denials, .. }) => {
                prop_assert_eq!(told.map(Amount::nano), Some(price));
                prop_assert_eq!(&denials[0].code, "insufficient_funds");
            }
            (reserved, answer) => prop_assert!(false, "{answer:?}, the model reserved {reserved:?}"),
        }
        Ok(())
    }

    fn ingest(&mut self, customer: usize, id: u32, tokens: i64) -> Result<(), TestCaseError> {
        let event = self.event(customer, id, tokens);
        let receipt = self.engine.record(&[event]).unwrap().remove(0);
        if self.model.events.contains_key(&id) {
            prop_assert!(matches!(receipt, Receipt::Duplicate { .. }), "{:?}", receipt);
            return Ok(());
        }
        let Receipt::Accepted(outcome) = receipt else { panic!("{receipt:?}") };
        let Outcome::Rated(charge) = &*outcome else { panic!("{outcome:?}") };
        let month = self.open_month(self.month());
        let total = self.model.customers[customer].price(month, tokens, false);
        prop_assert_eq!(charge.total.nano(), total);
        self.model.customers[customer].counted[month] += tokens;
        let hold = self.model.holds.get(&id).filter(|hold| hold.state == HoldState::Pending);
        let hold = hold.filter(|hold| hold.customer == customer).cloned();
        let draws = match hold {
            Some(hold) => {
                let draws = self.model.customers[customer].capture(&hold.draws, total, self.now);
                self.resolve(id);
                draws
            }
            None => self.model.customers[customer].draw(total, self.now),
        };
        if !charge.draws.is_empty() {
            prop_assert_eq!(drawn(&charge.draws), draws.clone());
        }
        // Before there is a wallet, what is charged is owed, and nothing is drawn.
        let draws = if charge.draws.is_empty() { Draws::new() } else { draws };
        let fee = total * FEE_PERCENT / 100;
        self.model.platform += fee;
        self.model.builder += total - fee;
        self.model.earned[month] += total - fee;
        let event = Event { customer, tokens, month, total, fee, draws, refunded: 0, is_voided: false };
        self.model.events.insert(id, event);
        Ok(())
    }

    /// A hold's money is not reserved any more.
    fn resolve(&mut self, id: u32) {
        let hold = self.model.holds.get_mut(&id).unwrap();
        hold.state = HoldState::Resolved;
        let (customer, month, tokens) = (hold.customer, hold.month, hold.tokens);
        self.model.customers[customer].expected[month] -= tokens;
    }

    fn give_up(&mut self, id: u32) {
        let Some(hold) = self.model.holds.get(&id).filter(|hold| hold.state == HoldState::Pending) else {
            return;
        };
        let (customer, draws) = (hold.customer, hold.draws.clone());
        self.model.customers[customer].release(&draws);
        self.resolve(id);
    }

    fn expire(&mut self) {
        self.engine.expire(self.now).unwrap();
        let over: Vec<u32> =
            self.model.holds.iter().filter(|(_, hold)| hold.until <= self.now).map(|(id, _)| *id).collect();
        for id in over {
            self.give_up(id);
        }
        let now = self.now;
        for customer in 0..2 {
            for grant in 0..self.model.customers[customer].grants.len() {
                let grant = &mut self.model.customers[customer].grants[grant];
                if grant.until <= now {
                    let free = grant.left - grant.reserved;
                    grant.left -= free;
                    let by_builder = grant.by_builder;
                    *self.funder(by_builder) += free;
                }
            }
        }
    }

    fn refund(&mut self, id: u32, percent: Option<i64>, by_builder: bool) -> Result<(), TestCaseError> {
        let name = self.name();
        let event = self.model.events.get(&id).cloned();
        let asked = event.as_ref().map_or(CENT, |event| {
            percent.map_or(event.total - event.refunded, |percent| event.total * percent / 100)
        });
        let request = RefundRequest {
            id: name,
            amount: percent.map(|_| amount(asked)),
            borne_by: if by_builder { Funder::Builder } else { Funder::Platform },
            reason: "sorry".into(),
        };
        let answer = self.engine.refund(&Self::key(id), &request, self.now);
        let possible = event
            .as_ref()
            .is_some_and(|event| !event.is_voided && asked > 0 && asked <= event.total - event.refunded);
        if !possible {
            prop_assert!(matches!(answer, Err(EngineError::Money(_))), "{:?}", answer);
            return Ok(());
        }
        let refunded = answer.unwrap();
        // The same again changes nothing.
        prop_assert!(self.engine.refund(&Self::key(id), &request, self.now).unwrap().is_repeated);
        let event = self.model.events.get_mut(&id).unwrap();
        event.refunded += asked;
        prop_assert_eq!(refunded.total.nano(), event.refunded);
        let (customer, draws) = (event.customer, event.draws.clone());
        self.model.customers[customer].give_back(&draws, asked);
        *self.funder(by_builder) -= asked;
        Ok(())
    }

    fn void_event(&mut self, id: u32) -> Result<(), TestCaseError> {
        let answer = self.engine.void(&Self::key(id), "a mistake", self.now);
        let Some(event) = self.model.events.get_mut(&id) else {
            prop_assert!(matches!(answer, Ok(VoidReceipt::Unknown)), "{:?}", answer);
            return Ok(());
        };
        if event.is_voided {
            prop_assert!(matches!(answer, Ok(VoidReceipt::Already(_))), "{:?}", answer);
            return Ok(());
        }
        if event.refunded > 0 {
            prop_assert!(matches!(answer, Err(EngineError::NotVoidable(_))), "{:?}", answer);
            return Ok(());
        }
        event.is_voided = true;
        let event = event.clone();
        let customer = &mut self.model.customers[event.customer];
        let counted = customer.counted[event.month];
        let total = price(counted) - price(counted - event.tokens);
        customer.counted[event.month] -= event.tokens;
        customer.give_back(&event.draws, total);
        self.model.platform -= event.fee;
        self.model.builder -= total - event.fee;
        let month = self.open_month(event.month);
        self.model.earned[month] -= total - event.fee;
        let Ok(VoidReceipt::Voided(voided)) = answer else { panic!("{answer:?}") };
        prop_assert_eq!(voided.reversal.unwrap().total.nano(), -total);
        Ok(())
    }

    fn dispute(&mut self, position: usize, is_won: bool) {
        let Some(payment) = self.model.payments.get(position).cloned() else { return };
        let id = format!("p{position}");
        let key = json!(["acme", id]).to_string();
        if payment.is_won {
            return;
        }
        let left = payment.amount - payment.refunded;
        if payment.disputed.is_none() && left == 0 {
            return;
        }
        {
            let mut seen = self.provider.0.lock().unwrap();
            let disputes = &mut seen.get_mut(&key).unwrap().disputes;
            if disputes.is_empty() {
                disputes.push(SeenDispute { id: "d".into(), amount: amount(left), is_won });
            }
            disputes[0].is_won = is_won;
        }
        for _ in 0..2 {
            self.engine.advance_payment("acme", &id, &self.provider, self.now).unwrap();
        }
        let taken = if payment.disputed.is_some() {
            payment.disputed
        } else {
            let borne = self.model.customers[payment.customer].leave(left);
            self.model.builder -= borne;
            self.model.cash -= left;
            Some(borne)
        };
        if is_won {
            let borne = taken.unwrap();
            self.model.customers[payment.customer].pay_in(left - borne);
            self.model.builder += borne;
            self.model.cash += left;
        }
        let payment = &mut self.model.payments[position];
        (payment.disputed, payment.is_won) = (taken, is_won);
    }

    fn refund_payment(&mut self, position: usize, percent: i64) -> Result<(), TestCaseError> {
        let Some(payment) = self.model.payments.get(position).cloned() else { return Ok(()) };
        let id = format!("p{position}");
        let asked = payment.amount * percent / 100 / CENT * CENT;
        let name = self.name();
        let answer = self.engine.refund_payment("acme", &id, &name, amount(asked), self.now);
        let customer = &self.model.customers[payment.customer];
        let gone =
            if payment.disputed.is_some() && !payment.is_won { payment.amount - payment.refunded } else { 0 };
        let left = (payment.amount - payment.refunded - gone).min(customer.paid - customer.paid_reserved);
        if asked == 0 || asked > left {
            prop_assert!(matches!(answer, Err(EngineError::Money(_))), "{:?}", answer);
            return Ok(());
        }
        answer.unwrap();
        self.engine.advance_payment("acme", &id, &self.provider, self.now).unwrap();
        self.model.customers[payment.customer].paid -= asked;
        self.model.payments[position].refunded += asked;
        self.model.cash -= asked;
        Ok(())
    }

    fn pay_out(&mut self, arrives: Option<bool>) -> Result<(), TestCaseError> {
        let Some(month) = (0..MONTHS).rfind(|month| self.model.closed[*month]) else { return Ok(()) };
        let period: Period = NAMES[month].parse().unwrap();
        let dry = self.engine.plan_payouts(period, self.now, true).unwrap();
        let planned = self.engine.plan_payouts(period, self.now, false).unwrap();
        prop_assert_eq!(&dry, &planned);
        let again = self.engine.plan_payouts(period, self.now, false).unwrap();
        let paid = |planned: &tollgate_core::engine::Planned| {
            planned.payouts.iter().map(|one| one.payout.clone()).collect::<Vec<_>>()
        };
        prop_assert_eq!(paid(&again), paid(&planned));
        if planned.payouts.iter().any(|payout| payout.is_repeated) {
            return Ok(());
        }
        let months = (0..MONTHS).filter(|month| self.model.closed[*month]);
        let new: Vec<usize> = months.filter(|month| !self.model.counted[*month]).collect();
        let earned: i64 = new.iter().map(|month| self.model.earned[*month]).sum();
        let not_yet: i64 = (0..MONTHS)
            .filter(|month| !self.model.closed[*month])
            .map(|month| self.model.earned[month])
            .sum();
        let released: i64 =
            self.model.reserves.iter().filter(|(until, _)| *until <= self.now).map(|(_, nano)| nano).sum();
        let reserve = earned.max(0) * RESERVE_PERCENT / 100;
        let rest = self.model.builder - not_yet + released - reserve;
        let pays = rest.max(0) / CENT * CENT;
        if pays == 0 || pays < MINIMUM {
            prop_assert_eq!(planned.payouts.len(), 0);
            prop_assert_eq!(planned.skipped[0].carried, i128::from(self.model.builder - not_yet));
            return Ok(());
        }
        prop_assert_eq!(planned.payouts.len(), 1, "{:?}", planned);
        let payout = &planned.payouts[0].payout;
        let told =
            (payout.amount.nano(), payout.reserved.nano(), payout.released.nano(), payout.carried.nano());
        prop_assert_eq!(told, (pays, reserve, released, rest - pays));
        // A month without a statement earned nothing, and is not told of.
        for month in new {
            self.model.counted[month] |=
                payout.earned.iter().any(|earned| earned.period.to_string() == NAMES[month]);
        }
        self.model.reserves.retain(|(until, _)| *until > self.now);
        self.model.reserve += reserve - released;
        if reserve > 0 {
            self.model.reserves.push((self.now + i64::from(RESERVE_DAYS) * DAY, reserve));
        }
        self.model.builder = rest - pays + not_yet;
        self.model.transit += pays;
        let key = PayoutKey { builder: "builder".into(), period, currency: "USD".into() };
        let Some(arrives) = arrives else { return Ok(()) };
        self.engine.approve_payout(&key, self.now).unwrap();
        self.engine.submit_payout(&key, self.now).unwrap();
        self.model.transit -= pays;
        if arrives {
            self.engine.payout_paid(&key, "statement 1", self.now).unwrap();
            self.engine.payout_paid(&key, "statement 1", self.now).unwrap();
            self.model.cash -= pays;
        } else {
            self.engine.payout_returned(&key, "no such account", self.now).unwrap();
            self.engine.payout_returned(&key, "no such account", self.now).unwrap();
            self.model.builder += pays;
        }
        Ok(())
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

fn drawn(draws: &[tollgate_core::wallet::Draw]) -> Draws {
    let source = |draw: &tollgate_core::wallet::Draw| match &draw.source {
        tollgate_core::wallet::Source::Grant(id) => Source::Grant(id.to_string()),
        tollgate_core::wallet::Source::Paid => Source::Paid,
        tollgate_core::wallet::Source::Credit => Source::Credit,
        tollgate_core::wallet::Source::Uncovered => Source::Uncovered,
    };
    draws.iter().map(|draw| (source(draw), draw.amount.nano())).collect()
}
