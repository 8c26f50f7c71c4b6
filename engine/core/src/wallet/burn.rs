//! Where a charge's money comes from, and where it goes back to.

use super::{Draw, Grant, GrantTerms, Source, Wallet, WalletTerms};
use crate::money::Amount;

/// What is missing for a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// What could have been reserved.
    pub available: Amount,
}

impl Wallet {
    /// What a hold could reserve for an event of this time; `None` when any amount may be owed.
    pub fn available_at(&self, time: i64) -> Option<Amount> {
        let limit = self.terms.credit_limit?;
        let grants = self.grants.iter().filter(|grant| grant.is_in_force_at(time)).map(Grant::free);
        let money = grants.chain([self.paid_free(), self.credit_free(limit)]);
        Some(money.fold(Amount::ZERO, saturating_sum))
    }

    /// What is left of granted credit that is in force, and not reserved.
    pub fn granted_at(&self, time: i64) -> Amount {
        let grants = self.grants.iter().filter(|grant| grant.is_in_force_at(time));
        grants.map(Grant::free).fold(Amount::ZERO, saturating_sum)
    }

    /// What is owed, within the limit and beyond.
    pub fn owed(&self) -> Amount {
        saturating_sum(self.credit.amount, self.uncovered)
    }

    /// What pending holds reserve, wherever they reserve it.
    pub fn reserved(&self) -> Amount {
        let grants = self.grants.iter().map(|grant| grant.reserved);
        grants.chain([self.paid.reserved, self.credit.reserved]).fold(Amount::ZERO, saturating_sum)
    }

    /// What is left of the customer's own money, and not reserved.
    pub fn paid_free(&self) -> Amount {
        difference(self.paid.amount, self.paid.reserved)
    }

    fn credit_free(&self, limit: Amount) -> Amount {
        difference(limit, saturating_sum(self.credit.amount, self.credit.reserved))
    }

    /// Covers a charge of an event of this time, in burn order. Money given to the customer (a negative
    /// charge) comes in as a payment does. `None` when a sum does not fit.
    pub fn draw(&mut self, total: Amount, time: i64) -> Option<Vec<Draw>> {
        if total < Amount::ZERO {
            return self.pay_in(total.checked_neg()?);
        }
        let mut parts = Parts::new(total);
        for grant in self.grants.iter_mut().filter(|grant| grant.is_in_force_at(time)) {
            let part = parts.take(Source::Grant(grant.terms.id.clone()), grant.free())?;
            grant.left = grant.left.checked_sub(part)?;
        }
        let part = parts.take(Source::Paid, self.paid_free())?;
        self.paid.amount = self.paid.amount.checked_sub(part)?;
        let free = self.terms.credit_limit.map_or(parts.missing, |limit| self.credit_free(limit));
        let part = parts.take(Source::Credit, free)?;
        self.credit.amount = self.credit.amount.checked_add(part)?;
        let part = parts.take(Source::Uncovered, parts.missing)?;
        self.uncovered = self.uncovered.checked_add(part)?;
        self.drop_used_grants();
        Some(parts.draws)
    }

    /// Reserves for an event of this time, in burn order.
    ///
    /// # Errors
    /// [`Shortfall`] when there is less; then nothing is reserved.
    pub fn reserve(&mut self, total: Amount, time: i64) -> Result<Vec<Draw>, Shortfall> {
        if let Some(available) = self.available_at(time).filter(|available| *available < total) {
            return Err(Shortfall { available });
        }
        self.reserve_available(total, time).ok_or(Shortfall { available: Amount::ZERO })
    }

    fn reserve_available(&mut self, total: Amount, time: i64) -> Option<Vec<Draw>> {
        let mut parts = Parts::new(total);
        for grant in self.grants.iter_mut().filter(|grant| grant.is_in_force_at(time)) {
            let part = parts.take(Source::Grant(grant.terms.id.clone()), grant.free())?;
            grant.reserved = grant.reserved.checked_add(part)?;
        }
        let part = parts.take(Source::Paid, self.paid_free())?;
        self.paid.reserved = self.paid.reserved.checked_add(part)?;
        let part = parts.take(Source::Credit, parts.missing)?;
        self.credit.reserved = self.credit.reserved.checked_add(part)?;
        Some(parts.draws)
    }

    /// Gives up what a hold reserved. `None` when it is not reserved.
    pub fn release(&mut self, reserved: &[Draw]) -> Option<()> {
        for Draw { source, amount } in reserved {
            let place = match source {
                Source::Grant(id) => {
                    &mut self.grants.iter_mut().find(|grant| grant.terms.id == *id)?.reserved
                }
                Source::Paid => &mut self.paid.reserved,
                Source::Credit => &mut self.credit.reserved,
                Source::Uncovered => return None,
            };
            *place = place.checked_sub(*amount).filter(|rest| *rest >= Amount::ZERO)?;
        }
        Some(())
    }

    /// Covers a charge from what a hold reserved for it, in the order in which it was reserved; then, where the
    /// charge is higher, as [`Self::draw`] does. What the hold does not need is given up. `None` when a sum
    /// does not fit.
    pub fn capture(&mut self, reserved: &[Draw], total: Amount, time: i64) -> Option<Vec<Draw>> {
        self.release(reserved)?;
        let mut parts = Parts::new(total.max(Amount::ZERO));
        for Draw { source, amount } in reserved {
            let free = match (source, self.terms.credit_limit) {
                // The limit may have been lowered since.
                (Source::Credit, Some(limit)) => difference(limit, self.credit.amount).min(*amount),
                _ => *amount,
            };
            let part = parts.take(source.clone(), free)?;
            match source {
                Source::Grant(id) => {
                    let grant = self.grants.iter_mut().find(|grant| grant.terms.id == *id)?;
                    grant.left = grant.left.checked_sub(part)?;
                }
                Source::Paid => self.paid.amount = self.paid.amount.checked_sub(part)?,
                Source::Credit => self.credit.amount = self.credit.amount.checked_add(part)?,
                Source::Uncovered => return None,
            }
        }
        let rest = if total < Amount::ZERO { total } else { parts.missing };
        for draw in self.draw(rest, time)? {
            parts.add(draw)?;
        }
        self.drop_used_grants();
        Some(parts.draws)
    }

    /// Takes money in: it covers what is uncovered, then what is owed on credit, and the rest is the
    /// customer's. Gives back where it went, as negative draws. `None` when a sum does not fit.
    pub fn pay_in(&mut self, amount: Amount) -> Option<Vec<Draw>> {
        let mut parts = Parts::new(amount);
        let part = parts.take(Source::Uncovered, self.uncovered)?;
        self.uncovered = self.uncovered.checked_sub(part)?;
        let part = parts.take(Source::Credit, self.credit.amount)?;
        self.credit.amount = self.credit.amount.checked_sub(part)?;
        let part = parts.take(Source::Paid, parts.missing)?;
        self.paid.amount = self.paid.amount.checked_add(part)?;
        parts.opposite()
    }

    /// Gives a part of a charge back to where it came from, what was drawn last first. What was owed and has
    /// been paid since goes to the customer's own money, as does what exceeds the draws. `grants` are the
    /// terms of those that were drawn from: they may not be in the wallet any more. Gives back where it went, as negative draws; `None` when a
    /// sum does not fit or a grant is not found.
    pub fn give_back(&mut self, draws: &[Draw], amount: Amount, grants: &[GrantTerms]) -> Option<Vec<Draw>> {
        let mut parts = Parts::new(amount);
        for draw in draws.iter().rev().filter(|draw| draw.amount > Amount::ZERO) {
            if let Source::Grant(id) = &draw.source {
                let part = parts.take(draw.source.clone(), draw.amount)?;
                self.return_to_grant(id, part, grants)?;
            } else {
                let part = parts.missing.min(draw.amount);
                parts.missing = parts.missing.checked_sub(part)?;
                for returned in self.pay_in(part)? {
                    parts.add(Draw { amount: returned.amount.checked_neg()?, ..returned })?;
                }
            }
        }
        let rest = self.pay_in(parts.missing)?;
        parts.missing = Amount::ZERO;
        for returned in rest {
            parts.add(Draw { amount: returned.amount.checked_neg()?, ..returned })?;
        }
        parts.opposite()
    }

    fn return_to_grant(&mut self, id: &str, part: Amount, grants: &[GrantTerms]) -> Option<()> {
        if part == Amount::ZERO {
            return Some(());
        }
        if let Some(grant) = self.grants.iter_mut().find(|grant| &*grant.terms.id == id) {
            grant.left = grant.left.checked_add(part)?;
            return Some(());
        }
        let terms = grants.iter().find(|terms| &*terms.id == id)?.clone();
        self.add_grant(Grant { left: part, reserved: Amount::ZERO, terms });
        Some(())
    }

    /// Adds a grant in its place in the burn order.
    pub fn add_grant(&mut self, grant: Grant) {
        let position = self.grants.partition_point(|other| other.burn_order(&grant).is_lt());
        self.grants.insert(position, grant);
    }

    /// Takes away what is left of grants that are over at a moment and is not reserved. Gives back each with
    /// what was taken. `None` when a sum does not fit.
    pub fn expire(&mut self, moment: i64) -> Option<Vec<(GrantTerms, Amount)>> {
        let mut expired = Vec::new();
        for grant in self.grants.iter_mut().filter(|grant| grant.has_expired_at(moment)) {
            let free = grant.free();
            if free > Amount::ZERO {
                grant.left = grant.left.checked_sub(free)?;
                expired.push((grant.terms.clone(), free));
            }
        }
        self.drop_used_grants();
        Some(expired)
    }

    /// Agrees on new terms. What is owed beyond a lower limit becomes uncovered, and what a higher one covers
    /// is owed on credit. `None` when a sum does not fit.
    pub fn agree(&mut self, terms: WalletTerms) -> Option<()> {
        let owed = self.credit.amount.checked_add(self.uncovered)?;
        let within =
            terms.credit_limit.map_or(owed, |limit| owed.min(difference(limit, self.credit.reserved)));
        self.credit.amount = within;
        self.uncovered = owed.checked_sub(within)?;
        self.alerts.retain(|id, _| terms.alerts.iter().any(|alert| alert.id == *id));
        self.terms = terms;
        Some(())
    }

    fn drop_used_grants(&mut self) {
        self.grants.retain(|grant| grant.left > Amount::ZERO || grant.reserved > Amount::ZERO);
    }
}

/// An amount being covered.
struct Parts {
    missing: Amount,
    draws: Vec<Draw>,
}

impl Parts {
    fn new(total: Amount) -> Self {
        Self { missing: total, draws: Vec::new() }
    }

    /// Takes what is missing from a source that has `free`; gives back how much that was.
    fn take(&mut self, source: Source, free: Amount) -> Option<Amount> {
        let part = self.missing.min(free).max(Amount::ZERO);
        self.missing = self.missing.checked_sub(part)?;
        self.add(Draw { source, amount: part })?;
        Some(part)
    }

    /// Adds to what was drawn from a source.
    fn add(&mut self, draw: Draw) -> Option<()> {
        if draw.amount == Amount::ZERO {
            return Some(());
        }
        match self.draws.iter_mut().find(|other| other.source == draw.source) {
            Some(other) => other.amount = other.amount.checked_add(draw.amount)?,
            None => self.draws.push(draw),
        }
        Some(())
    }

    /// The same the other way round.
    fn opposite(self) -> Option<Vec<Draw>> {
        let opposite = |draw: Draw| Some(Draw { amount: draw.amount.checked_neg()?, ..draw });
        self.draws.into_iter().map(opposite).collect()
    }
}

/// At most what an amount can hold: for a comparison, never for a posting.
fn saturating_sum(one: Amount, other: Amount) -> Amount {
    one.checked_add(other).unwrap_or(Amount::from_nano(i64::MAX))
}

/// What is left of one amount without another, at least zero.
fn difference(one: Amount, other: Amount) -> Amount {
    one.checked_sub(other).unwrap_or_default().max(Amount::ZERO)
}
