//! `/v1/apps/{id}/periods`: an app's months, and their close.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tollgate_core::catalog::App;
use tollgate_core::engine::{Closed, Engine, Rulebook};
use tollgate_core::money::{Amount, format_nano};
use tollgate_core::period::{Calendar, Period, PeriodError};
use tollgate_core::store::{ClosingCharge, StatementFilter};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::charge::{ChargeLine, lines, moment};
use crate::auth::Caller;
use crate::backend::Backend;
use crate::extract::{Path, Query};
use crate::page::{Page, Paging};
use crate::problem::{Fault, Problem};

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(list_periods)).routes(routes!(close_period))
}

/// So many held events are looked through at a time.
const HELD_AT_A_TIME: usize = 1_000;

/// A calendar month in an app's time zone.
#[derive(Debug, Serialize, ToSchema)]
struct AppPeriod {
    /// The period.
    #[schema(example = "2026-11")]
    period: String,
    /// Its first moment.
    #[schema(format = DateTime, example = "2026-11-01T00:00:00Z")]
    from: String,
    /// The first moment after it.
    #[schema(format = DateTime, example = "2026-12-01T00:00:00Z")]
    until: String,
    /// Its statements are frozen; what comes late goes to the next open period.
    #[schema(example = false)]
    closed: bool,
    /// Customers that were charged.
    #[schema(example = 3)]
    customers: u64,
    /// ISO 4217 code of the total.
    #[schema(example = "USD")]
    currency: String,
    /// What they were charged.
    #[schema(example = "1204.50")]
    total: String,
}

/// Which period of which app.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct Place {
    /// The app.
    #[param(example = "acme-docs")]
    id: String,
    /// The period.
    #[param(pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])$", example = "2026-11")]
    period: String,
}

/// How a period is to be closed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Close it although it has not ended yet: what comes after goes to the next one.
    #[serde(default)]
    #[param(required = false)]
    early: bool,
}

/// What a close did.
#[derive(Debug, Serialize, ToSchema)]
struct ClosedPeriod {
    /// The period.
    #[schema(example = "2026-11")]
    period: String,
    /// Customers that used something in it.
    #[schema(example = 3)]
    customers: usize,
    /// What was due at its end, by customer.
    charges: Vec<CloseCharge>,
    /// Events of the period that wait for a price: once they have one, they are charged in the next open period.
    #[schema(example = 0)]
    held: usize,
}

/// What a close charged one customer.
#[derive(Debug, Serialize, ToSchema)]
struct CloseCharge {
    /// The customer.
    #[schema(example = "legal")]
    customer: String,
    /// ISO 4217 code of every amount.
    #[schema(example = "USD")]
    currency: String,
    /// What it was charged.
    #[schema(value_type = String, example = "50")]
    total: Amount,
    /// For what.
    lines: Vec<ChargeLine>,
}

/// List an app's periods
///
/// Every month in which something was charged, those that are closed, and the present one; the latest first.
#[utoipa::path(
    get, path = "/v1/apps/{id}/periods", tag = "Statements", operation_id = "list_periods",
    params(("id" = String, Path, description = "The app.", example = "acme-docs"), Paging),
    responses((status = 200, description = "A page of periods.", body = Page<AppPeriod>)),
)]
async fn list_periods(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    paging: Paging,
) -> Result<Json<Page<AppPeriod>>, Problem> {
    let app = Arc::clone(caller.app(&backend.rules(), &id)?);
    let before: Option<Period> = paging.after()?;
    let now = Timestamp::now().as_millisecond();
    let page = backend.call(move |engine| {
        let mut found = periods(engine, &app, now)?;
        found.retain(|(period, _)| before.is_none_or(|before| *period < before));
        Page::cut(found, &paging, |(period, _)| *period)
    });
    Ok(Json(page.await?.map(|(_, period)| period)))
}

fn periods(engine: &Engine, app: &App, now: i64) -> Result<Vec<(Period, AppPeriod)>, Problem> {
    let mut calendar = Calendar::new(&app.time_zone).map_err(|error| no_calendar(&error))?;
    let filter = StatementFilter { app: Some(app.id.clone()), ..StatementFilter::default() };
    let mut charged: BTreeMap<Period, (u64, i128)> = BTreeMap::new();
    for (key, totals) in engine.store().statements(&filter)? {
        let (customers, sum) = charged.entry(key.period).or_default();
        *customers = customers.saturating_add(1);
        let added = totals.total().and_then(|total| sum.checked_add(total));
        *sum = added.ok_or_else(Problem::internal)?;
    }
    let closed: BTreeSet<Period> = engine.store().closed_periods(&app.id)?.into_iter().collect();
    let present = calendar.period(now).map_err(|error| no_calendar(&error))?;
    for period in closed.iter().copied().chain([present]) {
        charged.entry(period).or_default();
    }
    let periods = charged.into_iter().rev().map(|(period, (customers, total))| {
        let span = calendar.span(period).map_err(|error| no_calendar(&error))?;
        let described = AppPeriod {
            period: period.to_string(),
            from: moment(span.start),
            until: moment(span.end),
            closed: closed.contains(&period),
            customers,
            currency: app.currency.clone(),
            total: format_nano(total),
        };
        Ok((period, described))
    });
    periods.collect()
}

fn no_calendar(error: &dyn std::error::Error) -> Problem {
    tracing::error!(%error, "an app's calendar cannot be worked out");
    Problem::internal()
}

/// Close a period
///
/// Charges what is due at its end, as each customer's tariff says, and freezes its statements. An event of
/// the period that comes later is charged in the next open one. A period is closed once: asked again, what that did
/// is told again.
#[utoipa::path(
    post, path = "/v1/apps/{id}/periods/{period}/close", tag = "Statements", operation_id = "close_period",
    params(Place, Asked),
    responses(
        (status = 200, description = "It is closed.", body = ClosedPeriod),
        (status = 409, description = "It has not ended yet, or a plugin cannot be used or gave no answer."),
    ),
)]
async fn close_period(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(Place { id, period }): Path<Place>,
    Query(asked): Query<Asked>,
) -> Result<Json<ClosedPeriod>, Problem> {
    let app = Arc::clone(caller.app(&backend.rules(), &id)?);
    let period = period_in_path(&period)?;
    let now = Timestamp::now().as_millisecond();
    if !asked.early {
        check_ended(&app, period, now)?;
    }
    let closed = backend.walk(move |engine, _| {
        let closed = match engine.closed(&app.id, period)? {
            Some(closed) => closed,
            None => engine.close(&app.id, period)?,
        };
        let held = held_in(engine, &app, period)?;
        Ok::<_, Problem>(ClosedPeriod::of(period, closed, held, &app, &engine.rules()))
    });
    closed.await.map(Json)
}

/// How many of an app's held events happened in a period.
fn held_in(engine: &Engine, app: &App, period: Period) -> Result<usize, Problem> {
    let calendar = Calendar::new(&app.time_zone).map_err(|error| no_calendar(&error))?;
    let span = calendar.span(period).map_err(|error| no_calendar(&error))?;
    let (mut count, mut after) = (0, 0);
    loop {
        let held = engine.store().held(Some(&app.id), after, HELD_AT_A_TIME)?;
        let Some(last) = held.last() else { return Ok(count) };
        after = last.sequence;
        for stored in &held {
            count += usize::from(span.contains(&stored.event()?.time));
        }
    }
}

/// A period that a path names.
///
/// # Errors
/// 422 when it is none.
pub(super) fn period_in_path(text: &str) -> Result<Period, Problem> {
    text.parse()
        .map_err(|error: PeriodError| Problem::invalid(vec![Fault::parameter("period", error.to_string())]))
}

/// Whether a period is over.
fn check_ended(app: &App, period: Period, now: i64) -> Result<(), Problem> {
    let calendar = Calendar::new(&app.time_zone).map_err(|error| no_calendar(&error))?;
    // The engine refuses what no calendar holds, in its own words.
    match calendar.span(period) {
        Ok(span) if now < span.end => Err(Problem::conflict(format!(
            "period {period} of app {} ends at {}: close it then, or say early=true",
            app.id,
            moment(span.end)
        ))),
        _ => Ok(()),
    }
}

impl ClosedPeriod {
    fn of(period: Period, closed: Closed, held: usize, app: &App, rules: &Rulebook) -> Self {
        let charges = closed.charges.into_iter().map(|ClosingCharge { customer, charge, .. }| CloseCharge {
            customer,
            currency: app.currency.clone(),
            total: charge.total,
            lines: lines(&charge, rules),
        });
        Self { period: period.to_string(), customers: closed.customers, charges: charges.collect(), held }
    }
}
