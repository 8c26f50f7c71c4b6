//! What a store is given to keep: all of it or nothing, and only while what it was decided from still holds.

use std::sync::Arc;

use super::{CounterKey, Notice, Outcome, RecordChange, RecordKey, SeenKey, Sequence, Version, Voided};
use crate::charge::Charge;
use crate::event::Event;
use crate::ledger::{Account, Balance, Entry};
use crate::period::Period;
use crate::quantity::{Quantity, QuantitySum};

/// A counter's step from the value it was rated from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterChange {
    /// Which.
    pub key: CounterKey,
    /// The value the store must still hold; zero for a counter it does not have.
    pub before: Quantity,
    /// The new value.
    pub after: Quantity,
}

/// What a period's close charged one customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosingCharge {
    /// The app.
    pub app: String,
    /// The customer.
    pub customer: String,
    /// The charge; its period is the one that closes.
    pub charge: Charge,
}

/// What a commit adds to one customer's statement of one period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatementTotals {
    /// Charged events.
    pub events: u64,
    /// By line code, sorted: the sum of quantities, and of amounts in nano-units.
    pub lines: Vec<(Arc<str>, QuantitySum, i128)>,
    /// Nano-units.
    pub network_cost: i128,
    /// Nano-units.
    pub platform_fee: i128,
    /// Nano-units.
    pub builder_earnings: i128,
    /// How much of it granted credit covered, in nano-units.
    pub from_granted: i128,
    /// How much of it the customer's own money covered, in nano-units. What neither covered is owed.
    pub from_paid: i128,
}

/// Names one customer's statement of one period.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementKey {
    /// The app.
    pub app: Arc<str>,
    /// The customer.
    pub customer: Arc<str>,
    /// The period.
    pub period: Period,
}

/// Everything that one batch changes, all or nothing.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// By how many definitions it was decided, where it was by any. Refused when there are more.
    pub defined: Option<u64>,
    /// New events in order of acceptance. Refused when the store has one of the keys.
    pub events: Vec<(Arc<Event>, Arc<Outcome>)>,
    /// Events that were held and are now charged. Refused when one is not held any more.
    pub released: Vec<(Sequence, Charge)>,
    /// Events taken back. Refused when one is not there or has been taken back, or when it is not held
    /// (charged) although there is no reversal (is one).
    pub voids: Vec<(Sequence, Voided)>,
    /// Closes a period for an app. Refused when it is closed.
    pub closes: Option<Closing>,
    /// Each counter at most once.
    pub counters: Vec<CounterChange>,
    /// Keys counted for the first time. Refused when the store has one.
    pub seen: Vec<SeenKey>,
    /// Keys that no event counts any more. Refused when the store does not have one.
    pub unseen: Vec<SeenKey>,
    /// Added to the statements, each at most once. Refused when one is of a closed period (but for the
    /// period this commit closes).
    pub statements: Vec<(StatementKey, StatementTotals)>,
    /// Added to the balances, each at most once.
    pub balances: Vec<(Account, Balance)>,
    /// Money that moved otherwise than by a charge. Refused when the store has one of the ids. What they post
    /// is part of `balances`.
    pub entries: Vec<Entry>,
    /// Each record at most once. Refused when one is not at the version its change was decided from.
    pub records: Vec<RecordChange>,
    /// Versions that records must be at for the commit to hold, beside those it changes; 0 for one that must
    /// not be there.
    pub expects: Vec<(RecordKey, Version)>,
    /// What somebody wants to be told of.
    pub notices: Vec<Notice>,
}

/// A period's close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The app.
    pub app: String,
    /// The period.
    pub period: Period,
    /// What the close charges.
    pub charges: Vec<ClosingCharge>,
}
