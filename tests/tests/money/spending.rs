//! What customers do: events are authorised, recorded, refunded and voided, and holds end.

use proptest::prelude::*;
use tollgate_core::engine::{
    Authorization, AuthorizationRequest, EngineError, Receipt, RefundRequest, VoidReceipt,
};
use tollgate_core::money::Amount;
use tollgate_core::store::Outcome;
use tollgate_core::wallet::Funder;

use crate::model::{Draws, Event, Hold, HoldState, Source};
use crate::steps::{CENT, price};
use crate::world::{FEE_PERCENT, World, amount};

impl World {
    /// Of each, the customer, the event's id and its tokens.
    pub fn authorize(&mut self, asked: &[(usize, u32, i64)], until: i64) -> Result<(), TestCaseError> {
        let request = |(customer, id, tokens): &_| AuthorizationRequest {
            event: self.event(*customer, *id, *tokens),
            now: self.now,
            expires_at: until,
        };
        let requests = asked.iter().map(request).collect();
        let answers = self.engine.submit_authorizations(requests).unwrap().wait().unwrap();
        prop_assert_eq!(answers.len(), asked.len());
        for ((customer, id, tokens), answer) in asked.iter().zip(answers) {
            self.authorized(*customer, *id, *tokens, until, answer)?;
        }
        Ok(())
    }

    fn authorized(
        &mut self,
        customer: usize,
        id: u32,
        tokens: i64,
        until: i64,
        answer: Authorization,
    ) -> Result<(), TestCaseError> {
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

    pub fn ingest(&mut self, customer: usize, id: u32, tokens: i64) -> Result<(), TestCaseError> {
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
    pub fn resolve(&mut self, id: u32) {
        let hold = self.model.holds.get_mut(&id).unwrap();
        hold.state = HoldState::Resolved;
        let (customer, month, tokens) = (hold.customer, hold.month, hold.tokens);
        self.model.customers[customer].expected[month] -= tokens;
    }

    pub fn give_up(&mut self, id: u32) {
        let Some(hold) = self.model.holds.get(&id).filter(|hold| hold.state == HoldState::Pending) else {
            return;
        };
        let (customer, draws) = (hold.customer, hold.draws.clone());
        self.model.customers[customer].release(&draws);
        self.resolve(id);
    }

    pub fn expire(&mut self) {
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

    pub fn refund(&mut self, id: u32, percent: Option<i64>, by_builder: bool) -> Result<(), TestCaseError> {
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

    pub fn void_event(&mut self, id: u32) -> Result<(), TestCaseError> {
        let answer = self.engine.void(&Self::key(id), "a mistake", None, self.now);
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
