use tollgate_sdk::prelude::*;

#[settings]
pub struct Settings {}

/// Charges nothing.
#[plugin(
    unit(DOCUMENT, name = "document", aggregation = sum),
    unit(OTHER, name = "document", aggregation = max)
)]
impl Pricing for Example {
    type Settings = Settings;

    fn meter(_: &Settings, _: &Event, _: &mut Usage) -> Outcome {
        Ok(())
    }

    fn rate(_: &Settings, _: &Event, _: &Counted, _: &mut Bill) -> Outcome {
        Ok(())
    }
}

fn main() {}
