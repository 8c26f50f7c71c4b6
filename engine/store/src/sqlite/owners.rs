//! Owners of accounts as columns: a kind, an app and a name, of which the last two are numbers of `names`.

use rusqlite::Connection;
use tollgate_core::ledger::Owner;

use super::names::Names;
use super::trouble::Trouble;

/// A kind, an app and a name.
pub type OwnerRow = (i64, i64, i64);

/// The columns of an owner; words are added where the database does not have them.
pub fn row(db: &Connection, names: &mut Names, owner: &Owner) -> Result<OwnerRow, Trouble> {
    let (kind, app, name) = words(owner);
    Ok((kind, names.id(db, app)?, names.id(db, name)?))
}

/// The columns of an owner; `None` when the database does not have a word, and so no such owner.
pub fn known_row(db: &Connection, names: &mut Names, owner: &Owner) -> Result<Option<OwnerRow>, Trouble> {
    let (kind, app, name) = words(owner);
    let (app, name) = (names.known_id(db, app)?, names.known_id(db, name)?);
    Ok(app.zip(name).map(|(app, name)| (kind, app, name)))
}

/// The owner of such columns.
pub fn owner(db: &Connection, names: &mut Names, (kind, app, name): OwnerRow) -> Result<Owner, Trouble> {
    let name = names.word(db, name)?.to_string();
    let mut app = || names.word(db, app).map(|app| app.to_string());
    Ok(match kind {
        0 => Owner::Customer { app: app()?, customer: name },
        1 => Owner::Provider(name),
        2 => Owner::Platform,
        3 => Owner::Builder(name),
        4 => Owner::Paid { app: app()?, customer: name },
        5 => Owner::Granted { app: app()?, customer: name },
        6 => Owner::Clearing(name),
        7 => Owner::Transit(name),
        8 => Owner::Reserve(name),
        _ => return Err(Trouble::corrupt(format!("an account of kind {kind}"))),
    })
}

fn words(owner: &Owner) -> (i64, &str, &str) {
    match owner {
        Owner::Customer { app, customer } => (0, app, customer),
        Owner::Provider(name) => (1, "", name),
        Owner::Platform => (2, "", ""),
        Owner::Builder(name) => (3, "", name),
        Owner::Paid { app, customer } => (4, app, customer),
        Owner::Granted { app, customer } => (5, app, customer),
        Owner::Clearing(name) => (6, "", name),
        Owner::Transit(name) => (7, "", name),
        Owner::Reserve(name) => (8, "", name),
    }
}
