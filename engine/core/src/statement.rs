//! Statements: what a customer used and owes in a period.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::{Engine, EngineError, Rulebook};
use crate::period::Period;
use crate::quantity::{Quantity, QuantitySum};
use crate::rating::counters::GROUP_SEPARATOR;
use crate::store::{CounterKey, StatementFilter, StatementKey, StatementTotals};

/// What a customer used and owes in a period. Money is in nano-units of the currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The app.
    pub app: String,
    /// The customer.
    pub customer: String,
    /// What a person reads for the customer: its name, or else its id.
    pub name: String,
    /// The period.
    pub period: Period,
    /// ISO 4217 code.
    pub currency: String,
    /// Nothing will be added to it any more.
    pub closed: bool,
    /// What was used, by unit and group.
    pub usage: Vec<Used>,
    /// What is charged for, by code.
    pub lines: Vec<StatementLine>,
    /// Owed to providers.
    pub network_cost: i128,
    /// Kept by the platform.
    pub platform_fee: i128,
    /// Earned by the Builder.
    pub builder_earnings: i128,
    /// What the customer is charged: the sum of the three, and of the lines.
    pub total: i128,
    /// How much of the total granted credit covered.
    pub from_granted: i128,
    /// How much of it the customer's own money covered. What neither covered is owed.
    pub from_paid: i128,
}

/// A counter on a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// The unit's name.
    pub unit: String,
    /// The values of the unit's group columns; empty when it is not grouped.
    pub group: Vec<String>,
    /// How many.
    pub used: Quantity,
}

/// A line on a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// A stable word for programs.
    pub code: String,
    /// What the customer reads.
    pub title: String,
    /// What the quantity counts.
    pub unit: String,
    /// How many.
    pub quantity: QuantitySum,
    /// What is charged, in nano-units.
    pub amount: i128,
}

/// Customer, period, app: in the order in which statements are sorted.
type Place = (Arc<str>, Period, Arc<str>);

/// The statements that a filter selects, sorted by customer, then period, then app.
///
/// # Errors
/// When the store fails or a sum does not fit.
pub fn statements(engine: &Engine, filter: &StatementFilter) -> Result<Vec<Statement>, EngineError> {
    let rules = engine.rules();
    let catalog = rules.catalog();
    let mut found: BTreeMap<Place, (StatementTotals, Vec<Used>)> = BTreeMap::new();
    for (StatementKey { app, customer, period }, totals) in engine.store().statements(filter)? {
        found.entry((customer, period, app)).or_default().0 = totals;
    }
    let apps = catalog.apps().filter(|app| filter.app.as_ref().is_none_or(|id| *id == app.id));
    for app in apps {
        for (key, used) in engine.store().usage(&app.id, filter.customer.as_deref(), filter.period)? {
            let CounterKey { app, owner, unit, group, period } = key;
            let group = group.split(GROUP_SEPARATOR).filter(|_| !group.is_empty()).map(str::to_owned);
            let used = Used { unit: unit.to_string(), group: group.collect(), used };
            found.entry((owner, period, app)).or_default().1.push(used);
        }
    }
    let closed = closed_periods(engine, found.keys().map(|(_, _, app)| app))?;
    let statements = found.into_iter().map(|((customer, period, app), (totals, usage))| {
        let currency = catalog.app(&app).map_or_else(String::new, |app| app.currency.clone());
        let closed = closed.get(&*app).is_some_and(|periods| periods.contains(&period));
        let lines = totals.lines.iter().map(|(code, quantity, amount)| {
            let (title, unit) = words_of(&rules, &app, &customer, code);
            StatementLine { code: code.to_string(), title, unit, quantity: *quantity, amount: *amount }
        });
        let defined = catalog.customer(&app, &customer);
        Ok(Statement {
            lines: lines.collect(),
            name: defined.map_or_else(|| customer.to_string(), |customer| customer.name.clone()),
            app: app.to_string(),
            customer: customer.to_string(),
            period,
            currency,
            closed,
            usage,
            network_cost: totals.network_cost,
            platform_fee: totals.platform_fee,
            builder_earnings: totals.builder_earnings,
            total: totals.total().ok_or(EngineError::LedgerFull)?,
            from_granted: totals.from_granted,
            from_paid: totals.from_paid,
        })
    });
    statements.collect()
}

/// The closed periods of each of these apps.
fn closed_periods<'a>(
    engine: &Engine,
    apps: impl Iterator<Item = &'a Arc<str>>,
) -> Result<BTreeMap<Arc<str>, Vec<Period>>, EngineError> {
    let apps: BTreeSet<&Arc<str>> = apps.collect();
    apps.into_iter().map(|app| Ok((Arc::clone(app), engine.store().closed_periods(app)?))).collect()
}

/// The title and unit of a line, as the customer's latest tariff that has this code says, or the app's.
fn words_of(rules: &Rulebook, app: &str, customer: &str, code: &str) -> (String, String) {
    let of_customer = rules.catalog().timeline(app, customer);
    let line = of_customer.latest_first().find_map(|tariff| {
        let terms = rules.terms(&tariff.id)?;
        terms.lines.iter().find(|line| &*line.code == code).cloned()
    });
    line.map_or_else(|| (code.to_owned(), String::new()), |line| (line.title, line.unit))
}
