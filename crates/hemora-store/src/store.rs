//! A data folder that is open.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

#[cfg(feature = "postgres")]
use chrono::TimeDelta;
use chrono::{DateTime, Utc};

#[cfg(feature = "postgres")]
use crate::SharedDatabase;
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
    #[cfg(feature = "postgres")]
    watch: Option<crate::postgres::Watch>,
    /// Where the database is that several nodes share.
    server: Option<String>,
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

    /// Opens a data folder that several nodes share, with their database: as [`Store::open`], but for that
    /// others may be at work on both. Only what this node left is put right.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] for a name or an address that cannot be, [`StoreError::Unreachable`],
    /// [`StoreError::Locked`] by a node of the same name, [`StoreError::OtherDatabase`] if folder and database
    /// are not of each other, [`StoreError::Newer`], or of the disk or the database.
    #[cfg(feature = "postgres")]
    pub fn open_shared(
        folder: &Path,
        options: Options,
        shared: &SharedDatabase,
    ) -> Result<Self, StoreError> {
        use crate::postgres::{Server, Watch};
        let server = Server::new(shared, options.durability)?;
        if Self::is_at(folder) && !Folder::is_shared(folder) {
            let database = format!("the database at {server}: it has its own, hemora.db");
            return Err(StoreError::OtherDatabase { folder: folder.to_owned(), database });
        }
        let folder = Folder::create_shared(folder, options.durability, &shared.node)?;
        let lock = folder.lock()?;
        server.prepare(folder.root())?;
        let changes = Arc::new(Changes::default());
        let watch = Watch::start(server.clone(), Arc::clone(&changes))?;
        let name = server.to_string();
        let database = Arc::new(Database::connect(server)?);
        let mut store = Self::with(folder, options, database, changes, lock);
        (store.watch, store.server) = (Some(watch), Some(name));
        store.put_right()?;
        store.filing = Some(start(&store.inbox)?);
        Ok(store)
    }

    /// Whether a shared database answers and is one that this program can use; where it is, without a
    /// password. Nothing is changed.
    ///
    /// # Errors
    /// As [`Store::open_shared`].
    #[cfg(feature = "postgres")]
    pub fn check_shared(shared: &SharedDatabase) -> Result<String, StoreError> {
        crate::nodes::check_node_name(&shared.node)?;
        let server = crate::postgres::Server::new(shared, crate::Durability::Power)?;
        server.check()?;
        Ok(server.to_string())
    }

    /// Whether a folder is the data folder of a node, or of several.
    pub fn is_at(folder: &Path) -> bool {
        Folder::database_in(folder).is_file() || Folder::is_shared(folder)
    }

    /// A store that acknowledges and does not file, as one that is killed before it comes to that.
    pub(crate) fn open_without_filing(path: &Path, options: Options) -> Result<Self, StoreError> {
        if Folder::is_shared(path) {
            let database =
                "a database in it: several nodes share it, and one of a server".to_owned();
            return Err(StoreError::OtherDatabase { folder: path.to_owned(), database });
        }
        let folder = Folder::create(path, options.durability)?;
        let lock = folder.lock()?;
        let database = Arc::new(Database::open(&folder)?);
        let mut store = Self::with(folder, options, database, Arc::default(), lock);
        store.put_right()?;
        Ok(store)
    }

    fn with(
        folder: Folder,
        options: Options,
        database: Arc<Database>,
        changes: Arc<Changes>,
        lock: File,
    ) -> Self {
        let inbox =
            Inbox::new(folder.clone(), options, Arc::clone(&database), Arc::clone(&changes));
        Self {
            folder,
            inbox: Arc::new(inbox),
            options,
            database,
            changes,
            recovered: Recovery::default(),
            filing: None,
            #[cfg(feature = "postgres")]
            watch: None,
            server: None,
            _lock: lock,
        }
    }

    /// What an earlier run of this node left.
    fn put_right(&mut self) -> Result<(), StoreError> {
        let mut recovered = Recovery::default();
        self.inbox.recover(&mut recovered)?;
        recovered.leases_ended = self.end_leases(self.folder.node())?;
        recovered.evictions_finished = self.empty_trash()?;
        self.recovered = recovered;
        Ok(())
    }

    /// An inbox of another node that has ended, to be looked after.
    pub(crate) fn inbox_of(&self, folder: Folder) -> Inbox {
        Inbox::new(folder, self.options, Arc::clone(&self.database), Arc::clone(&self.changes))
    }

    /// Where the database is that several nodes share, without a password; `None` for one in the data folder.
    pub fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// A time by the clock that all nodes go by: that of the shared database.
    pub(crate) fn by_shared_clock(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        #[cfg(feature = "postgres")]
        if let Some(watch) = &self.watch {
            return now + TimeDelta::milliseconds(watch.ahead());
        }
        now
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
        let outcome = self.database.write(|connection| {
            let outcome = work(connection)?;
            connection.announce()?;
            Ok(outcome)
        })?;
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
