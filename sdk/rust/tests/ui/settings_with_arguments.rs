use tollgate_sdk::prelude::*;

#[settings(strict)]
pub struct Settings {}

fn main() {}
