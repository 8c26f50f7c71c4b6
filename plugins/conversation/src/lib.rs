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
}

fn conversation() -> String {
    "conversation".to_owned()
}

/// Charges each conversation beyond the included ones, however many model calls it takes.
#[plugin(
    unit(CONVERSATION, name = "conversation", aggregation = distinct),
    line(CHARGED, code = "conversation", title = "Conversations", unit = "conversation")
)]
impl Pricing for Conversation {
    type Settings = Settings;

    fn check(settings: &Settings, problems: &mut Problems) {
        if settings.attribute.is_empty() {
            problems.add("/attribute", "write the name of the attribute that says which conversation it is");
        }
        problems.refuse_negative("/included", settings.included);
        problems.refuse_negative("/price", settings.price);
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
}
