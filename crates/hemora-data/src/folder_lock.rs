//! Keeps a second run out of a folder that a first one fills.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

/// Holds a folder until it is dropped or its process ends.
#[derive(Debug)]
pub(crate) struct FolderLock(
    /// Absent where folders cannot be locked, such as on some network file systems.
    #[expect(dead_code, reason = "holds the lock")]
    Option<File>,
);

impl FolderLock {
    /// Makes the folder unless it is there, and locks it; `None` if another run holds it.
    ///
    /// # Errors
    /// Those of making the folder.
    pub(crate) fn take(folder: &Path) -> io::Result<Option<Self>> {
        loop {
            fs::create_dir_all(folder)?;
            let Ok(file) = File::open(folder) else { return Ok(Some(Self(None))) };
            match file.try_lock() {
                // The run that held it may have removed it since: then the lock is of nothing.
                Ok(()) if is_at(&file, folder) => return Ok(Some(Self(Some(file)))),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(_)) => return Ok(Some(Self(None))),
            }
        }
    }
}

#[cfg(unix)]
fn is_at(file: &File, folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(folder)) {
        (Ok(file), Ok(folder)) => id(file) == id(folder),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, folder: &Path) -> bool {
    folder.is_dir()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one_until_that_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let first = FolderLock::take(&path).unwrap().unwrap();
        assert!(FolderLock::take(&path).unwrap().is_none());
        drop(first);
        let again = FolderLock::take(&path).unwrap().unwrap();
        // Removed by the run that held it.
        fs::remove_dir(&path).unwrap();
        assert!(FolderLock::take(&path).unwrap().is_some());
        drop(again);
    }
}
