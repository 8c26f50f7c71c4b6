//! `included-overage`: so many units a period cost nothing, each one beyond costs the same.
//!
//! A unit is an event, or whatever one of the event's measures counts. An event that straddles the limit is
//! split exactly. Events of a premium route or feature cost something more, inside the included quantity or
//! beyond it.

use tollgate_sdk::prelude::*;

/// What a tariff sets.
#[settings]
pub struct Settings {
    /// What the customer sees, in the singular: "document".
    #[serde(default = "request")]
    unit: String,
    /// "events", or the name of the measure whose quantities are counted.
    #[serde(default = "events")]
    count: String,
    /// How many units of a period cost nothing.
    #[serde(default)]
    included: Decimal,
    /// The price of each unit beyond the included ones.
    overage_price: Decimal,
    /// Routes whose events cost `premium_surcharge` in addition.
    #[serde(default)]
    premium_routes: Vec<String>,
    /// Features whose events do.
    #[serde(default)]
    premium_features: Vec<String>,
    /// What an event of a premium route or feature costs in addition, once.
    #[serde(default)]
    premium_surcharge: Decimal,
    /// The period's fee, minimum and cap.
    #[serde(default)]
    period: PeriodTerms,
}

fn request() -> String {
    "request".to_owned()
}

fn events() -> String {
    "events".to_owned()
}

const PERIOD_LINES: PeriodLines = PeriodLines { fee: FEE, minimum: MINIMUM, cap: CAP };

/// Includes a number of units a period and charges each one beyond them.
#[plugin(
    unit(UNIT, name = "/unit", aggregation = sum),
    // Only named, so that premium requests and fees are not called documents; their lines say how many.
    unit(PREMIUM_REQUEST, name = "premium request", aggregation = sum),
    unit(PERIOD, name = "period", aggregation = sum),
    line(INCLUDED, code = "included", title = "Within what is included", unit = "/unit"),
    line(OVERAGE, code = "overage", title = "Beyond what is included", unit = "/unit"),
    line(PREMIUM, code = "premium", title = "Premium requests", unit = "premium request"),
    line(FEE, code = "fee", title = "Fee for the period", unit = "period"),
    line(MINIMUM, code = "minimum", title = "Up to the minimum", unit = "period"),
    line(CAP, code = "cap", title = "Beyond the spend cap", unit = "period", kind = credit)
)]
impl Pricing for IncludedOverage {
    type Settings = Settings;

    fn check(settings: &Settings, problems: &mut Problems) {
        if settings.unit.is_empty() {
            problems.add("/unit", "the unit has no name; write what the customer sees, such as \"request\"");
        }
        if settings.count.is_empty() {
            problems.add("/count", "write \"events\", or the name of the measure to count");
        }
        problems.refuse_negative("/included", settings.included);
        problems.refuse_negative("/overage_price", settings.overage_price);
        problems.refuse_negative("/premium_surcharge", settings.premium_surcharge);
        settings.period.check("/period", problems);
    }

    fn meter(settings: &Settings, event: &Event, usage: &mut Usage) -> Outcome {
        let quantity = if settings.count == "events" { Decimal::ONE } else { event.measure(&settings.count) };
        usage.add(UNIT, quantity)
    }

    fn rate(settings: &Settings, event: &Event, counted: &Counted, bill: &mut Bill) -> Outcome {
        if let Some(count) = counted.of(UNIT) {
            let included = settings.included;
            let within = count.after.min(included).minus(count.before.min(included))?;
            if !within.is_zero() {
                bill.add(Line {
                    code: INCLUDED,
                    quantity: within,
                    unit_price: Decimal::ZERO,
                    amount: Decimal::ZERO,
                })?;
            }
            let beyond = count.grown()?.minus(within)?;
            if !beyond.is_zero() {
                let price = settings.overage_price;
                let amount = count.cumulative(|total| total.beyond(included)?.times(price))?;
                bill.add(Line { code: OVERAGE, quantity: beyond, unit_price: price, amount })?;
            }
        }
        let is_premium = settings.premium_routes.iter().any(|route| event.route() == *route)
            || settings.premium_features.iter().any(|feature| event.feature() == *feature);
        if is_premium {
            let price = settings.premium_surcharge;
            bill.add(Line { code: PREMIUM, quantity: Decimal::ONE, unit_price: price, amount: price })?;
        }
        Ok(())
    }

    fn close(settings: &Settings, customer: &Closing, _: &Totals, bill: &mut Bill) -> Outcome {
        settings.period.close(PERIOD_LINES, customer.charged(), bill)
    }
}
