use tollgate_sdk::prelude::*;

#[settings]
pub struct Settings {}

/// Charges nothing.
#[plugin()]
impl Example {}

fn main() {}
