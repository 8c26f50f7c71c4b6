//! A frame's columns, found by name once for the whole batch.

use crate::{Decimal, native::Frame};

/// The columns of a frame, with the prefixes taken off the names of attributes and measures.
pub(crate) struct Columns<'a> {
    pub(crate) strings: &'a [String],
    pub(crate) times: &'a [i64],
    pub(crate) customer: &'a [u32],
    pub(crate) parent: &'a [u32],
    pub(crate) feature: &'a [u32],
    pub(crate) route: &'a [u32],
    pub(crate) model: &'a [u32],
    pub(crate) provider: &'a [u32],
    pub(crate) network_cost: &'a [u64],
    pub(crate) attributes: Vec<(&'a str, &'a [u32])>,
    pub(crate) measures: Vec<(&'a str, &'a [u64])>,
    /// `charged` and `charged:CODE`, which only a closing frame has.
    pub(crate) charged: Vec<(&'a str, &'a [u64])>,
}

impl<'a> Columns<'a> {
    /// Finds the columns. One that this SDK does not know is ignored, as the contract demands.
    pub(crate) fn of(frame: &'a Frame) -> Self {
        let mut columns = Self {
            strings: &frame.strings,
            times: &frame.times,
            customer: &[],
            parent: &[],
            feature: &[],
            route: &[],
            model: &[],
            provider: &[],
            network_cost: &[],
            attributes: Vec::new(),
            measures: Vec::new(),
            charged: Vec::new(),
        };
        for column in &frame.texts {
            let ids = column.ids.as_slice();
            match column.name.as_str() {
                "customer" => columns.customer = ids,
                "parent" => columns.parent = ids,
                "feature" => columns.feature = ids,
                "route" => columns.route = ids,
                "model" => columns.model = ids,
                "provider" => columns.provider = ids,
                other => {
                    if let Some(name) = other.strip_prefix("attribute:") {
                        columns.attributes.push((name, ids));
                    }
                }
            }
        }
        for column in &frame.numbers {
            let words = column.words.as_slice();
            match column.name.as_str() {
                "network-cost" => columns.network_cost = words,
                "charged" => columns.charged.push(("", words)),
                other => {
                    if let Some(name) = other.strip_prefix("measure:") {
                        columns.measures.push((name, words));
                    } else if let Some(code) = other.strip_prefix("charged:") {
                        columns.charged.push((code, words));
                    }
                }
            }
        }
        columns
    }
}

/// The column of that name; empty when no event of the batch has a value for it.
#[inline]
pub(crate) fn named<'a, T>(columns: &[(&'a str, &'a [T])], name: &str) -> &'a [T] {
    for (column, values) in columns {
        if same(column, name) {
            return values;
        }
    }
    &[]
}

/// Whether two texts are equal, eight bytes at a time: a call of `memcmp` on WebAssembly goes byte by byte.
#[inline]
pub(crate) fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let (left_words, left_rest) = left.as_chunks::<8>();
    let (right_words, right_rest) = right.as_chunks::<8>();
    let equal = |(left, right): (&[u8; 8], &[u8; 8])| u64::from_le_bytes(*left) == u64::from_le_bytes(*right);
    left_words.iter().zip(right_words).all(equal)
        && left_rest.iter().zip(right_rest).all(|(left, right)| left == right)
}

/// A row's decimal; zero where the column is missing.
#[inline]
pub(crate) fn decimal_at(words: &[u64], row: usize) -> Decimal {
    match words.get(2 * row..2 * row + 2) {
        Some([low, high]) => Decimal::from_words(*low, *high),
        _ => Decimal::ZERO,
    }
}
