//! Adds a batch's charges up into what its commit adds to statements and balances.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::charge::Charge;
use crate::ledger::{self, Account, Balance};
use crate::period::Period;
use crate::rating::parties::{Parties, PartyId};
use crate::store::{StatementKey, StatementTotals};

/// What a commit adds to statements and to balances.
pub(crate) type Sums = (Vec<(StatementKey, StatementTotals)>, Vec<(Account, Balance)>);

/// Sums by small numbers while a batch is gone through; names come in at the end.
pub(crate) struct Settling<'a> {
    parties: &'a Parties,
    /// How many events a charge stands for: one, or none for what a close charges and for a reversal.
    events: u64,
    statements: FxHashMap<(PartyId, Period), StatementTotals>,
    /// Of each customer and provider, the sums of the four postings.
    balances: FxHashMap<PartyId, Vec<(String, [Balance; 4])>>,
    /// Of each customer with a wallet, the sums of what covered the charges.
    drawn: FxHashMap<PartyId, [Balance; 3]>,
}

impl<'a> Settling<'a> {
    /// For the charges of events.
    pub(crate) fn of_events(parties: &'a Parties) -> Self {
        Self { events: 1, ..Self::of_entries(parties) }
    }

    /// For what a close charges, and for reversals.
    pub(crate) fn of_entries(parties: &'a Parties) -> Self {
        let (statements, balances, drawn) = Default::default();
        Self { parties, events: 0, statements, balances, drawn }
    }

    /// Adds a charge; `None` when a sum does not fit.
    pub(crate) fn add(&mut self, party: PartyId, provider: &str, charge: &Charge) -> Option<()> {
        let statement = self.statements.entry((party, charge.period)).or_default();
        statement.add_charge(self.events, charge)?;
        let providers = self.balances.entry(party).or_default();
        let position = providers.iter().position(|(name, _)| name == provider).unwrap_or_else(|| {
            providers.push((provider.to_owned(), [Balance::default(); 4]));
            providers.len().saturating_sub(1)
        });
        let (_, sums) = providers.get_mut(position)?;
        for (sum, amount) in sums.iter_mut().zip(ledger::amounts_of_charge(&charge.split)?) {
            *sum = sum.with(amount)?;
        }
        if !charge.draws.is_empty() {
            let sums = self.drawn.entry(party).or_default();
            for (sum, amount) in sums.iter_mut().zip(ledger::amounts_of_draws(&charge.draws)?) {
                *sum = sum.with(amount)?;
            }
        }
        Some(())
    }

    /// What was added, sorted by key; `None` when a sum does not fit.
    pub(crate) fn finish(self) -> Option<Sums> {
        let mut statements: BTreeMap<StatementKey, StatementTotals> = BTreeMap::new();
        for ((party, period), totals) in self.statements {
            let party = self.parties.get(party);
            let (app, customer) = (Arc::clone(&party.app_id), Arc::clone(&party.customer));
            statements.entry(StatementKey { app, customer, period }).or_default().add(&totals)?;
        }
        let mut balances: BTreeMap<Account, Balance> = BTreeMap::new();
        for (party, providers) in self.balances {
            let party = self.parties.get(party);
            for (provider, sums) in providers {
                let accounts = ledger::accounts_of_charge(&ledger::Parties {
                    app: &party.app.id,
                    customer: &party.customer,
                    provider: &provider,
                    builder: &party.app.builder,
                    currency: &party.app.currency,
                });
                for (account, sum) in accounts.into_iter().zip(sums) {
                    let balance = balances.entry(account).or_default();
                    *balance = balance.plus(sum)?;
                }
            }
        }
        for (party, sums) in self.drawn {
            let party = self.parties.get(party);
            let accounts = ledger::accounts_of_draws(&party.app.id, &party.customer, &party.app.currency);
            for (account, sum) in accounts.into_iter().zip(sums) {
                let balance = balances.entry(account).or_default();
                *balance = balance.plus(sum)?;
            }
        }
        balances.retain(|_, balance| *balance != Balance::default());
        Some((statements.into_iter().collect(), balances.into_iter().collect()))
    }
}
