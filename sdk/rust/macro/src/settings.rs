//! `#[settings]`: the derives that a settings type needs.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Item, Result};

pub(crate) fn settings(arguments: TokenStream, item: &TokenStream) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(arguments, "`settings` takes no arguments"));
    }
    let strict = match syn::parse2::<Item>(item.clone())? {
        Item::Struct(_) => quote!(#[serde(deny_unknown_fields)]),
        Item::Enum(_) => quote!(),
        other => return Err(Error::new_spanned(other, "`settings` belongs above a struct or an enum")),
    };
    Ok(quote! {
        #[derive(
            ::core::fmt::Debug,
            ::core::clone::Clone,
            ::tollgate_sdk::serde::Deserialize,
            ::tollgate_sdk::schemars::JsonSchema,
        )]
        #[serde(crate = "::tollgate_sdk::serde")]
        #[schemars(crate = "::tollgate_sdk::schemars")]
        #strict
        #item
    })
}
