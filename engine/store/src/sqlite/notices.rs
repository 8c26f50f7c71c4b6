//! Notices as rows, in the order in which things happened.

use rusqlite::{Connection, Row, params};
use tollgate_core::store::{Notice, NoticeKind, NoticeNumber};

use super::lookups::Reader;
use super::row;
use super::trouble::Trouble;

/// Appends notices.
pub fn append(db: &Connection, notices: &[Notice]) -> Result<(), Trouble> {
    for Notice { builder, kind, at, data } in notices {
        let mut insert =
            db.prepare_cached("INSERT INTO notices (builder, kind, at, data) VALUES (?1, ?2, ?3, ?4)")?;
        insert.execute(params![builder, kind.code(), at, data.to_string()])?;
    }
    Ok(())
}

/// Up to `limit` notices after a number, in order.
pub fn list(
    reader: &mut Reader,
    after: NoticeNumber,
    limit: usize,
) -> Result<Vec<(NoticeNumber, Notice)>, Trouble> {
    let mut query = reader.db.prepare_cached(
        "SELECT number, builder, kind, at, data FROM notices WHERE number > ?1 ORDER BY number LIMIT ?2",
    )?;
    query.query_and_then([row::number_column(after), row::limit_column(limit)], numbered)?.collect()
}

fn numbered(row: &Row<'_>) -> Result<(NoticeNumber, Notice), Trouble> {
    let (number, code, data): (i64, String, String) = (row.get(0)?, row.get(2)?, row.get(4)?);
    let kind = NoticeKind::ALL.into_iter().find(|kind| kind.code() == code);
    let kind = kind.ok_or_else(|| Trouble::corrupt(format!("notice {number} is of the kind {code:?}")))?;
    let data = serde_json::from_str(&data)
        .map_err(|error| Trouble::corrupt(format!("notice {number} cannot be read: {error}")))?;
    Ok((row::number(number)?, Notice { builder: row.get(1)?, kind, at: row.get(3)?, data }))
}
