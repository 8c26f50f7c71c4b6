use tollgate_sdk::prelude::*;

#[settings]
pub struct Settings {}

/// Charges nothing.
#[plugin()]
impl Pricing for Example {
    type Settings = Settings;

    fn rate(_: &Settings, _: &Event, _: &Counted, _: &mut Bill) -> Outcome {
        Ok(())
    }
}

fn main() {}
