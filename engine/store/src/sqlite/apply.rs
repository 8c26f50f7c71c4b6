//! Applies one commit inside the writer's transaction, and checks its conditions as it goes.
//!
//! Any error leaves the rolling back to the writer.

use rusqlite::{Connection, params};
use tollgate_core::charge::Charge;
use tollgate_core::event::Event;
use tollgate_core::period::Period;
use tollgate_core::store::{
    Closing, Commit, CounterChange, CounterKey, HoldReason, Outcome, SeenKey, Sequence, StatementKey,
};

use super::charge_record;
use super::definitions;
use super::entries;
use super::event_id::EventId;
use super::names::{CounterRow, Names};
use super::notices;
use super::placements;
use super::records;
use super::row;
use super::sums;
use super::take_back;
use super::trouble::{Trouble, is_duplicate};

/// Applies the whole of a commit. The records come first: they are what writers contend for, and a commit that
/// is refused before it has changed anything costs its neighbours nothing.
pub fn apply(db: &Connection, names: &mut Names, commit: &Commit) -> Result<(), Trouble> {
    definitions::expect(db, commit.defined)?;
    refuse_closed(db, names, commit)?;
    records::expect(db, &commit.expects)?;
    records::change(db, &commit.records)?;
    entries::add(db, names, &commit.entries)?;
    take_back::void_events(db, names, &commit.voids)?;
    insert_events(db, names, commit)?;
    release(db, names, &commit.released)?;
    step_counters(db, names, &commit.counters)?;
    take_back::uncount(db, names, &commit.unseen)?;
    insert_seen(db, names, &commit.seen)?;
    sums::add_statements(db, names, &commit.statements)?;
    sums::add_balances(db, names, &commit.balances)?;
    notices::append(db, &commit.notices)?;
    commit.closes.as_ref().map_or(Ok(()), |closing| close(db, names, closing))
}

fn refuse_closed(db: &Connection, names: &mut Names, commit: &Commit) -> Result<(), Trouble> {
    let mut query = db.prepare_cached("SELECT 1 FROM closings WHERE app = ?1 AND period = ?2")?;
    let mut refuse = |app: &str, period: Period| {
        if let Some(id) = names.known_id(db, app)?
            && query.exists(params![id, row::period_number(period)?])?
        {
            return Err(Trouble::stale(format!("period {period} of app {app:?} is closed")));
        }
        Ok(())
    };
    if let Some(closing) = &commit.closes {
        refuse(&closing.app, closing.period)?;
    }
    let mut open: Option<&StatementKey> = None;
    for (key, _) in &commit.statements {
        if open.is_none_or(|open| (&open.app, open.period) != (&key.app, key.period)) {
            refuse(&key.app, key.period)?;
            open = Some(key);
        }
    }
    Ok(())
}

fn insert_events(db: &Connection, names: &mut Names, commit: &Commit) -> Result<(), Trouble> {
    let mut insert = db.prepare_cached(
        "INSERT INTO events (app, id, fingerprint, received, charge) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let mut place = placements::insert(db)?;
    let mut record = Vec::new();
    for (event, outcome) in &commit.events {
        let app = names.id(db, &event.key.app)?;
        record.clear();
        let charge = match &**outcome {
            Outcome::Rated(charge) => {
                charge_record::encode(charge, &mut record, |word| names.id(db, word))?;
                Some(&record)
            }
            Outcome::Held(_) => None,
        };
        let row = params![app, EventId::from(&*event.key.id), event.fingerprint, event.received, charge];
        let sequence = insert.insert(row).map_err(|error| refused_event(error, event))?;
        let customer = names.id(db, &event.customer)?;
        place.execute([app, customer, placements::period_of(outcome)?, sequence])?;
        if let Outcome::Held(reason) = &**outcome {
            hold(db, sequence, app, reason)?;
        }
    }
    Ok(())
}

fn refused_event(error: rusqlite::Error, event: &Event) -> Trouble {
    if is_duplicate(&error) {
        return Trouble::stale(format!(
            "event {:?} of app {:?} is stored already",
            event.key.id, event.key.app
        ));
    }
    error.into()
}

fn hold(db: &Connection, sequence: i64, app: i64, reason: &HoldReason) -> Result<(), Trouble> {
    let mut insert =
        db.prepare_cached("INSERT INTO holds (sequence, app, cause, message) VALUES (?1, ?2, ?3, ?4)")?;
    insert.execute(params![sequence, app, reason.cause.code(), reason.message])?;
    Ok(())
}

fn release(db: &Connection, names: &mut Names, released: &[(Sequence, Charge)]) -> Result<(), Trouble> {
    let mut held = db.prepare_cached("SELECT 1 FROM holds WHERE sequence = ?1")?;
    let mut insert = db.prepare_cached("INSERT INTO releases (sequence, charge) VALUES (?1, ?2)")?;
    let mut end = db.prepare_cached("DELETE FROM holds WHERE sequence = ?1")?;
    let mut record = Vec::new();
    for (sequence, charge) in released {
        let column = row::number_column(*sequence);
        if !held.exists([column])? {
            return Err(Trouble::stale(format!("event {sequence} is not held")));
        }
        record.clear();
        charge_record::encode(charge, &mut record, |word| names.id(db, word))?;
        insert.execute(params![column, record])?;
        end.execute([column])?;
        placements::release(db, names, *sequence, charge.period)?;
    }
    Ok(())
}

/// A counter's key in numbers; its words are added where the database does not have them.
fn counter_row(db: &Connection, names: &mut Names, key: &CounterKey) -> Result<CounterRow, Trouble> {
    Ok((
        names.id(db, &key.app)?,
        names.id(db, &key.owner)?,
        names.id(db, &key.unit)?,
        names.id(db, &key.group)?,
        row::period_number(key.period)?,
    ))
}

fn step_counters(db: &Connection, names: &mut Names, changes: &[CounterChange]) -> Result<(), Trouble> {
    // A quantity has one text only, so equal texts are equal values.
    let mut step = db.prepare_cached("UPDATE counters SET value = ?1 WHERE id = ?2 AND value = ?3")?;
    for CounterChange { key, before, after } in changes {
        let counter = counter_row(db, names, key)?;
        let id = names.counter(db, counter)?;
        if step.execute(params![after.to_string(), id, before.to_string()])? == 0 {
            let CounterKey { app, owner, unit, .. } = key;
            let reason = format!("counter {unit:?} of {owner:?} of app {app:?} is no longer {before}");
            return Err(Trouble::stale(reason));
        }
    }
    Ok(())
}

fn insert_seen(db: &Connection, names: &mut Names, seen: &[SeenKey]) -> Result<(), Trouble> {
    let mut insert = db.prepare_cached("INSERT INTO seen (counter, key) VALUES (?1, ?2)")?;
    for SeenKey { counter, key } in seen {
        let counter = counter_row(db, names, counter)?;
        let id = names.counter(db, counter)?;
        match insert.execute(params![id, key]) {
            Err(error) if is_duplicate(&error) => {
                return Err(Trouble::stale(format!("{key:?} has been counted already")));
            }
            result => result?,
        };
    }
    Ok(())
}

fn close(db: &Connection, names: &mut Names, closing: &Closing) -> Result<(), Trouble> {
    let app = names.id(db, &closing.app)?;
    let period = row::period_number(closing.period)?;
    db.prepare_cached("INSERT INTO closings (app, period) VALUES (?1, ?2)")?.execute([app, period])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO closing_charges (app, period, customer, charge) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for closing_charge in &closing.charges {
        let (app, customer) = (names.id(db, &closing_charge.app)?, names.id(db, &closing_charge.customer)?);
        let period = row::period_number(closing_charge.charge.period)?;
        let mut record = Vec::new();
        charge_record::encode(&closing_charge.charge, &mut record, |word| names.id(db, word))?;
        insert.execute(params![app, period, customer, record])?;
    }
    Ok(())
}
