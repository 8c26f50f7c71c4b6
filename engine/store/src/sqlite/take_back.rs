//! What a commit takes back: events, and keys that no event counts any more. Nothing is erased: the event and
//! its charge stay, and what was taken back is written beside them.

use rusqlite::{Connection, OptionalExtension as _, params};
use tollgate_core::store::{SeenKey, Sequence, Voided};

use super::charge_record;
use super::late_reversals;
use super::names::Names;
use super::row;
use super::trouble::Trouble;

/// Takes events back, which must be there as their voids say.
pub fn void_events(db: &Connection, names: &mut Names, voids: &[(Sequence, Voided)]) -> Result<(), Trouble> {
    let mut insert = db.prepare_cached(
        "INSERT INTO voids (sequence, number, number_held, charge, cause, message, reason, at,
            replacement)
         VALUES (?1, 1 + coalesce((SELECT max(number) FROM voids), 0),
            (?2 IS NULL) + coalesce((SELECT number_held FROM voids ORDER BY number DESC LIMIT 1), 0), ?2,
            (SELECT cause FROM holds WHERE sequence = ?1), (SELECT message FROM holds WHERE sequence = ?1),
            ?3, ?4, ?5)",
    )?;
    let mut end_hold = db.prepare_cached("DELETE FROM holds WHERE sequence = ?1")?;
    let mut record = Vec::new();
    for (sequence, voided) in voids {
        let column = row::number_column(*sequence);
        refuse_void(db, *sequence, voided)?;
        record.clear();
        let reversal = match &voided.reversal {
            Some(charge) => {
                charge_record::encode(charge, &mut record, |word| names.id(db, word))?;
                Some(&record)
            }
            None => None,
        };
        insert.execute(params![column, reversal, voided.reason, voided.at, voided.replacement])?;
        end_hold.execute([column])?;
        if voided.reversal.is_some() {
            late_reversals::note(db, names, column)?;
        }
    }
    Ok(())
}

fn refuse_void(db: &Connection, sequence: Sequence, voided: &Voided) -> Result<(), Trouble> {
    let mut query = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM voids WHERE sequence = ?1),
            EXISTS (SELECT 1 FROM holds WHERE sequence = ?1)
         FROM events WHERE sequence = ?1",
    )?;
    let found: Option<(bool, bool)> =
        query.query_row([row::number_column(sequence)], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let refusal = match (found, &voided.reversal) {
        (None, _) => "is not there",
        (Some((true, _)), _) => "has been taken back already",
        (Some((false, true)), Some(_)) => "is held: there is no charge to reverse",
        (Some((false, false)), None) => "is charged: its charge must be reversed",
        (Some((false, true)), None) | (Some((false, false)), Some(_)) => return Ok(()),
    };
    Err(Trouble::stale(format!("event {sequence} {refusal}")))
}

/// Forgets that keys were counted.
pub fn uncount(db: &Connection, names: &mut Names, unseen: &[SeenKey]) -> Result<(), Trouble> {
    let mut query = db.prepare_cached("SELECT 1 FROM seen WHERE counter = ?1 AND key = ?2")?;
    let mut note = db.prepare_cached("INSERT INTO unseen (counter, key) VALUES (?1, ?2)")?;
    let mut delete = db.prepare_cached("DELETE FROM seen WHERE counter = ?1 AND key = ?2")?;
    for SeenKey { counter, key } in unseen {
        let counted = match names.known_counter_of(db, counter)? {
            Some(id) if query.exists(params![id, key])? => id,
            _ => return Err(Trouble::stale(format!("{key:?} is not counted"))),
        };
        note.execute(params![counted, key])?;
        delete.execute(params![counted, key])?;
    }
    Ok(())
}
