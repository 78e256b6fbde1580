//! Keeps a second run out of a folder that a first one fills.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// How often a folder may vanish between its making and its locking.
const ATTEMPTS: usize = 16;

/// Holds a folder until it is dropped or its process ends. A folder that it made and in which nothing
/// was put is removed.
#[derive(Debug)]
pub struct FolderLock {
    /// Absent where folders cannot be locked, such as on some network file systems.
    file: Option<File>,
    /// The folder, if it was not there before.
    made: Option<PathBuf>,
}

impl FolderLock {
    /// Makes the folder unless it is there, and locks it; `None` if another run holds it.
    ///
    /// # Errors
    /// Those of making the folder.
    pub fn take(folder: &Path) -> io::Result<Option<Self>> {
        Self::take_by(folder, File::try_lock)
    }

    /// As [`take`](Self::take), but others may hold it too who take it so.
    ///
    /// # Errors
    /// Those of making the folder.
    pub(crate) fn take_with_others(folder: &Path) -> io::Result<Option<Self>> {
        Self::take_by(folder, File::try_lock_shared)
    }

    fn take_by(
        folder: &Path,
        lock: fn(&File) -> Result<(), TryLockError>,
    ) -> io::Result<Option<Self>> {
        let made = (!folder.exists()).then(|| folder.to_owned());
        for _ in 0..ATTEMPTS {
            fs::create_dir_all(folder)?;
            let Ok(file) = File::open(folder) else { break };
            match lock(&file) {
                // The run that held it may have removed it since: then the lock is of nothing.
                Ok(()) if is_at(&file, folder) => return Ok(Some(Self { file: Some(file), made })),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(_)) => break,
            }
        }
        Ok(Some(Self { file: None, made }))
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        let is_own = |folder: &PathBuf| self.file.as_ref().is_none_or(|file| is_at(file, folder));
        if let Some(folder) = self.made.as_ref().filter(|folder| is_own(folder)) {
            // One that holds something stays.
            let _ = fs::remove_dir(folder);
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
        fs::write(path.join("part"), "").unwrap();
        drop(first);
        fs::remove_file(path.join("part")).unwrap();
        let again = FolderLock::take(&path).unwrap().unwrap();
        // Removed by the run that held it.
        fs::remove_dir(&path).unwrap();
        let other = FolderLock::take(&path).unwrap().unwrap();
        drop(again);
        assert!(path.exists());
        // Made by the run that ends, and empty.
        drop(other);
        assert!(!path.exists());
    }
}
