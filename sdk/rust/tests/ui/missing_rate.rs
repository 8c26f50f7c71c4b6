use tollgate_sdk::prelude::*;

#[settings]
pub struct Settings {}

/// Charges nothing.
#[plugin()]
impl Pricing for Example {
    type Settings = Settings;

    fn meter(_: &Settings, _: &Event, _: &mut Usage) -> Outcome {
        Ok(())
    }
}

fn main() {}
