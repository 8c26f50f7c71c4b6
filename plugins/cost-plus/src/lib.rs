//! `cost-plus`: the customer pays what the inference cost, and a surcharge.
//!
//! The surcharge is the network cost times the margin of the event's route, or a minimum if that is more.

use std::collections::BTreeMap;
use tollgate_sdk::prelude::*;

/// What a tariff sets.
#[settings]
pub struct Settings {
    /// The surcharge as a share of the network cost: "0.20" is twenty per cent.
    #[serde(default)]
    margin: Decimal,
    /// The share for events of a route, in place of `margin`.
    #[serde(default)]
    route_margins: BTreeMap<String, Decimal>,
    /// The least surcharge of one event, in units of the currency.
    #[serde(default)]
    minimum_surcharge: Decimal,
}

/// Charges what the inference cost, and a margin.
#[plugin(
    unit(REQUEST, name = "request", aggregation = sum),
    line(USAGE, code = "usage", title = "AI usage at cost", unit = "request"),
    line(SURCHARGE, code = "surcharge", title = "Service charge", unit = "request")
)]
impl Pricing for CostPlus {
    type Settings = Settings;

    fn check(settings: &Settings, problems: &mut Problems) {
        problems.refuse_negative("/margin", settings.margin);
        problems.refuse_negative("/minimum_surcharge", settings.minimum_surcharge);
        for (route, margin) in &settings.route_margins {
            problems.refuse_negative(pointer(["route_margins", route]), *margin);
        }
    }

    fn meter(_: &Settings, _: &Event, usage: &mut Usage) -> Outcome {
        usage.add(REQUEST, Decimal::ONE)
    }

    fn rate(settings: &Settings, event: &Event, _: &Counted, bill: &mut Bill) -> Outcome {
        let cost = event.network_cost();
        let margin = settings.route_margins.get(event.route().as_str()).copied().unwrap_or(settings.margin);
        let surcharge = cost.times(margin)?.max(settings.minimum_surcharge);
        bill.add(Line { code: USAGE, quantity: Decimal::ONE, unit_price: Decimal::ZERO, amount: cost })?;
        bill.add(Line {
            code: SURCHARGE,
            quantity: Decimal::ONE,
            unit_price: Decimal::ZERO,
            amount: surcharge,
        })
    }
}
