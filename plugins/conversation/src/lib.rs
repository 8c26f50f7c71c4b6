//! `conversation`: the customer pays for each conversation, however many model calls it takes.
//!
//! A conversation is charged with its first event of the period, if it is beyond the included ones.

use tollgate_sdk::prelude::*;

/// What a tariff sets.
#[settings]
pub struct Settings {
    /// The attribute of an event that says which conversation it belongs to.
    #[serde(default = "conversation")]
    attribute: String,
    /// How many conversations of a period cost nothing.
    #[serde(default)]
    included: Decimal,
    /// The price of each conversation beyond those.
    price: Decimal,
    /// The period's fee, minimum and cap.
    #[serde(default)]
    period: PeriodTerms,
}

fn conversation() -> String {
    "conversation".to_owned()
}

const PERIOD_LINES: PeriodLines = PeriodLines { fee: FEE, minimum: MINIMUM, cap: CAP };

/// Charges each conversation beyond the included ones, however many model calls it takes.
#[plugin(
    unit(CONVERSATION, name = "conversation", aggregation = distinct),
    // Only named, so that a fee is not called a conversation; the line's quantity says how many.
    unit(PERIOD, name = "period", aggregation = sum),
    line(CHARGED, code = "conversation", title = "Conversations", unit = "conversation"),
    line(FEE, code = "fee", title = "Fee for the period", unit = "period"),
    line(MINIMUM, code = "minimum", title = "Up to the minimum", unit = "period"),
    line(CAP, code = "cap", title = "Beyond the spend cap", unit = "period", kind = credit)
)]
impl Pricing for Conversation {
    type Settings = Settings;

    fn check(settings: &Settings, problems: &mut Problems) {
        if settings.attribute.is_empty() {
            problems.add("/attribute", "write the name of the attribute that says which conversation it is");
        }
        problems.refuse_negative("/included", settings.included);
        problems.refuse_negative("/price", settings.price);
        settings.period.check("/period", problems);
    }

    fn meter(settings: &Settings, event: &Event, usage: &mut Usage) -> Outcome {
        let conversation = event.attribute(&settings.attribute);
        if conversation.is_absent() {
            let attribute = &settings.attribute;
            return Err(Fault::new(format!(
                "the event has no attribute `{attribute}`, which says which conversation it belongs to"
            )));
        }
        usage.add_distinct(CONVERSATION, conversation)
    }

    fn rate(settings: &Settings, _: &Event, counted: &Counted, bill: &mut Bill) -> Outcome {
        let Some(count) = counted.of(CONVERSATION) else { return Ok(()) };
        let (included, price) = (settings.included, settings.price);
        let charged = count.after.beyond(included)?.minus(count.before.beyond(included)?)?;
        if charged.is_zero() {
            return Ok(());
        }
        let amount = count.cumulative(|total| total.beyond(included)?.times(price))?;
        bill.add(Line { code: CHARGED, quantity: charged, unit_price: price, amount })
    }

    fn close(settings: &Settings, customer: &Closing, _: &Totals, bill: &mut Bill) -> Outcome {
        settings.period.close(PERIOD_LINES, customer.charged(), bill)
    }
}
