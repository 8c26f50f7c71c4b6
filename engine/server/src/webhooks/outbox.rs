//! From notices to deliveries: one for each endpoint that wants to be told, exactly once.
//!
//! How far it has come is a record, which moves on in the commit that makes the deliveries. Of two servers
//! that read the same notices one is refused, and looks again.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use tollgate_core::store::record::{self, Document, Versioned};
use tollgate_core::store::{Commit, NoticeNumber, RecordKind, Store, StoreError};

use super::delivery::{self, Delivery};
use super::endpoint::{self, Endpoint, PLATFORM};
use super::{insist, write};

/// Notices handed on in one commit.
const NOTICES_MAX: usize = 200;

/// The cursor's id.
const CURSOR: &str = "webhooks";

/// How far the notices have been handed on.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// The last one that was.
    after: NoticeNumber,
}

impl Document for Cursor {
    const KIND: RecordKind = RecordKind::Cursor;
}

/// Hands on all notices that there are. Says how many.
pub(super) fn hand_on(store: &dyn Store, now: i64) -> Result<usize, StoreError> {
    let mut handed_on = 0_usize;
    loop {
        let some = insist(|| hand_on_some(store, now))?;
        handed_on = handed_on.saturating_add(some);
        if some < NOTICES_MAX {
            return Ok(handed_on);
        }
    }
}

fn hand_on_some(store: &dyn Store, now: i64) -> Result<Result<usize, StoreError>, StoreError> {
    let cursor: Option<Versioned<Cursor>> = record::read(store, "", CURSOR)?;
    let mut cursor = cursor.unwrap_or(Versioned { version: 0, value: Cursor::default() });
    let notices = store.notices(cursor.value.after, NOTICES_MAX)?;
    let Some((last, _)) = notices.last() else { return Ok(Ok(0)) };
    cursor.value.after = *last;

    let mut known: HashMap<String, Vec<(String, Endpoint)>> = HashMap::new();
    let mut records = vec![cursor.change("", CURSOR)?];
    for (number, notice) in &notices {
        let mut owners = vec![PLATFORM];
        owners.extend(Some(&*notice.builder).filter(|builder| *builder != PLATFORM));
        for owner in owners {
            if !known.contains_key(owner) {
                known.insert(owner.to_owned(), open(store, owner)?);
            }
            let wanting = known.get(owner).into_iter().flatten();
            for (id, _) in wanting.filter(|(_, endpoint)| endpoint.wants(notice.kind)) {
                let key = delivery::key(owner, id, *number);
                records.push(record::change(
                    &key.owner,
                    &key.id,
                    0,
                    &Delivery::new(*number, notice.kind, now),
                )?);
            }
        }
    }
    let written = write(store, Commit { records, ..Commit::default() });
    Ok(written.map(|()| notices.len()))
}

fn open(store: &dyn Store, owner: &str) -> Result<Vec<(String, Endpoint)>, StoreError> {
    let all = endpoint::of_owner(store, owner)?.into_iter();
    Ok(all.map(|(id, kept)| (id, kept.value)).filter(|(_, endpoint)| endpoint.is_open()).collect())
}
