//! `included-overage` as an Extism plugin: a batch of counters as JSON in, what each event costs as JSON out.

use extism_pdk::{FnResult, plugin_fn};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Batch {
    included: Decimal,
    price: Decimal,
    counters: Vec<Around>,
}

#[derive(Deserialize)]
struct Around {
    before: Decimal,
    after: Decimal,
}

#[derive(Serialize)]
struct Priced {
    within: Decimal,
    beyond: Decimal,
    amount: Decimal,
}

/// Prices a batch.
#[plugin_fn]
pub fn price(batch: Vec<u8>) -> FnResult<Vec<u8>> {
    let Batch { included, price, counters } = serde_json::from_slice(&batch)?;
    let cost = |total: Decimal| ((total - included).max(Decimal::ZERO) * price).round_dp(9);
    let priced = |Around { before, after }: Around| {
        let within = after.min(included) - before.min(included);
        Priced { within, beyond: after - before - within, amount: cost(after) - cost(before) }
    };
    let priced: Vec<Priced> = counters.into_iter().map(priced).collect();
    Ok(serde_json::to_vec(&priced)?)
}
