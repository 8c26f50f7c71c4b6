//! The guests that do what `included-overage` does, one for each language whose toolchain is here.

use std::path::PathBuf;

use tollgate_tests::tollgate::repository;

/// A plugin under test.
pub struct Guest {
    pub name: &'static str,
    pub component: Vec<u8>,
}

/// Where built guests and their compiled code are kept.
pub fn folder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).expect("target").join("guests")
}

/// The committed component of the Rust plugin.
pub fn rust() -> Guest {
    let component = std::fs::read(repository().join("plugins/prebuilt/included-overage.wasm")).unwrap();
    Guest { name: "Rust", component }
}
