//! The data folder: what is where, who holds it, what is synced.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hemora_base::hex;
use sha2::{Digest, Sha256};

use crate::nodes::{NODES, own_folder};
use crate::{Durability, StoreError};

/// Name of the file by which a node holds the folder.
const LOCK: &str = "lock";

/// How long the lock is waited for: one that has just ended, or a child that a process is just starting, may
/// hold it a moment longer.
const PATIENCE: Duration = Duration::from_millis(500);

/// Name of the file by which a data folder that nodes share says to which database it belongs.
pub(crate) const DATABASE: &str = "database";

/// A data folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    root: PathBuf,
    /// What the node has for itself: all of it, or a folder within.
    own: PathBuf,
    /// Name of the node, where several share the folder; else empty.
    node: String,
    durability: Durability,
}

impl Folder {
    /// Makes what is missing of a data folder, readable by its owner alone.
    pub(crate) fn create(root: &Path, durability: Durability) -> Result<Self, StoreError> {
        let (own, node) = (root.to_owned(), String::new());
        Self { root: root.to_owned(), own, node, durability }.made()
    }

    /// Makes what is missing of a data folder that several nodes share, and of what this one has for itself.
    #[cfg(feature = "postgres")]
    pub(crate) fn create_shared(
        root: &Path,
        durability: Durability,
        node: &str,
    ) -> Result<Self, StoreError> {
        crate::nodes::check_node_name(node)?;
        Self {
            root: root.to_owned(),
            own: own_folder(root, node),
            node: node.to_owned(),
            durability,
        }
        .made()
    }

    fn made(self) -> Result<Self, StoreError> {
        for folder in [&self.root, &self.own, &self.inbox(), &self.studies()] {
            make_private(folder)?;
        }
        for folder in self.own.ancestors().take_while(|it| it.starts_with(&self.root)) {
            self.sync_folder(folder)?;
        }
        Ok(self)
    }

    /// The same folder as another node has it.
    pub(crate) fn of_node(&self, node: &str) -> Self {
        Self { own: own_folder(&self.root, node), node: node.to_owned(), ..self.clone() }
    }

    /// Name of the node, where several share the folder; else empty.
    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    /// Whether several nodes share the folder at `root`.
    pub(crate) fn is_shared(root: &Path) -> bool {
        root.join(NODES).is_dir()
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where instances arrive.
    pub(crate) fn inbox(&self) -> PathBuf {
        self.own.join("inbox")
    }

    /// Where images are.
    pub(crate) fn studies(&self) -> PathBuf {
        self.root.join("studies")
    }

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        Self::database_in(&self.root)
    }

    /// The database of the data folder at `root`.
    pub(crate) fn database_in(root: &Path) -> PathBuf {
        root.join("hemora.db")
    }

    /// What acknowledged instances survive.
    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    /// Holds the folder until the file is closed. Waits a moment for one who is just ending.
    pub(crate) fn lock(&self) -> Result<File, StoreError> {
        let path = self.own.join(LOCK);
        let failed = |error| StoreError::io(&path, error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(failed)?;
        let began = Instant::now();
        let mut locked = file.try_lock();
        while matches!(locked, Err(TryLockError::WouldBlock)) && began.elapsed() < PATIENCE {
            std::thread::sleep(PATIENCE / 10);
            locked = file.try_lock();
        }
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Best effort: the message is useful without the number.
                let _ = (&mut file).take(20).read_to_string(&mut holder);
                let pid = holder.trim().parse().ok();
                return Err(StoreError::Locked { folder: self.own.clone(), pid });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(file)
    }

    /// Makes the content of a file last, as far as the node promises.
    pub(crate) fn sync_file(&self, file: &File, path: &Path) -> Result<(), StoreError> {
        match self.durability {
            Durability::Power => file.sync_data().map_err(|error| StoreError::io(path, error)),
            Durability::Process => Ok(()),
        }
    }

    /// Makes the names in a folder last, as far as the node promises.
    pub(crate) fn sync_folder(&self, folder: &Path) -> Result<(), StoreError> {
        match self.durability {
            Durability::Power => sync_folder(folder),
            Durability::Process => Ok(()),
        }
    }

    /// Bytes that the disk has free for us.
    pub(crate) fn free(&self) -> Result<u64, StoreError> {
        free(&self.root)
    }
}

/// Path of an instance below the data folder, of hashes alone.
pub(crate) fn instance_path(study_uid: &str, sop_uid: &str, sha256: &[u8; 32]) -> String {
    let study = hex(&Sha256::digest(study_uid)[..16]);
    let mut hash = Sha256::new();
    hash.update(sop_uid);
    hash.update([0]);
    hash.update(sha256);
    format!("studies/{}/{study}/{}.dcm", &study[..2], hex(&hash.finalize()[..16]))
}

/// Makes a folder that its owner alone can read.
pub(crate) fn make_private(folder: &Path) -> Result<(), StoreError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| StoreError::io(folder, error))
}

/// Makes the names in a folder last.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    // Elsewhere a folder cannot be opened as a file, and needs no sync.
    #[cfg(unix)]
    File::open(folder)
        .and_then(|opened| opened.sync_all())
        .map_err(|error| StoreError::io(folder, error))?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

#[cfg(unix)]
fn free(folder: &Path) -> Result<u64, StoreError> {
    let disk = rustix::fs::statvfs(folder).map_err(|error| StoreError::io(folder, error.into()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Path) -> Result<u64, StoreError> {
    Ok(u64::MAX)
}

/// Removes a file; that it is gone already is no failure.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::io(path, error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_hashes_whatever_the_uids_say() {
        let path = instance_path("../../../etc", "/passwd\0..", &[7; 32]);
        let parts: Vec<&str> = path.split('/').collect();
        assert_eq!(parts.len(), 4, "{path}");
        assert!(parts[2].starts_with(parts[1]) && parts[2].len() == 32, "{path}");
        let name = parts[3].strip_suffix(".dcm").unwrap();
        assert!(name.bytes().all(|it| it.is_ascii_hexdigit()) && name.len() == 32, "{path}");
        assert_ne!(path, instance_path("../../../etc", "/passwd\0..", &[8; 32]));
    }

    #[test]
    fn a_folder_is_held_by_one() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(root.path(), Durability::Process).unwrap();
        let held = folder.lock().unwrap();
        let refused = folder.lock().unwrap_err();
        assert!(matches!(&refused, StoreError::Locked { pid: Some(pid), .. }
            if *pid == std::process::id()));
        assert!(refused.to_string().contains("is in use by the node of process"), "{refused}");
        drop(held);
        folder.lock().unwrap();
    }
}
