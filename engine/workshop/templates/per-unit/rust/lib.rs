//! `{{name}}`: each document beyond the included ones has a price.

use tollgate_sdk::prelude::*;

/// What a tariff sets.
#[settings]
pub struct Settings {
    /// The price of one document.
    price: Decimal,
    /// How many documents of a period cost nothing.
    #[serde(default)]
    included: Decimal,
}

/// Charges each document beyond the included ones.
#[plugin(
    unit(DOCUMENT, name = "document", aggregation = sum),
    line(DOCUMENTS, code = "documents", title = "Documents beyond those included", unit = "document"),
)]
impl Pricing for {{Type}} {
    type Settings = Settings;

    fn check(settings: &Settings, problems: &mut Problems) {
        problems.refuse_negative("/price", settings.price);
        problems.refuse_negative("/included", settings.included);
    }

    /// Which units an event is worth. The host counts them for each customer and period.
    fn meter(_: &Settings, event: &Event, usage: &mut Usage) -> Outcome {
        usage.add(DOCUMENT, event.measure("documents"))
    }

    /// What an event costs, given the counter before and after it.
    fn rate(settings: &Settings, _: &Event, counted: &Counted, bill: &mut Bill) -> Outcome {
        let Some(documents) = counted.of(DOCUMENT) else { return Ok(()) };
        let quantity = documents.cumulative(|total| total.beyond(settings.included))?;
        if quantity.is_zero() {
            return Ok(());
        }
        let amount = documents.cumulative(|total| total.beyond(settings.included)?.times(settings.price))?;
        bill.add(Line { code: DOCUMENTS, quantity, unit_price: settings.price, amount })
    }
}
