use tollgate_sdk::prelude::*;

const PRICE: Decimal = decimal!("1e3");

fn main() {
    println!("{PRICE}");
}
