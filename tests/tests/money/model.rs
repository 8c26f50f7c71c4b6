//! What money should do, said as simply as possible: whole nano-units, lists that are gone through.

use std::collections::BTreeMap;

use super::steps::{MONTHS, price};

/// Where a charge's money came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Grant(String),
    Paid,
    Credit,
    Uncovered,
}

pub type Draws = Vec<(Source, i64)>;

#[derive(Clone, Debug)]
pub struct Grant {
    pub id: String,
    pub priority: u32,
    pub from: i64,
    pub until: i64,
    pub by_builder: bool,
    pub left: i64,
    pub reserved: i64,
}

/// One customer's money.
#[derive(Clone, Debug, Default)]
pub struct Customer {
    pub limit: Option<i64>,
    /// All that were ever granted.
    pub grants: Vec<Grant>,
    pub paid: i64,
    pub paid_reserved: i64,
    pub credit: i64,
    pub credit_reserved: i64,
    pub uncovered: i64,
    /// By month, how many tokens were counted, and will be once every hold is captured.
    pub counted: [i64; MONTHS],
    pub expected: [i64; MONTHS],
}

impl Customer {
    fn in_order(&self, time: i64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.grants.len()).collect();
        order.retain(|at| self.grants[*at].from <= time && time < self.grants[*at].until);
        order.sort_by_key(|at| {
            let grant = &self.grants[*at];
            (grant.priority, grant.until, grant.from, grant.id.clone())
        });
        order
    }

    /// What could be reserved; `None` for any amount.
    pub fn available(&self, time: i64) -> Option<i64> {
        let grants =
            self.in_order(time).into_iter().map(|at| self.grants[at].left - self.grants[at].reserved);
        let credit = (self.limit? - self.credit - self.credit_reserved).max(0);
        Some(grants.sum::<i64>() + self.paid - self.paid_reserved + credit)
    }

    /// Divides an amount over what is free, in burn order.
    fn divide(&self, mut amount: i64, time: i64) -> Draws {
        let mut draws = Draws::new();
        for at in self.in_order(time) {
            let grant = &self.grants[at];
            take(&mut draws, Source::Grant(grant.id.clone()), &mut amount, grant.left - grant.reserved);
        }
        take(&mut draws, Source::Paid, &mut amount, self.paid - self.paid_reserved);
        let credit = self.limit.map_or(amount, |limit| limit - self.credit - self.credit_reserved);
        take(&mut draws, Source::Credit, &mut amount, credit);
        let rest = amount;
        take(&mut draws, Source::Uncovered, &mut amount, rest);
        draws
    }

    fn spend(&mut self, draws: &Draws) {
        for (source, amount) in draws {
            match source {
                Source::Grant(id) => self.grant(id).left -= amount,
                Source::Paid => self.paid -= amount,
                Source::Credit => self.credit += amount,
                Source::Uncovered => self.uncovered += amount,
            }
        }
    }

    fn grant(&mut self, id: &str) -> &mut Grant {
        self.grants.iter_mut().find(|grant| grant.id == id).unwrap()
    }

    pub fn draw(&mut self, amount: i64, time: i64) -> Draws {
        let draws = self.divide(amount, time);
        self.spend(&draws);
        draws
    }

    /// Reserves, unless there is too little.
    pub fn reserve(&mut self, amount: i64, time: i64) -> Option<Draws> {
        if self.available(time).is_some_and(|available| available < amount) {
            return None;
        }
        let draws = self.divide(amount, time);
        self.reserved(&draws, 1);
        Some(draws)
    }

    pub fn release(&mut self, draws: &Draws) {
        self.reserved(draws, -1);
    }

    fn reserved(&mut self, draws: &Draws, sign: i64) {
        for (source, amount) in draws {
            match source {
                Source::Grant(id) => self.grant(id).reserved += sign * amount,
                Source::Paid => self.paid_reserved += sign * amount,
                Source::Credit => self.credit_reserved += sign * amount,
                Source::Uncovered => panic!("nothing is reserved from nothing"),
            }
        }
    }

    pub fn capture(&mut self, reserved: &Draws, total: i64, time: i64) -> Draws {
        self.release(reserved);
        let mut rest = total;
        let mut draws = Draws::new();
        for (source, amount) in reserved {
            let free = match (source, self.limit) {
                (Source::Credit, Some(limit)) => (limit - self.credit).min(*amount),
                _ => *amount,
            };
            take(&mut draws, source.clone(), &mut rest, free);
        }
        self.spend(&draws);
        for (source, amount) in self.draw(rest, time) {
            let mut amount = amount;
            let free = amount;
            take(&mut draws, source, &mut amount, free);
        }
        draws
    }

    pub fn pay_in(&mut self, mut amount: i64) {
        for owed in [&mut self.uncovered, &mut self.credit] {
            let part = amount.min(*owed);
            *owed -= part;
            amount -= part;
        }
        self.paid += amount;
    }

    pub fn give_back(&mut self, draws: &Draws, mut amount: i64) {
        for (source, drawn) in draws.iter().rev() {
            let part = amount.min(*drawn);
            amount -= part;
            match source {
                Source::Grant(id) => self.grant(id).left += part,
                _ => self.pay_in(part),
            }
        }
        self.pay_in(amount);
    }

    /// Money leaves by the way it came; gives back what the Builder has to bear.
    pub fn leave(&mut self, amount: i64) -> i64 {
        let part = amount.min(self.paid - self.paid_reserved);
        self.paid -= part;
        amount - part
    }

    pub fn set_limit(&mut self, limit: Option<i64>) {
        let owed = self.credit + self.uncovered;
        let within = limit.map_or(owed, |limit| owed.min((limit - self.credit_reserved).max(0)));
        (self.credit, self.uncovered, self.limit) = (within, owed - within, limit);
    }

    /// What another event of so many tokens costs, with or without what holds will count.
    pub fn price(&self, month: usize, tokens: i64, with_holds: bool) -> i64 {
        let counted = self.counted[month] + if with_holds { self.expected[month] } else { 0 };
        price(counted + tokens) - price(counted)
    }
}

fn take(draws: &mut Draws, source: Source, missing: &mut i64, free: i64) {
    let part = (*missing).min(free).max(0);
    *missing -= part;
    if part == 0 {
        return;
    }
    match draws.iter_mut().find(|(other, _)| *other == source) {
        Some((_, amount)) => *amount += part,
        None => draws.push((source, part)),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldState {
    Pending,
    Resolved,
}

#[derive(Clone, Debug)]
pub struct Hold {
    pub customer: usize,
    pub tokens: i64,
    /// The tokens by which it was estimated, and the month.
    pub month: usize,
    pub draws: Draws,
    pub until: i64,
    pub state: HoldState,
}

#[derive(Clone, Debug)]
pub struct Event {
    pub customer: usize,
    pub tokens: i64,
    pub month: usize,
    pub total: i64,
    pub fee: i64,
    pub draws: Draws,
    pub refunded: i64,
    pub is_voided: bool,
}

#[derive(Clone, Debug)]
pub struct Payment {
    pub customer: usize,
    pub amount: i64,
    pub refunded: i64,
    /// What was taken back and borne by the Builder; once.
    pub disputed: Option<i64>,
    pub is_won: bool,
}

/// Everything.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub customers: [Customer; 2],
    pub holds: BTreeMap<u32, Hold>,
    pub events: BTreeMap<u32, Event>,
    pub payments: Vec<Payment>,
    /// What the Builder's account has.
    pub builder: i64,
    pub platform: i64,
    /// What periods earned the Builder.
    pub earned: [i64; MONTHS],
    pub closed: [bool; MONTHS],
    /// Which periods' earnings a payout has counted.
    pub counted: [bool; MONTHS],
    /// What is outside the ledger and came in.
    pub cash: i64,
    pub reserve: i64,
    /// Reserves: until when, how much.
    pub reserves: Vec<(i64, i64)>,
    pub transit: i64,
}
