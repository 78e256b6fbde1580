//! A data folder that is open.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::changes::Changes;
use crate::database::Database;
use crate::folder::Folder;
use crate::inbox::{Inbox, start};
use crate::sql::Connection;
use crate::{Options, Recovery, StoreError};

/// A data folder that is open. Shared between threads by reference or in an [`Arc`]. Dropping it files
/// what is acknowledged and lets the folder go.
#[derive(Debug)]
pub struct Store {
    pub(crate) folder: Folder,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) options: Options,
    database: Arc<Database>,
    changes: Arc<Changes>,
    recovered: Recovery,
    filing: Option<JoinHandle<()>>,
    _lock: File,
}

impl Store {
    /// Opens a data folder: makes it if it is not there, brings an older one up to date, holds it against
    /// other nodes, and files what an earlier node acknowledged and did not come to file. Leases of the
    /// earlier node end.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::Newer`], or of the disk or the database.
    pub fn open(folder: &Path, options: Options) -> Result<Self, StoreError> {
        let mut store = Self::open_without_filing(folder, options)?;
        store.filing = Some(start(&store.inbox)?);
        Ok(store)
    }

    /// Whether a folder is the data folder of a node.
    pub fn is_at(folder: &Path) -> bool {
        Folder::database_in(folder).is_file()
    }

    /// A store that acknowledges and does not file, as one that is killed before it comes to that.
    pub(crate) fn open_without_filing(path: &Path, options: Options) -> Result<Self, StoreError> {
        let folder = Folder::create(path, options.durability)?;
        let lock = folder.lock()?;
        let database = Arc::new(Database::open(&folder)?);
        let changes = Arc::new(Changes::default());
        let inbox =
            Inbox::new(folder.clone(), options, Arc::clone(&database), Arc::clone(&changes));
        let mut recovered = Recovery::default();
        inbox.recover(&mut recovered)?;
        let mut store = Self {
            folder,
            inbox: Arc::new(inbox),
            options,
            database,
            changes,
            recovered,
            filing: None,
            _lock: lock,
        };
        store.recovered.leases_ended = store.end_leases()?;
        store.recovered.evictions_finished = store.empty_trash()?;
        Ok(store)
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.folder.root()
    }

    /// What opening had to put right, for the log.
    pub fn recovered(&self) -> &Recovery {
        &self.recovered
    }

    /// A number that grows with every change of studies, jobs or deliveries.
    pub fn changes(&self) -> u64 {
        self.changes.count()
    }

    /// Waits until [`Self::changes`] is not `seen`, at most `longest`; the number then.
    pub fn wait_for_change(&self, seen: u64, longest: Duration) -> u64 {
        self.changes.wait(seen, longest)
    }

    /// Reads from one state of the database.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.database.read(work)
    }

    /// Writes in a transaction and returns once it is committed.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.database.write(work)
    }

    /// Writes what may get lost, and does not wait for it.
    pub(crate) fn write_later(
        &self,
        work: impl FnOnce(&Connection<'_>) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.database.write_later(work)
    }

    /// Writes what others see in the list.
    pub(crate) fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let outcome = self.database.write(work)?;
        self.changes.note();
        Ok(outcome)
    }

    /// Leaves nothing in the log of the database.
    pub(crate) fn checkpoint(&self) -> Result<(), StoreError> {
        self.database.checkpoint()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.inbox.stop();
        if let Some(filing) = self.filing.take() {
            let _ = filing.join();
        }
        self.database.close();
    }
}
