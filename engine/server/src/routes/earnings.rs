//! `/v1/builders/{id}/earnings`: what a Builder earned, from the same statements that its customers see.

#![expect(unused_qualifications, reason = "utoipa's macro repeats what it was given")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tollgate_core::catalog::App;
use tollgate_core::charge::Split;
use tollgate_core::engine::Engine;
use tollgate_core::money::format_nano;
use tollgate_core::period::{Calendar, Period};
use tollgate_core::store::{StatementFilter, StatementTotals};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::usage::{calendar_of, comma_list, day, each_posting};
use crate::auth::Caller;
use crate::backend::{Awaited, Backend};
use crate::extract::{Path, Query};
use crate::problem::{Fault, Problem};

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(read_earnings))
}

/// Which earnings, and how they are to be added up.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only this period. Required by `day`.
    #[param(value_type = Option<String>, pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])$", example = "2026-11")]
    period: Option<Period>,
    /// A comma list of `app`, `customer` and `day` (in the app's time zone).
    #[param(example = "app,customer")]
    group_by: Option<String>,
}

/// What a Builder earned.
#[derive(Debug, Serialize, ToSchema)]
struct Earnings {
    /// The Builder.
    #[schema(example = "acme")]
    builder: String,
    /// The period, if only one was asked for.
    #[schema(example = "2026-11")]
    period: Option<String>,
    /// One for each group and currency.
    data: Vec<EarningsGroup>,
}

/// What one group adds up to, in one currency.
#[derive(Debug, Serialize, ToSchema)]
struct EarningsGroup {
    /// By what was asked for, the group's value.
    #[schema(example = json!({"app": "acme-docs", "customer": "legal"}))]
    group: BTreeMap<String, String>,
    /// ISO 4217 code of every amount.
    #[schema(example = "USD")]
    currency: String,
    /// What customers were charged: the sum of the three others.
    #[schema(example = "10")]
    total: String,
    /// Owed to providers.
    #[schema(example = "4")]
    network_cost: String,
    /// Kept by the platform.
    #[schema(example = "1.2")]
    platform_fee: String,
    /// Earned by the Builder; negative where it absorbed costs.
    #[schema(example = "4.8")]
    earnings: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dimension {
    App,
    Customer,
    Day,
}

impl Dimension {
    fn word(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Customer => "customer",
            Self::Day => "day",
        }
    }

    fn list(text: &str) -> Result<Vec<Self>, Problem> {
        let read = |word: &str| {
            [Self::App, Self::Customer, Self::Day].into_iter().find(|known| known.word() == word)
        };
        comma_list(text, "app, customer, day", read)
    }
}

/// Read a Builder's earnings
///
/// From its customers' statements, so both sides see the same figures. By day, what the close of a period
/// charged counts on the period's last day, and what was taken back on the day of the event.
#[utoipa::path(
    get, path = "/v1/builders/{id}/earnings", tag = "Earnings", operation_id = "read_earnings",
    params(("id" = String, Path, description = "The Builder.", example = "acme"), Asked),
    responses((status = 200, description = "The earnings.", body = Earnings)),
)]
async fn read_earnings(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Earnings>, Problem> {
    let rules = backend.rules();
    let builder = caller.builder(&rules, &id)?.id.clone();
    let dimensions = asked.group_by.as_deref().map(Dimension::list).transpose()?.unwrap_or_default();
    let apps: Vec<_> = rules.catalog().apps_of(&builder).map(Arc::clone).collect();
    let (period, is_by_day) = (asked.period, dimensions.contains(&Dimension::Day));
    if is_by_day && period.is_none() {
        let fault = Fault::parameter("period", "is required by day, as in period=2026-11");
        return Err(Problem::invalid(vec![fault]));
    }
    let data = backend.walk(move |engine, awaited| {
        let mut sums = Sums { dimensions, sums: BTreeMap::new() };
        for app in &apps {
            match period {
                Some(period) if is_by_day => sums.add_days(engine, awaited, app, period)?,
                period => sums.add_statements(engine, app, period)?,
            }
        }
        Ok::<_, Problem>(sums.told())
    });
    let period = period.map(|period| period.to_string());
    Ok(Json(Earnings { builder, period, data: data.await? }))
}

/// Sums by the groups' values and currency.
#[derive(Debug)]
struct Sums {
    dimensions: Vec<Dimension>,
    sums: BTreeMap<(Vec<String>, String), StatementTotals>,
}

impl Sums {
    fn group(&mut self, app: &App, customer: &str, day: &str) -> &mut StatementTotals {
        let values = self.dimensions.iter().map(|dimension| match dimension {
            Dimension::App => app.id.clone(),
            Dimension::Customer => customer.to_owned(),
            Dimension::Day => day.to_owned(),
        });
        self.sums.entry((values.collect(), app.currency.clone())).or_default()
    }

    fn add_split(&mut self, app: &App, customer: &str, day: &str, split: &Split) -> Result<(), Problem> {
        self.group(app, customer, day).add_split(split).ok_or_else(Problem::internal)
    }

    fn add_statements(&mut self, engine: &Engine, app: &App, period: Option<Period>) -> Result<(), Problem> {
        let filter = StatementFilter { app: Some(app.id.clone()), customer: None, period };
        for (key, mut totals) in engine.store().statements(&filter)? {
            totals.lines.clear();
            self.group(app, &key.customer, "").add(&totals).ok_or_else(Problem::internal)?;
        }
        Ok(())
    }

    fn add_days(
        &mut self,
        engine: &Engine,
        awaited: &Awaited,
        app: &App,
        period: Period,
    ) -> Result<(), Problem> {
        let calendar = calendar_of(app)?;
        let filter = StatementFilter { app: Some(app.id.clone()), customer: None, period: Some(period) };
        let statements = engine.store().statements(&filter)?;
        let customers: BTreeSet<Arc<str>> = statements.into_iter().map(|(key, _)| key.customer).collect();
        for customer in customers {
            each_posting(engine, awaited, &app.id, &customer, period, &mut |posting| {
                self.add_split(app, &customer, &day(&calendar, posting.event.time), &posting.charge.split)
            })?;
        }
        let last_day = last_day(period, &calendar)?;
        for close in engine.store().closing_charges(Some(&app.id), Some(period))? {
            self.add_split(app, &close.customer, &last_day, &close.charge.split)?;
        }
        Ok(())
    }

    fn told(self) -> Vec<EarningsGroup> {
        let dimensions = self.dimensions;
        let told = self.sums.into_iter().map(|((values, currency), sum)| EarningsGroup {
            group: dimensions.iter().map(|dimension| dimension.word().to_owned()).zip(values).collect(),
            currency,
            total: format_nano(sum.total().unwrap_or_default()),
            network_cost: format_nano(sum.network_cost),
            platform_fee: format_nano(sum.platform_fee),
            earnings: format_nano(sum.builder_earnings),
        });
        told.collect()
    }
}

fn last_day(period: Period, calendar: &Calendar) -> Result<String, Problem> {
    let span = calendar.span(period);
    let span = span.map_err(|error| Problem::invalid(vec![Fault::parameter("period", error.to_string())]))?;
    Ok(day(calendar, span.end.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tollgate_core::catalog::Definition;
    use tollgate_core::money::Amount;

    use super::*;

    fn app(id: &str, currency: &str) -> App {
        let text = format!(
            r#"{{"app":{{"id":"{id}","name":"A","builder":"b","currency":"{currency}","time_zone":"America/New_York",
                "platform_share":"0.2","surcharge_max":"10","price_book":"p"}}}}"#
        );
        let Definition::App(app) = serde_json::from_str::<Definition>(&text).unwrap() else {
            panic!("an app")
        };
        app
    }

    #[test]
    fn words_are_read_and_refused() {
        assert_eq!(Dimension::list("day,app").unwrap(), [Dimension::Day, Dimension::App]);
        for text in ["", "days", "app,app", "app,"] {
            assert!(Dimension::list(text).is_err(), "{text}");
        }
    }

    #[test]
    fn currencies_are_never_added_to_each_other() {
        let mut sums = Sums { dimensions: vec![Dimension::Customer], sums: BTreeMap::new() };
        let split = |nano| Split {
            network_cost: Amount::from_nano(nano),
            platform_fee: Amount::from_nano(1),
            builder_earnings: Amount::from_nano(-2),
        };
        let (dollars, euros) = (app("a", "USD"), app("b", "EUR"));
        for (app, nano) in [(&dollars, 5), (&euros, 7), (&dollars, 6)] {
            sums.add_split(app, "legal", "", &split(nano)).unwrap();
        }
        let told: Vec<_> = sums
            .told()
            .into_iter()
            .map(|group| {
                (group.currency, group.total, group.network_cost, group.platform_fee, group.earnings)
            })
            .collect();
        let row = |currency: &str, amounts: [&str; 4]| {
            let [total, cost, fee, earnings] = amounts.map(str::to_owned);
            (currency.to_owned(), total, cost, fee, earnings)
        };
        assert_eq!(
            told,
            [
                row("EUR", ["0.000000006", "0.000000007", "0.000000001", "-0.000000002"]),
                row("USD", ["0.000000009", "0.000000011", "0.000000002", "-0.000000004"]),
            ]
        );
    }

    #[test]
    fn a_period_s_last_day_is_the_app_s() {
        let app = app("a", "USD");
        let calendar = calendar_of(&app).unwrap();
        assert_eq!(last_day("2024-02".parse().unwrap(), &calendar).unwrap(), "2024-02-29");
    }
}
