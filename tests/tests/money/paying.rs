//! What banks and Builders do: payments are disputed and sent back, and Builders are paid.

use proptest::prelude::*;
use serde_json::json;
use tollgate_core::engine::{EngineError, PayoutKey};
use tollgate_core::payment::SeenDispute;
use tollgate_core::period::Period;

use crate::steps::{CENT, MONTHS};
use crate::world::{DAY, MINIMUM, NAMES, RESERVE_DAYS, RESERVE_PERCENT, World, amount};

impl World {
    pub fn dispute(&mut self, position: usize, is_won: bool) {
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

    pub fn refund_payment(&mut self, position: usize, percent: i64) -> Result<(), TestCaseError> {
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

    pub fn pay_out(&mut self, arrives: Option<bool>) -> Result<(), TestCaseError> {
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
}
