//! `rate-card`: a list of prices, by what an event does, for whom and when.
//!
//! The first rate that fits an event prices its measures; every adjustment that fits multiplies that price. What
//! fits is in `when.rs`. No price depends on what was used before, so events cost the same in any order.

mod when;

use std::collections::BTreeMap;
use tollgate_sdk::prelude::*;
use when::{Clock, When};

/// What a tariff sets.
#[settings]
pub struct Settings {
    /// What the customer sees, in the singular: "request".
    #[serde(default = "request")]
    unit: String,
    /// "events", or the measure that counts the units shown to the customer.
    #[serde(default = "events")]
    count: String,
    /// The prices. The first that fits an event is the event's.
    rates: Vec<Rate>,
    /// Factors on that price. Each that fits an event counts.
    #[serde(default)]
    adjustments: Vec<Adjustment>,
    /// What becomes of an event that no rate fits.
    #[serde(default)]
    unlisted: Unlisted,
    /// How far the clock that hours and days are read from is ahead of UTC: "+02:00".
    #[serde(default)]
    utc_offset: Clock,
    /// The period's fee, minimum and cap.
    #[serde(default)]
    period: PeriodTerms,
    /// Refuse events once the cap is reached. One that ran all the same costs nothing more.
    #[serde(default)]
    stop_at_cap: bool,
}

/// One entry of the list.
#[settings]
pub struct Rate {
    /// Which events it prices; all, when left out.
    #[serde(default)]
    when: When,
    /// The price of each measure; "events" is the price of the event itself.
    prices: BTreeMap<String, Decimal>,
    /// How much of a measure the prices are for: "1000000" for prices of a million tokens.
    #[serde(default = "one")]
    per: Decimal,
}

/// A factor on the price.
#[settings]
pub struct Adjustment {
    /// Which events it is for.
    when: When,
    /// The factor: "0.5" halves the price.
    times: Decimal,
}

/// What becomes of an event that no rate fits.
#[settings]
#[derive(Copy, Default)]
#[serde(rename_all = "snake_case")]
pub enum Unlisted {
    /// It is held until the tariff has a rate for it.
    #[default]
    Held,
    /// It costs nothing.
    Free,
}

fn request() -> String {
    "request".to_owned()
}

fn events() -> String {
    "events".to_owned()
}

fn one() -> Decimal {
    Decimal::ONE
}

const PERIOD_LINES: PeriodLines = PeriodLines { fee: FEE, minimum: MINIMUM, cap: CAP };

/// Charges by a list of prices.
#[plugin(
    unit(UNIT, name = "/unit", aggregation = sum),
    unit(SPEND, name = "spend", aggregation = sum),
    // Only named, so that a fee is not called a request; the line's quantity says how many.
    unit(PERIOD, name = "period", aggregation = sum),
    line(USAGE, code = "usage", title = "Usage by the rate card", unit = "/unit"),
    line(FEE, code = "fee", title = "Fee for the period", unit = "period"),
    line(MINIMUM, code = "minimum", title = "Up to the minimum", unit = "period"),
    line(CAP, code = "cap", title = "Beyond the spend cap", unit = "period", kind = credit),
    refusal(CAP_REACHED, code = "cap_reached", title = "The period's spend cap is reached")
)]
impl Pricing for RateCard {
    type Settings = Settings;

    fn check(settings: &Settings, problems: &mut Problems) {
        if settings.unit.is_empty() {
            problems.add("/unit", "the unit has no name; write what the customer sees, such as \"request\"");
        }
        if settings.unit == "spend" {
            problems.add("/unit", "\"spend\" is the name under which money is counted; choose another");
        }
        if settings.count.is_empty() {
            problems.add("/count", "write \"events\", or the name of the measure to count");
        }
        if settings.rates.is_empty() {
            problems.add("/rates", "there is no rate, so no event could be priced");
        }
        settings.utc_offset.check("/utc_offset", problems);
        for (position, rate) in settings.rates.iter().enumerate() {
            rate.when.check(&format!("/rates/{position}/when"), problems);
            let place = position.to_string();
            for (measure, price) in &rate.prices {
                problems.refuse_negative(pointer(["rates", &place, "prices", measure]), *price);
            }
            if rate.per <= Decimal::ZERO {
                let per = rate.per;
                problems.add(format!("/rates/{position}/per"), format!("{per} is not above zero"));
            }
        }
        for (position, adjustment) in settings.adjustments.iter().enumerate() {
            adjustment.when.check(&format!("/adjustments/{position}/when"), problems);
            problems.refuse_negative(format!("/adjustments/{position}/times"), adjustment.times);
        }
        settings.period.check("/period", problems);
        if settings.stop_at_cap && settings.period.cap.is_none() {
            problems.add("/stop_at_cap", "there is no cap to stop at; set /period/cap as well");
        }
    }

    fn meter(settings: &Settings, event: &Event, usage: &mut Usage) -> Outcome {
        usage.add(UNIT, quantity(event, &settings.count))?;
        if settings.period.cap.is_some() {
            usage.add(SPEND, settings.price(event)?)?;
        }
        Ok(())
    }

    fn rate(settings: &Settings, event: &Event, counted: &Counted, bill: &mut Bill) -> Outcome {
        let price = settings.price(event)?;
        let amount = match counted.of(SPEND) {
            Some(spend) => spend.cumulative(|total| settings.period.capped(total))?,
            None => price,
        };
        if settings.stop_at_cap
            && let Some(spend) = counted.of(SPEND)
            && settings.period.is_used_up(spend.before)?
        {
            bill.refuse(CAP_REACHED, "");
        }
        let quantity = quantity(event, &settings.count);
        bill.add(Line { code: USAGE, quantity, unit_price: Decimal::ZERO, amount })
    }

    fn close(settings: &Settings, customer: &Closing, _: &Totals, bill: &mut Bill) -> Outcome {
        settings.period.close(PERIOD_LINES, customer.charged(), bill)
    }
}

impl Settings {
    /// What an event costs, rounded once, half to even to nine places.
    fn price(&self, event: &Event) -> Result<Decimal, Fault> {
        let Some(rate) = self.rates.iter().find(|rate| rate.when.fits(event, &self.utc_offset)) else {
            return match self.unlisted {
                Unlisted::Free => Ok(Decimal::ZERO),
                Unlisted::Held => Err(Fault::new(format!(
                    "no rate fits the event (feature `{}`, route `{}`, model `{}`); add one without `when` for all others",
                    event.feature(),
                    event.route(),
                    event.model()
                ))),
            };
        };
        let mut price = Decimal::ZERO;
        for (measure, unit_price) in &rate.prices {
            price = price.plus(unit_price.times(quantity(event, measure))?)?;
        }
        for adjustment in self.adjustments.iter().filter(|one| one.when.fits(event, &self.utc_offset)) {
            price = price.times(adjustment.times)?;
        }
        if rate.per == Decimal::ONE {
            Ok(price.rounded_to_nano())
        } else {
            price.divided_by_rounded(rate.per, 9)
        }
    }
}

/// How much of a measure an event has; it is one of "events".
fn quantity(event: &Event, measure: &str) -> Decimal {
    if measure == "events" { Decimal::ONE } else { event.measure(measure) }
}
