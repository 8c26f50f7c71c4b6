//! `statement`: what a customer used and owes.

use tollgate_core::statement::statements;
use tollgate_core::store::StatementFilter;

use crate::arguments::{Format, Statement};
use crate::report::CustomerReport;
use crate::{session, table};

/// Prints the statements of a customer in a period: one for each app that has a customer of that name.
pub fn run(arguments: &Statement) -> anyhow::Result<u8> {
    let Statement { data, customer, period, app, format } = arguments;
    let engine = session::open(&data.data)?;
    let filter =
        StatementFilter { app: app.clone(), customer: Some(customer.clone()), period: Some(*period) };
    let found = statements(&engine, &filter)?;
    anyhow::ensure!(!found.is_empty(), "customer {customer:?} has used nothing in {period}");
    for statement in &found {
        super::print(&match format {
            Format::Table => table::statement(statement),
            Format::Json => format!("{}\n", serde_json::to_string(&CustomerReport::from(statement))?),
        })?;
    }
    Ok(0)
}
