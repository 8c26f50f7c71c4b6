//! `{{name}}`: the price of a document depends on how many were used in the period.

use tollgate_sdk::prelude::*;

/// What a tariff sets.
#[settings]
pub struct Settings {
    /// The tiers, from the first document up. The last one is open: it has no `up_to`.
    tiers: Vec<Tier>,
}

/// A part of the period's documents with a price of its own.
#[settings]
pub struct Tier {
    /// The last document of the tier; null in the last tier.
    #[serde(default)]
    up_to: Option<Decimal>,
    /// The price of a document in it.
    price: Decimal,
}

impl Settings {
    /// What so many documents of a period cost in all.
    fn cost_of(&self, total: Decimal) -> Result<Decimal, Fault> {
        let (mut floor, mut cost) = (Decimal::ZERO, Decimal::ZERO);
        for tier in &self.tiers {
            let ceiling = tier.up_to.map_or(total, |up_to| up_to.min(total));
            cost = cost.plus(ceiling.beyond(floor)?.times(tier.price)?)?;
            floor = floor.max(ceiling);
        }
        Ok(cost)
    }
}

/// Charges documents by tiers over the period.
#[plugin(
    unit(DOCUMENT, name = "document", aggregation = sum),
    line(DOCUMENTS, code = "documents", title = "Documents by tiers", unit = "document"),
)]
impl Pricing for {{Type}} {
    type Settings = Settings;

    fn check(settings: &Settings, problems: &mut Problems) {
        if settings.tiers.is_empty() {
            problems.add("/tiers", "there is no tier; write at least one, such as {\"price\": \"0.50\"}");
        }
        let (mut floor, last) = (Decimal::ZERO, settings.tiers.len().saturating_sub(1));
        for (place, tier) in settings.tiers.iter().enumerate() {
            let at = |field: &str| pointer(["tiers", &place.to_string(), field]);
            problems.refuse_negative(at("price"), tier.price);
            match tier.up_to {
                None if place < last => problems.add(at("up_to"), "only the last tier is open; say where this ends"),
                Some(up_to) if place == last => {
                    problems.add(at("up_to"), format!("the last tier ends at {up_to}; leave it open"));
                }
                Some(up_to) if up_to <= floor => {
                    problems.add(at("up_to"), format!("{up_to} is not beyond {floor}, where the tier begins"));
                }
                Some(up_to) => floor = up_to,
                None => {}
            }
        }
    }

    /// Which units an event is worth. The host counts them for each customer and period.
    fn meter(_: &Settings, event: &Event, usage: &mut Usage) -> Outcome {
        usage.add(DOCUMENT, event.measure("documents"))
    }

    /// What an event costs: by how much it moved the cost of the period's total.
    fn rate(settings: &Settings, _: &Event, counted: &Counted, bill: &mut Bill) -> Outcome {
        let Some(documents) = counted.of(DOCUMENT) else { return Ok(()) };
        let amount = documents.cumulative(|total| settings.cost_of(total))?;
        bill.add(Line { code: DOCUMENTS, quantity: documents.grown()?, unit_price: Decimal::ZERO, amount })
    }
}
