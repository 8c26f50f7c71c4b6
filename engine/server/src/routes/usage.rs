//! `/v1/customers/{id}/usage`: what a customer used, by unit and period, or by what the reader asks for.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

mod grouping;
mod posted;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tollgate_core::engine::Engine;
use tollgate_core::money::format_nano;
use tollgate_core::period::Period;
use tollgate_core::quantity::Quantity;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::charge::group_values;
use crate::auth::Caller;
use crate::backend::{Awaited, Backend};
use crate::extract::{Path, Query};
use crate::problem::{Fault, Problem};
use grouping::{Dimension, Grouping};
pub(super) use grouping::{calendar_of, comma_list, day};
pub(super) use posted::each_posting;

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(read_usage))
}

/// Which usage, and how it is to be added up.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The customer's app. Required where a key sees several.
    #[param(example = "acme-docs")]
    app: Option<String>,
    /// Only this period. Required with `group_by`.
    #[param(value_type = Option<String>, pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])$", example = "2026-11")]
    period: Option<Period>,
    /// A comma list of `day` (in the app's time zone), `feature`, `route`, `model`, `unit`, `period` and
    /// `attribute:<name>`.
    #[param(example = "day,feature")]
    group_by: Option<String>,
}

/// What a customer used.
#[derive(Debug, Serialize, ToSchema)]
struct Usage {
    /// The app.
    #[schema(example = "acme-docs")]
    app: String,
    /// The customer.
    #[schema(example = "legal")]
    customer: String,
    /// ISO 4217 code of every amount.
    #[schema(example = "USD")]
    currency: String,
    /// Without `group_by`: the customer's counters.
    #[serde(skip_serializing_if = "Option::is_none")]
    counters: Option<Vec<Counter>>,
    /// With `group_by`: sums over the customer's events, sorted by the groups' values.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<UsageGroup>>,
}

/// A usage counter. One of a unit that is pooled belongs to the customer's parent.
#[derive(Debug, Serialize, ToSchema)]
struct Counter {
    /// The period.
    #[schema(example = "2026-11")]
    period: String,
    /// The unit.
    #[schema(value_type = String, example = "document")]
    unit: Arc<str>,
    /// The values by which the unit is grouped; empty when it is not.
    #[schema(example = json!(["legal"]))]
    group: Vec<String>,
    /// How many.
    #[schema(value_type = String, example = "1000")]
    quantity: Quantity,
}

/// What the events of one group add up to. What the close of a period charged is not of an event.
#[derive(Debug, Serialize, ToSchema)]
struct UsageGroup {
    /// By what was asked for, the group's value; empty where an event does not say.
    #[schema(example = json!({"day": "2026-11-03", "feature": "review"}))]
    group: BTreeMap<String, String>,
    /// Charged events, less those taken back.
    #[schema(example = 12)]
    events: i64,
    /// What they were charged, reversals included; null by `unit`, since a charge is for a whole event.
    #[schema(example = "5.04")]
    charged: Option<String>,
    /// Of that, covered by credit granted to the customer; null by `unit`, as are the next two.
    #[schema(example = "1.04")]
    from_granted: Option<String>,
    /// Of that, covered by the customer's own money.
    #[schema(example = "4")]
    from_paid: Option<String>,
    /// Of that, covered by neither when it was charged: on credit.
    #[schema(example = "0")]
    owed: Option<String>,
    /// How far they moved their counters, by unit.
    usage: Vec<UnitQuantity>,
}

/// A quantity of a unit.
#[derive(Debug, Serialize, ToSchema)]
struct UnitQuantity {
    /// The unit.
    #[schema(value_type = String, example = "document")]
    unit: Arc<str>,
    /// How many.
    #[schema(example = "36")]
    quantity: String,
}

/// Read a customer's usage
///
/// Without `group_by`, its counters. With it, sums over its events of one period: a quantity is how far the
/// events moved their counters, what was taken back is taken off.
#[utoipa::path(
    get, path = "/v1/customers/{id}/usage", tag = "Usage", operation_id = "read_usage",
    params(("id" = String, Path, description = "The customer.", example = "legal"), Asked),
    responses((status = 200, description = "The usage.", body = Usage, example = json!({
        "app": "acme-docs", "customer": "legal", "currency": "USD",
        "counters": [{"period": "2026-11", "unit": "document", "group": [], "quantity": "1000"}]}))),
)]
async fn read_usage(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(customer): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Usage>, Problem> {
    let app = caller.app_of_customer(&backend.rules(), asked.app.as_deref(), &customer)?;
    let dimensions = asked.group_by.as_deref().map(Dimension::list).transpose()?;
    let usage = match (dimensions, asked.period) {
        (None, period) => backend.call(move |engine| counted(engine, app, customer, period)).await?,
        (Some(by), Some(period)) => {
            let grouped = move |engine: &_, awaited: &_| grouped(engine, awaited, app, customer, period, by);
            backend.walk(grouped).await?
        }
        (Some(_), None) => {
            let fault = Fault::parameter("period", "is required with group_by, as in period=2026-11");
            return Err(Problem::invalid(vec![fault]));
        }
    };
    Ok(Json(usage))
}

fn counted(engine: &Engine, app: String, customer: String, period: Option<Period>) -> Result<Usage, Problem> {
    let counters = engine.store().usage(&app, Some(&customer), period)?;
    let counters = counters.into_iter().map(|(key, quantity)| Counter {
        period: key.period.to_string(),
        group: group_values(&key.group),
        unit: key.unit,
        quantity,
    });
    let counters = Some(counters.collect());
    let currency = currency(engine, &app);
    Ok(Usage { app, customer, currency, counters, groups: None })
}

fn grouped(
    engine: &Engine,
    awaited: &Awaited,
    app: String,
    customer: String,
    period: Period,
    by: Vec<Dimension>,
) -> Result<Usage, Problem> {
    let rules = engine.rules();
    let calendar = calendar_of(rules.catalog().app(&app).ok_or_else(Problem::internal)?)?;
    let words: Vec<String> = by.iter().map(Dimension::word).collect();
    let mut grouping = Grouping::new(by, calendar);
    each_posting(engine, awaited, &app, &customer, period, &mut |posting| grouping.add(posting))?;
    let is_by_unit = grouping.is_by_unit();
    let money = |nano: i128| (!is_by_unit).then(|| format_nano(nano));
    let groups = grouping.groups.into_iter().map(|(values, sum)| UsageGroup {
        group: words.iter().cloned().zip(values).collect(),
        events: sum.events,
        charged: money(sum.charged),
        from_granted: money(sum.from_granted),
        from_paid: money(sum.from_paid),
        owed: money(sum.charged.saturating_sub(sum.from_granted).saturating_sub(sum.from_paid)),
        usage: sum
            .usage
            .into_iter()
            .map(|(unit, quantity)| UnitQuantity { unit, quantity: quantity.to_string() })
            .collect(),
    });
    let groups = Some(groups.collect());
    let currency = currency(engine, &app);
    Ok(Usage { app, customer, currency, counters: None, groups })
}

fn currency(engine: &Engine, app: &str) -> String {
    engine.rules().catalog().app(app).map_or_else(String::new, |app| app.currency.clone())
}
