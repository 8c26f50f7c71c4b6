//! One event, as the author of a plugin sees it.

use crate::{
    Decimal,
    columns::{Columns, decimal_at, named, same},
};
use std::{fmt, ops::Deref};

/// One metered action: who, when, what, and its raw numbers.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    columns: &'a Columns<'a>,
    row: usize,
}

impl<'a> Event<'a> {
    #[inline]
    pub(crate) fn at(columns: &'a Columns<'a>, row: usize) -> Self {
        Self { columns, row }
    }

    /// Who created the usage and pays for it.
    #[inline]
    pub fn customer(&self) -> Text<'a> {
        self.text(self.columns.customer)
    }

    /// The customer's parent, such as an agency's client for one of its sites.
    #[inline]
    pub fn parent(&self) -> Text<'a> {
        self.text(self.columns.parent)
    }

    /// What the application was doing: `review`.
    #[inline]
    pub fn feature(&self) -> Text<'a> {
        self.text(self.columns.feature)
    }

    /// The route that the request took: `premium`.
    #[inline]
    pub fn route(&self) -> Text<'a> {
        self.text(self.columns.route)
    }

    /// The model that answered.
    #[inline]
    pub fn model(&self) -> Text<'a> {
        self.text(self.columns.model)
    }

    /// Who ran the model.
    #[inline]
    pub fn provider(&self) -> Text<'a> {
        self.text(self.columns.provider)
    }

    /// One of the application's own words about the event; absent when the event has none of that name.
    #[inline]
    pub fn attribute(&self, name: &str) -> Text<'a> {
        self.text(named(&self.columns.attributes, name))
    }

    /// When it happened, in milliseconds since 1970-01-01T00:00:00Z.
    #[inline]
    pub fn time(&self) -> i64 {
        self.columns.times.get(self.row).copied().unwrap_or_default()
    }

    /// What the inference cost the network, in units of the tariff's currency.
    #[inline]
    pub fn network_cost(&self) -> Decimal {
        decimal_at(self.columns.network_cost, self.row)
    }

    /// A raw number of the event, such as `input_tokens`; zero when the event has none of that name.
    #[inline]
    pub fn measure(&self, name: &str) -> Decimal {
        decimal_at(named(&self.columns.measures, name), self.row)
    }

    #[inline]
    fn text(&self, ids: &'a [u32]) -> Text<'a> {
        let id = ids.get(self.row).copied().unwrap_or_default();
        let value = self.columns.strings.get(id as usize).map_or("", String::as_str);
        Text { value, id }
    }
}

/// A text of the batch's string table: read it as a `&str`, or use it as a key without copying it.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    value: &'a str,
    pub(crate) id: u32,
}

impl<'a> Text<'a> {
    pub(crate) fn from_table(strings: &'a [String], id: u32) -> Self {
        Self { value: strings.get(id as usize).map_or("", String::as_str), id }
    }

    /// The text; empty when the event has none.
    #[inline]
    pub fn as_str(&self) -> &'a str {
        self.value
    }

    /// Whether the event has no such text.
    #[inline]
    pub fn is_absent(&self) -> bool {
        self.value.is_empty()
    }
}

impl Deref for Text<'_> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.value
    }
}

impl PartialEq<str> for Text<'_> {
    #[inline]
    fn eq(&self, other: &str) -> bool {
        same(self.value, other)
    }
}

impl PartialEq<&str> for Text<'_> {
    #[inline]
    fn eq(&self, other: &&str) -> bool {
        same(self.value, other)
    }
}

impl PartialEq<String> for Text<'_> {
    #[inline]
    fn eq(&self, other: &String) -> bool {
        same(self.value, other)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.value)
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.value, formatter)
    }
}
