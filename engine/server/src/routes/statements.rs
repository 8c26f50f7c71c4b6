//! `/v1/customers/{id}/statements`: what a customer used and owes in a period, for programs and for print.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

mod format;
mod printed;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tollgate_core::access::Scope;
use tollgate_core::money::format_nano;
use tollgate_core::period::Period;
use tollgate_core::quantity::Quantity;
use tollgate_core::statement::{self, statements};
use tollgate_core::store::StatementFilter;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use format::Format;
pub(super) use printed::POLICY as PAGE_POLICY;

use super::periods::period_in_path;
use crate::auth::Caller;
use crate::backend::Backend;
use crate::extract::{Path, Query};
use crate::page::{Page, Paging};
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new()
        .routes(routes!(list_statements))
        .routes(routes!(read_statement))
        .routes(routes!(list_app_statements))
}

/// Whose statements.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// The customer's app. Required where a key sees several.
    #[param(example = "acme-docs")]
    app: Option<String>,
}

/// Which statement.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct Place {
    /// The customer.
    #[param(example = "legal")]
    id: String,
    /// The period.
    #[param(pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])$", example = "2026-11")]
    period: String,
}

/// Whose statement, and how it is written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The customer's app. Required where a key sees several.
    #[param(example = "acme-docs")]
    app: Option<String>,
    /// How it is written; left out, the header `accept` decides.
    #[param(inline)]
    format: Option<Format>,
}

/// What a customer used and owes in a period.
#[derive(Debug, Serialize, ToSchema)]
struct Statement {
    /// The app.
    #[schema(example = "acme-docs")]
    app: String,
    /// The customer.
    #[schema(example = "legal")]
    customer: String,
    /// What a person reads for the customer.
    #[schema(example = "Legal department")]
    name: String,
    /// The period.
    #[schema(example = "2026-11")]
    period: String,
    /// Whether nothing will be added any more.
    #[schema(example = false)]
    closed: bool,
    /// ISO 4217 code of every amount.
    #[schema(example = "USD")]
    currency: String,
    /// What is charged for. The amounts add up to the total.
    lines: Vec<StatementLine>,
    /// What the customer is charged.
    #[schema(example = "10")]
    total: String,
    /// Of the total, covered by credit granted to the customer.
    #[schema(example = "2")]
    from_granted: String,
    /// Of the total, covered by the customer's own money.
    #[schema(example = "5")]
    from_paid: String,
    /// Of the total, covered by neither when it was charged: on credit.
    #[schema(example = "3")]
    owed: String,
    /// Of the total, owed to providers. Not told to a customer's key, nor are the next two.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "4")]
    network_cost: Option<String>,
    /// Of the total, kept by the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1.2")]
    platform_fee: Option<String>,
    /// Of the total, earned by the Builder; negative where it absorbed costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "4.8")]
    builder_earnings: Option<String>,
    /// What was used, by unit and group.
    usage: Vec<StatementUsage>,
}

/// A line on a statement.
#[derive(Debug, Serialize, ToSchema)]
struct StatementLine {
    /// A stable word for programs.
    #[schema(example = "documents")]
    code: String,
    /// What the customer reads.
    #[schema(example = "Documents reviewed")]
    title: String,
    /// What the quantity counts.
    #[schema(example = "document")]
    unit: String,
    /// How many.
    #[schema(example = "25")]
    quantity: String,
    /// What is charged.
    #[schema(example = "10")]
    amount: String,
}

/// A counter on a statement.
#[derive(Debug, Serialize, ToSchema)]
struct StatementUsage {
    /// The unit.
    #[schema(example = "document")]
    unit: String,
    /// The values by which the unit is grouped; empty when it is not.
    #[schema(example = json!(["review"]))]
    group: Vec<String>,
    /// How many.
    #[schema(value_type = String, example = "25")]
    quantity: Quantity,
}

/// A statement in one line.
#[derive(Debug, Serialize, ToSchema)]
struct StatementSummary {
    /// The app.
    #[schema(example = "acme-docs")]
    app: String,
    /// The customer.
    #[schema(example = "legal")]
    customer: String,
    /// The period.
    #[schema(example = "2026-11")]
    period: String,
    /// Whether nothing will be added any more.
    #[schema(example = false)]
    closed: bool,
    /// ISO 4217 code of the total.
    #[schema(example = "USD")]
    currency: String,
    /// What the customer is charged.
    #[schema(example = "10")]
    total: String,
    /// Of the total, covered by neither granted credit nor the customer's own money when it was charged.
    #[schema(example = "3")]
    owed: String,
}

/// Which of an app's statements.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfPeriod {
    /// Only those of this period.
    #[param(value_type = Option<String>, pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])$", example = "2026-11")]
    period: Option<Period>,
}

/// List an app's statements
///
/// Everybody who used or owes something, whether they were ever defined or not: by customer, and of each the
/// earliest period first.
#[utoipa::path(
    get, path = "/v1/apps/{id}/statements", tag = "Statements", operation_id = "list_app_statements",
    params(("id" = String, Path, description = "The app.", example = "acme-docs"), OfPeriod, Paging),
    responses((status = 200, description = "A page of statements.", body = Page<StatementSummary>)),
)]
async fn list_app_statements(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(asked): Query<OfPeriod>,
    paging: Paging,
) -> Result<Json<Page<StatementSummary>>, Problem> {
    let app = caller.app(&backend.rules(), &id)?.id.clone();
    let after: Option<(String, Period)> = paging.after()?;
    let filter = StatementFilter { app: Some(app), customer: None, period: asked.period };
    let found = backend.call(move |engine| statements(engine, &filter)).await?;
    let place = |statement: &statement::Statement| (statement.customer.clone(), statement.period);
    let found =
        found.into_iter().filter(|statement| after.as_ref().is_none_or(|after| place(statement) > *after));
    Ok(Json(Page::cut(found, &paging, place)?.map(StatementSummary::from)))
}

/// List a customer's statements
///
/// Every period in which it used something, the latest first.
#[utoipa::path(
    get, path = "/v1/customers/{id}/statements", tag = "Statements", operation_id = "list_statements",
    params(("id" = String, Path, description = "The customer.", example = "legal"), Whose, Paging),
    responses((status = 200, description = "A page of statements.", body = Page<StatementSummary>)),
)]
async fn list_statements(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(customer): Path<String>,
    Query(whose): Query<Whose>,
    paging: Paging,
) -> Result<Json<Page<StatementSummary>>, Problem> {
    let app = caller.app_of_customer(&backend.rules(), whose.app.as_deref(), &customer)?;
    let before: Option<Period> = paging.after()?;
    let filter = StatementFilter { app: Some(app), customer: Some(customer), period: None };
    let found = backend.call(move |engine| statements(engine, &filter)).await?;
    let found = found.into_iter().rev();
    let found = found.filter(|statement| before.is_none_or(|before| statement.period < before));
    let page = Page::cut(found, &paging, |statement| statement.period)?;
    Ok(Json(page.map(StatementSummary::from)))
}

/// Read a statement
///
/// As JSON, or as a page that prints well. The statement of an open period says so: more may be added.
#[utoipa::path(
    get, path = "/v1/customers/{id}/statements/{period}", tag = "Statements", operation_id = "read_statement",
    params(Place, Asked),
    responses((status = 200, description = "The statement.", content(
        (Statement = "application/json"),
        (String = "text/html"),
    ))),
)]
async fn read_statement(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(Place { id: customer, period }): Path<Place>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let rules = backend.rules();
    let app = caller.app_of_customer(&rules, asked.app.as_deref(), &customer)?;
    let period = period_in_path(&period)?;
    let app_name = rules.catalog().app(&app).map_or_else(|| app.clone(), |app| app.name.clone());
    let none = format!("customer {customer:?} used nothing in {period}");
    let filter = StatementFilter { app: Some(app), customer: Some(customer), period: Some(period) };
    let found = backend.call(move |engine| statements(engine, &filter)).await?;
    let statement = found.into_iter().next().ok_or_else(|| Problem::not_found(none))?;
    let written = match asked.format.unwrap_or_else(|| Format::accepted(&headers)) {
        Format::Json => Json(Statement::of(statement, caller.scope())).into_response(),
        Format::Html => printed::page(&statement, &app_name),
    };
    Ok(([(header::VARY, "accept")], written).into_response())
}

impl From<statement::Statement> for StatementSummary {
    fn from(statement: statement::Statement) -> Self {
        let owed = owed(&statement);
        Self {
            app: statement.app,
            customer: statement.customer,
            period: statement.period.to_string(),
            closed: statement.closed,
            currency: statement.currency,
            total: format_nano(statement.total),
            owed: format_nano(owed),
        }
    }
}

/// What neither granted credit nor the customer's own money covered when it was charged, in nano-units.
fn owed(statement: &statement::Statement) -> i128 {
    statement.total.saturating_sub(statement.from_granted).saturating_sub(statement.from_paid)
}

impl Statement {
    fn of(statement: statement::Statement, scope: &Scope) -> Self {
        let owed = owed(&statement);
        let margin = |nano| scope.sees_margins().then(|| format_nano(nano));
        let lines = statement.lines.into_iter().map(|line| StatementLine {
            code: line.code,
            title: line.title,
            unit: line.unit,
            quantity: line.quantity.to_string(),
            amount: format_nano(line.amount),
        });
        let usage = statement.usage.into_iter();
        let usage =
            usage.map(|used| StatementUsage { unit: used.unit, group: used.group, quantity: used.used });
        Self {
            app: statement.app,
            customer: statement.customer,
            name: statement.name,
            period: statement.period.to_string(),
            closed: statement.closed,
            currency: statement.currency,
            lines: lines.collect(),
            total: format_nano(statement.total),
            from_granted: format_nano(statement.from_granted),
            from_paid: format_nano(statement.from_paid),
            owed: format_nano(owed),
            network_cost: margin(statement.network_cost),
            platform_fee: margin(statement.platform_fee),
            builder_earnings: margin(statement.builder_earnings),
            usage: usage.collect(),
        }
    }
}
