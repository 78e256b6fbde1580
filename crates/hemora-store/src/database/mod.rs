//! The database of a node, of whichever make: one thread writes, several connections read.

mod readers;
mod session;
mod writer;

pub(crate) use session::Session;

use crate::StoreError;
use crate::folder::Folder;
use crate::sql::Connection;
use readers::{Readers, Source};
use writer::Writer;

/// The database of a node.
#[derive(Debug)]
pub(crate) struct Database {
    writer: Writer,
    readers: Readers,
}

impl Database {
    /// Opens the database in a data folder, makes it or brings it up to date, and starts its writer.
    pub(crate) fn open(folder: &Folder) -> Result<Self, StoreError> {
        let session = Session::Sqlite(crate::sqlite::open(folder)?);
        let readers = Readers::new(Source::Sqlite(folder.database()));
        Ok(Self { writer: Writer::start(session)?, readers })
    }

    /// Connects to a database that several nodes share, whose tables are there, and starts its writer.
    #[cfg(feature = "postgres")]
    pub(crate) fn connect(server: crate::postgres::Server) -> Result<Self, StoreError> {
        let session = Session::Postgres(Box::new(server.connect()?));
        let readers = Readers::new(Source::Postgres(Box::new(server)));
        Ok(Self { writer: Writer::start(session)?, readers })
    }

    /// Reads from one state of the database.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.readers.read(work)
    }

    /// Writes in a transaction, which it shares with others that wait; returns once that is committed.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.write(work)
    }

    /// Writes what may get lost, before any write that is asked for afterwards, and does not wait for it.
    pub(crate) fn write_later(
        &self,
        work: impl FnOnce(&Connection<'_>) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.writer.write_later(work)
    }

    /// Moves everything from the log of the database into its file and empties the log, unless a reader is
    /// at work. A database that is not in the data folder looks after its log itself.
    pub(crate) fn checkpoint(&self) -> Result<(), StoreError> {
        self.writer.checkpoint()
    }

    /// Ends the writer; later writes fail.
    pub(crate) fn close(&self) {
        self.writer.stop();
    }
}
