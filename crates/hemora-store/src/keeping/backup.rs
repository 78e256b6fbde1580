//! Backups, and what is made of them.

use std::path::{Path, PathBuf};

use crate::{Store, StoreError};

/// What a backup holds of the images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupImages {
    /// Their names, sizes and hashes: the images themselves are backed up by other means.
    Manifest,
    /// Copies too.
    Copies,
}

/// What a restored data folder holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restored {
    /// Images that are there.
    pub images: u64,
    /// Images that the database knows and that are not there: they count as evicted.
    pub missing: Vec<PathBuf>,
}

impl Store {
    /// Writes a backup into a folder, which must be new or empty, while the node works on.
    ///
    /// # Errors
    /// [`StoreError::Occupied`], or of the disk or the database.
    pub fn backup(&self, folder: &Path, images: BackupImages) -> Result<(), StoreError> {
        let _ = (folder, images);
        todo!()
    }

    /// Makes a data folder of a backup. The folder must hold no database; images (`studies/`) may be
    /// there already.
    ///
    /// # Errors
    /// [`StoreError::Backup`] if the backup is not whole, [`StoreError::Occupied`], or of the disk or the
    /// database.
    pub fn restore(backup: &Path, folder: &Path) -> Result<Restored, StoreError> {
        let _ = (backup, folder);
        todo!()
    }
}
