//! `cost-plus`: the customer pays what an event cost, and a surcharge.
//!
//! What it cost is its network cost, or a price that the app itself puts on it. The surcharge is that times the
//! margin of the event's model or route, or a minimum if that is more.

use std::collections::BTreeMap;
use tollgate_sdk::prelude::*;

/// What a tariff sets.
#[settings]
pub struct Settings {
    /// `network_cost`, or the measure that holds the app's own price of an event.
    #[serde(default = "network_cost")]
    cost: String,
    /// What becomes of an event on which the app has put no price, or one of zero.
    #[serde(default)]
    unpriced: Unpriced,
    /// The surcharge as a share of the cost: "0.20" is twenty per cent.
    #[serde(default)]
    margin: Decimal,
    /// The share for events of a route, in place of `margin`.
    #[serde(default)]
    route_margins: BTreeMap<String, Decimal>,
    /// The share for events of a model, in place of its route's and of `margin`.
    #[serde(default)]
    model_margins: BTreeMap<String, Decimal>,
    /// The least surcharge of one event, in units of the currency.
    #[serde(default)]
    minimum_surcharge: Decimal,
    /// The period's fee, minimum and cap.
    #[serde(default)]
    period: PeriodTerms,
}

/// What becomes of an event without a price of the app's own.
#[settings]
#[derive(Copy, Default)]
#[serde(rename_all = "snake_case")]
pub enum Unpriced {
    /// It is held: a missing price is never taken for zero.
    #[default]
    Held,
    /// It costs nothing but the surcharge.
    Free,
}

fn network_cost() -> String {
    "network_cost".to_owned()
}

const PERIOD_LINES: PeriodLines = PeriodLines { fee: FEE, minimum: MINIMUM, cap: CAP };

/// Charges what the inference cost, and a margin.
#[plugin(
    unit(REQUEST, name = "request", aggregation = sum),
    // Only named, so that a fee is not called a request; the line's quantity says how many.
    unit(PERIOD, name = "period", aggregation = sum),
    line(USAGE, code = "usage", title = "AI usage at cost", unit = "request"),
    line(SURCHARGE, code = "surcharge", title = "Service charge", unit = "request"),
    line(FEE, code = "fee", title = "Fee for the period", unit = "period"),
    line(MINIMUM, code = "minimum", title = "Up to the minimum", unit = "period"),
    line(CAP, code = "cap", title = "Beyond the spend cap", unit = "period", kind = credit)
)]
impl Pricing for CostPlus {
    type Settings = Settings;

    fn check(settings: &Settings, problems: &mut Problems) {
        if settings.cost.is_empty() {
            problems.add("/cost", "write \"network_cost\", or the name of the measure that holds the price");
        }
        problems.refuse_negative("/margin", settings.margin);
        problems.refuse_negative("/minimum_surcharge", settings.minimum_surcharge);
        let margins =
            [("route_margins", &settings.route_margins), ("model_margins", &settings.model_margins)];
        for (field, margins) in margins {
            for (name, margin) in margins {
                problems.refuse_negative(pointer([field, name]), *margin);
            }
        }
        settings.period.check("/period", problems);
    }

    fn meter(_: &Settings, _: &Event, usage: &mut Usage) -> Outcome {
        usage.add(REQUEST, Decimal::ONE)
    }

    fn rate(settings: &Settings, event: &Event, _: &Counted, bill: &mut Bill) -> Outcome {
        let cost = settings.cost_of(event)?;
        let surcharge = cost.times(settings.margin_of(event))?.max(settings.minimum_surcharge);
        bill.add(Line { code: USAGE, quantity: Decimal::ONE, unit_price: Decimal::ZERO, amount: cost })?;
        bill.add(Line {
            code: SURCHARGE,
            quantity: Decimal::ONE,
            unit_price: Decimal::ZERO,
            amount: surcharge,
        })
    }

    fn close(settings: &Settings, customer: &Closing, _: &Totals, bill: &mut Bill) -> Outcome {
        settings.period.close(PERIOD_LINES, customer.charged(), bill)
    }
}

impl Settings {
    fn cost_of(&self, event: &Event) -> Result<Decimal, Fault> {
        if self.cost == "network_cost" {
            return Ok(event.network_cost());
        }
        let price = event.measure(&self.cost);
        match self.unpriced {
            Unpriced::Held if price.is_zero() => {
                let measure = &self.cost;
                Err(Fault::new(format!("the app has put no price on the event, as its measure `{measure}`")))
            }
            _ => Ok(price),
        }
    }

    fn margin_of(&self, event: &Event) -> Decimal {
        let of_model = self.model_margins.get(event.model().as_str());
        let of_route = || self.route_margins.get(event.route().as_str());
        of_model.or_else(of_route).copied().unwrap_or(self.margin)
    }
}
