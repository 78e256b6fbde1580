//! Keeps other runs from writing an index that one run writes.

use std::path::{Path, PathBuf};

use super::file::IndexError;
use crate::folder_lock::FolderLock;

/// Holds an index until it is dropped or its process ends: the folder of its parts is locked.
#[derive(Debug)]
pub(crate) struct IndexLock {
    /// `set.parquet.parts` of `set.parquet`.
    pub(super) folder: PathBuf,
    #[expect(dead_code, reason = "holds the lock")]
    lock: FolderLock,
}

impl IndexLock {
    /// Takes an index, which need not be there.
    ///
    /// # Errors
    /// [`IndexError::Busy`] if another run has it, or the operating system's reason.
    pub(crate) fn take(index: &Path) -> Result<Self, IndexError> {
        let mut folder = index.as_os_str().to_owned();
        folder.push(".parts");
        let folder = PathBuf::from(folder);
        match FolderLock::take(&folder) {
            Ok(Some(lock)) => Ok(Self { folder, lock }),
            Ok(None) => Err(IndexError::Busy(index.to_owned())),
            Err(source) => Err(IndexError::Io { path: folder, source }),
        }
    }
}
