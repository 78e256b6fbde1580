//! The database: one thread writes, several connections read.

mod migrate;
mod readers;
mod writer;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

pub(crate) use migrate::SCHEMA;
pub(crate) use writer::Writer;

use crate::folder::Folder;
use crate::{Durability, StoreError};
use readers::Readers;

/// The database of a data folder.
#[derive(Debug)]
pub(crate) struct Database {
    writer: Writer,
    readers: Readers,
}

impl Database {
    /// Opens the database, makes it or brings it up to date, and starts its writer.
    pub(crate) fn open(folder: &Folder) -> Result<Self, StoreError> {
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
        Ok(Self { writer: Writer::start(connection)?, readers: Readers::new(path) })
    }

    /// Reads from one state of the database.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.readers.read(work)
    }

    /// Writes in a transaction, which it shares with others that wait; returns once that is committed.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.write(work)
    }

    /// Writes what may get lost, before any write that is asked for afterwards, and does not wait for it.
    pub(crate) fn write_later(
        &self,
        work: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.writer.write_later(work)
    }

    /// Moves everything from the log into the database file and empties the log, unless a reader is at
    /// work.
    pub(crate) fn checkpoint(&self) -> Result<(), StoreError> {
        self.writer.checkpoint()
    }

    /// Ends the writer; later writes fail.
    pub(crate) fn close(&self) {
        self.writer.stop();
    }
}

/// Connects, with the patience set before anything else is asked, which might have to wait already.
pub(crate) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}
