//! `{{name}}`: each conversation is charged once, however many events it takes.

use tollgate_sdk::prelude::*;

/// What a tariff sets.
#[settings]
pub struct Settings {
    /// The attribute of an event that says which conversation it belongs to.
    #[serde(default = "conversation")]
    attribute: String,
    /// The price of one conversation.
    price: Decimal,
}

fn conversation() -> String {
    "conversation".to_owned()
}

/// Charges each conversation once.
#[plugin(
    unit(CONVERSATION, name = "conversation", aggregation = distinct),
    line(CONVERSATIONS, code = "conversations", title = "Conversations", unit = "conversation"),
)]
impl Pricing for {{Type}} {
    type Settings = Settings;

    fn check(settings: &Settings, problems: &mut Problems) {
        if settings.attribute.is_empty() {
            problems.add("/attribute", "write the name of the attribute that tells conversations apart");
        }
        problems.refuse_negative("/price", settings.price);
    }

    /// Which conversation an event belongs to. The host counts each once for a customer and period.
    fn meter(settings: &Settings, event: &Event, usage: &mut Usage) -> Outcome {
        let conversation = event.attribute(&settings.attribute);
        if conversation.is_absent() {
            let attribute = &settings.attribute;
            return Err(Fault::new(format!("the event has no attribute `{attribute}`; send it with each event")));
        }
        usage.add_distinct(CONVERSATION, conversation)
    }

    /// What an event costs: the price, if it moved the counter.
    fn rate(settings: &Settings, _: &Event, counted: &Counted, bill: &mut Bill) -> Outcome {
        let Some(conversations) = counted.of(CONVERSATION) else { return Ok(()) };
        let quantity = conversations.grown()?;
        if quantity.is_zero() {
            return Ok(());
        }
        let amount = conversations.cumulative(|total| total.times(settings.price))?;
        bill.add(Line { code: CONVERSATIONS, quantity, unit_price: settings.price, amount })
    }
}
