use tollgate_sdk::prelude::*;

#[settings]
pub struct Settings {}

/// Charges nothing.
#[plugin()]
pub struct Example;

fn main() {}
