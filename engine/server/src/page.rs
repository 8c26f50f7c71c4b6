//! Lists in pages: `?limit=` and an opaque `?cursor=`.
//!
//! A cursor says where the next page begins, and nothing else: whose list it is comes from the key and the
//! path, never from the cursor, so a forged one shows nothing that its bearer may not see.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::{Fault, Problem};

/// The query parameters that are [`Paging`]'s.
pub(crate) const PAGING: [&str; 2] = ["limit", "cursor"];
const LIMIT_DEFAULT: u16 = 100;
const LIMIT_MAX: u16 = 1000;
/// A list that is looked through for what is wanted is read in pieces of so many, and no more of them at once.
const PIECE: usize = 1000;
const PIECES_MAX: usize = 10;
/// Stands before the position. A cursor of another version is refused, not misread.
const VERSION: u8 = b'1';

/// What is said of a cursor that cannot be read.
pub(crate) const NO_CURSOR: &str =
    "is not a cursor of this list: take next_cursor from the page before, or begin anew";

/// Which page is asked for.
#[derive(Clone, Debug, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// The most items of the page.
    #[param(minimum = 1, maximum = 1000, default = 100, required = false)]
    limit: u16,
    /// The `next_cursor` of the page before; left out for the first page.
    #[param(required = false)]
    cursor: Option<String>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub data: Vec<T>,
    /// Ask with it for the next page; null on the last.
    pub next_cursor: Option<String>,
}

impl Paging {
    /// The most items of the page: 1 to 1000.
    pub fn limit(&self) -> usize {
        usize::from(self.limit)
    }

    /// The position after which the page begins; `None` for the first page.
    ///
    /// # Errors
    /// 422 when the cursor is not one that this list gave.
    pub fn after<P: DeserializeOwned>(&self) -> Result<Option<P>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let refused = || Problem::invalid(vec![Fault::parameter("cursor", NO_CURSOR)]);
        position(cursor).map(Some).ok_or_else(refused)
    }
}

impl<T> Page<T> {
    /// A page of items of which one more than [`Paging::limit`] was looked up: the surplus one only tells
    /// that there is a next page. `position` says where an item stands.
    ///
    /// # Errors
    /// 500 when a position cannot be written as JSON.
    pub fn cut<P: Serialize>(
        found: impl IntoIterator<Item = T>,
        paging: &Paging,
        position: impl Fn(&T) -> P,
    ) -> Result<Self, Problem> {
        let mut found = found.into_iter();
        let data: Vec<T> = found.by_ref().take(paging.limit()).collect();
        let next_cursor = match (found.next(), data.last()) {
            (Some(_), Some(last)) => Some(cursor(&position(last))?),
            _ => None,
        };
        Ok(Self { data, next_cursor })
    }

    /// The same page with every item written another way.
    pub fn map<U>(self, write: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(write).collect(), next_cursor: self.next_cursor }
    }
}

impl<P: Clone + Serialize, I> Page<(P, I)> {
    /// A page of what is wanted of a list that is looked through from `after` on, each item with its position.
    /// So much is looked through at once and no more: the page may end before it is full, with a cursor.
    ///
    /// # Errors
    /// What the list fails with; 500 when a position cannot be written as JSON.
    pub fn search(
        paging: &Paging,
        mut after: Option<P>,
        list: impl Fn(Option<&P>, usize) -> Result<Vec<(P, I)>, Problem>,
        wanted: impl Fn(&I) -> bool,
    ) -> Result<Self, Problem> {
        let mut data: Vec<(P, I)> = Vec::new();
        for _ in 0..PIECES_MAX {
            let piece = list(after.as_ref(), PIECE)?;
            let is_last = piece.len() < PIECE;
            for (position, item) in piece {
                if wanted(&item) {
                    if data.len() == paging.limit() {
                        let next_cursor = data.last().map(|(last, _)| cursor(last)).transpose()?;
                        return Ok(Self { data, next_cursor });
                    }
                    data.push((position.clone(), item));
                }
                after = Some(position);
            }
            if is_last {
                return Ok(Self { data, next_cursor: None });
            }
        }
        let next_cursor = after.as_ref().map(cursor).transpose()?;
        Ok(Self { data, next_cursor })
    }
}

/// The position of a cursor; `None` when it is not one that was given.
pub(crate) fn position<P: DeserializeOwned>(cursor: &str) -> Option<P> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    match bytes.split_first() {
        Some((&VERSION, position)) => serde_json::from_slice(position).ok(),
        _ => None,
    }
}

/// The cursor of a position.
///
/// # Errors
/// 500 when the position cannot be written as JSON.
pub(crate) fn cursor(position: &impl Serialize) -> Result<String, Problem> {
    let mut bytes = vec![VERSION];
    serde_json::to_writer(&mut bytes, position).map_err(|_| Problem::internal())?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        of_query(parts.uri.query().unwrap_or_default())
    }
}

fn of_query(query: &str) -> Result<Paging, Problem> {
    /// As text: an empty parameter counts as left out.
    #[derive(Deserialize)]
    struct Given {
        limit: Option<String>,
        cursor: Option<String>,
    }
    let given: Given = serde_urlencoded::from_str(query)
        .map_err(|error| Problem::malformed(format!("the query cannot be read: {error}")))?;
    let limit = match given.limit.as_deref() {
        None | Some("") => LIMIT_DEFAULT,
        Some(limit) => {
            limit.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit)).ok_or_else(|| {
                let message = format!("must be a whole number from 1 to {LIMIT_MAX}");
                Problem::invalid(vec![Fault::parameter("limit", message)])
            })?
        }
    };
    Ok(Paging { limit, cursor: given.cursor.filter(|cursor| !cursor.is_empty()) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn walks_a_list_to_its_end() {
        let list: Vec<u64> = (1..=7).collect();
        let (mut seen, mut query) = (Vec::new(), "limit=3".to_owned());
        loop {
            let paging = of_query(&query).unwrap();
            let after: u64 = paging.after().unwrap().unwrap_or(0);
            let found = list.iter().copied().filter(|item| *item > after).take(paging.limit() + 1);
            let page = Page::cut(found, &paging, |item| *item).unwrap();
            assert!(page.data.len() <= 3);
            seen.extend(page.data);
            match page.next_cursor {
                Some(next) => query = format!("limit=3&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, list);
    }

    #[test]
    fn a_list_that_just_fills_a_page_ends_there() {
        let paging = of_query("limit=2").unwrap();
        assert_eq!(Page::cut([1, 2], &paging, |item| *item).unwrap().next_cursor, None);
    }

    #[test]
    fn refuses_what_it_did_not_give() {
        for cursor in ["1", "!!", "MnsifQ", "MSJhIg"] {
            let paging = of_query(&format!("cursor={cursor}")).unwrap();
            assert!(paging.after::<u64>().is_err(), "{cursor}");
        }
        for limit in ["0", "1001", "-1", "ten", "99999999"] {
            assert!(of_query(&format!("limit={limit}")).is_err(), "{limit}");
        }
        assert_eq!(of_query("").unwrap(), Paging { limit: 100, cursor: None });
    }
}
