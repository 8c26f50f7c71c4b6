//! The attribute macros of `tollgate-sdk`. What they accept is in `arguments.rs`, what they write in
//! `expansion.rs`. They leave the author's functions as they are; every mistake is a spanned compile error.

mod arguments;
mod expansion;
mod settings;

use proc_macro::TokenStream;

/// Turns an `impl Pricing for Name` into a plugin.
///
/// It declares the struct `Name` and a constant for each unit, line and refusal; the crate's name and
/// version become the plugin's, the first sentence of the comment above it the summary. Built for WebAssembly, the
/// crate exports the plugin; natively, the functions are called and tested like any others.
///
/// ```text
/// /// Charges each document beyond the included ones.
/// #[plugin(
///     unit(DOCUMENT, name = "document", aggregation = sum),
///     line(OVERAGE, code = "overage", title = "Documents beyond those included", unit = "document"),
///     refusal(LIMIT, code = "limit_reached", title = "The month's limit is reached"),
/// )]
/// impl Pricing for PerDocument { ... }
/// ```
///
/// - `unit(CONSTANT, name, aggregation = sum | max | distinct)`, and where wanted `pooled` and
///   `group_by = ["feature"]`. A name or column that begins with `/` is a JSON pointer into the settings.
/// - `line(CONSTANT, code, title, unit)`, and where wanted `kind = charge | credit | adjustment`.
/// - `refusal(CONSTANT, code, title)`.
#[proc_macro_attribute]
pub fn plugin(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expansion::plugin(arguments.into(), &item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a struct or an enum part of a plugin's settings: read from JSON, refusing fields it does not have, and
/// described in the plugin's schema by its doc comments. `#[serde(default = "...")]` and the like work as always.
#[proc_macro_attribute]
pub fn settings(arguments: TokenStream, item: TokenStream) -> TokenStream {
    settings::settings(arguments.into(), &item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
