//! `backup` and `restore`: a whole database as one file.

use anyhow::Context as _;
use tollgate_store::{Options, SqliteStore};

use crate::arguments::{Backup, Restore};
use crate::exit::Refused;
use crate::session;

/// Copies a database, also while it is being written.
pub fn backup(arguments: &Backup) -> anyhow::Result<u8> {
    let database = session::database(&arguments.data.data)?;
    SqliteStore::open(&database, &Options::default())?.backup(&arguments.to).context(Refused)?;
    super::print(&format!("{} is a complete copy of {}\n", arguments.to.display(), database.display()))?;
    Ok(0)
}

/// Puts a copy where a database is to be.
pub fn restore(arguments: &Restore) -> anyhow::Result<u8> {
    let directory = &arguments.data.data;
    session::create_directory(directory)?;
    let database = directory.join(session::DATABASE);
    SqliteStore::restore(&arguments.from, &database).context(Refused)?;
    super::print(&format!("{} is restored from {}\n", database.display(), arguments.from.display()))?;
    Ok(0)
}
