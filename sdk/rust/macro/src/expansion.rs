//! What `#[plugin(...)]` writes beside the author's `impl`.

use crate::arguments::{Arguments, Line, Refusal, Unit};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Error, Expr, ExprLit, Ident, ImplItem, ItemImpl, Lit, Meta, Path, Result, Type};

pub(crate) fn plugin(arguments: TokenStream, item: &TokenStream) -> Result<TokenStream> {
    let arguments: Arguments = syn::parse2(arguments)?;
    let implementation: ItemImpl = syn::parse2(item.clone())
        .map_err(|_| Error::new_spanned(item, "`plugin` belongs above an `impl Pricing for ...`"))?;
    let name = plugin_type(&implementation)?;
    refuse_missing_items(&implementation)?;
    refuse_crate_name()?;
    let summary = summary(&implementation)?;
    let docs = implementation.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let constants = constants(&arguments);
    let declared = declared(&name, &summary, &arguments);
    Ok(quote! {
        #(#docs)*
        #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
        pub struct #name;
        #constants
        #declared
        #implementation
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        const _: () = {
            type Exported = ::tollgate_sdk::wasm::Component<#name>;
            ::tollgate_sdk::wasm::export_pricing!(Exported with_types_in ::tollgate_sdk::wasm::wit);
        };
    })
}

/// The type the author implements `Pricing` for: a plain name, which the macro declares.
fn plugin_type(implementation: &ItemImpl) -> Result<Ident> {
    let Some((Path { segments, .. }, _)) = &implementation.trait_ else {
        let message = "`plugin` belongs above an `impl Pricing for ...`; this implements no trait";
        return Err(Error::new_spanned(&implementation.self_ty, message));
    };
    if segments.last().is_none_or(|segment| segment.ident != "Pricing") {
        return Err(Error::new_spanned(segments, "`plugin` belongs above an `impl` of the trait `Pricing`"));
    }
    if let Type::Path(path) = implementation.self_ty.as_ref()
        && let Some(name) = path.path.get_ident()
        && implementation.generics.params.is_empty()
    {
        return Ok(name.clone());
    }
    let message = "write a plain name here: the macro declares the plugin's type";
    Err(Error::new_spanned(&implementation.self_ty, message))
}

fn refuse_missing_items(implementation: &ItemImpl) -> Result<()> {
    let has_settings = (implementation.items.iter())
        .any(|item| matches!(item, ImplItem::Type(associated) if associated.ident == "Settings"));
    if !has_settings {
        let message = "say what the plugin's settings are: `type Settings = Settings;`";
        return Err(Error::new_spanned(&implementation.self_ty, message));
    }
    for (name, purpose) in [("meter", "which units an event is worth"), ("rate", "what an event costs")] {
        let is_there = |item: &ImplItem| matches!(item, ImplItem::Fn(function) if function.sig.ident == name);
        if !implementation.items.iter().any(is_there) {
            let message = format!("the plugin has no `fn {name}`, which says {purpose}");
            return Err(Error::new_spanned(&implementation.self_ty, message));
        }
    }
    Ok(())
}

/// The crate's name is the plugin's, and the contract says how that may look.
fn refuse_crate_name() -> Result<()> {
    let name = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.bytes().all(allowed) {
        return Ok(());
    }
    let message = format!(
        "the crate's name is the plugin's: `{name}` may have only lower-case letters, digits and hyphens"
    );
    Err(Error::new(Span::call_site(), message))
}

/// The first paragraph of the doc comment, up to its first full stop.
fn summary(implementation: &ItemImpl) -> Result<String> {
    let lines = implementation.attrs.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    let paragraph: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let paragraph = paragraph.join(" ");
    if paragraph.is_empty() {
        let message = "say above `#[plugin]`, in one sentence of a doc comment, what this plugin charges for";
        return Err(Error::new_spanned(&implementation.self_ty, message));
    }
    Ok(paragraph.split_once(". ").map_or(paragraph.clone(), |(sentence, _)| format!("{sentence}.")))
}

fn constants(arguments: &Arguments) -> TokenStream {
    let units =
        (0_u32..).zip(&arguments.units).map(|(position, Unit { constant, name, aggregation, .. })| {
            let doc = format!("The unit `{}`.", name.value());
            let aggregation = variant(aggregation);
            quote! {
                #[doc = #doc]
                pub const #constant: ::tollgate_sdk::Unit =
                    ::tollgate_sdk::Unit::declared(#position, ::tollgate_sdk::Aggregation::#aggregation);
            }
        });
    let lines = (0_u32..).zip(&arguments.lines).map(|(position, Line { constant, code, title, .. })| {
        let doc = format!("The line `{}`: {}.", code.value(), title.value());
        quote! {
            #[doc = #doc]
            pub const #constant: ::tollgate_sdk::LineCode = ::tollgate_sdk::LineCode::declared(#position, #code);
        }
    });
    let refusals = (0_u32..).zip(&arguments.refusals).map(|(position, Refusal { constant, code, title })| {
        let doc = format!("The refusal `{}`: {}.", code.value(), title.value());
        quote! {
            #[doc = #doc]
            pub const #constant: ::tollgate_sdk::RefusalCode = ::tollgate_sdk::RefusalCode::declared(#position);
        }
    });
    quote!(#(#units)* #(#lines)* #(#refusals)*)
}

fn declared(name: &Ident, summary: &str, arguments: &Arguments) -> TokenStream {
    let units = arguments.units.iter().map(|Unit { name, aggregation, pooled, group_by, .. }| {
        let aggregation = variant(aggregation);
        quote!(::tollgate_sdk::UnitDeclaration {
            name: #name,
            aggregation: ::tollgate_sdk::Aggregation::#aggregation,
            pooled: #pooled,
            group_by: &[#(#group_by),*],
        })
    });
    let lines = arguments.lines.iter().map(|Line { code, title, unit, kind, .. }| {
        let kind = variant(kind);
        quote!(::tollgate_sdk::LineDeclaration {
            code: #code, title: #title, unit: #unit, kind: ::tollgate_sdk::LineKind::#kind,
        })
    });
    let refusals = arguments.refusals.iter().map(|Refusal { code, title, .. }| {
        quote!(::tollgate_sdk::RefusalDeclaration { code: #code, title: #title })
    });
    quote! {
        impl ::tollgate_sdk::Declared for #name {
            const NAME: &'static str = ::core::env!("CARGO_PKG_NAME");
            const VERSION: &'static str = ::core::env!("CARGO_PKG_VERSION");
            const SUMMARY: &'static str = #summary;
            const UNITS: &'static [::tollgate_sdk::UnitDeclaration] = &[#(#units),*];
            const LINES: &'static [::tollgate_sdk::LineDeclaration] = &[#(#lines),*];
            const REFUSALS: &'static [::tollgate_sdk::RefusalDeclaration] = &[#(#refusals),*];
        }
    }
}

/// `sum` is written `Sum` in Rust.
fn variant(word: &Ident) -> Ident {
    let word = word.to_string();
    let mut letters = word.chars();
    let capital: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    Ident::new(&capital, Span::call_site())
}
