use tollgate_sdk::prelude::*;

#[settings]
fn settings() {}

fn main() {}
