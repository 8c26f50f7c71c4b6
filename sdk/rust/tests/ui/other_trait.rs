use tollgate_sdk::prelude::*;

#[settings]
pub struct Settings {}

/// Charges nothing.
#[plugin()]
impl Clone for Example {
    fn clone(&self) -> Self {
        Example
    }
}

fn main() {}
