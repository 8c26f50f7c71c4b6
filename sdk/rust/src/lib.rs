//! Write a Tollgate pricing plugin in Rust.
//!
//! A plugin is a settings struct and an implementation of [`Pricing`], which sees one event at a time:
//! [`Pricing::meter`] says which units the event is worth, the host counts them, and [`Pricing::rate`] says
//! what the event costs, given the counters around it. Everything else (batches, columns, string tables,
//! the WebAssembly component) is the SDK's.
//!
//! ```
//! use tollgate_sdk::prelude::*;
//!
//! #[settings]
//! pub struct Settings {
//!     /// Price of one document.
//!     price: Decimal,
//!     /// Documents a month that cost nothing.
//!     included: Decimal,
//! }
//!
//! /// Charges each document beyond the included ones.
//! #[plugin(
//!     unit(DOCUMENT, name = "document", aggregation = sum),
//!     line(OVERAGE, code = "overage", title = "Documents beyond those included", unit = "document"),
//! )]
//! impl Pricing for PerDocument {
//!     type Settings = Settings;
//!
//!     fn meter(_: &Settings, event: &Event, usage: &mut Usage) -> Outcome {
//!         usage.add(DOCUMENT, event.measure("documents"))
//!     }
//!
//!     fn rate(settings: &Settings, _: &Event, counted: &Counted, bill: &mut Bill) -> Outcome {
//!         let Some(documents) = counted.of(DOCUMENT) else { return Ok(()) };
//!         let beyond = documents.cumulative(|total| total.beyond(settings.included))?;
//!         let amount = beyond.times(settings.price)?;
//!         bill.add(Line { code: OVERAGE, quantity: beyond, unit_price: settings.price, amount })
//!     }
//! }
//!
//! let mut bench = TestBench::<PerDocument>::new(json!({ "price": "0.50", "included": "10" })).unwrap();
//! let priced = bench.event(TestEvent::new().measure("documents", "12")).unwrap();
//! assert_eq!(priced.to_string(), "overage: 2 at 0.50 = 1.00");
//! ```
//!
//! `tollgate plugin build` makes the component; plain `cargo test` runs the same code natively.

mod bill;
mod closing;
mod columns;
mod counted;
mod decimal;
mod declaration;
mod event;
mod fault;
pub mod log;
pub mod native;
mod period;
mod pricing;
#[cfg(not(target_arch = "wasm32"))]
mod testing;
mod usage;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod wasm;

pub use bill::{Bill, Line};
pub use closing::{Closing, Totals};
pub use counted::{Count, Counted, UsageRow};
pub use decimal::Decimal;
pub use declaration::{
    Aggregation, Declared, LineCode, LineDeclaration, LineKind, RefusalCode, RefusalDeclaration, Unit,
    UnitDeclaration,
};
pub use event::{Event, Text};
pub use fault::{Fault, Outcome};
pub use period::{PeriodLines, PeriodTerms};
pub use pricing::{Pricing, Problems, cumulative, pointer};
#[cfg(not(target_arch = "wasm32"))]
pub use testing::{CountedUsage, Priced, PricedLine, TestBench, TestEvent, run_fixtures};
pub use tollgate_sdk_macro::{plugin, settings};
pub use usage::{Key, Usage};

#[doc(hidden)]
pub use schemars;
#[doc(hidden)]
pub use serde;

/// Everything the author of a plugin needs: `use tollgate_sdk::prelude::*;`.
pub mod prelude {
    pub use crate::{
        Bill, Closing, Count, Counted, Decimal, Event, Fault, Line, LineCode, Outcome, PeriodLines,
        PeriodTerms, Pricing, Problems, RefusalCode, Text, Totals, Unit, Usage, cumulative, decimal, log,
        plugin, pointer, settings,
    };
    #[cfg(not(target_arch = "wasm32"))]
    pub use crate::{Priced, PricedLine, TestBench, TestEvent, run_fixtures};
    pub use serde_json::json;
}
