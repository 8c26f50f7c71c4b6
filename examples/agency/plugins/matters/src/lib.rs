//! `matters`, for Harbor Legal alone: each matter is opened once, pages are included by the month, and a page that
//! was wanted at once costs something more.

use tollgate_sdk::prelude::*;

/// What the client agreed to.
#[settings]
pub struct Settings {
    /// What it costs to open a matter.
    matter_fee: Decimal,
    /// How many pages of a month cost nothing.
    #[serde(default)]
    included_pages: Decimal,
    /// The price of each further page.
    page_price: Decimal,
    /// What a page costs in addition when the event's attribute `priority` is `rush`.
    rush_surcharge: Decimal,
}

/// Charges each matter once, pages beyond the included ones, and rush pages more.
#[plugin(
    unit(MATTER, name = "matter", aggregation = distinct),
    unit(PAGE, name = "page", aggregation = sum),
    line(MATTERS, code = "matters", title = "Matters opened", unit = "matter"),
    line(PAGES, code = "pages", title = "Pages beyond those included", unit = "page"),
    line(RUSH, code = "rush", title = "Rush pages", unit = "page"),
)]
impl Pricing for Matters {
    type Settings = Settings;

    fn check(settings: &Settings, problems: &mut Problems) {
        problems.refuse_negative("/matter_fee", settings.matter_fee);
        problems.refuse_negative("/included_pages", settings.included_pages);
        problems.refuse_negative("/page_price", settings.page_price);
        problems.refuse_negative("/rush_surcharge", settings.rush_surcharge);
    }

    fn meter(_: &Settings, event: &Event, usage: &mut Usage) -> Outcome {
        let matter = event.attribute("matter");
        if matter.is_absent() {
            return Err(Fault::new(
                "the event has no attribute `matter`; send the matter's number with each event",
            ));
        }
        usage.add_distinct(MATTER, matter)?;
        usage.add(PAGE, event.measure("pages"))
    }

    fn rate(settings: &Settings, event: &Event, counted: &Counted, bill: &mut Bill) -> Outcome {
        if let Some(matters) = counted.of(MATTER) {
            let (quantity, fee) = (matters.grown()?, settings.matter_fee);
            if !quantity.is_zero() {
                let amount = matters.cumulative(|total| total.times(fee))?;
                bill.add(Line { code: MATTERS, quantity, unit_price: fee, amount })?;
            }
        }
        let Some(pages) = counted.of(PAGE) else { return Ok(()) };
        let (included, price) = (settings.included_pages, settings.page_price);
        let quantity = pages.after.beyond(included)?.minus(pages.before.beyond(included)?)?;
        if !quantity.is_zero() {
            let amount = pages.cumulative(|total| total.beyond(included)?.times(price))?;
            bill.add(Line { code: PAGES, quantity, unit_price: price, amount })?;
        }
        if event.attribute("priority") == "rush" {
            let (quantity, price) = (pages.grown()?, settings.rush_surcharge);
            bill.add(Line { code: RUSH, quantity, unit_price: price, amount: quantity.times(price)? })?;
        }
        Ok(())
    }
}
