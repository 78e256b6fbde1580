//! SQLite: a database in the data folder.

mod migrate;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

pub(crate) use migrate::SCHEMA;

use crate::folder::Folder;
use crate::{Durability, StoreError};

/// Opens the database of a data folder, makes it or brings it up to date.
pub(crate) fn open(folder: &Folder) -> Result<Connection, StoreError> {
    let path = folder.database();
    let mut connection =
        connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    migrate::refuse_newer(&connection, folder.root())?;
    let journal: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if journal != "wal" {
        let what = format!("{} cannot have a write-ahead log ({journal})", path.display());
        return Err(StoreError::Damaged(what));
    }
    let synchronous = match folder.durability() {
        Durability::Power => "FULL",
        Durability::Process => "OFF",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // What is removed is overwritten: a patient who is forgotten is not left in free pages.
    connection.pragma_update(None, "secure_delete", true)?;
    migrate::migrate(&mut connection)?;
    folder.sync_folder(folder.root())?;
    Ok(connection)
}

/// Connects to read.
pub(crate) fn connect_to_read(path: &Path) -> Result<Connection, StoreError> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// Connects, with the patience set before anything else is asked, which might have to wait already.
pub(crate) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}
