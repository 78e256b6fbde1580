//! What was acknowledged gets its place and its rows: in batches, in the background.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::pool::Pool;
use crate::changes::Changes;
use crate::database::Database;
use crate::folder::{Folder, make_private, remove};
use crate::studies::NewInstance;
use crate::{Options, StoreError};

/// Instances that are filed together, at most.
const BATCH: usize = 256;

/// How long the first of a batch waits for others: with fewer batches, the disk has more time for the
/// syncs that senders wait for.
const GATHER: Duration = Duration::from_millis(50);

/// How long a batch that failed waits.
const AGAIN: Duration = Duration::from_millis(500);

/// An instance that is acknowledged and not yet filed.
#[derive(Debug, Clone)]
pub(super) struct Unfiled {
    /// Its file in the inbox.
    pub(super) slot: PathBuf,
    pub(super) instance: NewInstance,
}

/// How far an instance has come that has no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It is being made to last.
    Syncing,
    /// It is acknowledged.
    Acknowledged,
}

/// Instances without rows.
#[derive(Debug, Default)]
pub(super) struct Unrowed {
    /// By SOPInstanceUID, then hash.
    pub(super) known: HashMap<String, Vec<([u8; 32], Phase)>>,
    pub(super) queue: VecDeque<Unfiled>,
    /// How many are in `known`.
    pub(super) count: usize,
    /// How many were ever queued.
    pub(super) queued: u64,
    /// How many of these have rows.
    pub(super) filed: u64,
    /// How many threads wait for rows.
    pub(super) waiting: usize,
    /// Why the last batch failed.
    pub(super) error: Option<String>,
    pub(super) stop: bool,
}

/// The inbox of a data folder.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(super) folder: Folder,
    pub(super) options: Options,
    pub(super) database: Arc<Database>,
    pub(super) pool: Arc<Pool>,
    changes: Arc<Changes>,
    unrowed: Mutex<Unrowed>,
    /// Something is queued, or somebody waits.
    pub(super) wanted: Condvar,
    /// Something was filed, or failed.
    pub(super) done: Condvar,
}

impl Inbox {
    pub(crate) fn new(
        folder: Folder,
        options: Options,
        database: Arc<Database>,
        changes: Arc<Changes>,
    ) -> Self {
        let pool = Arc::new(Pool::new(folder.clone(), options.pool));
        Self {
            folder,
            options,
            database,
            pool,
            changes,
            unrowed: Mutex::default(),
            wanted: Condvar::new(),
            done: Condvar::new(),
        }
    }

    /// What has no rows.
    pub(super) fn unrowed(&self) -> MutexGuard<'_, Unrowed> {
        self.unrowed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many instances are acknowledged and not filed.
    pub(crate) fn unfiled(&self) -> u64 {
        self.unrowed().count as u64
    }

    /// As [`crate::Store::flush`].
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        let mut unrowed = self.unrowed();
        let upto = unrowed.queued;
        unrowed.waiting += 1;
        self.wanted.notify_all();
        // A failure counts that comes after the call began: an old one may be over.
        unrowed.error = None;
        while unrowed.filed < upto && unrowed.error.is_none() && !unrowed.stop {
            unrowed = self.done.wait(unrowed).unwrap_or_else(PoisonError::into_inner);
        }
        unrowed.waiting -= 1;
        match &unrowed.error {
            _ if unrowed.filed >= upto => Ok(()),
            Some(error) => Err(StoreError::Filing(error.clone())),
            None => Err(StoreError::Closed),
        }
    }

    /// Ends the thread that files, after what is queued.
    pub(crate) fn stop(&self) {
        self.unrowed().stop = true;
        self.wanted.notify_all();
        self.done.notify_all();
    }

    fn next_batch(&self) -> Option<Vec<Unfiled>> {
        let mut unrowed = self.unrowed();
        while unrowed.queue.is_empty() && !unrowed.stop {
            unrowed = self.wanted.wait(unrowed).unwrap_or_else(PoisonError::into_inner);
        }
        if unrowed.queue.is_empty() {
            return None;
        }
        let gathered = self.wanted.wait_timeout_while(unrowed, GATHER, |unrowed| {
            unrowed.queue.len() < BATCH && unrowed.waiting == 0 && !unrowed.stop
        });
        unrowed = gathered.unwrap_or_else(PoisonError::into_inner).0;
        let many = unrowed.queue.len().min(BATCH);
        Some(unrowed.queue.drain(..many).collect())
    }

    fn run(&self) {
        // A pool that cannot be filled costs a sync more an instance, and is tried again.
        let _ = self.pool.fill();
        while let Some(batch) = self.next_batch() {
            let outcome = self.file(&batch);
            let mut unrowed = self.unrowed();
            match outcome {
                Ok(()) => {
                    for unfiled in &batch {
                        unrowed.forget(&unfiled.instance.sop_uid, &unfiled.instance.sha256);
                    }
                    unrowed.filed += batch.len() as u64;
                    unrowed.error = None;
                    drop(unrowed);
                    self.done.notify_all();
                    let _ = self.pool.fill();
                }
                Err(error) => {
                    for unfiled in batch.into_iter().rev() {
                        unrowed.queue.push_front(unfiled);
                    }
                    unrowed.error = Some(error.to_string());
                    self.done.notify_all();
                    // They stay in the inbox, where the next node finds them.
                    if unrowed.stop {
                        return;
                    }
                    let waited = self.wanted.wait_timeout_while(unrowed, AGAIN, |it| !it.stop);
                    drop(waited);
                }
            }
        }
    }

    /// Gives instances their places, then their rows, and takes them out of the inbox.
    pub(super) fn file(&self, batch: &[Unfiled]) -> Result<(), StoreError> {
        place(&self.folder, batch)?;
        let (folder, all) = (self.folder.clone(), batch.to_vec());
        self.database.write(move |connection| {
            // An eviction that had begun before may have removed a file meanwhile; from here on none does.
            let gone = |it: &Unfiled| File::open(folder.root().join(&it.instance.path)).is_err();
            let again: Vec<Unfiled> = all.iter().filter(|it| gone(it)).cloned().collect();
            place(&folder, &again)?;
            let rows: Vec<NewInstance> = all.into_iter().map(|it| it.instance).collect();
            NewInstance::insert(connection, &rows)?;
            connection.announce()
        })?;
        for unfiled in batch {
            // A name that stays does no harm: the next recovery sees that it is filed.
            let _ = remove(&unfiled.slot);
        }
        self.changes.note();
        Ok(())
    }
}

/// Gives instances their places, which last.
fn place(folder: &Folder, batch: &[Unfiled]) -> Result<(), StoreError> {
    let mut touched = BTreeSet::new();
    for unfiled in batch {
        let path = folder.root().join(&unfiled.instance.path);
        let study = path.parent().unwrap_or(folder.root());
        if !study.is_dir() {
            make_private(study)?;
            touched.insert(study.parent().unwrap_or(study).to_owned());
            touched.insert(folder.studies());
        }
        touched.insert(study.to_owned());
        match fs::hard_link(&unfiled.slot, &path) {
            // The name is the hash of the content, so a file that has it is what a killed node, a batch
            // that failed, an eviction that is not over or another node has left.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                replace(folder, &unfiled.slot, &path)?;
            }
            linked => linked.map_err(|error| StoreError::io(&path, error))?,
        }
    }
    touched.iter().try_for_each(|touched| folder.sync_folder(touched))
}

/// Gives a file of the inbox a name that another file may have, at once: somebody may be reading that one.
fn replace(folder: &Folder, slot: &Path, path: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::io(path, error);
    let number = slot.file_stem().unwrap_or_default().to_string_lossy();
    let beside = path.with_extension(format!("{number}.{}", folder.node()));
    remove(&beside)?;
    fs::hard_link(slot, &beside).map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)?;
    // Where both are names of one file, renaming does nothing.
    remove(&beside)
}

impl Unrowed {
    /// An instance has its rows, or is not kept.
    pub(super) fn forget(&mut self, sop_uid: &str, sha256: &[u8; 32]) {
        let Some(hashes) = self.known.get_mut(sop_uid) else { return };
        let before = hashes.len();
        hashes.retain(|(hash, _)| hash != sha256);
        self.count -= before - hashes.len();
        if hashes.is_empty() {
            self.known.remove(sop_uid);
        }
    }
}

/// Starts the thread that files.
pub(crate) fn start(inbox: &Arc<Inbox>) -> Result<JoinHandle<()>, StoreError> {
    let inbox = Arc::clone(inbox);
    let thread = std::thread::Builder::new().name("hemora-inbox".to_owned());
    let started = thread.spawn(move || inbox.run());
    started.map_err(|error| StoreError::io("the thread of the inbox".as_ref(), error))
}
