//! The result of rating as one JSON object. Its shape is a promise: programs read it.

use serde::Serialize;
use tollgate_core::money::format_nano;
use tollgate_core::period::Period;
use tollgate_core::statement::Statement;

use crate::table;

/// What `rate` and `record` print with `--format json`.
#[derive(Serialize)]
pub struct Report {
    /// The currency; empty when nothing is charged in any.
    pub currency: String,
    /// How many events of each kind.
    pub events: Counts,
    /// Sorted by name, then period.
    pub customers: Vec<CustomerReport>,
    /// Over all customers.
    pub totals: Totals,
    /// What went wrong, in the order of the files.
    pub problems: Vec<Problem>,
}

/// How many events of each kind.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Counts {
    pub read: u64,
    pub rated: u64,
    pub held: u64,
    pub duplicate: u64,
    pub invalid: u64,
}

/// One event that was held, invalid, or contradicted an earlier one.
#[derive(Clone, Serialize)]
pub struct Problem {
    pub file: String,
    pub line: u64,
    pub id: String,
    pub reason: String,
}

/// One customer's statement of one period. Numbers are exact decimal strings.
#[derive(Serialize)]
pub struct CustomerReport {
    pub customer: String,
    pub period: Period,
    pub usage: Vec<UsageReport>,
    pub lines: Vec<LineReport>,
    #[serde(flatten)]
    pub totals: Totals,
    /// Where the total came from, once any of it was granted or paid before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covered: Option<Covered>,
}

/// What covers a statement's total.
#[derive(Serialize)]
pub struct Covered {
    pub granted: String,
    pub paid: String,
    pub owed: String,
}

#[derive(Serialize)]
pub struct UsageReport {
    pub unit: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<String>,
    pub used: String,
}

#[derive(Serialize)]
pub struct LineReport {
    pub code: String,
    pub quantity: String,
    pub amount: String,
}

/// Sums of money.
#[derive(Serialize)]
pub struct Totals {
    pub network_cost: String,
    pub platform_fee: String,
    pub builder_earnings: String,
    pub total: String,
}

impl From<&Statement> for CustomerReport {
    fn from(statement: &Statement) -> Self {
        let usage = statement.usage.iter().map(|used| UsageReport {
            unit: used.unit.clone(),
            group: used.group.clone(),
            used: used.used.to_string(),
        });
        let lines = statement.lines.iter().map(|line| LineReport {
            code: line.code.clone(),
            quantity: line.quantity.to_string(),
            amount: format_nano(line.amount),
        });
        Self {
            customer: statement.customer.clone(),
            period: statement.period,
            usage: usage.collect(),
            lines: lines.collect(),
            totals: Totals::of(std::iter::once(statement)),
            covered: table::owed(statement).map(|owed| Covered {
                granted: format_nano(statement.from_granted),
                paid: format_nano(statement.from_paid),
                owed: format_nano(owed),
            }),
        }
    }
}

impl Totals {
    /// The sums over some statements.
    pub fn of<'a>(statements: impl Iterator<Item = &'a Statement>) -> Self {
        let sums = statements.fold([0_i128; 4], |[cost, fee, earnings, total], statement| {
            [
                cost.saturating_add(statement.network_cost),
                fee.saturating_add(statement.platform_fee),
                earnings.saturating_add(statement.builder_earnings),
                total.saturating_add(statement.total),
            ]
        });
        let [network_cost, platform_fee, builder_earnings, total] = sums.map(format_nano);
        Self { network_cost, platform_fee, builder_earnings, total }
    }
}

impl Report {
    /// The report on what was ingested, given the statements it is part of.
    pub fn new(counts: Counts, problems: Vec<Problem>, statements: &[Statement]) -> Self {
        let mut currencies: Vec<&str> = statements.iter().map(|statement| &*statement.currency).collect();
        currencies.sort_unstable();
        currencies.dedup();
        Self {
            currency: currencies.join("+"),
            events: counts,
            customers: statements.iter().map(CustomerReport::from).collect(),
            totals: Totals::of(statements.iter()),
            problems,
        }
    }
}
