//! Files of the inbox that are made ready beforehand: their names last already, so that an instance
//! that is written into one costs a single sync.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::StoreError;
use crate::folder::{Folder, remove};

/// Ending of the names of these files.
const ENDING: &str = ".part";

/// A file of the inbox.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) path: PathBuf,
    /// Whether its name lasts already.
    pub(crate) lasts: bool,
}

#[derive(Debug, Default)]
struct Ready {
    slots: Vec<Slot>,
    next: u64,
}

/// The files that are ready.
#[derive(Debug)]
pub(crate) struct Pool {
    folder: Folder,
    size: usize,
    ready: Mutex<Ready>,
}

impl Pool {
    /// A pool without files.
    pub(crate) fn new(folder: Folder, size: usize) -> Self {
        Self { folder, size, ready: Mutex::default() }
    }

    /// Number of a slot, from the name of its file.
    pub(crate) fn number(name: &str) -> Option<u64> {
        let number = name.strip_suffix(ENDING).filter(|number| number.len() == 16)?;
        u64::from_str_radix(number, 16).ok()
    }

    /// New slots get numbers above this one.
    pub(crate) fn begin_after(&self, number: u64) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready.next = ready.next.max(number.saturating_add(1));
    }

    /// An empty file, made now if none is ready.
    pub(crate) fn take(&self) -> Result<Slot, StoreError> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = ready.slots.pop() {
            return Ok(slot);
        }
        let number = ready.next;
        ready.next += 1;
        drop(ready);
        self.make(number)
    }

    /// Takes back an empty file.
    pub(crate) fn give_back(&self, slot: Slot) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.slots.len() < self.size {
            ready.slots.push(slot);
            return;
        }
        drop(ready);
        // A file that stays is empty, and the next recovery takes it into the pool.
        let _ = remove(&slot.path);
    }

    /// Makes files ready until there are as many as there should be, once half of them are used: each
    /// time costs a sync.
    pub(crate) fn fill(&self) -> Result<(), StoreError> {
        let numbers = {
            let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
            let missing = match self.size.saturating_sub(ready.slots.len()) {
                few if few * 2 < self.size => 0,
                missing => missing,
            };
            let begin = ready.next;
            ready.next += missing as u64;
            begin..ready.next
        };
        if numbers.is_empty() {
            return Ok(());
        }
        let (mut made, mut outcome) = (Vec::new(), Ok(()));
        for number in numbers {
            match self.make(number) {
                Ok(slot) => made.push(slot),
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        let synced = self.folder.sync_folder(&self.folder.inbox());
        for slot in made {
            self.give_back(Slot { lasts: synced.is_ok(), ..slot });
        }
        outcome.and(synced)
    }

    fn make(&self, number: u64) -> Result<Slot, StoreError> {
        let path = self.folder.inbox().join(format!("{number:016x}{ENDING}"));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path).map_err(|error| StoreError::io(&path, error))?;
        Ok(Slot { path, lasts: false })
    }
}

impl Slot {
    /// Opens the file to be written.
    pub(crate) fn open(&self) -> Result<File, StoreError> {
        let opened = OpenOptions::new().read(true).write(true).open(&self.path);
        opened.map_err(|error| StoreError::io(&self.path, error))
    }
}
