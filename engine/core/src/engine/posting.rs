//! Adds up what a commit adds to balances: by charges, by entries, and by what holds reserve.

use std::collections::BTreeMap;

use super::EngineError;
use crate::ledger::{self, Account, Balance, Entry};
use crate::money::Amount;
use crate::wallet::Draw;

/// What is added to balances, by account.
#[derive(Debug, Default)]
pub(super) struct Postings(BTreeMap<Account, Balance>);

impl Postings {
    /// Adds balances that were added up elsewhere.
    pub(super) fn add(&mut self, balances: Vec<(Account, Balance)>) -> Result<(), EngineError> {
        for (account, added) in balances {
            let balance = self.0.entry(account).or_default();
            *balance = balance.plus(added).ok_or(EngineError::LedgerFull)?;
        }
        Ok(())
    }

    /// Adds an entry's postings.
    pub(super) fn post(&mut self, entry: &Entry) -> Result<(), EngineError> {
        debug_assert!(entry.is_balanced(), "{entry:?}");
        self.add(entry.balances().ok_or(EngineError::LedgerFull)?)
    }

    /// Adds what a hold reserves: pending until it is resolved.
    pub(super) fn reserve(&mut self, whose: Whose<'_>, draws: &[Draw]) -> Result<(), EngineError> {
        self.pend(whose, draws, 1)
    }

    /// Takes away what a hold reserved.
    pub(super) fn release(&mut self, whose: Whose<'_>, draws: &[Draw]) -> Result<(), EngineError> {
        self.pend(whose, draws, -1)
    }

    fn pend(&mut self, whose: Whose<'_>, draws: &[Draw], sign: i128) -> Result<(), EngineError> {
        let accounts = ledger::accounts_of_draws(whose.app, whose.customer, whose.currency);
        let amounts = ledger::amounts_of_draws(draws).ok_or(EngineError::LedgerFull)?;
        for (account, amount) in accounts.into_iter().zip(amounts) {
            let nano = i128::from(amount.nano());
            let changed = nano.unsigned_abs().cast_signed().saturating_mul(sign);
            let pending = if nano < 0 {
                Balance { debits_pending: changed, ..Balance::default() }
            } else {
                Balance { credits_pending: changed, ..Balance::default() }
            };
            self.add(vec![(account, pending)])?;
        }
        Ok(())
    }

    /// All of it, sorted by account, without what comes to nothing.
    pub(super) fn finish(self) -> Vec<(Account, Balance)> {
        self.0.into_iter().filter(|(_, balance)| *balance != Balance::default()).collect()
    }
}

/// The other way round.
pub(super) fn opposite(amount: Amount) -> Result<Amount, EngineError> {
    amount.checked_neg().ok_or(EngineError::LedgerFull)
}

/// Whose wallet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whose<'a> {
    /// The app.
    pub(super) app: &'a str,
    /// Its customer.
    pub(super) customer: &'a str,
    /// The app's currency.
    pub(super) currency: &'a str,
}
