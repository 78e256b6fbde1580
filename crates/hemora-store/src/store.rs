//! A data folder that is open.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::changes::Changes;
use crate::{Options, Recovery, StoreError};

/// A data folder that is open. Shared between threads by reference or in an [`Arc`].
#[derive(Debug)]
pub struct Store {
    pub(crate) changes: Arc<Changes>,
    recovered: Recovery,
}

impl Store {
    /// Opens a data folder: makes it if it is not there, brings an older one up to date, holds it against
    /// other nodes, and files what an earlier node acknowledged and did not come to file. Leases of the
    /// earlier node end.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::Newer`], or of the disk or the database.
    pub fn open(folder: &Path, options: Options) -> Result<Self, StoreError> {
        let _ = (folder, options);
        todo!()
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        todo!()
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
}
